// Which cells an area holds, by the address that Excel gives a function of its calling cell.

/**
 * @typedef {{row: number, column: number, rows: number, columns: number}} Block zero-based
 * @typedef {{sheet: string, block: Block | null} | null} Area null is every cell, a null block a
 *   whole sheet
 * @typedef {{sheet: string, row: number, column: number} | null} Cell
 */

const ADDRESS = /^(?:\[[^\]]*\])?(.*)!\$?([A-Z]{1,3})\$?(\d+)/;

/**
 * @param {string} address such as `[Book1]'My sheet'!B7`
 * @returns {Cell} null for what is no address
 */
export function parseAddress(address) {
  const match = ADDRESS.exec(address);
  if (!match) return null;
  const [, name, letters, digits] = match;
  const quoted = name.startsWith("'") && name.endsWith("'");
  const sheet = quoted ? name.slice(1, -1).replaceAll("''", "'") : name;
  let column = 0;
  for (const letter of letters) column = 26 * column + letter.charCodeAt(0) - 64;
  return { sheet, row: Number(digits) - 1, column: column - 1 };
}

/**
 * @param {Area} area
 * @param {Cell} cell
 */
export function covers(area, cell) {
  if (area === null) return true;
  if (cell === null || cell.sheet !== area.sheet) return false;
  if (area.block === null) return true;
  const { row, column, rows, columns } = area.block;
  const inside = (/** @type {number} */ at, /** @type {number} */ from, /** @type {number} */ n) =>
    at >= from && at < from + n;
  return inside(cell.row, row, rows) && inside(cell.column, column, columns);
}
