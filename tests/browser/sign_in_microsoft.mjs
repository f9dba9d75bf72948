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

async function main(server, token, picture) {
  const browser = await launch();
  try {
    const { context, page } = await openAddin(browser, server);
    await context.route(/dist\/entra\.js$/, (route) =>
      route.fulfill({ body: standIn(token), contentType: "text/javascript" }),
    );
    await page.reload({ waitUntil: "load" });
    await page.waitForSelector("#sign-in-microsoft", { state: "visible" });
    const before = { scan: await scan(page), key: await page.isVisible("#key") };
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
    await page.click("#sign-out");
    await page.waitForSelector("#sign-in", { state: "visible" });
    console.log(JSON.stringify({ before, after }));
  } finally {
    await browser.close();
  }
}

await main(...process.argv.slice(2));
