// Ten thousand cells through the shipped JavaScript in Chromium; prints the milliseconds as JSON.
//
//   node chromium.mjs SERVER '["AAPL", ...]'

import { launch, openAddin } from "../../tests/browser/driver.mjs";

const RUNS = 5;

const [server, tickers] = process.argv.slice(2);
const browser = await launch();
try {
  const { page, seen } = await openAddin(browser, server);
  const run = (keep) =>
    page.evaluate(
      async ([names, kept]) => {
        if (!kept) window.tilt.batcher.cache.clear();
        const cell = window.host.functions.associated.get("EXPOSURE");
        const factors = ["Size", "Value", "Momentum", "Volatility", "Beta", "Quality"];
        const dates = ["2017-03-31", "2017-04-28", "2017-05-31", "2017-06-30", "2017-02-28"];
        const start = performance.now();
        const calls = Array.from({ length: 10_000 }, (_, i) =>
          cell(
            [[names[i % names.length]]],
            [[factors[Math.floor(i / names.length) % 6]]],
            [[dates[Math.floor(i / names.length / 6)]]],
            null,
            { address: `Sheet1!A${i + 1}` },
          ),
        );
        await Promise.all(calls.map((call) => call.catch(() => null)));
        return (performance.now() - start) / 1000;
      },
      [JSON.parse(tickers), keep],
    );
  const count = () => seen.requests.filter(({ path }) => path.endsWith("-batch")).length;
  await run(false);
  const before = count();
  const fresh = [];
  for (let i = 0; i < RUNS; i += 1) fresh.push(await run(false));
  const posts = (count() - before) / RUNS;
  const again = [];
  const mark = count();
  for (let i = 0; i < RUNS; i += 1) again.push(await run(true));
  console.log(JSON.stringify({ fresh, again, posts, posts_again: count() - mark }));
} finally {
  await browser.close();
}
