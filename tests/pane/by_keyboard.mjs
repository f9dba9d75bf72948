// The whole pane worked by keyboard against a real server; prints what was seen as JSON.
//
//   node by_keyboard.mjs SERVER WORKBOOK.xlsx

import { enter, launch, openAddin, scan, shown, workbook } from "../browser/driver.mjs";
import { openTab, press, said, tableCells, tabTo, type, until } from "./keyboard.mjs";

const MESSY =
  "Account 4711\n\nSymbol\tWeight\nAAPL\t30%\nMSTF\t5%\nMSFT\t40%\njpm us equity\t10 %\nXOM\t5%\nXOM\t5%";

const undoSteps = (page) => page.evaluate(() => window.host.undoSteps);

async function firstRun(page) {
  const welcome = await said(page, "#welcome");
  const before = await undoSteps(page);
  await press(page, "#put-sample");
  await page.waitForSelector("#risk-chart svg");
  return {
    welcome,
    steps: (await undoSteps(page)) - before,
    holdings: await tableCells(page, "TiltHoldings"),
    rules: await tableCells(page, "TiltConstraints"),
    hidden: await page.isHidden("#welcome"),
  };
}

async function data(page) {
  await page.waitForSelector("#findings li");
  const seen = { status: await said(page, "#status"), all: await said(page, "#quality-count") };
  await tabTo(page, "#severity input");
  await page.keyboard.press("ArrowRight"); // from all to errors
  await until(page, "#findings li .tag", "error");
  seen.errors = await said(page, "#quality-count");
  seen.tags = await page.$$eval("#findings .tag", (tags) => tags.map((tag) => tag.textContent));
  await page.focus("#tab-data");
  await press(page, "#refresh");
  await page.waitForSelector(".job .cancel");
  seen.job = await said(page, "#refresh-job");
  await press(page, ".job .cancel");
  await until(page, "#refresh-job", "Canceled");
  seen.canceled = await said(page, "#refresh-job");
  seen.focus = await page.evaluate(() => document.activeElement.id);
  return seen;
}

async function risk(page) {
  const seen = { tiles: await said(page, "#risk-tiles"), parts: await said(page, "#risk-parts") };
  await page.focus("#tab-risk");
  await tabTo(page, "#risk-by input");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight"); // by sector
  seen.chart = await page.getAttribute("#risk-chart svg", "aria-label");
  await press(page, "#risk-chart summary");
  seen.rows = await page.$$eval("#risk-chart tbody tr", (rows) =>
    rows.map((row) => [...row.children].map((cell) => cell.textContent)),
  );
  return seen;
}

/** Wait for an answer with this title: a worker that starts on a busy machine takes its time. */
const answered = (page, title) =>
  page.waitForFunction(
    (text) => {
      const heading = document.querySelector("#solution:not([hidden]) #solution-title");
      return heading?.textContent.includes(text);
    },
    title,
    { timeout: 0 }, // the script has a limit of its own
  );

async function optimize(page) {
  await openTab(page, "optimize");
  await until(page, "#check-summary", "rules");
  const seen = { check: await said(page, "#check-summary"), at: await said(page, "#verdict-1") };
  await enter(page, "B7:B8", [[0.06], [0.035]], "Tilt Inputs"); // somebody edits the sheet
  await until(page, "#verdict-0", "too much");
  seen.edited = await said(page, "#verdict-0");
  await enter(page, "B7:B8", [[0.05], [0.045]], "Tilt Inputs");
  await until(page, "#verdict-0", "kept");
  await type(page, "#max-0", "much");
  await until(page, "#verdict-0", "text");
  seen.wrong = await said(page, "#verdict-0");
  await page.focus("#tab-optimize");
  await type(page, "#max-0", "0.4 %");
  await until(page, "#verdict-0", "too much");
  seen.tight = {
    verdict: await said(page, "#verdict-0"),
    sheet: await tableCells(page, "TiltConstraints"),
  };
  await press(page, "#solve");
  await answered(page, "No weights");
  seen.conflict = {
    title: await said(page, "#solution-title"),
    focus: await page.evaluate(() => document.activeElement.id),
    words: await said(page, ".conflict"),
    marked: await page.$$eval("[id^=answer-][data-state=conflict]", (all) =>
      all.map((one) => [one.id, one.textContent]),
    ),
    repairs: await page.$$eval(".repairs li span", (all) => all.map((one) => one.textContent)),
  };
  await press(page, ".repairs button");
  await answered(page, "best");
  seen.solved = {
    max: await page.inputValue("#max-0"),
    tiles: await said(page, "#solution .tiles"),
    binding: await said(page, "#answer-0"),
    priced: await page.getAttribute("#rule-row-0", "data-state"),
    trades: await page.$$eval("#solution .trades tbody", (all) => all.length),
    sheet: await tableCells(page, "TiltConstraints"),
  };
  await type(page, "#max-2", "25 %");
  await page.waitForSelector("#solution-stale", { state: "visible" });
  seen.stale = await said(page, "#solution-stale");
  await page.focus("#tab-optimize");
  await type(page, "#max-2", "20 %");
  await page.waitForSelector("#solution-stale", { state: "hidden" });
  const before = await undoSteps(page);
  await press(page, "#solution-body button.primary");
  await until(page, "#written", "Wrote");
  seen.written = {
    words: await said(page, "#written"),
    steps: (await undoSteps(page)) - before,
    sheets: await workbook(page),
    weights: await tableCells(page, "TiltWeights"),
  };
  seen.excluded = await excludeOne(page);
  seen.sets = await keepRules(page);
  seen.underinvested = await leaveInCash(page);
  return seen;
}

