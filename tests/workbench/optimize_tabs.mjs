// Optimization worked once in the workbench against a real server, by clicking: rules that cannot hold
// are explained, repaired, solved and written to a sheet; a frontier and a curve of turnover are drawn.
// Prints JSON.
//
//   node optimize_tabs.mjs SERVER [FOLDER FOR PICTURES]

import { block, blocks, said, session, settled, whenStarted } from "./driver.mjs";

const SHEETS = ["Optimize", "Infeasible", "Frontier"];

/** @param {[string, string][]} bounds fields and what to type into them */
async function bound(pane, bounds) {
  for (const [field, text] of bounds) {
    await pane.locator(field).fill(text);
    await pane.locator(field).press("Tab");
  }
}

async function repair(page, pane) {
  await pane.locator("#tab-optimize").click();
  await said(pane, "#check-summary", /rules/);
  await bound(pane, [
    ["#max-0", "2 %"],
    ["#max-3", "2 %"],
  ]);
  await said(pane, "#verdict-0", /too much/);
  await pane.locator("#solve").click();
  const title = await said(pane, "#solution-title", /No weights/);
  const words = await said(pane, ".conflict", /No solution/);
  const marked = await pane
    .locator(".fields[data-state=conflict] select")
    .evaluateAll((all) => all.map(({ value }) => value));
  const offered = await pane.locator(".repairs li span").allInnerTexts();
  await pane.locator(".repairs button").first().click();
  await said(pane, "#solution-title", /best/);
  return {
    title,
    words,
    marked,
    offered,
    max: await pane.locator("#max-0").inputValue(),
    price: await said(pane, "#answer-0", /./),
    tiles: await said(pane, "#solution .tiles", /Turnover/),
    rules: await block(page, "Optimize"),
  };
}

async function write(page, pane) {
  await pane.locator("#solution-body .write").click();
  const words = await said(pane, "#written", /Wrote/);
  await settled(page);
  return { words, sheet: await block(page, "Tilt Optimize") };
}

/** Open the run below the answer, and have it computed again. */
async function traced(pane) {
  await pane.locator("details.trace summary").click();
  const table = await said(pane, ".trace-body table", /run_id/);
  await pane.locator(".trace-body button").first().click();
  return { table, verdict: await said(pane, ".trace-body [role=status]", /Computed again/) };
}

async function frontier(page, pane) {
  await bound(pane, [["#max-3", "20 %"]]);
  await pane.locator("#alpha").selectOption("Momentum");
  await pane.locator("#frontier summary").first().click();
  await pane.locator("#draw-frontier").click();
  const slider = pane.locator("#frontier-chart input[type=range]");
  await slider.waitFor();
  const marks = await pane.locator("#frontier-chart .mark text").allTextContents();
  const first = await pane.locator("#frontier-chart .readout").innerText();
  await slider.press("End");
  const last = await pane.locator("#frontier-chart .readout").innerText();
  const weights = await said(pane, "#frontier-point", /Weights of point/);
  await pane.locator("#write-frontier").click();
  const written = await said(pane, "#frontier-written", /Written/);
  await settled(page);
  return { marks, first, last, weights, written, sheet: await block(page, "Tilt Frontier") };
}

async function tracking(pane) {
  await pane.locator("#tab-tracking").click();
  const now = await said(pane, "#te-now", /Tracking error/);
  await pane.locator("#te-curve").click();
  const slider = pane.locator("#te-curve-chart input[type=range]");
  await slider.waitFor();
  await slider.press("ArrowLeft");
  await slider.press("ArrowLeft");
  const readout = await pane.locator("#te-curve-chart .readout").innerText();
  const wanted = await pane.locator("#te-bound").inputValue();
  await pane.locator("#te-solve").click();
  const tiles = await said(pane, "#te-solution .tiles", /Turnover/);
  const total = await said(pane, "#te-contributions tfoot", /Tracking error/);
  return { now, readout, wanted, tiles, total };
}

async function work({ page, pane, seen, look }) {
  page.setDefaultTimeout(120_000);
  await whenStarted(page);
  const result = { starter: await blocks(page, SHEETS, look) };
  result.repaired = await repair(page, pane);
  await look("repaired");
  result.written = await write(page, pane);
  await look("written");
  result.traced = await traced(pane);
  await look("traced");
  result.frontier = await frontier(page, pane);
  await look("drawn");
  result.tracking = await tracking(pane);
  await look("tracking");
  return { ...result, errors: seen.errors };
}

const [server, folder] = process.argv.slice(2);
await session(server, folder, SHEETS, work);
