// One session of the workbench against a real server; prints what was seen as JSON, for pytest.
//
//   node workbench.mjs SERVER TICKERS.json FOLDER

import { readFile } from "node:fs/promises";
import path from "node:path";

import {
  cell,
  go,
  hover,
  launch,
  openSheet,
  openSheets,
  openWorkbench,
  press,
  scan,
  settled,
  shows,
  type,
  whenStarted,
} from "./driver.mjs";

const THOUSAND = 1000;
const FACTORS = ["Size", "Value", "Momentum", "Volatility", "Beta", "Quality"];
const RISK = [6, 6]; // row and column of the volatility on the sheet Portfolio
const TRADES = [5, 11]; // of the trades on the sheet Optimize

/** Every formula of the starter, and every error among its values. */
const readStarter = (page) =>
  page.evaluate(() =>
    window.tiltHost.store.sheets.map((sheet) => {
      const cells = [...sheet.grid.entries()];
      return {
        name: sheet.name,
        tables: sheet.tables.map((table) => table.name),
        formulas: cells.filter(([, , c]) => c.formula).map(([, , c]) => [c.formula, c.value]),
        errors: cells.filter(([, , c]) => c.error).map(([, , c]) => c.error),
        filled: cells.filter(([, , c]) => c.value !== "").length,
      };
    }),
  );

async function edit(page) {
  await type(page, "F20", '=TILT.RISK(TiltHoldings,"beta")');
  const typed = await cell(page, "Portfolio", 19, 5);
  await type(page, "F21", '=TILT.RISK(TiltHoldings,"volx")');
  await go(page, "F21");
  const misspelt = await cell(page, "Portfolio", 20, 5);
  const said = await page.textContent("#cell");
  await type(page, "F40", "=TILT.UNIVERSES()");
  const spilled = await cell(page, "Portfolio", 40, 5);
  await type(page, "F22", "=SUM(B7:B8)*2");
  const native = await cell(page, "Portfolio", 21, 5);
  const before = await cell(page, "Portfolio", ...RISK);
  await type(page, "B7", "0.02");
  await shows(page, ["Portfolio", ...RISK], { not: before.value });
  const after = await cell(page, "Portfolio", ...RISK);
  return { typed, misspelt, said, spilled, native, before, after };
}

/** Titles of the charts below the sheet, once the given one is among them. */
async function titles(page, title) {
  const captions = page.locator("#charts figure:has(svg) figcaption");
  await captions.filter({ hasText: title }).waitFor();
  return captions.allInnerTexts();
}

/** A rule that cannot hold, and back again. */
async function infeasible(page) {
  await openSheet(page, "Optimize");
  const charts = await titles(page, "Largest trades");
  await type(page, "D7", "0.001");
  await shows(page, ["Optimize", ...TRADES], { value: "#N/A" });
  const broken = await cell(page, "Optimize", ...TRADES);
  const popped = await hover(page, ...TRADES, broken.error);
  const explained = await cell(page, "Optimize", 19, 0);
  await type(page, "D7", "0.05");
  await shows(page, ["Optimize", ...TRADES], { value: "ticker" });
  return { charts, broken, popped, explained, mended: await cell(page, "Optimize", ...TRADES) };
}

async function optimize(page) {
  await press(page, "optimize");
  const message = page.frameLocator("#pane").locator("#message");
  const sheets = await page.evaluate(() => window.tiltHost.store.sheets.map((s) => s.name));
  const said = await message.textContent();
  const found = { sheets, said, written: await written(page) };
  for (const [name, keys, count] of [
    ["undone", "Control+z", sheets.length - 1],
    ["redone", "Control+y", sheets.length],
    ["again", "Control+z", sheets.length - 1],
  ]) {
    await page.keyboard.press(keys);
    await page.waitForFunction((n) => window.tiltHost.store.sheets.length === n, count);
    await settled(page);
    found[name] = await written(page);
  }
  return found;
}

/** Every sheet with its tables and how many of its cells are filled. */
const written = (page) =>
  page.evaluate(() =>
    window.tiltHost.store.sheets.map((sheet) => ({
      name: sheet.name,
      tables: sheet.tables.map(({ name }) => name),
      filled: [...sheet.grid.entries()].filter(([, , { value }]) => value !== "").length,
    })),
  );

