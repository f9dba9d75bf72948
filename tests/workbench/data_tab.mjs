// The data side worked once in the workbench against a real server: the starter's sheets, the Data
// tab, a universe of one's own in a formula, a messy file, the buttons, undo. Prints JSON.
//
//   node data_tab.mjs SERVER MESSY.csv [FOLDER FOR PICTURES]

import {
  block,
  blocks,
  cell,
  pressAndUndo,
  said,
  session,
  settled,
  whenStarted,
} from "./driver.mjs";

const SHEETS = ["Data", "Match"];
const BUTTONS = ["as_of", "quality", "load_holdings", "check", "compare", "refresh"];

/** What a formula shows on a sheet of its own, once it is calculated. */
async function calculated(page, formula) {
  await page.evaluate(async (text) => {
    const { Excel } = document.getElementById("pane").contentWindow;
    await Excel.run(async (context) => {
      const { worksheets } = context.workbook;
      const found = worksheets.getItemOrNullObject("Asked").load("name");
      await context.sync();
      const sheet = found.isNullObject ? worksheets.add("Asked") : found;
      sheet.getRange("A1").formulas = [[text]];
      await context.sync();
    });
  }, formula);
  await settled(page);
  return cell(page, "Asked", 0, 0);
}

async function findings(page, pane) {
  await pane.locator("#findings li").first().waitFor();
  const all = await said(pane, "#quality-count", /shown/);
  await pane.locator("#severity label", { hasText: "Errors" }).click();
  await pane.locator("#finding-check").selectOption("unbooked_split");
  const split = await said(pane, "#quality-count", /^1 of 1/);
  const item = await said(pane, "#findings li", /unbooked split/);
  await pane.locator("#write-findings").click();
  const written = await said(pane, "#findings-written", /Written/);
  await page.waitForFunction(
    () => window.tiltHost.store.find("Tilt Findings").grid.get(7, 1).value,
  );
  const sheet = await block(page, "Tilt Findings");
  await pane.locator("#clear-filters").click();
  await pane.locator("#finding-text").fill("nothing like this");
  const none = await said(pane, "#quality-count", /No finding/);
  await pane.locator("#clear-filters").click();
  await said(pane, "#quality-count", all.split(" of ")[1].slice(0, 3));
  return { all, split, item, written, sheet, none };
}

async function refresh(pane) {
  await pane.locator("#refresh").click();
  await pane.locator(".job progress").waitFor();
  const running = await said(pane, "#refresh-job", /%/);
  const end = await said(pane, "#refresh-job", /Nothing has changed|New data/);
  return { running, end };
}

async function sources(pane) {
  await pane.locator("#sources summary").click();
  return {
    used: await said(pane, "#sources-in-use li", /US_LARGE_CAP/),
    known: await said(pane, "#sources-known", /Yahoo/),
  };
}

async function universe(page, pane) {
  await pane.locator("#universes summary").click();
  await pane.locator("#universe-list li").first().waitFor();
  await pane.locator("#new-universe").click();
  await pane.locator("#rule-name").fill("Big Ten");
  await pane.locator("#rule-top").fill("10");
  const counted = await said(pane, "#rule-count", /^10 members/);
  await pane.locator("#rule-top").fill("ten");
  const wrong = await said(pane, "#rule-count", /top/);
  await pane.locator("#rule-top").fill("10");
  await said(pane, "#rule-count", /^10 members/);
  await pane.locator("#save-universe").click();
  const saved = await said(pane, "#universe-note", /saved/);
  const used = await calculated(page, '=ROWS(TILT.MEMBERS("Big Ten"))-1');
  return { counted, wrong, saved, used, listed: await said(pane, "#universe-list", /Big Ten/) };
}

async function remove(pane) {
  const item = pane.locator("#universe-list li", { hasText: "Big Ten" });
  const button = item.locator("button", { hasText: "Delete" });
  await button.click();
  const asked = await item.locator("button[data-sure]").innerText();
  await item.locator("button[data-sure]").click();
  const gone = await said(pane, "#universe-note", /deleted/);
  return { asked, gone, left: await pane.locator("#universe-list li").count() };
}

async function file(page, pane, messy) {
  await pane.locator("#data-file summary").click();
  await pane.locator("#data-file-input").setInputFiles(messy);
  const seen = { read: await said(pane, "#data-file-read", /prices/i) };
  seen.notes = await said(pane, "#data-file-notes", /./);
  seen.sample = await said(pane, "#data-file-sample table", /close/);
  await pane.locator("#file-universe").fill("MY BANK");
  await pane.locator("#accept-file").click();
  seen.end = await said(pane, "#data-file-job", /New data/);
  seen.note = await said(pane, "#data-file-note", /is there/);
  seen.cell = await calculated(page, '=TILT.ASOF("MY BANK")');
  return seen;
}

async function snapshots(pane) {
  await pane.locator("#snapshots summary").click();
  return said(pane, "#snapshot-list", /current/);
}

async function work({ page, pane, seen, look }) {
  page.setDefaultTimeout(180_000);
  await whenStarted(page);
  const { Data: data, Match: match } = await blocks(page, SHEETS, look);
  const result = { data, match };
  result.findings = await findings(page, pane);
  await look("findings");
  result.sources = await sources(pane);
  result.refresh = await refresh(pane);
  await look("sources");
  result.universe = await universe(page, pane);
  await look("universe");
  result.removed = await remove(pane);
  result.file = await file(page, pane, messy);
  await look("file");
  result.snapshots = await snapshots(pane);
  result.buttons = {};
  for (const name of BUTTONS) result.buttons[name] = await pressAndUndo(page, pane, name);
  await look("buttons");
  return { ...result, errors: seen.errors.filter((line) => !line.includes("status of 4")) };
}

const [server, messy, folder] = process.argv.slice(2);
await session(server, folder, SHEETS, work);