/** Take the largest trade's name out, and let it in again; the repaired rules leave no room for it. */
async function excludeOne(page) {
  const turnover = await page.inputValue("#max-2");
  await page.focus("#tab-optimize");
  await type(page, "#max-2", "50 %");
  await press(page, "#solve");
  await page.waitForSelector("#solution", { state: "hidden" });
  await answered(page, "best");
  const ticker = await page.textContent("#solution .trades tbody th");
  await page.focus("#solution-title");
  await press(page, `#solution .trades button[aria-label^="Exclude ${ticker}"]`);
  await page.waitForSelector("#solution", { state: "hidden" });
  await answered(page, "best");
  const seen = {
    ticker,
    listed: await said(page, "#pins"),
    weights: await page.$$eval("#solution .trades tbody tr:first-child", (rows) =>
      rows.map((row) => [row.children[0].textContent, row.children[2].textContent]),
    ),
    tiles: await said(page, "#solution .tiles"),
  };
  await page.focus("#tab-optimize");
  await press(page, "#pins button");
  seen.released = await said(page, "#pins");
  await page.focus("#tab-optimize");
  await type(page, "#max-2", turnover);
  return seen;
}

/** Save the rules under a name, change one, and load them again. */
async function keepRules(page) {
  await page.focus("#tab-optimize");
  await press(page, "#rule-sets summary");
  await type(page, "#rule-set-name", "Mandate");
  await press(page, "#save-rules button");
  const before = await page.inputValue("#max-2");
  await page.focus("#tab-optimize");
  await type(page, "#max-2", "33 %");
  await press(page, "#load-rules");
  await page.waitForFunction((max) => document.querySelector("#max-2").value === max, before);
  return { before, note: await said(page, "#rule-set-note") };
}

/** Caps that do not add up to the capital: the pane offers to leave the rest in cash. */
async function leaveInCash(page) {
  const tight = ["0.1 %", "-100 %", "100 %", "100 %"];
  const fields = ["#max-0", "#min-1", "#max-1", "#max-2"];
  const before = [];
  for (const [i, field] of fields.entries()) {
    before.push(await page.inputValue(field));
    await page.focus("#tab-optimize");
    await type(page, field, tight[i]);
  }
  await press(page, "#solve");
  await answered(page, "No weights");
  await press(page, ".repairs button[aria-label*='in cash']");
  await answered(page, "best");
  const seen = {
    cash: await page.inputValue("#option-cash"),
    kept: await page.inputValue("#max-0"),
    names: await said(page, "#solution .tiles"),
  };
  await page.fill("#option-cash", "");
  for (const [i, field] of fields.entries()) {
    await page.focus("#tab-optimize");
    await type(page, field, before[i]);
  }
  return seen;
}

async function portfolio(page, file) {
  await openTab(page, "portfolio");
  await tabTo(page, "#pasted");
  await page.keyboard.insertText(MESSY);
  await press(page, "#read-holdings");
  await page.waitForSelector("#fixes li");
  const seen = {
    title: await said(page, "#reading-title"),
    fixes: await said(page, "#fixes"),
    table: await said(page, "#holdings"),
  };
  await press(page, "#fixes button"); // what was meant
  await until(page, "#reading-title", "nothing to mend");
  seen.mended = { table: await said(page, "#holdings"), pasted: await page.inputValue("#pasted") };
  await type(page, "#save-name", "Mine & yours");
  await press(page, "#save");
  await until(page, "#saved-note", "Saved");
  seen.note = await said(page, "#saved-note");
  await enter(page, "J1", '=TILT.RISK("Mine & yours","volatility","","NONE")');
  seen.cell = await shown(page, "J1");
  await press(page, "#put-holdings");
  await until(page, "#saved-note", "Written");
  seen.put = await tableCells(page, "TiltHoldings");
  await page.setInputFiles("#file", file);
  await until(page, "#pasted-hint ~ * #reading-title, #reading-title", "2 holdings");
  seen.file = { title: await said(page, "#reading-title"), table: await said(page, "#holdings") };
  return seen;
}

