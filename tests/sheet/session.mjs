// The sheet in real Chromium against a real server that is killed and started again by pytest.
//
//   node session.mjs SERVER HOLDINGS.json
//
// Prints a word when it wants something done and goes on when it reads a line; at last prints JSON.

import { readFile } from "node:fs/promises";
import readline from "node:readline";

import { enter, launch, openAddin, shown } from "../browser/driver.mjs";

const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const want = async (word) => {
  console.log(word);
  await lines.next();
};

const MEASURES = ["volatility", "tracking_error", "beta", "active_share"];
const TEN_THOUSAND = 10_000;

const posts = (seen, from = 0) =>
  seen.requests.slice(from).filter((request) => request.method === "POST");

const recalculate = (page) =>
  page.evaluate(async () => {
    await Excel.run(async (context) => context.application.calculate("Full"));
    await window.host.calculator.whenSettled();
  });

const settled = (page) => page.evaluate(() => window.host.calculator.whenSettled());

const waiting = (page) => page.evaluate(() => window.tilt.waiting.size);

/** What a recalculation of cells that have their values asks the server. */
async function cached(page, seen, holdings) {
  await enter(page, `A1:B${holdings.length}`, holdings);
  const range = `$A$1:$B$${holdings.length}`;
  await enter(
    page,
    "D1:D4",
    MEASURES.map((measure) => [`=TILT.RISK(${range},"${measure}")`]),
  );
  const first = { posts: posts(seen), values: (await shown(page, "D1")).region };
  const mark = seen.requests.length;
  await recalculate(page);
  await enter(page, "F1", `=TILT.RISK(${range},"beta")`);
  const again = { posts: posts(seen, mark), values: (await shown(page, "D1")).region };
  return { first, again, copy: (await shown(page, "F1")).value };
}

/** A portfolio is saved by somebody: kept answers about it are not given again. */
async function edition(page, seen) {
  await enter(page, "H1", '=TILT.RISK("SAMPLE","volatility")');
  const before = (await shown(page, "H1")).value;
  await want("save");
  await page.evaluate(() => window.tilt.confirm());
  const mark = seen.requests.length;
  await recalculate(page);
  return { before, after: (await shown(page, "H1")).value, posts: posts(seen, mark).length };
}

/** Paused, cells keep their values and nothing is asked; then what is missing comes. */
async function paused(page, seen) {
  const before = (await shown(page, "D1")).value;
  await page.evaluate(() => window.tilt.pause());
  const mark = seen.requests.length;
  await recalculate(page);
  await enter(page, "J1", '=TILT.ASOF("US_LARGE_CAP")');
  const kept = (await shown(page, "D1")).value;
  const missing = await shown(page, "J1");
  const asked = posts(seen, mark).length;
  await page.evaluate(() => window.tilt.resume());
  await page.waitForFunction(() => window.tilt.waiting.size === 0);
  await settled(page);
  return { before, kept, missing, asked, after: (await shown(page, "J1")).value };
}

/** The selected cells alone are asked for anew. */
async function refreshed(page, seen) {
  const mark = seen.requests.length;
  await page.evaluate(async () => {
    await Excel.run(async (context) => {
      context.workbook.worksheets.getItem("Sheet1").getRange("D1:D2").select();
      await context.sync();
    });
    await window.tilt.refresh("selection");
    await window.host.calculator.whenSettled();
  });
  return posts(seen, mark)
    .map((post) => post.calls)
    .filter((calls) => calls > 0); // a poll for live prices calls no function
}

/** The server dies and comes back. */
async function killed(page) {
  await want("kill");
  await page.evaluate(() => window.tilt.refresh("book"));
  await settled(page);
  const away = { kept: (await shown(page, "D1")).region, waiting: await waiting(page) };
  await enter(page, "L1", '=TILT.SECURITY("MSFT","close")');
  away.fresh = await shown(page, "L1");
  away.live = (await shown(page, "N1")).value;
  await want("start");
  await page.waitForFunction(() => window.tilt.waiting.size === 0, null, { timeout: 180_000 });
  await settled(page);
  return { ...away, back: (await shown(page, "L1")).value, then: (await shown(page, "D1")).region };
}

/** Ten thousand cells through the shipped functions, twice. */
async function tenThousand(page, seen, tickers) {
  const mark = seen.requests.length;
  const run = () =>
    page.evaluate(
      async ([names, count]) => {
        const call = window.host.functions.associated.get("EXPOSURE");
        const factors = ["Size", "Value", "Momentum", "Volatility", "Beta", "Quality"];
        const dates = ["2017-03-31", "2017-04-28", "2017-05-31", "2017-06-30"];
        const calls = Array.from({ length: count }, (_, i) =>
          call(
            [[names[i % names.length]]],
            [[factors[Math.floor(i / names.length) % 6]]],
            [[dates[Math.floor(i / names.length / 6) % 4]]],
            null,
            { address: `Many!A${i + 1}` },
          ),
        );
        const values = await Promise.all(calls.map((one) => one.catch(() => null)));
        return values.filter((value) => typeof value?.[0]?.[0] === "number").length;
      },
      [tickers, TEN_THOUSAND],
    );
  const numbers = await run();
  const first = posts(seen, mark);
  const again = seen.requests.length;
  await run();
  return {
    numbers,
    posts: first.length,
    calls: first.reduce((sum, post) => sum + post.calls, 0),
    again: posts(seen, again).length,
  };
}

async function main(server, file) {
  const { holdings, tickers } = JSON.parse(await readFile(file, "utf8"));
  const browser = await launch();
  try {
    const { page, seen } = await openAddin(browser, server);
    await enter(page, "N1", '=TILT.LIVE("AAPL")');
    const live = { first: (await shown(page, "N1")).value };
    await enter(page, "P1", '=TILT.LIVE("APPL")');
    live.unknown = await shown(page, "P1");
    const result = {
      cached: await cached(page, seen, holdings),
      edition: await edition(page, seen),
      paused: await paused(page, seen),
      refreshed: await refreshed(page, seen),
      many: await tenThousand(page, seen, tickers),
      live,
    };
    await enter(page, "R1", '=TILT.BACKTEST("equal_weight","2016-01-04",,"M")');
    result.backtest = (await shown(page, "R1")).region;
    result.killed = await killed(page);
    console.log(JSON.stringify(result));
  } finally {
    await browser.close();
  }
  process.exit(0);
}

await main(...process.argv.slice(2));
