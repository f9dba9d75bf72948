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
  let sheets = 0;
  for (let i = 0; i < 2; i += 1) {
    const start = performance.now();
    const { context, page } = await openWorkbench(browser, server);
    page.setDefaultTimeout(300_000);
    await whenStarted(page);
    opened.push((performance.now() - start) / 1000);
    sheets = await page.evaluate(() => window.tiltHost.store.sheets.length);
    await context.close();
  }
  console.log(JSON.stringify({ opened, sheets }));
} finally {
  await browser.close();
}
