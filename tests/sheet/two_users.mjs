// Two users in two browsers of one server, and one after the other in one browser.
//
//   node two_users.mjs SERVER KEY_A KEY_B

import { enter, launch, openAddin, shown } from "../browser/driver.mjs";

const [server, ...keys] = process.argv.slice(2);

const signIn = (page, key) =>
  page.evaluate(async (given) => {
    const { signIn: enterKey } = await import("/static/js/session.js");
    enterKey(given, { remember: false });
  }, key);

const settled = (page) => page.evaluate(() => window.host.calculator.whenSettled());

const user = (page) =>
  enter(page, "A1", "=TILT.STATUS()").then(async () => {
    const { region } = await shown(page, "A1");
    return region.find(([item]) => item === "user")?.[1];
  });

const browser = await launch();
try {
  const tabs = await Promise.all(keys.map(() => openAddin(browser, server)));
  const tokens = tabs.map(() => new Set());
  tabs.forEach(({ page }, i) => {
    page.on("request", (request) => {
      const token = request.headers().authorization;
      if (token) tokens[i].add(token.replace("Bearer ", ""));
    });
  });
  await Promise.all(tabs.map(({ page }, i) => signIn(page, keys[i])));
  const users = await Promise.all(tabs.map(({ page }) => user(page)));
  await Promise.all(
    tabs.map(({ page }, i) => enter(page, "F1", `=TILT.RISK("SAMPLE","${["beta", "var95"][i]}")`)),
  );
  const own = tokens.map((seen, i) => seen.size === 1 && seen.has(keys[i]));

  // the first user leaves, and somebody without a key sits down
  const { page, seen } = tabs[0];
  const before = (await shown(page, "F1")).value;
  await signIn(page, "");
  await enter(page, "H1", '=TILT.RISK("SAMPLE","beta")');
  const nobody = await shown(page, "H1");
  await signIn(page, keys[1]);
  const mark = seen.requests.length;
  await enter(page, "J1", '=TILT.RISK("SAMPLE","beta")');
  await settled(page);
  const asked = seen.requests.slice(mark).filter(({ calls }) => calls > 0).length;
  const kept = await page.evaluate(() => window.tilt.batcher.cache.size);
  console.log(
    JSON.stringify({
      users,
      own,
      before,
      nobody,
      asked,
      kept,
      then: (await shown(page, "J1")).value,
    }),
  );
} finally {
  await browser.close();
}
