// Formulas, each on a sheet of its own, in the add-in's page in Chromium; prints what they show.
//
//   node every_function.mjs SERVER FORMULAS.json
//
// The file is a list of {name, formula, ranges: {address: values}, rows, columns}: how much is read
// from the formula's cell on.

import { readFile } from "node:fs/promises";

import { enter, launch, openAddin } from "../browser/driver.mjs";

const CELL = "N1"; // right of what the examples read
const LEFT = 13;

/** What stands in a block from the formula's cell on, and the message of that cell. */
const read = (page, sheet, rows, columns) =>
  page.evaluate(
    ([name, left, n, m]) => {
      const { grid } = window.host.store.find(name);
      const values = Array.from({ length: n }, (_, i) =>
        Array.from({ length: m }, (__, j) => grid.get(i, left + j).value),
      );
      return { values, message: grid.get(0, left).error };
    },
    [sheet, LEFT, rows, columns],
  );

async function main(server, file) {
  const asked = JSON.parse(await readFile(file, "utf8"));
  const browser = await launch();
  try {
    const { page, seen } = await openAddin(browser, server);
    const shown = {};
    for (const { name, formula, ranges, rows, columns } of asked) {
      await page.evaluate(
        (sheet) => Excel.run(async (context) => void context.workbook.worksheets.add(sheet)),
        name,
      );
      for (const [address, values] of Object.entries(ranges)) {
        await enter(page, address, values, name);
      }
      await enter(page, CELL, formula, name);
      shown[name] = await read(page, name, rows, columns);
    }
    console.log(JSON.stringify({ shown, errors: seen.errors }));
  } finally {
    await browser.close();
  }
}

await main(...process.argv.slice(2));
