// Every tab, in light and dark, as an accessibility scan and a ruler see it; prints JSON.
//
//   node looks.mjs SERVER [FOLDER FOR PICTURES]

import { launch, openAddin } from "../browser/driver.mjs";
import { looked, until } from "./keyboard.mjs";

const HOLDINGS = "Symbol\tWeight\nAAPL\t30%\nMSTF\t5%\nMSFT\t40%\nXOM\t5%\nXOM\t5%";

async function tour(page, look) {
  await page.waitForSelector("#findings li");
  await page.waitForSelector("#welcome:not([hidden])");
  await page.click("#settings summary");
  await page.click("#server summary");
  for (const part of ["sources", "universes", "snapshots", "data-file"]) {
    await page.click(`#${part} > summary`);
  }
  for (const list of ["sources-known", "sources-in-use", "universe-list", "snapshot-list"]) {
    await page.waitForSelector(`#${list} li`);
  }
  await page.setInputFiles("#data-file-input", {
    name: "kurse.csv",
    mimeType: "text/csv",
    buffer: Buffer.from("Datum;Symbol;Schlusskurs;Volume\n15.01.2015;aapl;1.109,50;10.000\n"),
  });
  await page.waitForSelector("#data-file-sample table");
  await page.click("#new-universe");
  await until(page, "#rule-count", "members now");
  await look("data");
  await page.click("#put-sample");
  await page.waitForSelector("#risk-chart svg");
  await page.click("#risk-chart summary");
  await look("risk");
  await page.click("#tab-optimize");
  await until(page, "#check-summary", "rules");
  await page.click("#parameters summary");
  await page.click("#solve");
  await page.waitForSelector("#solution:not([hidden])");
  await look("optimize");
  await page.fill("#max-0", "0.4%");
  await page.keyboard.press("Tab");
  await page.click("#solve");
  await page.waitForSelector(".repairs");
  await look("infeasible");
  await page.fill("#max-0", "5 %");
  await page.selectOption("#objective", "black_litterman");
  await page.click("#add-view");
  await page.selectOption("#objective", "+");
  await page.selectOption("#alpha", "Momentum");
  await page.click("#pins-part summary");
  await page.click("#frontier summary");
  await page.click("#draw-frontier");
  await page.waitForSelector("#frontier-chart svg");
  await look("frontier");
  await page.click("#tab-tracking");
  await page.click("#te-curve");
  await page.waitForSelector("#te-curve-chart svg");
  await page.click("#te-solve");
  await page.waitForSelector("#te-contributions table");
  await look("tracking error");
  await page.click("#tab-portfolio");
  await page.fill("#pasted", HOLDINGS);
  await page.click("#read-holdings");
  await page.waitForSelector("#fixes li");
  await look("portfolio");
  await page.click("#tab-documentation");
  await page.waitForSelector("#functions li");
  await look("documentation");
}

async function main(server, folder) {
  const browser = await launch();
  const found = {};
  try {
    for (const colorScheme of ["light", "dark"]) {
      const options = { colorScheme, viewport: { width: 320, height: 900 }, deviceScaleFactor: 2 };
      const { context, page } = await openAddin(browser, server, options);
      page.setDefaultTimeout(180_000);
      await tour(page, async (name) => {
        const key = `${name} ${colorScheme}`;
        found[key] = await looked(page, folder && `${folder}/${key}.png`);
      });
      await context.close();
    }
    console.log(JSON.stringify(found));
  } finally {
    await browser.close();
  }
}

await main(...process.argv.slice(2));
