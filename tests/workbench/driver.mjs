// The workbench in real Chromium, worked as a user does: by mouse, keyboard and files.

import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import { launch, watch } from "../browser/driver.mjs";

export { launch };

const HEADERS = { row: 20, column: 46 }; // pixels above and beside the cells

const STARTER = "**/api/v1/workbooks/starter";

/**
 * @param {import("playwright-core").Browser} browser
 * @param {string} server
 * @param {import("playwright-core").BrowserContextOptions} [options]
 */
export async function openWorkbench(browser, server, options = {}) {
  const { context, page } = await newPage(browser, options);
  return { context, page, seen: await goTo(page, server) };
}

async function newPage(browser, options) {
  const viewport = { width: 1440, height: 900 };
  const context = await browser.newContext({ viewport, acceptDownloads: true, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(180_000); // a machine that runs other tests beside
  return { context, page };
}

async function goTo(page, server) {
  const seen = watch(page, server);
  await page.goto(`${server}/workbench`, { waitUntil: "load" });
  return seen;
}

/** Open the workbench with some sheets of the starter; the whole of it has a test of its own. */
export async function openSheets(browser, server, sheets, options = {}) {
  const { context, page } = await newPage(browser, options);
  await page.route(STARTER, async (route) => {
    const response = await route.fetch();
    if (!response.ok()) return route.fulfill({ response });
    const book = await response.json();
    const kept = book.sheets.filter(({ name }) => sheets.includes(name));
    return route.fulfill({ response, json: { ...book, sheets: kept } });
  });
  return { context, page, seen: await goTo(page, server) };
}

/** Wait until the starter workbook is there with all its numbers. */
export async function whenStarted(page) {
  await page.waitForFunction(() => window.tiltHost?.store.sheets.length > 1);
  await settled(page);
}

export const settled = (page) => page.evaluate(() => window.tiltHost.calculator.whenSettled());

/** Go to a cell by the name box; a sheet that was just opened may take the keyboard once more. */
export async function go(page, address) {
  const box = page.locator("[data-u-comp=defined-name] input");
  const there = () =>
    page.evaluate((wanted) => {
      const { sheet, block } = window.tiltHost.store.selection;
      const { active } = window.tiltHost.store;
      return sheet === active && window.tiltHost.store.address(sheet, block).endsWith(`!${wanted}`);
    }, address);
  while (!(await there())) {
    await box.click();
    await box.fill(address);
    await box.press("Enter");
    await page.waitForTimeout(200);
  }
}

/** Type into a cell, as a user does, and wait for the numbers. */
export async function type(page, address, text) {
  do {
    await go(page, address);
    // The name box hands the keyboard to the cells a moment after the selection.
    await page.waitForFunction(() => document.activeElement?.id.startsWith("__editor_"));
    await page.keyboard.type(text);
    await page.keyboard.press("Enter");
    // on a busy machine that moment may be later still, and some or all of the keys are lost
  } while (!(await arrives(page, holds, [address, text, false], 5000)));
  await page.waitForFunction(holds, [address, text, true]);
  await settled(page);
}

const arrives = (page, condition, given, timeout) =>
  page.waitForFunction(condition, given, { timeout }).then(
    () => true,
    () => false,
  );

/** Whether a cell holds what was typed; a formula also its value, as the calculation begins later. */
function holds([address, text, calculated]) {
  const [, letter, digits] = /^([A-Z])(\d+)$/.exec(address);
  const { grid } = window.tiltHost.store.active;
  const { formula, value } = grid.get(Number(digits) - 1, letter.charCodeAt(0) - 65);
  if (!text.startsWith("=")) return String(value) === text.replace(/^'/, "");
  return formula === text && !(calculated && ["", "#GETTING_DATA"].includes(value));
}

/** Wait until a cell shows another value than before, or the given one. */
export async function shows(page, [sheet, row, column], { not, value }) {
  await page.waitForFunction(
    ([name, i, j, before, wanted]) => {
      const now = window.tiltHost.store.find(name).grid.get(i, j).value;
      return wanted === null ? now !== before && now !== "#GETTING_DATA" : now === wanted;
    },
    [sheet, row, column, not ?? null, value ?? null],
  );
  await settled(page);
}

export const openSheet = async (page, name) => {
  await page.locator("[data-u-comp=slide-tab-item]", { hasText: name }).first().click();
  await page.waitForFunction((wanted) => window.tiltHost.store.active.name === wanted, name);
};

/** What a cell holds: value, formula, message, and the text that is shown. */
export const cell = (page, sheet, row, column) =>
  page.evaluate(
    ([name, i, j]) => {
      const { value, formula, error, text } = window.tiltHost.store.find(name).grid.get(i, j);
      return { value, formula, error, text };
    },
    [sheet, row, column],
  );

const sheetNames = (page) =>
  page.evaluate(() => window.tiltHost.store.sheets.map((sheet) => sheet.name));

/** Every filled cell of a sheet, by row and column: its message, or its value. */
export const block = (page, name) =>
  page.evaluate((wanted) => {
    const rows = {};
    for (const [i, j, { value, error }] of window.tiltHost.store.find(wanted).grid.entries()) {
      (rows[i] ??= {})[j] = error || value;
    }
    return rows;
  }, name);

/** Blocks of sheets by name, each sheet opened and looked at. */
export async function blocks(page, names, look) {
  const seen = {};
  for (const name of names) {
    await openSheet(page, name);
    await settled(page);
    seen[name] = await block(page, name);
    await look(name);
  }
  return seen;
}

/** Text of an element of the pane, once it matches. */
export async function said(pane, selector, pattern) {
  const found = pane.locator(selector).filter({ hasText: pattern }).first();
  await found.waitFor();
  return (await found.innerText()).replace(/\s+/g, " ");
}

/** Press a button of the ribbon and wait until it is done. */
export async function press(page, name) {
  await page.click(`#ribbon button[data-name="${name}"]`);
  await page.waitForSelector(`#ribbon button[data-name="${name}"]:not([aria-busy])`);
  await settled(page);
}

/**
 * Press a button, and take back what it wrote: every sheet that it made goes in one step.
 *
 * Gives its message, the sheets that it added with their blocks, and those that went again.
 */
export async function pressAndUndo(page, pane, name) {
  const before = await sheetNames(page);
  await press(page, name);
  const message = pane.locator("#message");
  const seen = {
    kind: await message.getAttribute("data-kind"),
    text: await message.textContent(),
    added: (await sheetNames(page)).filter((sheet) => !before.includes(sheet)),
    blocks: {},
    undone: [],
  };
  if (seen.added.length === 0) return seen;
  for (const sheet of seen.added) seen.blocks[sheet] = await block(page, sheet);
  await page.keyboard.press("Control+z");
  await page.waitForFunction((n) => window.tiltHost.store.sheets.length <= n, before.length);
  const left = await sheetNames(page);
  seen.undone = seen.added.filter((sheet) => !left.includes(sheet));
  return seen;
}

/**
 * Work in a workbench and print what `work` saw as JSON.
 *
 * @param {string} server
 * @param {string | undefined} folder for pictures
 * @param {string[]} sheets of the starter, beside that of the portfolio
 * @param {(parts: object) => Promise<object>} work with page, pane, what was `seen`, and `look`
 */
export async function session(server, folder, sheets, work) {
  const browser = await launch();
  try {
    const { page, seen } = await openSheets(browser, server, ["Portfolio", ...sheets]);
    const pane = page.frameLocator("#pane");
    const look = async (name) => {
      if (folder) await page.screenshot({ path: `${folder}/${name}.png` });
    };
    console.log(JSON.stringify(await work({ page, pane, seen, look })));
  } finally {
    await browser.close();
  }
}

/** Put the mouse over a cell and wait until a message pops up. */
export async function hover(page, row, column, message) {
  const [x, y] = await page.evaluate(
    ([i, j, headers]) => {
      const sheet = window.tiltHost.store.book.getActiveSheet();
      const sum = (n, size) =>
        Array.from({ length: n }, (_, k) => size(k)).reduce((a, b) => a + b, 0);
      return [
        headers.column + sum(j, (k) => sheet.getColumnWidth(k)) + 12,
        headers.row + sum(i, (k) => sheet.getRowHeight(k)) + 10,
      ];
    },
    [row, column, HEADERS],
  );
  const canvas = await page.locator("canvas[id^=univer-sheet-main-canvas]").boundingBox();
  await page.mouse.move(canvas.x + x - 5, canvas.y + y);
  await page.mouse.move(canvas.x + x, canvas.y + y, { steps: 4 });
  await page.locator("#tip", { hasText: message }).waitFor();
  return page.locator("#tip").innerText();
}

/**
 * What an accessibility scan finds around the spreadsheet, whose own parts are not ours.
 *
 * @param {import("playwright-core").Page} page
 */
export async function scan(page) {
  await page.evaluate(
    await readFile(fileURLToPath(import.meta.resolve("axe-core/axe.min.js")), "utf8"),
  );
  const { violations } = await page.evaluate(() =>
    window.axe.run({ include: [["body"]], exclude: [["#grid"], ["[data-u-comp]"], ["#pane"]] }),
  );
  return violations.map(({ id, impact, nodes }) => ({
    id,
    impact,
    where: nodes.map((node) => node.target.join(" ")),
  }));
}
