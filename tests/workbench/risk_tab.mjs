// Risk worked once in the workbench against a real server: the starter's sheets, the buttons, the tab
// Risk, a stress by clicking and in a sheet, undo. Prints JSON.
//
//   node risk_tab.mjs SERVER [FOLDER FOR PICTURES]

import {
  launch,
  openSheet,
  openWorkbench,
  press,
  settled,
  shows,
  type,
  whenStarted,
} from "./driver.mjs";

const SHEETS = ["Risk", "Stress"];
const BUTTONS = ["factor_analysis", "risk", "what_if"];
const LIVE = "Tilt Stress Live";

const sheetNames = (page) =>
  page.evaluate(() => window.tiltHost.store.sheets.map((sheet) => sheet.name));

const block = (page, name) =>
  page.evaluate((wanted) => {
    const rows = {};
    for (const [i, j, { value, error }] of window.tiltHost.store.find(wanted).grid.entries()) {
      (rows[i] ??= {})[j] = error || value;
    }
    return rows;
  }, name);

/** Text of an element of the pane, once it matches. */
async function said(pane, selector, pattern) {
  const found = pane.locator(selector).filter({ hasText: pattern }).first();
  await found.waitFor();
  return (await found.innerText()).replace(/\s+/g, " ");
}

/** Press a button, and take back what it wrote: every sheet that it made goes in one step. */
async function pressed(page, pane, name) {
  const before = await sheetNames(page);
  await press(page, name);
  const message = pane.locator("#message");
  const after = await sheetNames(page);
  const seen = {
    kind: await message.getAttribute("data-kind"),
    text: await message.textContent(),
    added: after.filter((sheet) => !before.includes(sheet)),
  };
  seen.blocks = {};
  for (const sheet of seen.added) seen.blocks[sheet] = await block(page, sheet);
  await page.keyboard.press("Control+z");
  await page.waitForFunction((n) => window.tiltHost.store.sheets.length <= n, before.length);
  seen.left = (await sheetNames(page)).filter((sheet) => !before.includes(sheet));
  return seen;
}

async function risk(pane) {
  await pane.locator("#tab-risk").click();
  await pane.locator("#risk-chart svg").waitFor();
  const seen = { tiles: await pane.locator("#risk-tiles").innerText() };
  seen.now = await said(pane, "#risk-now", /sure/);
  seen.chart = {};
  for (const by of ["Group", "Sector", "Position", "Factor"]) {
    await pane.locator("#risk-by label", { hasText: by }).click();
    seen.chart[by] = await pane.locator("#risk-chart svg").getAttribute("aria-label");
  }
  return seen;
}

async function stress(page, pane) {
  await pane.locator("#risk-stress > summary").click();
  await pane.locator("#stress-library svg").waitFor();
  const seen = { library: await pane.locator("#stress-library svg").getAttribute("aria-label") };
  await pane.locator("#add-shock").click();
  await pane.locator("#shock-name-1").fill("Energy");
  await pane.locator("#shock-return-1").fill("lots");
  await pane.locator("#run-stress").click();
  seen.wrong = await said(pane, "#stress-wrong", /Energy/);
  await pane.locator("#shock-return-1").fill("-5 %");
  await pane.locator("#run-stress").click();
  await pane.locator("#stress-result svg").waitFor();
  seen.totals = await said(pane, "#stress-totals", /Active/);
  await pane.locator("#write-stress").click();
  seen.written = await said(pane, "#stress-written", /Written/);
  await settled(page);
  seen.sheet = await block(page, LIVE);
  await type(page, "B7", "-0.2");
  await shows(page, [LIVE, 7, 4], { value: -0.2 });
  seen.changed = await block(page, LIVE);
  await pane.locator("#stress-scenario").selectOption("brexit");
  await pane.locator("#run-stress").click();
  seen.brexit = await said(pane, "#stress-result h3", /Brexit/);
  return seen;
}

/** Open each part below, and put it in a sheet. */
async function parts(page, pane) {
  const seen = {};
  for (const [part, sheet] of [
    ["risk", "Tilt Risk Live"],
    ["library", "Tilt Scenarios"],
    ["tail", "Tilt VaR"],
    ["liquidity", "Tilt Liquidity"],
    ["times", "Tilt Regimes"],
  ]) {
    const summary = pane.locator(`#risk-${part} > summary`);
    if ((await summary.count()) > 0) await summary.click();
    await pane.locator(`#write-${part}`).click();
    await said(pane, `#${part}-written`, /Written/);
    await settled(page);
    seen[part] = await block(page, sheet);
  }
  return seen;
}

/** Wait until no sheet waits for a number: a table that comes late grows its sheet, a step of undo. */
async function whenFilled(page) {
  await page.waitForFunction(() =>
    window.tiltHost.store.sheets.every(({ grid }) =>
      [...grid.entries()].every(([, , { value }]) => value !== "#GETTING_DATA"),
    ),
  );
  await settled(page);
}

async function main(server, folder) {
  const browser = await launch();
  try {
    const { page, seen } = await openWorkbench(browser, server);
    page.setDefaultTimeout(120_000);
    const pane = page.frameLocator("#pane");
    const look = async (name) => {
      if (folder) await page.screenshot({ path: `${folder}/${name}.png` });
    };
    await whenStarted(page);
    await whenFilled(page);
    const result = { starter: {}, buttons: {} };
    for (const name of SHEETS) {
      await openSheet(page, name);
      result.starter[name] = await block(page, name);
      await look(name);
    }
    await press(page, "load_holdings");
    result.loaded = await pane.locator("#message").textContent();
    for (const name of BUTTONS) result.buttons[name] = await pressed(page, pane, name);
    result.risk = await risk(pane);
    await look("tab");
    result.stress = await stress(page, pane);
    await look("stress_sheet");
    result.parts = await parts(page, pane);
    await look("parts");
    result.errors = seen.errors;
    console.log(JSON.stringify(result));
  } finally {
    await browser.close();
  }
}

await main(...process.argv.slice(2));
