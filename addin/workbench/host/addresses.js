// Addresses and blocks of cells: "Sheet1!B2:C5" is four rows and two columns from row 1, column 1.

import { hostError } from "./errors.js";

export const MAX_ROWS = 1_048_576;
export const MAX_COLUMNS = 16_384;

/**
 * A rectangle of cells, counted from zero.
 *
 * @typedef {{row: number, column: number, rows: number, columns: number}} Block
 */

/** @param {number} index 0 is A */
export function columnName(index) {
  let name = "";
  for (let n = index + 1; n > 0; n = Math.floor((n - 1) / 26)) {
    name = String.fromCharCode(65 + ((n - 1) % 26)) + name;
  }
  return name;
}

/** @param {string} name */
export function columnIndex(name) {
  let index = 0;
  for (const letter of name.toUpperCase()) index = index * 26 + letter.charCodeAt(0) - 64;
  return index - 1;
}

/**
 * @param {Block} block
 * @returns {string} without the sheet
 */
export function formatBlock({ row, column, rows, columns }) {
  const wholeRows = columns === MAX_COLUMNS;
  const wholeColumns = rows === MAX_ROWS;
  if (wholeColumns && !wholeRows)
    return `${columnName(column)}:${columnName(column + columns - 1)}`;
  if (wholeRows && !wholeColumns) return `${row + 1}:${row + rows}`;
  const first = `${columnName(column)}${row + 1}`;
  const last = `${columnName(column + columns - 1)}${row + rows}`;
  return first === last ? first : `${first}:${last}`;
}

/** @param {string} name */
export function quoteSheet(name) {
  return /^[A-Za-z_][\w.]*$/.test(name) ? name : `'${name.replaceAll("'", "''")}'`;
}

/**
 * Take the sheet's name off an address.
 *
 * @param {string} address
 * @returns {{sheet: string | null, cells: string}}
 */
export function splitSheet(address) {
  const match = /^(?:'((?:[^']|'')+)'|([^'!]+))!(.+)$/.exec(address);
  if (!match) return { sheet: null, cells: address };
  return { sheet: match[1]?.replaceAll("''", "'") ?? match[2], cells: match[3] };
}

/**
 * @param {string} cells an address without a sheet: A1, A1:B2, A:B, 1:2
 * @returns {Block}
 */
export function parseBlock(cells) {
  const parts = cells.replaceAll("$", "").split(":");
  const ends = parts.map(parseEnd);
  const [a, b = a] = ends;
  if (parts.length > 2 || !a || !b) throw hostError("InvalidArgument", `'${cells}' is no address.`);
  const row = Math.min(a.row ?? 0, b.row ?? 0);
  const column = Math.min(a.column ?? 0, b.column ?? 0);
  const rows = a.row === null ? MAX_ROWS : Math.abs(a.row - (b.row ?? 0)) + 1;
  const columns = a.column === null ? MAX_COLUMNS : Math.abs(a.column - (b.column ?? 0)) + 1;
  return checkBlock({ row, column, rows, columns });
}

/** @param {string} part */
function parseEnd(part) {
  const match = /^([A-Za-z]{1,3})?(\d{1,7})?$/.exec(part);
  if (!match || !part) return null;
  return {
    column: match[1] ? columnIndex(match[1]) : null,
    row: match[2] ? Number(match[2]) - 1 : null,
  };
}

/**
 * @param {Block} block
 * @returns {Block}
 */
export function checkBlock(block) {
  const { row, column, rows, columns } = block;
  const whole = [row, column, rows, columns].every(Number.isInteger);
  const inside =
    row >= 0 && column >= 0 && row + rows <= MAX_ROWS && column + columns <= MAX_COLUMNS;
  if (!whole || !inside || rows < 1 || columns < 1) {
    throw hostError("InvalidArgument", `No such cells: ${JSON.stringify(block)}.`);
  }
  return block;
}

/**
 * @param {Block} a
 * @param {Block} b
 * @returns {Block | null}
 */
export function intersect(a, b) {
  const row = Math.max(a.row, b.row);
  const column = Math.max(a.column, b.column);
  const rows = Math.min(a.row + a.rows, b.row + b.rows) - row;
  const columns = Math.min(a.column + a.columns, b.column + b.columns) - column;
  return rows > 0 && columns > 0 ? { row, column, rows, columns } : null;
}

/**
 * @param {Block} a
 * @param {Block} b
 * @returns {Block} the smallest block around both
 */
export function union(a, b) {
  const row = Math.min(a.row, b.row);
  const column = Math.min(a.column, b.column);
  return {
    row,
    column,
    rows: Math.max(a.row + a.rows, b.row + b.rows) - row,
    columns: Math.max(a.column + a.columns, b.column + b.columns) - column,
  };
}
