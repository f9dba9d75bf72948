// Blocks of cells as Univer says them, and as the host does.

/** @typedef {import("../host/addresses.js").Block} Block */

/**
 * @param {Record<number, Record<number, any>>} cells
 * @returns {{startRow: number, endRow: number, startColumn: number, endColumn: number}}
 */
export function extent(cells) {
  const rows = Object.keys(cells).map(Number);
  const columns = rows.flatMap((row) => Object.keys(cells[row] ?? {}).map(Number));
  return {
    startRow: Math.min(...rows),
    endRow: Math.max(...rows),
    startColumn: Math.min(...columns),
    endColumn: Math.max(...columns),
  };
}

/**
 * @param {{startRow: number, endRow: number, startColumn: number, endColumn: number}} range
 * @returns {Block}
 */
export function blockOf({ startRow, endRow, startColumn, endColumn }) {
  return {
    row: startRow,
    column: startColumn,
    rows: endRow - startRow + 1,
    columns: endColumn - startColumn + 1,
  };
}
