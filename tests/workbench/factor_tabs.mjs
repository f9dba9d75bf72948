// Factors worked once in the workbench against a real server: the starter's sheets, the tabs Factors
// and Pure factor, their formulas in sheets, the buttons, undo. Prints JSON.
//
//   node factor_tabs.mjs SERVER [FOLDER FOR PICTURES]

import { block, blocks, pressAndUndo, said, session, settled, whenStarted } from "./driver.mjs";

const BUTTONS = ["factor_analysis", "pure_factor", "what_if"];
const SHEETS = ["Factors", "Pure factor"];

async function factors(page, pane) {
  await pane.locator("#tab-factors").click();
  await pane.locator("#factors-span").selectOption("-1Y");
  await pane.locator("#factors-factor").selectOption("Value");
  await said(pane, "#factor-returns", /Value, compounded/);
  await pane.locator("#factor-shape svg").waitFor();
  await pane.locator("#write-factor").click();
  const written = await said(pane, "#factor-written", /Written/);
  await settled(page);
  return { written, sheet: await block(page, "Tilt Factor Research") };
}

async function pure(page, pane) {
  await pane.locator("#tab-pure").click();
  await pane.locator("#make-pure").click();
  await said(pane, "#pure-title", /Four portfolios of Value/);
  await pane.locator("#pure-kind label", { hasText: "Investable" }).click();
  await said(pane, "#pure-meaning", /As near as/);
  await pane.locator("#write-pure").click();
  const written = await said(pane, "#pure-written", /Written/);
  await settled(page);
  const sheet = await block(page, "Tilt Pure Research");
  await pane.locator("#load-pure").click();
  return { written, sheet, loaded: await said(pane, "#pure-written", /Loaded/) };
}

async function work({ page, pane, seen, look }) {
  page.setDefaultTimeout(120_000);
  await whenStarted(page);
  const result = { starter: await blocks(page, SHEETS, look) };
  result.factors = await factors(page, pane);
  await look("research");
  result.pure = await pure(page, pane);
  await look("pure");
  result.buttons = {};
  for (const name of BUTTONS) result.buttons[name] = await pressAndUndo(page, pane, name);
  await look("buttons");
  return { ...result, errors: seen.errors };
}

const [server, folder] = process.argv.slice(2);
await session(server, folder, SHEETS, work);
