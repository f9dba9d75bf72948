// How far to believe a backtest: what is left of it beside the other trials, and what luck may have
// done to it.

import { h, tableOf } from "./dom.js";
import { decimal, percent, signedPercent } from "./format.js";
import { linesChart } from "./lines_chart.js";
import { records } from "./server.js";

const RATIOS = new Set(["sharpe", "information_ratio"]);
/** @type {Record<string, (value: number) => string>} */
const HONEST = {
  psr: percent,
  deflated_sharpe: percent,
  pbo: percent,
  pbo_loss: percent,
  trials: (value) => decimal(value, 0),
  observations: (value) => decimal(value, 0),
};
/** @type {[string, string][]} */
const FAN = [
  ["p95", "95 % lie below"],
  ["p50", "half lie below"],
  ["p05", "5 % lie below"],
];
const MONTHS_OF_YEAR = 12;

const spoken = (/** @type {string} */ name) => name.replaceAll("_", " ");

/**
 * @param {Record<string, any>} views of a backtest
 * @param {Record<string, string>} problems why one could not be had
 * @returns {HTMLElement[]}
 */
export function believed(views, problems) {
  return [...beside(views), ...redrawn(views, problems)];
}

/** @param {Record<string, any>} views */
function beside(views) {
  const count = records(views.trials).length;
  const tried = count === 1 ? "This is the one backtest" : `It is one of ${count} backtests`;
  return [
    tableOf(
      "How far to believe it",
      ["Measure", "Meaning", "Value"],
      records(views.overfitting).map(({ measure, value, meaning }) => [
        spoken(measure),
        meaning,
        value === null ? "–" : (HONEST[measure] ?? decimal)(value),
      ]),
      { numeric: [2] },
    ),
    h("p", { class: "quiet small" }, `${tried} tried from this workbook.`),
  ];
}

/**
 * @param {Record<string, any>} views
 * @param {Record<string, string>} problems
 */
function redrawn(views, problems) {
  if (!views.monte_carlo || !views.horizons) {
    return [h("p", { class: "quiet small" }, problems.monte_carlo ?? "")];
  }
  const intervals = records(views.monte_carlo);
  const ahead = records(views.horizons);
  const last = ahead[ahead.length - 1];
  const fan = linesChart({
    title: `Return had the days come in another order; after ${span(last.years)} a loss in ${percent(last.loss, 0)} of the draws`,
    dates: ahead.map(({ years }) => span(years)),
    lines: FAN.map(([column, name]) => ({ name, values: ahead.map((row) => row[column]) })),
    show: (value) => (value === null ? "–" : signedPercent(value, 0)),
  });
  const figure = (/** @type {string} */ measure, /** @type {number | null} */ value) => {
    if (value === null) return "–";
    return RATIOS.has(measure) ? decimal(value) : signedPercent(value);
  };
  return [
    fan,
    tableOf(
      "Had its days come in another order",
      ["Measure", "Was", "5 %", "Half", "95 %"],
      intervals.map(({ measure, observed, p05, p50, p95 }) => [
        spoken(measure),
        ...[observed, p05, p50, p95].map((value) => figure(measure, value)),
      ]),
      { numeric: [1, 2, 3, 4] },
    ),
    tableOf(
      "So far ahead",
      ["After", "Loss", "Behind the benchmark"],
      ahead.map(({ years, loss, underperformance }) => [
        span(years),
        percent(loss, 0),
        underperformance === null ? "–" : percent(underperformance, 0),
      ]),
      { numeric: [1, 2] },
    ),
    h("p", { class: "quiet small" }, intervals[0].note),
  ];
}

/** @param {number} years */
function span(years) {
  const months = Math.round(years * MONTHS_OF_YEAR);
  const [count, word] = months < MONTHS_OF_YEAR ? [months, "month"] : [months / 12, "year"];
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}
