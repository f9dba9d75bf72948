// Optimization worked once in the workbench against a real server, by clicking: rules that cannot hold
// are explained, repaired, solved and written to a sheet; a frontier and a curve of turnover are drawn.
// Prints JSON.
//
//   node optimize_tabs.mjs SERVER [FOLDER FOR PICTURES]

import { watch } from "../browser/driver.mjs";
import { launch, openSheet, settled, whenStarted } from "./driver.mjs";

const SHEETS = ["Optimize", "Infeasible", "Frontier"];
const OPENED = ["Portfolio", ...SHEETS]; // of the starter; the others have tests of their own
const STARTER = "**/api/v1/workbooks/starter";

/** Open the workbench with the sheets of the starter that this is about. */
async function open(browser, server) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  const page = await context.newPage();
  page.setDefaultTimeout(120_000); // a machine that runs other tests beside
  await page.route(STARTER, async (route) => {
    const response = await route.fetch();
    const book = await response.json();
    const sheets = book.sheets.filter(({ name }) => OPENED.includes(name));
    await route.fulfill({ response, json: { ...book, sheets } });
  });
  const seen = watch(page, server);
  await page.goto(`${server}/workbench`, { waitUntil: "load" });
  return { page, seen };
}

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

/** @param {[string, string][]} bounds fields and what to type into them */
async function bound(pane, bounds) {
  for (const [field, text] of bounds) {
    await pane.locator(field).fill(text);
    await pane.locator(field).press("Tab");
  }
}

async function repair(page, pane) {
  await pane.locator("#tab-optimize").click();
  await said(pane, "#check-summary", /rules/);
  await bound(pane, [
    ["#max-0", "2 %"],
    ["#max-3", "2 %"],
  ]);
  await said(pane, "#verdict-0", /too much/);
  await pane.locator("#solve").click();
  const title = await said(pane, "#solution-title", /No weights/);
  const words = await said(pane, ".conflict", /No solution/);
  const marked = await pane
    .locator(".fields[data-state=conflict] select")
    .evaluateAll((all) => all.map(({ value }) => value));
  const offered = await pane.locator(".repairs li span").allInnerTexts();
  await pane.locator(".repairs button").first().click();
  await said(pane, "#solution-title", /best/);
  return {
    title,
    words,
    marked,
    offered,
    max: await pane.locator("#max-0").inputValue(),
    price: await said(pane, "#answer-0", /./),
    tiles: await said(pane, "#solution .tiles", /Turnover/),
    rules: await block(page, "Optimize"),
  };
}

async function write(page, pane) {
  await pane.locator("#solution-body .write").click();
  const words = await said(pane, "#written", /Wrote/);
  await settled(page);
  return { words, sheet: await block(page, "Tilt Optimize") };
}

async function frontier(page, pane) {
  await bound(pane, [["#max-3", "20 %"]]);
  await pane.locator("#alpha").selectOption("Momentum");
  await pane.locator("#frontier summary").first().click();
  await pane.locator("#draw-frontier").click();
  const slider = pane.locator("#frontier-chart input[type=range]");
  await slider.waitFor();
  const marks = await pane.locator("#frontier-chart .mark text").allTextContents();
  const first = await pane.locator("#frontier-chart .readout").innerText();
  await slider.press("End");
  const last = await pane.locator("#frontier-chart .readout").innerText();
  const weights = await said(pane, "#frontier-point", /Weights of point/);
  await pane.locator("#write-frontier").click();
  const written = await said(pane, "#frontier-written", /Written/);
  await settled(page);
  return { marks, first, last, weights, written, sheet: await block(page, "Tilt Frontier") };
}

async function tracking(pane) {
  await pane.locator("#tab-tracking").click();
  const now = await said(pane, "#te-now", /Tracking error/);
  await pane.locator("#te-curve").click();
  const slider = pane.locator("#te-curve-chart input[type=range]");
  await slider.waitFor();
  await slider.press("ArrowLeft");
  await slider.press("ArrowLeft");
  const readout = await pane.locator("#te-curve-chart .readout").innerText();
  const wanted = await pane.locator("#te-bound").inputValue();
  await pane.locator("#te-solve").click();
  const tiles = await said(pane, "#te-solution .tiles", /Turnover/);
  const total = await said(pane, "#te-contributions tfoot", /Tracking error/);
  return { now, readout, wanted, tiles, total };
}

async function main(server, folder) {
  const browser = await launch();
  try {
    const { page, seen } = await open(browser, server);
    const pane = page.frameLocator("#pane");
    const look = async (name) => {
      if (folder) await page.screenshot({ path: `${folder}/${name}.png` });
    };
    await whenStarted(page);
    const result = { starter: {} };
    for (const name of SHEETS) {
      await openSheet(page, name);
      await settled(page);
      result.starter[name] = await block(page, name);
      await look(name);
    }
    result.repaired = await repair(page, pane);
    await look("repaired");
    result.written = await write(page, pane);
    await look("written");
    result.frontier = await frontier(page, pane);
    await look("drawn");
    result.tracking = await tracking(pane);
    await look("tracking");
    result.errors = seen.errors;
    console.log(JSON.stringify(result));
  } finally {
    await browser.close();
  }
}

await main(...process.argv.slice(2));
