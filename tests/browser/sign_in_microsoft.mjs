// Signing in by the account that Office has; Microsoft's library is a stand-in that gives a token.
//
//   node sign_in_microsoft.mjs SERVER TOKEN [PICTURE]

import { launch, openAddin, scan } from "./driver.mjs";

/** The bundle as the pane loads it: first Office knows nobody, then somebody signs in by a click. */
const standIn = (token) => `
  export const openApp = async ({ client, authority }) => {
    globalThis.asked = { client, authority, silent: 0, popups: 0, scopes: [] };
    const grant = () => ({
      accessToken: ${JSON.stringify(token)}, expiresOn: new Date(Date.now() + 3_600_000),
    });
    return {
      async acquireTokenSilent({ scopes }) {
        globalThis.asked.silent += 1;
        globalThis.asked.scopes = scopes;
        throw Object.assign(new Error("nobody"), { errorCode: "interaction_required" });
      },
      async acquireTokenPopup() {
        globalThis.asked.popups += 1;
        return grant();
      },
    };
  };`;

/** Hold back the answers to a path, until what is returned is called, which waits for the first. */
async function heldBack(page, path) {
  let letGo;
  const held = new Promise((resolve) => (letGo = resolve));
  await page.route(path, async (route) => {
    const response = await route.fetch();
    await held;
    await route.fulfill({ response });
  });
  return async () => {
    const came = page.waitForEvent("requestfinished", (request) =>
      request.url().endsWith(path.slice(3)),
    );
    letGo();
    await came;
    await page.unrouteAll({ behavior: "ignoreErrors" }); // one asked before a reload has no answer
    await page.evaluate(() => new Promise((resolve) => setTimeout(resolve))); // what it sets off
  };
}

/** Sign out while an answer to Anna is on its way, which comes when she has left. */
async function leave(page) {
  const letGo = await heldBack(page, "**/api/v1/me");
  const asked = page.waitForRequest("**/api/v1/me");
  await page.click("#rights summary"); // closes it
  await page.click("#rights summary");
  await asked;
  const silent = await page.evaluate(() => globalThis.asked.silent);
  await page.click("#sign-out");
  await page.waitForSelector("#sign-in", { state: "visible" });
  await letGo();
  return {
    connection: await page.textContent("#connection"),
    form: await page.isVisible("#sign-in"),
    askedAgain: (await page.evaluate(() => globalThis.asked.silent)) - silent,
  };
}

async function main(server, token, picture) {
  const browser = await launch();
  try {
    const { context, page } = await openAddin(browser, server);
    await context.route(/dist\/entra\.js$/, (route) =>
      route.fulfill({ body: standIn(token), contentType: "text/javascript" }),
    );
    const letIndexGo = await heldBack(page, "**/help/index.json"); // which anybody may read
    await page.reload({ waitUntil: "load" });
    await page.waitForSelector("#sign-in-microsoft", { state: "visible" });
    await letIndexGo();
    const before = {
      form: await page.isVisible("#sign-in"),
      scan: await scan(page),
      key: await page.isVisible("#key"),
    };
    if (picture) await page.screenshot({ path: picture.replace(".png", "-before.png") });
    await page.click("#sign-in-microsoft");
    await page.waitForSelector("#sign-in", { state: "hidden" });
    await page.click("#tab-data");
    await page.waitForSelector("#rights", { state: "visible" });
    await page.click("#rights summary");
    await page.waitForSelector("#rights-objects tbody tr");
    const after = {
      connection: await page.textContent("#connection"),
      who: await page.textContent("#rights-who"),
      roles: await page.textContent("#rights-roles"),
      objects: await page.textContent("#rights-objects tbody"),
      asked: await page.evaluate(() => globalThis.asked),
      stored: await page.evaluate(() =>
        JSON.stringify([{ ...window.localStorage }, { ...window.sessionStorage }, document.cookie]),
      ),
      scan: await scan(page),
    };
    await page.locator("#rights").scrollIntoViewIfNeeded();
    if (picture) await page.screenshot({ path: picture });
    console.log(JSON.stringify({ before, after, left: await leave(page) }));
  } finally {
    await browser.close();
  }
}

await main(...process.argv.slice(2));
