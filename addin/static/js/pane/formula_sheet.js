// A sheet of our own that holds formulas whose results spill; written in one undo step.

const FIRST_ROW = 6; // of the formulas, below the words
const MOST_ROWS = 1000;

/** @typedef {{width: number, format?: string}} Column points, and how its numbers are shown */

/**
 * @typedef {object} Block
 * @property {string} [formula] whose result spills
 * @property {(string | number)[][]} [values] in place of it: rows of cells, formulas among them
 * @property {string[][]} [formats] of the values, cell by cell
 * @property {Column[]} columns of the result
 * @property {string} [title] above it
 * @property {number} [rows] whose numbers are shown as asked
 */

/**
 * @param {string} name of the sheet, made if it is not there
 * @param {string[]} words at most four lines for its top, the first one its title
 * @param {string} formula
 * @param {Column[]} columns of the result
 */
export const writeFormula = (name, words, formula, columns) =>
  writeFormulas(
    name,
    words.map((line) => [line]),
    [{ formula, columns }],
  );

/**
 * Write formulas side by side, a blank column between two.
 *
 * @param {string} name of the sheet, made if it is not there
 * @param {(string | number)[][]} words at most four lines of cells for its top, the first one its title
 * @param {Block[]} blocks
 */
export async function writeFormulas(name, words, blocks) {
  await Excel.run({ mergeUndoGroup: true }, async (context) => {
    const found = context.workbook.worksheets.getItemOrNullObject(name).load("name");
    await context.sync();
    const sheet = found.isNullObject ? context.workbook.worksheets.add(name) : found;
    for (const [row, line] of words.entries()) {
      sheet.getRangeByIndexes(row, 0, 1, line.length).values = [line];
    }
    const title = sheet.getRange("A1").format.font;
    title.bold = true;
    title.size = 14;
    let left = 0;
    for (const block of blocks) {
      writeBlock(sheet, block, left);
      left += block.columns.length + 1;
    }
    sheet.activate();
    await context.sync();
  });
}

/**
 * @param {Excel.Worksheet} sheet
 * @param {Block} block
 * @param {number} left
 */
function writeBlock(sheet, block, left) {
  const { formula, values, formats, columns, title, rows = MOST_ROWS } = block;
  for (const [j, { width, format }] of columns.entries()) {
    const column = sheet.getRangeByIndexes(FIRST_ROW, left + j, rows, 1);
    column.format.columnWidth = width;
    if (format) column.numberFormat = /** @type {any} */ (format);
  }
  if (title) {
    const above = sheet.getRangeByIndexes(FIRST_ROW - 1, left, 1, 1);
    above.values = [[title]];
    above.format.font.bold = true;
  }
  if (formula) {
    sheet.getRangeByIndexes(FIRST_ROW, left, 1, columns.length).format.font.bold = true; // headers
  }
  const cells = values ?? [[formula]];
  const area = sheet.getRangeByIndexes(FIRST_ROW, left, cells.length, cells[0].length);
  area.formulas = cells;
  if (formats) area.numberFormat = formats;
}
