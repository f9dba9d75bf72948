// The tab Performance worked by keyboard against a real server, in light and dark; prints what was
// seen as JSON.
//
//   node performance_tab.mjs SERVER [FOLDER FOR PICTURES]

import { launch, openAddin, shown } from "../browser/driver.mjs";
import { looked, openTab, press, said, table, tabTo, type, until } from "./keyboard.mjs";

const explained = (page) =>
  page.waitForFunction(
    () => document.querySelector("#why-body:not([hidden])")?.getAttribute("aria-busy") === "false",
  );

async function attribution(page) {
  await openTab(page, "performance");
  await explained(page);
  const seen = {
    portfolio: await page.inputValue("#why-portfolio"), // the first one of those saved here
    tiles: await said(page, "#why-tiles"),
    notes: await said(page, "#why-notes"),
  };
  await press(page, "#why-chart summary");
  seen.sectors = await table(page, "#why-chart");
  await page.focus("#tab-performance");
  await tabTo(page, "#why-by input");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  await page.waitForFunction(() =>
    document.querySelector("#why-chart svg")?.getAttribute("aria-label").includes("Specific"),
  );
  seen.factors = await page.getAttribute("#why-chart svg", "aria-label");
  await press(page, "#why-put");
  await until(page, "#why-said", "Written");
  await page.evaluate(() => window.host.calculator.whenSettled());
  seen.sheet = (await shown(page, "A7", "Tilt Attribution Formula")).region;
  return seen;
}

async function backtest(page) {
  await page.focus("#why-put");
  await type(page, "#test-strategy", "quantile:Valeu:5:5");
  await press(page, "#test-run");
  await until(page, "#test-problem", "Valeu");
  const seen = { wrong: await said(page, "#test-problem") };
  await page.focus("#why-put");
  await type(page, "#test-strategy", "quantile:Value:5:5");
  await press(page, "#test-run");
  await page.waitForSelector("#test-body:not([hidden])");
  seen.focus = await page.evaluate(() => document.activeElement.id);
  seen.title = await said(page, "#test-title");
  seen.tiles = await said(page, "#test-tiles");
  seen.curve = await page.getAttribute("#test-curve svg", "aria-label");
  seen.sectors = await page.getAttribute("#test-why svg", "aria-label");
  await tabTo(page, "#test-why-by input");
  await page.keyboard.press("ArrowRight");
  await page.waitForFunction(
    (before) => document.querySelector("#test-why svg").getAttribute("aria-label") !== before,
    seen.sectors,
  );
  seen.factors = await page.getAttribute("#test-why svg", "aria-label");
  await press(page, "#test-risk > summary");
  seen.forecast = await page.getAttribute("#test-forecast svg[role=img]", "aria-label");
  seen.verdict = await said(page, "#test-forecast > p");
  await press(page, "#test-times > summary");
  seen.regimes = await table(page, "#test-regimes");
  await press(page, "#test-months > summary");
  seen.months = await table(page, "#test-monthly");
  await press(page, "#test-honest > summary");
  seen.honesty = await table(page, "#test-honesty");
  seen.luck = await page.textContent("#test-honesty");
  await press(page, "#test-assumed > summary");
  seen.assumptions = await table(page, "#test-assumptions");
  return seen;
}

async function sideBySide(page) {
  const alone = await page.isVisible("#runs");
  await page.focus("#why-put");
  await type(page, "#test-strategy", "equal_weight");
  await press(page, "#test-run");
  await until(page, "#test-title", "equal_weight");
  const seen = { alone, runs: await said(page, "#runs-list") };
  await press(page, "#runs-compare");
  await page.waitForSelector("#runs-body:not([hidden])");
  seen.table = await table(page, "#runs-table");
  seen.correlation = await table(page, "#runs-correlation");
  await page.focus("#runs-compare");
  await press(page, "#runs-put");
  await until(page, "#runs-said", "Written");
  await page.evaluate(() => window.host.calculator.whenSettled());
  seen.sheet = (await shown(page, "D7", "Tilt Comparison Formula")).region;
  return seen;
}

async function main(server, folder) {
  const browser = await launch();
  try {
    const found = { looks: {} };
    const options = { viewport: { width: 320, height: 900 }, deviceScaleFactor: 2 };
    const { page, seen } = await openAddin(browser, server, options);
    page.setDefaultTimeout(180_000);
    found.attribution = await attribution(page);
    found.backtest = await backtest(page);
    found.sideBySide = await sideBySide(page);
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      const picture = folder && `${folder}/performance ${colorScheme}.png`;
      found.looks[colorScheme] = await looked(page, picture);
    }
    found.errors = seen.errors;
    console.log(JSON.stringify(found));
  } finally {
    await browser.close();
  }
}

await main(...process.argv.slice(2));