async function documentation(page) {
  await openTab(page, "documentation");
  await type(page, "#find", "tracking risk");
  const link = await page.getAttribute("#functions li:not([hidden]) a", "href");
  const found = await said(page, "#found");
  await page.focus("#find");
  await type(page, "#find", "copy details");
  const guides = await page.$$eval("#guides-found a", (links) =>
    links.map((one) => [one.textContent, one.getAttribute("href")]),
  );
  return { found, link, guides };
}

/** Change settings, then open the pane anew: the workbook has kept them. */
async function settings(page) {
  await openTab(page, "data");
  await press(page, "#settings summary");
  await tabTo(page, "#set-benchmark");
  await page.keyboard.press("ArrowDown"); // from the universe to nothing
  await tabTo(page, "#set-factors input[value=Size]");
  await page.keyboard.press("Space");
  await until(page, "#settings-saved", "Kept");
  await page.reload({ waitUntil: "load" });
  await page.waitForSelector("#findings li");
  await page.waitForFunction(() => document.querySelector("#set-factors input"));
  return {
    benchmark: await page.inputValue("#set-benchmark"),
    size: await page.isChecked("#set-factors input[value=Size]"),
    value: await page.isChecked("#set-factors input[value=Value]"),
  };
}

/** Pause, type a formula, recalculate, resume: by the buttons of the pane's header. */
async function calculation(page, seen) {
  const asked = () => seen.requests.reduce((sum, { calls }) => sum + calls, 0);
  await page.evaluate(() =>
    Excel.run(async (context) => {
      const sheet = context.workbook.worksheets.add("Calculated");
      sheet.activate();
      sheet.getRange("A1").select();
      await context.sync();
    }),
  );
  const formulas = [
    ['=TILT.RISK("SAMPLE","beta")', '=TILT.RISK("SAMPLE","volatility")'],
    ['=TILT.EXPOSURE("AAPL","Size")', ""],
  ];
  await enter(page, "A1:B2", formulas, "Calculated");
  const found = { quiet: await said(page, "#calculation-state") };
  const settle = () => page.evaluate(() => window.host.calculator.whenSettled());
  for (const scope of ["selection", "sheet"]) {
    const before = asked();
    await page.focus("#pause");
    const sent = page.waitForRequest(/custom-functions-batch/);
    await press(page, `#recalculate-${scope}`);
    await sent;
    await settle();
    found[scope] = asked() - before;
  }
  await page.focus("#pause");
  await page.keyboard.press("Enter");
  found.paused = await said(page, "#calculation-state");
  found.disabled = await page.isDisabled("#recalculate-book");
  const before = asked();
  await enter(page, "D1", '=TILT.EXPOSURE("MSFT","Size")', "Calculated");
  await until(page, "#calculation-state", "1 cell");
  found.waiting = await said(page, "#calculation-state");
  found.asked = asked() - before;
  found.scan = await scan(page);
  found.button = await said(page, "#pause");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#calculation-state", { state: "hidden" });
  await settle();
  found.value = (await shown(page, "D1", "Calculated")).value;
  return found;
}

/** A server that fails, and one that is away. */
async function errors(page, context) {
  const body = { title: "Internal Server Error", status: 500, detail: "Tilt failed inside." };
  await page.route("**/api/v1/risk", (route) =>
    route.fulfill({
      status: 500,
      contentType: "application/problem+json",
      headers: { "X-Request-ID": "0123456789abcdef" },
      body: JSON.stringify(body),
    }),
  );
  await openTab(page, "risk");
  await page.waitForSelector("#risk-problem .problem");
  const failed = await said(page, "#risk-problem");
  await press(page, "#risk-problem button");
  await until(page, "#risk-problem button", "Copied|allowed");
  const copied = await said(page, "#risk-problem button");
  await page.unroute("**/api/v1/risk");
  await context.setOffline(true);
  await openTab(page, "optimize");
  await until(page, "#check-problem", "does not answer");
  await until(page, "#connection", "away");
  const away = {
    words: await said(page, "#check-problem"),
    state: await said(page, "#connection"),
  };
  await context.setOffline(false);
  await openTab(page, "risk");
  await page.waitForSelector("#risk-problem .problem", { state: "detached" });
  await page.waitForSelector("#risk-chart svg");
  return {
    failed,
    copied,
    away,
    again: await said(page, "#risk-problem"),
    tiles: await said(page, "#risk-tiles"),
  };
}

async function main(server, file) {
  const browser = await launch();
  try {
    const { context, page, seen } = await openAddin(browser, server);
    page.setDefaultTimeout(180_000);
    await page.waitForSelector("#welcome:not([hidden])");
    const result = { data: await data(page) };
    result.first = await firstRun(page);
    result.risk = await risk(page);
    result.optimize = await optimize(page);
    result.portfolio = await portfolio(page, file);
    result.documentation = await documentation(page);
    result.calculation = await calculation(page, seen);
    result.complaints = [...seen.errors];
    result.settings = await settings(page);
    result.errors = await errors(page, context);
    result.requests = seen.requests;
    console.log(JSON.stringify(result));
  } finally {
    await browser.close();
  }
}

await main(...process.argv.slice(2));
