// One session of the add-in against a real server; prints what was seen as JSON, for pytest to judge.
//
//   node addin.mjs SERVER TICKERS.json

import { readFile } from "node:fs/promises";

import { enter, launch, openAddin, scan, shown, workbook } from "./driver.mjs";

const THOUSAND = 1000;
const FACTORS = ["Size", "Value", "Momentum", "Volatility", "Beta", "Quality"];

/** @param {import("playwright-core").Page} page */
async function formulas(page, holdings) {
  await enter(page, `A1:B${holdings.length}`, holdings);
  const range = `A1:B${holdings.length}`;
  const cells = {
    scalar: `=TILT.RISK(${range},"volatility")`,
    spill: `=TILT.RISK_TABLE(${range},"factor",,"NONE")`,
    misspelt: `=TILT.RISK(${range},"volx")`,
    unknown: '=TILT.SECURITY("APPL","close")',
  };
  const seen = {};
  let column = 0;
  for (const [name, formula] of Object.entries(cells)) {
    const address = `${String.fromCharCode(68 + column)}1`; // D1, then well apart for the spills
    await enter(page, address, formula);
    seen[name] = await shown(page, address);
    column += name === "spill" ? 10 : 2;
  }
  return seen;
}

/** Enter a thousand formulas at once, as a paste does. */
async function thousand(page, seen, tickers) {
  await page.evaluate(() =>
    Excel.run(async (context) => void context.workbook.worksheets.add("Thousand")),
  );
  const before = seen.requests.length;
  const asked = Array.from({ length: THOUSAND }, (_, i) => [
    tickers[Math.floor(i / FACTORS.length) % tickers.length],
    FACTORS[i % FACTORS.length],
  ]);
  const started = performance.now();
  await enter(
    page,
    `A1:A${THOUSAND}`,
    asked.map(([ticker, factor]) => [`=TILT.EXPOSURE("${ticker}","${factor}")`]),
    "Thousand",
  );
  const milliseconds = performance.now() - started;
  const { region } = await shown(page, "A1", "Thousand");
  const posts = seen.requests.slice(before).filter((request) => request.method === "POST");
  return { asked, values: region.map(([value]) => value), posts, milliseconds };
}

/** Press Optimize on the workbook's tables. */
async function optimize(page, holdings) {
  await page.evaluate(async (rows) => {
    await Excel.run(async (context) => {
      const sheet = context.workbook.worksheets.add("Book");
      const write = (address, values, name) => {
        sheet.getRange(address).values = values;
        sheet.tables.add(address, true).name = name;
      };
      write(`A1:B${rows.length + 1}`, [["ticker", "weight"], ...rows], "TiltHoldings");
      const rules = [
        ["rule", "who", "min", "max", "relative", "priority"],
        ["weight", "*", 0, 0.05, "", ""],
        ["turnover", "", "", 0.2, "", ""],
      ];
      write("E1:J3", rules, "TiltConstraints");
    });
  }, holdings);
  await page.evaluate(() => window.host.press("optimize"));
  const first = await workbook(page);
  await page.evaluate(() => window.host.press("optimize"));
  return {
    sheets: first,
    again: await workbook(page),
    message: await page.textContent("#message"),
    kind: await page.getAttribute("#message", "data-kind"),
  };
}

/** Take the server away in the middle, and bring it back. */
async function away(page, context) {
  await context.setOffline(true);
  await enter(page, "AA1", "=TILT.ASOF()");
  const lost = await shown(page, "AA1");
  const state = await page.textContent("#connection");
  await context.setOffline(false);
  await enter(page, "AA1", "=TILT.ASOF( )");
  return {
    lost,
    state,
    back: await shown(page, "AA1"),
    then: await page.textContent("#connection"),
  };
}

/** The pane in light and dark: what a scan finds, and where the keyboard leads. */
async function pane(browser, server) {
  const found = {};
  for (const colorScheme of ["light", "dark"]) {
    const { context, page } = await openAddin(browser, server, { colorScheme });
    await page.waitForSelector("#status dd");
    found[`data ${colorScheme}`] = await scan(page);
    await page.focus("#tab-data");
    await page.keyboard.press("End");
    await page.waitForSelector("#functions li");
    found[`documentation ${colorScheme}`] = await scan(page);
    await page.keyboard.press("Tab"); // from the tab to its panel
    await page.keyboard.press("Tab"); // and to the search field
    await page.keyboard.type("risk_table");
    found.keyboard = {
      tab: await page.getAttribute("[role=tab][aria-selected=true]", "id"),
      focus: await page.evaluate(() => document.activeElement.id),
      found: await page.textContent("#found"),
    };
    found.width = await page.evaluate(() => document.documentElement.scrollWidth);
    await context.close();
  }
  return found;
}

async function main(server, file) {
  const { holdings, tickers } = JSON.parse(await readFile(file, "utf8"));
  const browser = await launch();
  try {
    const { context, page, seen } = await openAddin(browser, server);
    const result = {
      formulas: await formulas(page, holdings),
      thousand: await thousand(page, seen, tickers),
      optimize: await optimize(page, holdings),
      status: await page.textContent("#panel-data"),
      functions: await page.textContent("#found"),
      requests: seen.requests,
      errors: [...seen.errors],
    };
    result.away = await away(page, context);
    result.pane = await pane(browser, server);
    console.log(JSON.stringify(result));
  } finally {
    await browser.close();
  }
}

await main(...process.argv.slice(2));
