// The add-in's page in real Chromium, with our Office host where office.js would be.
//
// What the page is made of comes unmodified from the server under test; only office.js and the
// host's modules, which stand in for Excel itself, come from the repository.

import { readFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { chromium } from "playwright-core";

const HOST = fileURLToPath(new URL("../../addin/workbench/host/", import.meta.url));
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export const launch = () =>
  chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    headless: true,
    args: FLAGS,
  });

/**
 * @param {import("playwright-core").Browser} browser
 * @param {string} server address of the server under test
 * @param {import("playwright-core").BrowserContextOptions} [options]
 */
export async function openAddin(browser, server, options = {}) {
  const context = await browser.newContext({ viewport: { width: 320, height: 720 }, ...options });
  await context.route(/office-js\/.*\/dist\/[\w.]+\.js$|appsforoffice\.microsoft\.com/, serveHost);
  const page = await context.newPage();
  page.setDefaultTimeout(120_000); // a machine that runs other tests beside
  const seen = watch(page, server);
  await page.goto(`${server}/taskpane.html`, { waitUntil: "load" });
  await page.waitForFunction(() => window.host?.functions.associated.size > 0);
  return { context, page, seen };
}

/** @param {import("playwright-core").Route} route */
async function serveHost(route) {
  const name = path.basename(new URL(route.request().url()).pathname);
  const body = await readFile(path.join(HOST, name));
  await route.fulfill({ body, contentType: "text/javascript" });
}

/** Everything the page asks of the server, and everything it complains of. */
export function watch(page, server) {
  const seen = { requests: [], errors: [] };
  page.on("request", (request) => {
    if (!request.url().startsWith(server)) return;
    seen.requests.push({
      method: request.method(),
      path: new URL(request.url()).pathname,
      client: request.headers()["x-tilt-client"] ?? null,
      kind: request.resourceType(),
      calls: callsOf(request),
    });
  });
  page.on("pageerror", (error) => seen.errors.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") seen.errors.push(message.text());
  });
  return seen;
}

function callsOf(request) {
  if (!request.url().endsWith("/custom-functions-batch")) return 0;
  return JSON.parse(request.postData() ?? "{}").calls?.length ?? 0;
}

/** Write values or formulas to a sheet and wait until everything is calculated. */
export const enter = (page, address, values, sheet = "Sheet1") =>
  page.evaluate(
    async ([name, where, what]) => {
      await Excel.run(async (context) => {
        context.workbook.worksheets.getItem(name).getRange(where).values = what;
      });
      await window.host.calculator.whenSettled();
    },
    [sheet, address, values],
  );

/** What stands around a cell: values as far as there are any, and the message of the cell itself. */
export const shown = (page, address, sheet = "Sheet1") =>
  page.evaluate(
    async ([name, where]) => {
      const range = await Excel.run(async (context) => {
        const cell = context.workbook.worksheets.getItem(name).getRange(where);
        cell.load("rowIndex,columnIndex,values");
        const region = cell.getSurroundingRegion().load("values,address");
        await context.sync();
        return { cell, region };
      });
      const { rowIndex, columnIndex, values } = range.cell;
      const found = window.host.store.find(name).grid.get(rowIndex, columnIndex);
      return {
        value: values[0][0],
        message: found.error,
        region: range.region.values,
        address: range.region.address,
      };
    },
    [sheet, address],
  );

/** Name, tables and values of every sheet. */
export const workbook = (page) =>
  page.evaluate(() =>
    window.host.store.sheets.map((sheet) => ({
      name: sheet.name,
      tables: sheet.tables.map((table) => table.name),
      cells: [...sheet.grid.entries()]
        .filter(([, , cell]) => cell.value !== "")
        .map(([row, column, cell]) => [row, column, cell.value]),
    })),
  );

/**
 * What an accessibility scan finds on the page as it stands.
 *
 * @param {import("playwright-core").Page} page
 * @returns {Promise<{id: string, impact: string, where: string[]}[]>}
 */
export async function scan(page) {
  const axe = fileURLToPath(import.meta.resolve("axe-core/axe.min.js"));
  await page.evaluate(await readFile(axe, "utf8"));
  const { violations } = await page.evaluate(() => window.axe.run());
  return violations.map(({ id, impact, nodes }) => ({
    id,
    impact,
    where: nodes.map((node) => node.target.join(" ")),
  }));
}
