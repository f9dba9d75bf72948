// Every button of the manifest, pressed twice in the add-in's own page; prints what was seen.
//
//   node press_all.mjs SERVER

import { readFile } from "node:fs/promises";

import { launch, openAddin, workbook } from "../browser/driver.mjs";

/** The FunctionNames of the ribbon, in its order. */
async function buttons(page) {
  return page.evaluate(async () => {
    const text = await (await fetch("/manifest.xml")).text();
    const manifest = new window.DOMParser().parseFromString(text.trim(), "application/xml");
    return [...manifest.getElementsByTagName("FunctionName")].map((e) => e.textContent);
  });
}

/** Note every Excel.run that groups its undo steps. */
const watchUndo = (page) =>
  page.evaluate(() => {
    const { run } = Excel;
    window.undoGroups = 0;
    Excel.run = (...args) => {
      if (args[0]?.mergeUndoGroup) window.undoGroups += 1;
      return run(...args);
    };
  });

/** Save the file that is offered, or ordered and then offered; what it is called, how it begins. */
async function saved(page) {
  if ((await page.locator("#ordered > *").count()) > 0)
    await page.waitForSelector("#ordered a, #ordered button:text('Dismiss'):not([hidden])");
  const link = page.locator("#offer a, #ordered a");
  if ((await link.count()) === 0) return { name: null, magic: null };
  const [download] = await Promise.all([page.waitForEvent("download"), link.click()]);
  const content = await readFile(await download.path());
  await page.evaluate(() => document.querySelector("#offer, #ordered > *").remove());
  return { name: download.suggestedFilename(), magic: content.toString("latin1", 0, 2) };
}

async function press(page, name) {
  const started = performance.now();
  await page.evaluate((button) => window.host.press(button), name);
  const milliseconds = performance.now() - started;
  const seen = await page.evaluate(() => {
    const message = document.getElementById("message");
    const groups = window.undoGroups;
    window.undoGroups = 0;
    return {
      text: message.textContent,
      kind: message.dataset.kind,
      tab: document.querySelector("[role=tab][aria-selected=true]").id,
      groups,
    };
  });
  return { ...seen, file: await saved(page), milliseconds };
}

const charts = (page) =>
  page.evaluate(() =>
    window.host.store.sheets.flatMap((sheet) =>
      sheet.charts.map((c) => ({
        sheet: sheet.name,
        name: c.name,
        type: c.chartType,
        title: c.title.text,
        rows: c.source?.block?.rows ?? null,
        columns: c.source?.block?.columns ?? null,
      })),
    ),
  );

/** Order a report and cancel it while it is made; what the pane says then. */
async function canceled(page) {
  await page.evaluate(() => window.host.press("export_report"));
  await page.waitForSelector("#ordered progress");
  await page.click("#ordered .cancel");
  await page.waitForSelector("#ordered .close:not([hidden])");
  const text = await page.textContent("#ordered p");
  await page.click("#ordered .close");
  return { text, left: await page.locator("#ordered > *").count() };
}

async function main(server) {
  const browser = await launch();
  try {
    const { page, seen } = await openAddin(browser, server);
    page.setDefaultTimeout(180_000);
    await watchUndo(page);
    const names = await buttons(page);
    const first = {};
    const again = {};
    for (const name of names) first[name] = await press(page, name);
    await press(page, "compare"); // the holdings have been saved since: that is what it compares with
    const after = { sheets: await workbook(page), charts: await charts(page) };
    for (const name of names) again[name] = await press(page, name);
    const then = { sheets: await workbook(page), charts: await charts(page) };
    const together = ["risk", "factor_analysis", "optimize"];
    await page.evaluate((all) => Promise.all(all.map((name) => window.host.press(name))), together);
    const stopped = await canceled(page);
    const atOnce = { sheets: await workbook(page), charts: await charts(page) };
    console.log(
      JSON.stringify({
        names,
        first,
        again,
        after,
        then,
        atOnce,
        stopped,
        errors: seen.errors,
      }),
    );
  } finally {
    await browser.close();
  }
}

await main(...process.argv.slice(2));
