// A sheet of our own that holds one formula whose result spills; written in one undo step.

const FIRST_ROW = 6; // of the formula, below the words
const MOST_ROWS = 1000; // whose numbers are shown as asked

/**
 * @param {string} name of the sheet, made if it is not there and cleared if it is
 * @param {string[]} words at most four lines for its top, the first one its title
 * @param {string} formula
 * @param {{width: number, format?: string}[]} columns of the result: points, and how numbers are shown
 */
export async function writeFormula(name, words, formula, columns) {
  await Excel.run({ mergeUndoGroup: true }, async (context) => {
    const found = context.workbook.worksheets.getItemOrNullObject(name).load("name");
    await context.sync();
    const sheet = found.isNullObject ? context.workbook.worksheets.add(name) : found;
    for (const [row, line] of words.entries()) {
      sheet.getRangeByIndexes(row, 0, 1, 1).values = [[line]];
    }
    const title = sheet.getRange("A1").format.font;
    title.bold = true;
    title.size = 14;
    for (const [j, { width, format }] of columns.entries()) {
      const column = sheet.getRangeByIndexes(FIRST_ROW, j, MOST_ROWS, 1);
      column.format.columnWidth = width;
      if (format) column.numberFormat = /** @type {any} */ (format);
    }
    sheet.getRangeByIndexes(FIRST_ROW, 0, 1, 1).formulas = [[formula]];
    sheet.getRangeByIndexes(FIRST_ROW, 0, 1, columns.length).format.font.bold = true;
    sheet.activate();
    await context.sync();
  });
}