/** A second button pressed while the first one still writes, and both taken back. */
async function twoButtons(page) {
  const names = ["risk", "factor_analysis"];
  for (const name of names) await page.click(`#ribbon button[data-name="${name}"]`);
  for (const name of names) {
    await page.waitForSelector(`#ribbon button[data-name="${name}"]:not([aria-busy])`);
  }
  await settled(page);
  const both = (await written(page)).map(({ name }) => name);
  const left = [];
  for (const count of [both.length - 1, both.length - 2]) {
    await page.keyboard.press("Control+z");
    await page.waitForFunction((n) => window.tiltHost.store.sheets.length === n, count);
    left.push((await written(page)).map(({ name }) => name));
  }
  return { both, left };
}

/** A sheet that goes while the heights of its rows wait to be fitted; what fails then is among the errors. */
const goneBeforeFitted = (page) =>
  page.evaluate(async () => {
    const { store } = window.tiltHost;
    const sheet = store.addSheet("Gone");
    store.select(sheet, { row: 0, column: 0, rows: 1, columns: 1 });
    await new Promise((drawn) =>
      window.requestAnimationFrame(() => window.requestAnimationFrame(drawn)),
    );
    store.commands.syncExecuteCommand("sheet.operation.mark-dirty-row-auto-height", {
      unitId: store.unitId,
      subUnitId: sheet.id,
      id: "gone",
      ranges: [{ startRow: 0, endRow: 3, startColumn: 0, endColumn: 0 }],
    });
    store.removeSheet(sheet);
    await new Promise((idle) => window.requestIdleCallback(() => window.requestIdleCallback(idle)));
  });

/** How many rows and columns a sheet has in which a button wrote far down and far to the right. */
const farAway = (page) =>
  page.evaluate(() => {
    const { store } = window.tiltHost;
    const { id } = store.addSheet("Far");
    store.setCells(id, { 1500: { 60: { v: 7, t: 2 } } });
    const shown = store.book.getSheetBySheetId(id);
    const size = [shown.getMaxRows(), shown.getMaxColumns(), shown.getRange(1500, 60).getValue()];
    store.removeSheet(store.sheets.find((sheet) => sheet.id === id));
    return size;
  });

/** A thousand formulas at once, as a paste brings them. */
async function thousand(page, seen, tickers) {
  const asked = Array.from({ length: THOUSAND }, (_, i) => [
    tickers[Math.floor(i / FACTORS.length) % tickers.length],
    FACTORS[i % FACTORS.length],
  ]);
  await page.evaluate(() => window.tiltHost.store.addSheet("Thousand"));
  const before = seen.requests.length;
  const started = performance.now();
  await page.evaluate(
    async (formulas) => {
      const { Excel } = document.getElementById("pane").contentWindow;
      await Excel.run(async (context) => {
        const sheet = context.workbook.worksheets.getItem("Thousand");
        sheet.getRange(`A1:A${formulas.length}`).values = formulas.map((formula) => [formula]);
      });
    },
    asked.map(([ticker, factor]) => `=TILT.EXPOSURE("${ticker}","${factor}")`),
  );
  await page.waitForFunction((last) => {
    const { grid } = window.tiltHost.store.find("Thousand");
    return typeof grid.get(0, 0).value === "number" && typeof grid.get(last, 0).value === "number";
  }, THOUSAND - 1);
  const milliseconds = performance.now() - started;
  await settled(page);
  const values = await page.evaluate(() =>
    [...window.tiltHost.store.find("Thousand").grid.entries()].map(([, , c]) => c.value),
  );
  const posts = seen.requests.slice(before).filter(({ method }) => method === "POST");
  return { asked, values, posts: posts.length, milliseconds };
}

