// The first run: what Tilt is for, in two lines, and sample data one click away.

import { choices } from "./book.js";
import { at } from "./dom.js";
import { putHoldings } from "./portfolio_tab.js";
import { showProblem } from "./problems.js";
import { EXAMPLE, toGrid } from "./rules.js";
import { ask, records } from "./server.js";
import { settings } from "./settings.js";
import { HOLDINGS, inExcel, readTable, RULES } from "./workbook.js";

const SAMPLE = "SAMPLE";

/** @param {() => Promise<void>} then shows what the sample makes of the tabs */
export function startWelcome(then) {
  at("hide-welcome").addEventListener("click", () => {
    settings.set({ welcomed: true });
    at("welcome").hidden = true;
    at("tab-data").focus();
  });
  at("put-sample").addEventListener("click", async () => {
    try {
      await putSample();
      at("welcome").hidden = true;
      await then();
      at("tab-risk").focus();
    } catch (error) {
      showProblem("data-problem", "The sample portfolio was not put in the sheet.", error);
    }
  });
}

export async function showWelcome() {
  const { portfolios } = await choices();
  const fresh = !settings.now.welcomed && (await readTable(HOLDINGS)) === null;
  at("welcome").hidden = !fresh;
  at("put-sample").hidden = !(await inExcel()) || !portfolios.includes(SAMPLE);
}

async function putSample() {
  const { holdings, cash } = await ask(`portfolios/${SAMPLE}`);
  const rows = records(holdings).map(({ ticker, weight }) => [ticker, weight]);
  if (cash > 1e-9) rows.push(["CASH", Number(cash.toPrecision(12))]);
  const hasRules = (await readTable(RULES)) !== null;
  await putHoldings(rows, hasRules ? [] : [{ name: RULES, rows: toGrid(EXAMPLE) }]);
}
