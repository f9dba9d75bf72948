// The workbench of a server that asks for an API key; prints what was seen as JSON.
//
//   node sign_in.mjs SERVER KEY

import { cell, launch, openSheets, settled, whenStarted } from "./driver.mjs";

async function main(server, key) {
  const browser = await launch();
  try {
    const { page } = await openSheets(browser, server, ["Portfolio", "Match"]);
    await page.waitForSelector("#server[data-state=signed-out]");
    const before = {
      server: await page.textContent("#server"),
      work: await page.textContent("#work"),
      sheets: await page.evaluate(() => window.tiltHost.store.sheets.length),
    };
    const pane = page.frameLocator("#pane");
    await pane.locator("#key").fill(key);
    await pane.locator("#key").press("Enter");
    await whenStarted(page);
    await page.waitForSelector("#server[data-state=online]");
    await settled(page);
    const after = {
      server: await page.textContent("#server"),
      risk: await cell(page, "Portfolio", 6, 6),
    };
    console.log(JSON.stringify({ before, after }));
  } finally {
    await browser.close();
  }
}

await main(...process.argv.slice(2));
