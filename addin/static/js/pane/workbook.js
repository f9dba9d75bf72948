// The marked tables of the workbook, read and written by the pane. Every write is one undo step.

export const HOLDINGS = "TiltHoldings";
export const RULES = "TiltConstraints";
export const INPUTS = "Tilt Inputs";
export const OUTPUT = "Tilt Optimize";

const FIRST_ROW = 5; // of the tables on our own sheets, counted from 0; words stand above
const GAP = 1; // blank columns between two tables

/**
 * @typedef {object} TableContent
 * @property {string} name
 * @property {any[][]} rows with a header
 * @property {string[]} [percent] columns that are fractions
 */

export async function inExcel() {
  const { host } = await Office.onReady();
  return host === Office.HostType.Excel;
}

/**
 * @template T
 * @param {(context: Excel.RequestContext) => Promise<T>} write
 * @returns {Promise<T>}
 */
const inOneStep = (write) => Excel.run({ mergeUndoGroup: true }, write);

/** The workbook's name, as the addresses of its cells tell it; empty outside Excel. */
export async function workbookName() {
  if (!(await inExcel())) return "";
  return Excel.run(async (context) => {
    const book = context.workbook.load("name");
    await context.sync();
    return book.name;
  });
}

/**
 * The cells of a table with its header.
 *
 * @param {string} name
 * @returns {Promise<any[][] | null>} null where the workbook has no such table; blank cells are null
 */
export async function readTable(name) {
  if (!(await inExcel())) return null;
  return Excel.run(async (context) => {
    const table = context.workbook.tables.getItemOrNullObject(name).load("name");
    await context.sync();
    if (table.isNullObject) return null;
    const range = table.getRange().load("values");
    await context.sync();
    return range.values.map((row) => row.map((cell) => (cell === "" ? null : cell)));
  });
}

/**
 * Call a listener when cells change on the sheet that has a table.
 *
 * @param {string} name
 * @param {() => void} listener
 */
export async function watchTable(name, listener) {
  if (!(await inExcel())) return;
  await Excel.run(async (context) => {
    const table = context.workbook.tables.getItemOrNullObject(name).load("name");
    await context.sync();
    if (table.isNullObject) return;
    const sheet = table.worksheet.load("id");
    await context.sync();
    if (watched.has(`${sheet.id} ${name}`)) return;
    watched.add(`${sheet.id} ${name}`);
    sheet.onChanged.add(async () => listener());
    await context.sync();
  });
}

/** @type {Set<string>} sheets with a listener, and for which table */
const watched = new Set();

/**
 * Write rows into a table that is there, and leave every cell alone that holds the value already: a
 * formula in it stays.
 *
 * @param {string} name
 * @param {any[][]} rows with a header; null is a blank cell
 * @returns {Promise<boolean>} false where the workbook has no such table
 */
export async function updateTable(name, rows) {
  return inOneStep(async (context) => {
    const table = context.workbook.tables.getItemOrNullObject(name).load("name");
    await context.sync();
    if (table.isNullObject) return false;
    await rewrite(context, table, rows);
    return true;
  });
}

/**
 * @param {Excel.RequestContext} context
 * @param {Excel.Table} table
 * @param {any[][]} rows
 */
async function rewrite(context, table, rows) {
  const old = table.getRange().load("values,rowCount,columnCount");
  await context.sync();
  const area = old.getAbsoluteResizedRange(rows.length, rows[0].length);
  if (rows.length > old.rowCount) {
    const below = old.getOffsetRange(old.rowCount, 0);
    const needed = below.getAbsoluteResizedRange(rows.length - old.rowCount, rows[0].length);
    needed.load("values");
    await context.sync();
    if (needed.values.flat().some((cell) => cell !== "")) {
      throw new Error("There are cells in the way below the table; move them down.");
    }
  }
  if (rows.length < old.rowCount) old.clear(Excel.ClearApplyTo.contents);
  if (rows.length !== old.rowCount || rows[0].length !== old.columnCount) table.resize(area);
  const same = rows.length === old.rowCount && rows[0].length === old.columnCount;
  area.values = rows.map((row, i) =>
    row.map((cell, j) => (same && old.values[i][j] === (cell ?? "") ? null : (cell ?? ""))),
  );
  await context.sync();
}

/**
 * Write tables side by side on a sheet of our own, which is made if it is not there.
 *
 * @param {string} sheetName
 * @param {string[]} words at most four lines above the tables
 * @param {TableContent[]} tables
 */
export async function writeSheet(sheetName, words, tables) {
  await inOneStep(async (context) => {
    const found = context.workbook.worksheets.getItemOrNullObject(sheetName).load("name");
    const existing = tables.map(({ name }) =>
      context.workbook.tables.getItemOrNullObject(name).load("name"),
    );
    await context.sync();
    const sheet = found.isNullObject ? context.workbook.worksheets.add(sheetName) : found;
    const lines = Array.from({ length: FIRST_ROW - 1 }, (_, i) => [typed(words[i] ?? "")]);
    sheet.getRangeByIndexes(0, 0, lines.length, 1).values = lines;
    let column = 0;
    for (const [n, content] of tables.entries()) {
      const { rows } = content;
      if (existing[n].isNullObject) addTable(sheet, content, column);
      else await replaceTable(context, existing[n], content);
      column += rows[0].length + GAP;
    }
    sheet.activate();
    await context.sync();
  });
}

/**
 * @param {Excel.Worksheet} sheet
 * @param {TableContent} content
 * @param {number} column
 */
function addTable(sheet, { name, rows, percent = [] }, column) {
  const area = sheet.getRangeByIndexes(FIRST_ROW, column, rows.length, rows[0].length);
  area.values = rows.map((row) => row.map(typed));
  sheet.tables.add(area, true).name = name;
  format(area, rows, percent);
}

/**
 * @param {Excel.RequestContext} context
 * @param {Excel.Table} table
 * @param {TableContent} content
 */
async function replaceTable(context, table, { rows, percent = [] }) {
  await rewrite(
    context,
    table,
    rows.map((row) => row.map(typed)),
  );
  format(table.getRange(), rows, percent);
}

/**
 * @param {Excel.Range} area
 * @param {any[][]} rows
 * @param {string[]} percent
 */
function format(area, rows, percent) {
  for (const [j, name] of rows[0].entries()) {
    const column = area.getColumn(j);
    const numbers = rows.slice(1).some((row) => typeof row[j] === "number");
    if (percent.includes(name)) column.numberFormat = /** @type {any} */ ("0.00%");
    else if (numbers) column.numberFormat = /** @type {any} */ ("General");
  }
  area.format.autofitColumns();
}

/**
 * A value as a cell takes it: nothing is blank, and text is never a formula.
 *
 * @param {any} value
 */
function typed(value) {
  if (value === null || value === undefined) return "";
  if (typeof value === "string" && /^[=+\-@]/.test(value)) return `'${value}`;
  return value;
}

/** Calculate every cell again, from data as they are now. */
export async function recalculate() {
  if (!(await inExcel())) return;
  await globalThis.tilt.confirm();
  await Excel.run(async (context) => {
    context.application.calculate(Excel.CalculationType.full);
    await context.sync();
  });
}
