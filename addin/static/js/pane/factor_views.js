// How each view of a factor is drawn in the pane, and how its columns look in a sheet.

import { barChart } from "./bars.js";
import { h, tableOf } from "./dom.js";
import { count, decimal, percent, signedPercent } from "./format.js";
import { growthChart } from "./growth_chart.js";
import { lineChart } from "./line_chart.js";

const MOST_ALIKE = 12;
const WORD = 86; // points of a column in a sheet
const NUMBER = { width: 66, format: "0.000" };
const PERCENT = { width: 66, format: "0.00%" };
const DATE = { width: 66, format: "yyyy-mm-dd" };
const FACTORS_AT_MOST = 40; // columns of a matrix whose numbers are shown as such
const DAYS_AT_MOST = 3000;

/** @typedef {Record<string, any>[]} Rows */

/**
 * @typedef {object} View
 * @property {(rows: Rows, factor: string, horizon: number) => HTMLElement[]} draw
 * @property {import("./formula_sheet.js").Column[]} columns
 * @property {number} [rows] that it may have at most
 */

/** @type {Record<string, View>} */
export const DRAW = {
  returns: { draw: drawReturns, columns: [DATE, PERCENT], rows: DAYS_AT_MOST },
  statistics: {
    draw: drawStatistics,
    columns: [
      { width: WORD },
      PERCENT,
      PERCENT,
      NUMBER,
      NUMBER,
      PERCENT,
      NUMBER,
      PERCENT,
      ...Array(3).fill({ width: 66, format: "General" }),
    ],
  },
  ic: { draw: drawIc, columns: [{ width: WORD }, NUMBER] },
  ic_series: { draw: drawIcSeries, columns: [DATE, NUMBER], rows: DAYS_AT_MOST },
  decay: { draw: drawDecay, columns: [...Array(3).fill({ width: 56 }), NUMBER, NUMBER] },
  quantiles: {
    draw: drawQuantiles,
    columns: [{ width: 56 }, PERCENT, PERCENT, NUMBER, PERCENT, ...Array(4).fill(NUMBER)],
  },
  shape: {
    draw: drawShape,
    columns: [
      { width: WORD },
      NUMBER,
      NUMBER,
      { width: 66, format: "0%" },
      { width: 40 },
      { width: 320 },
    ],
  },
  correlation: {
    draw: drawCorrelation,
    columns: [{ width: 120 }, ...Array(FACTORS_AT_MOST).fill({ width: 60, format: "0.00" })],
  },
};

const THREE = (/** @type {number} */ value) => decimal(value, 3);

/** @type {(rows: Rows, factor: string) => HTMLElement[]} */
function drawReturns(rows, factor) {
  const known = rows.filter((row) => row[factor] !== null);
  if (known.length === 0) return [nothing(`${factor} has no returns in this period.`)];
  let wealth = 1;
  const points = known.map((row) => {
    wealth *= 1 + row[factor];
    return { date: row.date, value: wealth - 1 };
  });
  const { date, value } = points[points.length - 1];
  const title = `${factor}, compounded: ${signedPercent(value)} to ${date}, before costs`;
  return [
    h("p", { class: "quiet small" }, `${title}; other factors held still.`),
    lineChart({
      title,
      column: "Compounded",
      points,
      show: (number) => percent(number, 1),
    }),
  ];
}

/** @type {(rows: Rows, factor: string) => HTMLElement[]} */
function drawStatistics([row], factor) {
  if (!row?.observations) return [nothing(`${factor} has no returns in this period.`)];
  return [
    tiles([
      ["Mean, a year", signedPercent(row.mean)],
      ["Volatility", percent(row.volatility)],
      ["Information ratio", decimal(row.ir)],
      ["t of the mean", decimal(row.t_stat)],
      ["Deepest fall", percent(row.max_drawdown)],
      ["Days with |t| over 2", percent(row.share_t_over_2, 0)],
    ]),
  ];
}

/** @type {(rows: Rows) => HTMLElement[]} */
function drawIc(rows) {
  const of = Object.fromEntries(rows.map(({ measure, value }) => [measure, value]));
  return [
    tiles([
      ["Mean IC", THREE(of.mean_ic)],
      ["IC ratio, a year", decimal(of.icir_annual)],
      ["t of the mean", decimal(of.t_hac)],
      ["Days above zero", percent(of.hit_rate, 0)],
      ["Half-life, days", of.half_life === null ? "–" : decimal(of.half_life, 0)],
      ["Days", count(of.observations ?? 0)],
    ]),
  ];
}

/** @type {(rows: Rows, factor: string, horizon: number) => HTMLElement[]} */
function drawIcSeries(rows, factor, horizon) {
  const points = rows.map(({ date, ic }) => ({ date, value: ic }));
  if (points.length === 0) return [nothing("No return of this horizon is over in this period.")];
  const title = `Rank correlation of ${factor} with the returns of the next ${days(horizon)}, from ${points[0].date} to ${points[points.length - 1].date}`;
  return [lineChart({ title, column: "IC", points, show: (number) => decimal(number, 2) })];
}

