// The tabs Factors and Pure factor worked by keyboard against a real server, in light and dark;
// prints what was seen as JSON.
//
//   node factors_tab.mjs SERVER [FOLDER FOR PICTURES]

import { launch, openAddin, shown } from "../browser/driver.mjs";
import {
  looked,
  openTab,
  press,
  said,
  table,
  tableCells,
  tabTo,
  type,
  until,
} from "./keyboard.mjs";

const VIEWS = ["returns", "ic_series", "decay", "quantiles", "correlation", "shape"];

/** Choose in a list by typing the beginning of its text, as one does by keyboard. */
async function choose(page, selector, value) {
  await tabTo(page, selector);
  await page.locator(selector).selectOption(value);
}

const whole = (page) =>
  page.waitForFunction(
    () =>
      document.querySelector("#factor-results:not([hidden])")?.getAttribute("aria-busy") ===
        "false" && document.querySelector("#factors-busy")?.childElementCount === 0,
  );

async function factors(page) {
  await openTab(page, "factors");
  const seen = {};
  await page.waitForSelector("#factors-busy .job");
  seen.busy = await said(page, "#factors-busy");
  await press(page, "#factors-busy .cancel");
  await whole(page);
  await page.focus("#tab-factors");
  await choose(page, "#factors-factor", "Momentum");
  await choose(page, "#factors-span", "-1Y");
  await page.waitForSelector("#factors-busy .job");
  await whole(page);
  seen.about = await said(page, ".factor-about");
  seen.groups = await page.$$eval("#factors-factor optgroup", (all) => all.map((g) => g.label));
  seen.titles = {};
  for (const view of VIEWS) {
    seen.titles[view] = await page.getAttribute(`#factor-${view} svg`, "aria-label");
  }
  seen.statistics = await said(page, "#factor-statistics");
  seen.ic = await said(page, "#factor-ic");
  await press(page, "#factor-quantiles summary");
  seen.quantiles = await table(page, "#factor-quantiles");
  await press(page, "#factor-shape summary");
  seen.shape = await table(page, "#factor-shape");
  return seen;
}

async function write(page) {
  await press(page, "#write-factor");
  await until(page, "#factor-written", "Written");
  await page.evaluate(() => window.host.calculator.whenSettled());
  const sheet = "Tilt Factor Research";
  const seen = { words: await said(page, "#factor-written") };
  seen.factor = (await shown(page, "B3", sheet)).value;
  seen.returns = (await shown(page, "A7", sheet)).region;
  seen.cells = await page.evaluate((name) => {
    const { grid } = window.host.store.find(name);
    return [...grid.entries()].map(([row, column, cell]) => [
      row,
      column,
      cell.error || cell.value,
      cell.formula ?? "",
    ]);
  }, sheet);
  return seen;
}

async function listed(page) {
  await press(page, "#all-factors > summary");
  await page.waitForSelector("#factor-list tbody tr");
  return table(page, "#factor-list");
}

async function ownFactor(page) {
  await page.focus("#tab-factors");
  await press(page, "#own-factor summary");
  await type(page, "#factors-own", "rank(roe) - rank(leverage)");
  await press(page, "#use-own");
  // the factor before is whole until this one begins to be drawn
  await page.waitForSelector('#factor-returns svg[aria-label^="rank("]');
  await whole(page);
  const seen = { chosen: await page.inputValue("#factors-factor") };
  seen.ic = await said(page, "#factor-ic");
  seen.shapeTitle = await page.getAttribute("#factor-shape svg", "aria-label");
  seen.shape = await table(page, "#factor-shape");
  await type(page, "#factors-own", "rank(roee)");
  await page.keyboard.press("Shift+Tab");
  await page.focus("#factors-own");
  await page.keyboard.press("Enter");
  await until(page, "#factors-problem", "roee");
  seen.wrong = await said(page, "#factors-problem");
  await page.focus("#tab-factors");
  await choose(page, "#factors-factor", "Momentum");
  return seen;
}

async function pure(page) {
  await openTab(page, "pure");
  await type(page, "#pure-weight", "much");
  await press(page, "#make-pure");
  await until(page, "#pure-problem", "no number");
  const seen = { wrong: await said(page, "#pure-problem") };
  await page.focus("#tab-pure");
  await type(page, "#pure-weight", "2 %");
  await press(page, "#make-pure");
  await page.waitForSelector("#pure-results:not([hidden])");
  seen.focus = await page.evaluate(() => document.activeElement.id);
  seen.title = await said(page, "#pure-title");
  seen.compare = await table(page, "#pure-compare");
  seen.refused = await said(page, "#pure-load-why");
  await choose(page, "#pure-since", "-1Y");
  await press(page, "#pure-time");
  await page.waitForSelector("#pure-time-results:not([hidden])");
  seen.time = { focus: await page.evaluate(() => document.activeElement.id) };
  seen.time.chart = await table(page, "#pure-time-chart");
  seen.time.rows = await table(page, "#pure-time-table");
  await page.focus("#pure-time-title");
  await tabTo(page, "#pure-kind input");
  for (let i = 0; i < 3; i += 1) await page.keyboard.press("ArrowRight"); // to the investable one
  await until(page, "#pure-meaning", "As near as");
  seen.weights = await table(page, "#pure-weights");
  await press(page, "#write-pure");
  await until(page, "#pure-written", "Written");
  await page.evaluate(() => window.host.calculator.whenSettled());
  seen.written = (await shown(page, "A7", "Tilt Pure Research")).region;
  await press(page, "#load-pure");
  await until(page, "#pure-written", "Loaded");
  seen.loaded = await said(page, "#pure-written");
  seen.holdings = await tableCells(page, "TiltHoldings");
  return seen;
}

async function main(server, folder) {
  const browser = await launch();
  try {
    const found = { looks: {} };
    const options = { viewport: { width: 320, height: 900 }, deviceScaleFactor: 2 };
    const { page, seen } = await openAddin(browser, server, options);
    page.setDefaultTimeout(180_000);
    const look = async (name) => {
      for (const colorScheme of ["light", "dark"]) {
        await page.emulateMedia({ colorScheme });
        const key = `${name} ${colorScheme}`;
        found.looks[key] = await looked(page, folder && `${folder}/${key}.png`);
      }
    };
    found.factors = await factors(page);
    found.listed = await listed(page);
    await look("factors");
    found.sheet = await write(page);
    found.own = await ownFactor(page);
    found.pure = await pure(page);
    await look("pure");
    found.errors = seen.errors;
    console.log(JSON.stringify(found));
  } finally {
    await browser.close();
  }
}

await main(...process.argv.slice(2));
