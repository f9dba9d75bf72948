// What Univer shows of a sheet's record beside its cells: name, place, widths, frozen rows.

/**
 * @typedef {import("../host/addresses.js").Block} Block
 * @typedef {import("../host/store.js").Sheet} Sheet
 */

const PIXELS_PER_POINT = 96 / 72;
/** More rows or columns than a sheet here has stand for all of them. */
const ROWS = 1000;
const COLUMNS = 40;

/**
 * @param {Sheet} sheet
 * @returns what is compared to know what changed
 */
export function snapshot(sheet) {
  return {
    gridlines: sheet.showGridlines,
    tabColor: sheet.tabColor,
    visibility: sheet.visibility,
    frozen: JSON.stringify(sheet.frozen),
    widths: new Map(sheet.columnWidths),
    merged: sheet.merged.length,
  };
}

/**
 * @param {any} at
 * @param {Block | null} block
 */
function freeze(at, block) {
  if (!block) {
    at.cancelFreeze();
    return;
  }
  const columns = block.columns > COLUMNS ? 0 : block.column + block.columns;
  const rows = block.rows > ROWS ? 0 : block.row + block.rows;
  at.setFreeze({ startRow: rows || -1, startColumn: columns || -1, xSplit: columns, ySplit: rows });
}

/**
 * Show what was changed on the record of a sheet.
 *
 * @param {any} book Univer's
 * @param {Sheet} sheet
 * @param {number} index
 * @param {any} before its snapshot when it was last shown
 * @returns its snapshot now
 */
export function showSheet(book, sheet, index, before) {
  const at = book.getSheetBySheetId(sheet.id);
  const now = snapshot(sheet);
  if (at.getSheetName() !== sheet.name) at.setName(sheet.name);
  if (at.getIndex() !== index) book.moveSheet(at, index);
  if (before.gridlines !== now.gridlines) at.setHiddenGridlines(!sheet.showGridlines);
  if (before.tabColor !== now.tabColor) at.setTabColor(sheet.tabColor);
  if (before.visibility !== now.visibility) {
    if (sheet.visibility === "Visible") at.showSheet();
    else at.hideSheet();
  }
  if (before.frozen !== now.frozen) freeze(at, sheet.frozen);
  for (const [column, points] of sheet.columnWidths) {
    if (before.widths.get(column) === points) continue;
    at.setColumnWidth(column, Math.round(points * PIXELS_PER_POINT));
  }
  for (const block of sheet.merged.slice(before.merged)) {
    at.getRange(block.row, block.column, block.rows, block.columns).merge();
  }
  return now;
}
