// Factors worked once in the workbench against a real server: the starter's sheets, the tabs Factors
// and Pure factor, their formulas in sheets, the buttons, undo. Prints JSON.
//
//   node factor_tabs.mjs SERVER [FOLDER FOR PICTURES]

import { launch, openSheet, openWorkbench, press, settled, whenStarted } from "./driver.mjs";

const BUTTONS = ["factor_analysis", "pure_factor", "what_if"];
const SHEETS = ["Factors", "Pure factor"];

const sheetNames = (page) =>
  page.evaluate(() => window.tiltHost.store.sheets.map((sheet) => sheet.name));

const block = (page, name) =>
  page.evaluate((wanted) => {
    const rows = {};
    for (const [i, j, { value, error }] of window.tiltHost.store.find(wanted).grid.entries()) {
      (rows[i] ??= {})[j] = error || value;
    }
    return rows;
  }, name);

/** Text of an element of the pane, once it matches. */
async function said(pane, selector, pattern) {
  const found = pane.locator(selector).filter({ hasText: pattern }).first();
  await found.waitFor();
  return (await found.innerText()).replace(/\s+/g, " ");
}

async function factors(page, pane) {
  await pane.locator("#tab-factors").click();
  await pane.locator("#factors-span").selectOption("-1Y");
  await pane.locator("#factors-factor").selectOption("Value");
  await said(pane, "#factor-returns", /Value, compounded/);
  await pane.locator("#factor-shape svg").waitFor();
  await pane.locator("#write-factor").click();
  const written = await said(pane, "#factor-written", /Written/);
  await settled(page);
  return { written, sheet: await block(page, "Tilt Factor Research") };
}

async function pure(page, pane) {
  await pane.locator("#tab-pure").click();
  await pane.locator("#make-pure").click();
  await said(pane, "#pure-title", /Four portfolios of Value/);
  await pane.locator("#pure-kind label", { hasText: "Investable" }).click();
  await said(pane, "#pure-meaning", /As near as/);
  await pane.locator("#write-pure").click();
  const written = await said(pane, "#pure-written", /Written/);
  await settled(page);
  const sheet = await block(page, "Tilt Pure Research");
  await pane.locator("#load-pure").click();
  return { written, sheet, loaded: await said(pane, "#pure-written", /Loaded/) };
}

async function buttons(page, pane) {
  const seen = {};
  for (const name of BUTTONS) {
    const before = await sheetNames(page);
    await press(page, name);
    const message = pane.locator("#message");
    const added = (await sheetNames(page)).filter((sheet) => !before.includes(sheet));
    seen[name] = {
      kind: await message.getAttribute("data-kind"),
      text: await message.textContent(),
      added,
      undone: added.length > 0 ? await undo(page) : [],
    };
  }
  return seen;
}

async function undo(page) {
  const before = await sheetNames(page);
  await page.keyboard.press("Control+z");
  await page.waitForFunction((n) => window.tiltHost.store.sheets.length < n, before.length);
  const after = await sheetNames(page);
  return before.filter((sheet) => !after.includes(sheet));
}

async function main(server, folder) {
  const browser = await launch();
  try {
    const { page, seen } = await openWorkbench(browser, server);
    page.setDefaultTimeout(120_000);
    const pane = page.frameLocator("#pane");
    const look = async (name) => {
      if (folder) await page.screenshot({ path: `${folder}/${name}.png` });
    };
    await whenStarted(page);
    const result = { starter: {} };
    for (const name of SHEETS) {
      await openSheet(page, name);
      result.starter[name] = await block(page, name);
      await look(name);
    }
    result.factors = await factors(page, pane);
    await look("research");
    result.pure = await pure(page, pane);
    await look("pure");
    result.buttons = await buttons(page, pane);
    await look("buttons");
    result.errors = seen.errors;
    console.log(JSON.stringify(result));
  } finally {
    await browser.close();
  }
}

await main(...process.argv.slice(2));
