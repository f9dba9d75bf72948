// Risk worked once in the workbench against a real server: the starter's sheets, the buttons, the tab
// Risk, a stress by clicking and in a sheet, undo. Prints JSON.
//
//   node risk_tab.mjs SERVER [FOLDER FOR PICTURES]

import {
  block,
  blocks,
  press,
  pressAndUndo,
  said,
  session,
  settled,
  shows,
  type,
  whenStarted,
} from "./driver.mjs";

const SHEETS = ["Risk", "Stress"];
const BUTTONS = ["factor_analysis", "risk", "what_if"];
const LIVE = "Tilt Stress Live";

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

async function work({ page, pane, seen, look }) {
  page.setDefaultTimeout(120_000);
  await whenStarted(page);
  await whenFilled(page);
  const result = { starter: await blocks(page, SHEETS, look), buttons: {} };
  await press(page, "load_holdings");
  result.loaded = await pane.locator("#message").textContent();
  for (const name of BUTTONS) result.buttons[name] = await pressAndUndo(page, pane, name);
  result.risk = await risk(pane);
  await look("tab");
  result.stress = await stress(page, pane);
  await look("stress_sheet");
  result.parts = await parts(page, pane);
  await look("parts");
  return { ...result, errors: seen.errors };
}

const [server, folder] = process.argv.slice(2);
await session(server, folder, SHEETS, work);
