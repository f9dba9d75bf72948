// The tab Reports worked by keyboard against a real server, in light and dark; prints what was seen
// as JSON.
//
//   node reports_tab.mjs SERVER [FOLDER FOR PICTURES AND FILES]

import { readFile } from "node:fs/promises";

import { launch, openAddin } from "../browser/driver.mjs";
import { looked, openTab, press, said, until } from "./keyboard.mjs";

const only = (page, wanted) =>
  page.evaluate((keys) => {
    for (const box of document.querySelectorAll("#report-sections input"))
      if (box.checked !== keys.includes(box.value)) box.click();
  }, wanted);

async function make(page, folder) {
  await press(page, "#report-create");
  await page.waitForSelector("#report-busy progress");
  await until(page, "#report-said", "Made");
  await page.waitForSelector("#report-files a"); // it is fetched meanwhile
  const name = (await said(page, "#report-files a")).replace("Save ", "");
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.click("#report-files a"),
  ]);
  const content = await readFile(await download.path());
  if (folder) await download.saveAs(`${folder}/${name}`);
  return { name, content: content.toString("base64") };
}

async function work(page, folder) {
  await openTab(page, "reports");
  await page.waitForSelector("#report-form:not([hidden])");
  const seen = {
    kinds: await page.$$eval("#report-kind option", (all) => all.map(({ value }) => value)),
    sections: await page.$$eval("#report-sections input", (all) => all.map(({ value }) => value)),
  };
  await page.evaluate(() => {
    for (const box of document.querySelectorAll("#report-portfolios input"))
      if (box.checked !== (box.value === "SAMPLE")) box.click();
  });
  await page.selectOption("#report-format", "html");
  seen.modeIsFixed = await page.isDisabled("#report-mode");
  await press(page, "#report-create");
  await page.waitForSelector("#report-busy .cancel");
  await press(page, "#report-busy .cancel");
  await until(page, "#report-said", "canceled");
  await only(page, ["holdings", "risk"]);
  seen.page = await make(page, folder);
  await page.selectOption("#report-format", "xlsx");
  await page.selectOption("#report-mode", "live");
  seen.workbook = await make(page, folder);
  const nothing = { name: "mine.xlsx", mimeType: "", buffer: Buffer.from("no workbook") };
  await page.setInputFiles("#report-file", nothing);
  await until(page, "#report-template", "mine.xlsx");
  await press(page, "#report-create");
  await until(page, "#report-problem", "no Excel workbook");
  seen.wrong = await said(page, "#report-problem");
  await press(page, "#report-own > summary");
  await press(page, "#report-forget");
  await press(page, "#packs > summary");
  await page.waitForSelector("#packs-list tbody tr");
  const listed = () => page.locator("#packs-list tbody tr").count();
  const before = await listed();
  seen.onRecord = await page.locator("#packs-list tbody tr th").allTextContents();
  await press(page, "#packs-list tbody tr button");
  await press(page, "#packs-list tbody tr button");
  await page.waitForFunction(
    (count) => document.querySelectorAll("#packs-list tbody tr").length === count - 1,
    before,
  );
  return seen;
}

async function main(server, folder) {
  const browser = await launch();
  try {
    const options = {
      viewport: { width: 320, height: 900 },
      deviceScaleFactor: 2,
      acceptDownloads: true,
    };
    const { page, seen } = await openAddin(browser, server, options);
    page.setDefaultTimeout(180_000);
    const found = { ...(await work(page, folder)), looks: {} };
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      const picture = folder && `${folder}/reports ${colorScheme}.png`;
      found.looks[colorScheme] = await looked(page, picture);
    }
    found.errors = seen.errors;
    console.log(JSON.stringify(found));
  } finally {
    await browser.close();
  }
}

await main(...process.argv.slice(2));
