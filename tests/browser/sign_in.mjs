// Signing in at a server that asks for an API key; prints what was seen as JSON.
//
//   node sign_in.mjs SERVER KEY

import { enter, launch, openAddin, scan, shown } from "./driver.mjs";

/** @param {import("playwright-core").Page} page */
const state = async (page) => ({
  connection: await page.textContent("#connection"),
  form: await page.isVisible("#sign-in"),
  error: await page.textContent("#sign-in-error"),
  cell: await shown(page, "A1"),
});

/** @param {import("playwright-core").Page} page */
async function give(page, key) {
  await page.fill("#key", key);
  const answered = page.waitForResponse((response) => response.url().endsWith("/api/v1/status"));
  await page.keyboard.press("Enter");
  await answered;
}

async function main(server, key) {
  const browser = await launch();
  try {
    const { page } = await openAddin(browser, server);
    await page.waitForSelector("#sign-in", { state: "visible" });
    await enter(page, "A1", "=TILT.ASOF()");
    const before = { ...(await state(page)), scan: await scan(page) };
    await give(page, "tilt_wrong");
    await page.waitForSelector("#sign-in-error:not(:empty)");
    const wrong = await state(page);
    await give(page, key);
    await page.waitForSelector("#sign-in", { state: "hidden" });
    await page.waitForFunction(() => window.host.store.active.grid.get(0, 0).error === "");
    const right = await state(page);
    const stored = await page.evaluate(() => Object.values(window.localStorage));
    await page.click("#sign-out");
    await page.waitForSelector("#sign-in", { state: "visible" });
    console.log(JSON.stringify({ before, wrong, right, stored, after: await state(page) }));
  } finally {
    await browser.close();
  }
}

await main(...process.argv.slice(2));