/** Cells that follow the market end when they are deleted; formulas move with rows and copies. */
async function moving(page) {
  await openSheet(page, "Portfolio");
  const streams = () =>
    page.evaluate(() => document.getElementById("pane").contentWindow.tilt.live.size);
  const following = (count) =>
    page.waitForFunction(
      (n) => document.getElementById("pane").contentWindow.tilt.live.size === n,
      count,
    );
  await type(page, "H30", '=TILT.LIVE("AAPL")');
  await type(page, "H31", '=TILT.LIVE("MSFT")');
  await type(page, "J30", "=H30*2");
  await following(2);
  await page.waitForFunction(
    () => typeof window.tiltHost.store.find("Portfolio").grid.get(29, 7).value === "number",
  );
  await settled(page);
  await page.evaluate(() => window.tiltHost.store.book.getActiveSheet().insertRowBefore(4));
  await settled(page);
  const inserted = {
    live: await cell(page, "Portfolio", 30, 7),
    double: await cell(page, "Portfolio", 30, 9),
    risk: await cell(page, "Portfolio", RISK[0] + 1, RISK[1]),
    streams: await streams(),
  };
  await go(page, "J31");
  await page.keyboard.press("Control+c");
  await go(page, "J32");
  await page.keyboard.press("Control+v");
  // the calculation begins a moment after the formula is there
  await page.waitForFunction(
    () => typeof window.tiltHost.store.find("Portfolio").grid.get(31, 9).value === "number",
  );
  await settled(page);
  const pasted = await cell(page, "Portfolio", 31, 9);
  const source = await cell(page, "Portfolio", 31, 7);
  await go(page, "H32");
  await page.keyboard.press("Delete");
  await following(1);
  await page.evaluate(() => window.tiltHost.store.book.getActiveSheet().deleteRows(4, 1));
  await settled(page);
  const deleted = { double: await cell(page, "Portfolio", 29, 9), streams: await streams() };
  return { inserted, pasted, source, deleted };
}

async function files(page, folder) {
  await openSheet(page, "Portfolio");
  await type(page, "A60", "'=1+1 is text");
  const [download] = await Promise.all([page.waitForEvent("download"), press(page, "save_file")]);
  const saved = path.join(folder, "saved.xlsx");
  await download.saveAs(saved);
  const before = await cell(page, "Portfolio", ...RISK);
  await page.setInputFiles("#file", saved);
  await page.waitForFunction(() => window.tiltHost.store.unitId !== "book1");
  await settled(page);
  const reopened = await cell(page, "Portfolio", ...RISK);
  const tables = await page.evaluate(() =>
    window.tiltHost.store.tables().map(({ table }) => table.name),
  );
  return { saved, before, reopened, tables };
}

/** What an accessibility scan finds around the spreadsheet, whose own parts are not ours. */
async function looks(browser, server) {
  const found = {};
  for (const colorScheme of ["light", "dark"]) {
    const sheets = ["Portfolio", "Match"];
    const { context, page } = await openSheets(browser, server, sheets, { colorScheme });
    await whenStarted(page);
    const violations = await scan(page);
    found[colorScheme] = violations.filter(
      ({ where }) => !where.every((w) => w.includes("univer")),
    );
    await page.focus('#ribbon button[tabindex="0"]');
    await page.keyboard.press("End");
    await page.keyboard.press("ArrowLeft");
    found.button = await page.evaluate(() => document.activeElement.dataset.name);
    found.width = await page.evaluate(() => document.documentElement.scrollWidth);
    await context.close();
  }
  return found;
}

async function main(server, given, folder) {
  const { tickers } = JSON.parse(await readFile(given, "utf8"));
  const browser = await launch();
  try {
    const { page, seen } = await openWorkbench(browser, server);
    await whenStarted(page);
    const result = { starter: await readStarter(page), status: await page.textContent("#server") };
    result.charts = await titles(page, "Active exposures");
    result.edit = await edit(page);
    result.infeasible = await infeasible(page);
    result.optimize = await optimize(page);
    result.twoButtons = await twoButtons(page);
    result.thousand = await thousand(page, seen, tickers);
    result.moving = await moving(page);
    await goneBeforeFitted(page);
    result.far = await farAway(page);
    result.files = await files(page, folder);
    result.errors = seen.errors;
    result.looks = await looks(browser, server);
    console.log(JSON.stringify(result));
  } finally {
    await browser.close();
  }
}

await main(...process.argv.slice(2));
