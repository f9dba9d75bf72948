// A sheet of our own that holds one formula whose result spills; written in one undo step.

const FORMULA = "A7"; // below the words, as the tables of the buttons' sheets

/**
 * @param {string} name of the sheet, made if it is not there and cleared if it is
 * @param {string[]} words at most four lines for its top, the first one its title
 * @param {string} formula
 */
export async function writeFormula(name, words, formula) {
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
    sheet.getRange(FORMULA).formulas = [[formula]];
    sheet.activate();
    await context.sync();
  });
}
