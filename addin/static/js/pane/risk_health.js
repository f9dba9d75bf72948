// How good the forecasts of risk were: of this portfolio as it is today, and of others.

import { bookBody } from "./book.js";
import { at, h, tableOf } from "./dom.js";
import { count, decimal, percent } from "./format.js";
import { part } from "./part.js";
import { call, place, writeOnClick } from "./risk_sheet.js";
import { ask, records } from "./server.js";
import { inExcel } from "./workbook.js";

const SHEET = "Tilt Health";
const BIAS = /^bias_/;
const IN_BAND = "in the band";

/** @returns {import("./part.js").Part[]} */
export function startHealth() {
  writeOnClick("health", "risk-health-problem", SHEET, content);
  return [part("risk-health", "The forecasts could not be judged.", showHealth)];
}

/** @param {AbortSignal} signal */
async function showHealth(signal) {
  const body = await bookBody();
  const { table, notes } = await ask("risk/health", { method: "POST", body, signal });
  const rows = records(table);
  const biases = rows.filter(({ measure }) => BIAS.test(measure));
  const others = rows.filter(({ measure }) => !BIAS.test(measure));
  at("health-result").replaceChildren(
    h(
      "p",
      { class: "small" },
      "Bias: the deviation of returns in units of what was forecast. 1 is right, above 1 the risk " +
        "was larger.",
    ),
    tableOf(
      "Bias statistics",
      ["Of", "Bias", "Band", "Verdict"],
      biases.map((row) => [
        spelled(row.measure.replace(BIAS, "")),
        decimal(row.value),
        `${decimal(row.low)}\u2013${decimal(row.high)}`,
        verdict(row.verdict),
      ]),
      { numeric: [1, 2], className: "compact" },
    ),
    h("p", { class: "small" }, "And:"),
    tableOf(
      "Other measures of health",
      ["Measure", "Value", "Verdict"],
      others.map((row) => [spelled(row.measure), figure(row), verdict(row.verdict)]),
      { numeric: [1], className: "compact" },
    ),
    ...notes.map((/** @type {string} */ note) => h("p", { class: "quiet small" }, note)),
  );
  at("health-written").textContent = "";
  at("write-health").hidden = !(await inExcel());
}

/** @param {Record<string, any>} row */
function figure({ measure, value }) {
  if (measure.endsWith("in_band")) return percent(value, 0);
  return Math.abs(value) >= 100 ? count(Math.round(value)) : decimal(value);
}

/** @param {string} words */
const verdict = (words) =>
  h("span", { class: words === IN_BAND ? "kept" : null }, words.replaceAll("%", "\u202f%"));

/** @param {string} measure */
function spelled(measure) {
  const words = measure.replaceAll("_", " ").replace(/^qlike/, "QLIKE");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function content() {
  const { holdings, benchmark, universe } = place();
  const numbers = { width: 66, format: "0.000" };
  return {
    words: [["Health of the forecasts"], ["1 is right for a bias; above 1 the risk was larger."]],
    blocks: [
      {
        formula: call("RISK_TABLE", [holdings, '"health"', "", benchmark, universe]),
        columns: [{ width: 130 }, numbers, numbers, numbers, { width: 200 }, { width: 400 }],
      },
    ],
  };
}
