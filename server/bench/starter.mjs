// The starter workbook in the workbench, opened twice in Chromium: seconds until every cell is
// calculated, as JSON.
//
//   node starter.mjs SERVER

import { launch } from "../../tests/browser/driver.mjs";
import { openWorkbench, whenStarted } from "../../tests/workbench/driver.mjs";

const [server] = process.argv.slice(2);
const browser = await launch();
try {
  const opened = [];
  let cells = 0;
  for (let i = 0; i < 2; i += 1) {
    const start = performance.now();
    const { context, page } = await openWorkbench(browser, server);
    page.setDefaultTimeout(300_000);
    await whenStarted(page);
    opened.push((performance.now() - start) / 1000);
    cells = await page.evaluate(() => {
      const formulas = (sheet) =>
        Object.values(sheet.cells ?? {}).filter((cell) => cell?.formula).length;
      return window.tiltHost.store.sheets.reduce((sum, sheet) => sum + formulas(sheet), 0);
    });
    await context.close();
  }
  console.log(JSON.stringify({ opened, cells }));
} finally {
  await browser.close();
}
