// Two parts of the tab Risk: value at risk three ways, and how fast the portfolio can be sold.

import { barChart } from "./bars.js";
import { bookBody } from "./book.js";
import { at, h, input, select, tableOf } from "./dom.js";
import { decimal, percent, readBound } from "./format.js";
import { part } from "./part.js";
import { call, optionsText, place, writeOnClick } from "./risk_sheet.js";
import { ask, records } from "./server.js";
import { inExcel } from "./workbook.js";

const METHODS = {
  parametric: "Parametric",
  historical: "Historical",
  montecarlo: "Monte Carlo",
};
const SLOWEST = 12;
const TAIL_SHEET = "Tilt VaR";
const LIQUIDITY_SHEET = "Tilt Liquidity";

/** @returns {import("./part.js").Part[]} */
export function startLosses() {
  const tail = part("risk-tail", "The value at risk could not be shown.", showTail);
  const liquidity = part("risk-liquidity", "The liquidity could not be shown.", showLiquidity);
  for (const id of ["tail-confidence", "tail-horizon"]) {
    at(id).addEventListener("change", () => tail.load());
  }
  for (const id of ["liquidity-value", "liquidity-share"]) {
    at(id).addEventListener("change", () => liquidity.load());
  }
  at("liquidity-form").addEventListener("submit", (event) => {
    event.preventDefault();
    liquidity.load();
  });
  writeOnClick("tail", "risk-tail-problem", TAIL_SHEET, tailContent);
  writeOnClick("liquidity", "risk-liquidity-problem", LIQUIDITY_SHEET, liquidityContent);
  return [tail, liquidity];
}

// --- value at risk ------------------------------------------------------------------------------

const tailAsked = () => ({
  confidence: Number(select("tail-confidence").value),
  horizon: Number(select("tail-horizon").value),
});

/** @param {AbortSignal} signal */
async function showTail(signal) {
  const body = { ...(await bookBody()), ...tailAsked() };
  const { table } = await ask("risk/tail", { method: "POST", body, signal });
  const rows = records(table);
  const { confidence, horizon } = body;
  const days = horizon === 1 ? "one day" : `${horizon} days`;
  const caption = `Loss exceeded with ${percent(1 - confidence, 1)} probability over ${days}`;
  at("tail-result").replaceChildren(
    h("p", { class: "small" }, `${caption}, in per cent of the capital, whatever the benchmark.`),
    tableOf(
      caption,
      ["Method", "VaR", "CVaR"],
      rows.map((row) => [
        METHODS[/** @type {"parametric"} */ (row.method)],
        ...[row.var, row.cvar].map((v) => percent(v)),
      ]),
      { numeric: [1, 2] },
    ),
    h(
      "ul",
      { class: "sentences quiet" },
      ...rows
        .filter(({ note }) => note)
        .map((row) =>
          h("li", null, `${METHODS[/** @type {"parametric"} */ (row.method)]}: ${row.note}`),
        ),
    ),
  );
  at("tail-written").textContent = "";
  at("write-tail").hidden = !(await inExcel());
}

function tailContent() {
  const { holdings, options } = place();
  const { confidence, horizon } = tailAsked();
  const given = optionsText({ view: "compare", ...options });
  return {
    words: [
      ["Value at risk"],
      ["Change the confidence or the days."],
      ["confidence", confidence],
      ["days", horizon],
    ],
    blocks: [
      {
        formula: call("VAR", [holdings, "$B$3", "$B$4", "", "", given]),
        columns: [
          { width: 90 },
          { width: 70, format: "0.00%" },
          { width: 70, format: "0.00%" },
          { width: 360 },
        ],
      },
    ],
  };
}

// --- liquidity ----------------------------------------------------------------------------------

/** @throws {RangeError} naming the field that cannot be read */
function liquidityAsked() {
  const value = readBound(input("liquidity-value").value.replaceAll(",", ""), false);
  const participation = readBound(input("liquidity-share").value, true);
  if (typeof value !== "number") throw new RangeError("Capital is no number.");
  if (typeof participation !== "number") throw new RangeError("Share of the volume is no number.");
  return { value, participation };
}

/** @param {AbortSignal} signal */
async function showLiquidity(signal) {
  const body = { ...(await bookBody()), ...liquidityAsked() };
  const { table, out, notes } = await ask("risk/liquidity", { method: "POST", body, signal });
  const rows = records(table);
  const bars = out.map((/** @type {{days: number, share: number}} */ { days, share }) => ({
    name: days === 1 ? "In 1 day" : `In ${days} days`,
    value: share,
  }));
  const title = `Out within: ${bars
    .map((/** @type {import("./bars.js").Bar} */ { name, value }) => `${name} ${percent(value, 1)}`)
    .join(", ")}`;
  at("liquidity-result").replaceChildren(
    h("p", { class: "small" }, "Share of what is held that can be out:"),
    barChart({ title, column: "Out", bars, show: (value) => percent(value, 1) }),
    h("p", { class: "small" }, "The slowest positions:"),
    tableOf(
      "The slowest positions",
      ["Name", "Weight", "Days", "Of ADV"],
      rows
        .slice(0, SLOWEST)
        .map((row) => [
          row.ticker,
          percent(row.weight),
          row.days_to_exit === null ? "no volume" : decimal(row.days_to_exit),
          percent(row.pct_adv, 1),
        ]),
      { numeric: [1, 2, 3] },
    ),
    h(
      "p",
      { class: "quiet small" },
      ["ADV: average dollar volume of 20 days.", ...notes].join(" "),
    ),
  );
  at("liquidity-written").textContent = "";
  at("write-liquidity").hidden = !(await inExcel());
}

function liquidityContent() {
  const { holdings, options } = place();
  const { value, participation } = liquidityAsked();
  const given = optionsText(options);
  return {
    words: [
      ["Liquidity"],
      ["Change the capital or the share of the volume."],
      ["capital", value],
      ["share", participation],
    ],
    blocks: [
      {
        formula: call("LIQUIDITY", [holdings, "$B$3", "$B$4", "", given]),
        columns: [
          { width: 110 },
          { width: 80, format: "0.00%" },
          { width: 80, format: "0.00" },
          { width: 70, format: "0.00%" },
          { width: 240 },
        ],
      },
    ],
  };
}