/** @type {(rows: Rows, factor: string) => HTMLElement[]} */
function drawDecay(rows, factor) {
  const bars = rows
    .filter((row) => row.mean_ic !== null)
    .map((row) => ({
      name: `Days ${row.first_day} to ${row.last_day}`,
      value: row.mean_ic,
      note: `Days ${row.first_day} to ${row.last_day}, t ${decimal(row.t_hac)}`,
    }));
  if (bars.length === 0) return [nothing("The period is too short for it.")];
  const title = `Mean IC of ${factor} by days ahead: ${bars
    .slice(0, 3)
    .map(({ name, value }) => `${name} ${THREE(value)}`)
    .join(", ")}`;
  return [barChart({ title, column: "Mean IC", bars, show: THREE })];
}

/** @type {(rows: Rows, factor: string) => HTMLElement[]} */
function drawQuantiles(rows, factor) {
  const spread = rows[rows.length - 1];
  const last = rows.length - 1;
  const bars = rows.map((row, i) => ({
    name: i === last ? "Highest – lowest" : `${row.quantile}${ends(i, last)}`,
    value: row.mean_return ?? 0,
    note: i === last ? "Highest less lowest" : `Portfolio ${row.quantile} of ${last}`,
  }));
  const title = `Mean return a year of portfolios ordered by ${factor}: lowest ${percent(rows[0].mean_return)}, highest ${percent(rows[last - 1].mean_return)}, spread ${signedPercent(spread.mean_return)}`;
  const t = spread.t_hac === null ? "too few periods for a t" : `t ${decimal(spread.t_hac)}`;
  const chance = spread.p_value === null ? "" : ` (p ${decimal(spread.p_value)})`;
  const words = `Spread ${signedPercent(spread.mean_return)} a year, ${t}; order of the means ${decimal(spread.monotonicity)}${chance}. Before costs; turnover ${percent(spread.turnover, 0)} each time.`;
  return [
    barChart({ title, column: "Mean return", bars, show: percent }),
    h("p", { class: "quiet small" }, words),
  ];
}

/**
 * @param {number} i
 * @param {number} last
 */
const ends = (i, last) => (i === 0 ? ", lowest" : i === last - 1 ? ", highest" : "");

/** @type {(rows: Rows, factor: string) => HTMLElement[]} */
function drawCorrelation(rows, factor) {
  const bars = rows
    .filter((row) => row.factor !== factor && row[factor] !== null)
    .map((row) => ({ name: row.factor, value: row[factor] }))
    .sort((a, b) => Math.abs(b.value) - Math.abs(a.value))
    .slice(0, MOST_ALIKE);
  if (bars.length === 0) return [nothing(`${factor} has no returns in this period.`)];
  const title = `Correlation of the daily returns of ${factor} with other factors, the largest: ${bars
    .slice(0, 3)
    .map(({ name, value }) => `${name} ${decimal(value)}`)
    .join(", ")}`;
  return [barChart({ title, column: "Correlation", bars, show: decimal })];
}

/** @type {(rows: Rows, factor: string) => HTMLElement[]} */
function drawShape(rows, factor) {
  const measured = /** @type {import("./growth_chart.js").Measured[]} */ (rows);
  const unusual = measured
    .filter(({ percentile }) => percentile !== null)
    .sort((a, b) => Math.abs(Number(b.percentile) - 0.5) - Math.abs(Number(a.percentile) - 0.5))
    .slice(0, 3)
    .map(({ measure, percentile }) => `${measure.replaceAll("_", " ")} ${percent(percentile, 0)}`);
  const title = `Percentiles of ${factor} in its own past, the most unusual: ${unusual.join(", ")}`;
  return [
    h(
      "p",
      { class: "quiet small" },
      "The dot is the last year among all its years so far; the darker part is the middle half.",
    ),
    growthChart({ title, rows: measured }),
  ];
}

/**
 * Every factor with its statistics; its name chooses it.
 *
 * @param {Rows} rows
 * @param {Record<string, string>} groups by factor
 * @param {(factor: string) => void} choose
 */
export function statisticsTable(rows, groups, choose) {
  return tableOf(
    "All factors with their statistics",
    ["Factor", "Group", "Mean", "Vol.", "IR", "t", "p"],
    rows.map((row) => [
      h("button", { type: "button", class: "plain", click: () => choose(row.factor) }, row.factor),
      groups[row.factor] ?? "",
      signedPercent(row.mean, 1),
      percent(row.volatility, 1),
      decimal(row.ir),
      decimal(row.t_stat),
      decimal(row.p_value_bh),
    ]),
    { numeric: [2, 3, 4, 5, 6] },
  );
}

/** @param {[string, string][]} figures name and number of each */
export function tiles(figures) {
  return h(
    "dl",
    { class: "tiles" },
    ...figures.map(([name, value]) =>
      h("div", { class: "tile" }, h("dt", null, name), h("dd", null, h("strong", null, value))),
    ),
  );
}

/** @param {number} number */
const days = (number) => (number === 1 ? "day" : `${number} days`);

/** @param {string} why */
const nothing = (why) => h("p", { class: "quiet" }, why);
