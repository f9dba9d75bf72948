// Working the pane by keyboard alone: what cannot be reached so fails; and what it shows then.

import { scan } from "../browser/driver.mjs";

const MOST = 120;

/**
 * Press Tab until the focus is on an element, and fail if it never gets there.
 *
 * @param {import("playwright-core").Page} page
 * @param {string} selector
 */
export async function tabTo(page, selector) {
  for (let i = 0; i < MOST; i += 1) {
    if (await page.evaluate((s) => document.activeElement?.matches(s), selector)) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`'${selector}' cannot be reached by the Tab key.`);
}

/** Reach a button by Tab and press it. */
export async function press(page, selector) {
  await tabTo(page, selector);
  await page.keyboard.press("Enter");
}

/** Reach a field by Tab, put a text in the place of what it holds, and leave it. */
export async function type(page, selector, text) {
  await tabTo(page, selector);
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.insertText(text);
  await page.keyboard.press("Tab");
}

/** Open a tab with the arrow keys. */
export async function openTab(page, name) {
  await tabTo(page, "[role=tab][aria-selected=true]");
  await page.keyboard.press("Home");
  for (let i = 0; i < 12; i += 1) {
    if (await page.evaluate((id) => document.activeElement.id === id, `tab-${name}`)) return;
    await page.keyboard.press("ArrowRight");
  }
  throw new Error(`There is no tab '${name}'.`);
}

/** What an element says, without its white space; null where it is not shown. */
export const said = async (page, selector) =>
  (await page.isVisible(selector)) ? (await page.innerText(selector)).replace(/\s+/g, " ") : null;

/** Wait until the text of an element has changed to one that matches. */
export const until = (page, selector, pattern) =>
  page.waitForFunction(
    ([s, p]) => new RegExp(p).test(document.querySelector(s)?.textContent ?? ""),
    [selector, pattern],
  );

/** The cells of a table on the page, row by row. */
export const table = (page, selector) =>
  page.$$eval(`${selector} tbody tr`, (rows) =>
    rows.map((row) => [...row.children].map((cell) => cell.textContent)),
  );

/** The cells of a table in the workbook, by its name. */
export const tableCells = (page, name) =>
  page.evaluate(async (wanted) => {
    const values = await Excel.run(async (context) => {
      const range = context.workbook.tables.getItem(wanted).getRange().load("values");
      await context.sync();
      return range.values;
    });
    return values;
  }, name);

/** How the page looks as it stands: a scan's findings, and how wide it is. */
export async function looked(page, picture) {
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  if (picture) await page.screenshot({ path: picture, fullPage: true });
  return { scan: await scan(page), width };
}
