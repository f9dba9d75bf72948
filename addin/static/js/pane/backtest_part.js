// A backtest in the tab Performance: run as a job, shown as figures, curve, falls and months.

import { SINCE, tile } from "./attribution_part.js";
import { believed } from "./backtest_luck.js";
import { showWhy } from "./backtest_why.js";
import { choices } from "./book.js";
import { at, fillSelect, h, input, select, tableOf } from "./dom.js";
import { writeFormula } from "./formula_sheet.js";
import { decimal, percent, signedPercent } from "./format.js";
import { Canceled, follow } from "./jobs.js";
import { lineChart } from "./line_chart.js";
import { clearProblem, showProblem } from "./problems.js";
import { runTrace } from "./run_trace.js";
import { noteRun } from "./runs_part.js";
import { ask, records } from "./server.js";
import { settings } from "./settings.js";
import { workbookName } from "./workbook.js";

const SHEET = "Tilt Backtest Formula";
const FIRST = "quantile:Momentum:5:5";
const REBALANCES = [
  { value: "M", text: "each month" },
  { value: "W", text: "each week" },
  { value: "Q", text: "each quarter" },
  { value: "Y", text: "each year" },
  { value: "D", text: "each day" },
  { value: "drift:0.05", text: "when 5 % off" },
];
const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const MOST_POINTS = 400; // of a curve that is 292 points wide

/** @type {[string, string, (value: number) => string][]} */
const TILES = [
  ["cagr", "A year", signedPercent],
  ["volatility", "Volatility", percent],
  ["sharpe", "Sharpe", decimal],
  ["max_drawdown", "Largest fall", percent],
  ["turnover_per_year", "Turnover a year", percent],
  ["cost_per_year", "Costs a year", percent],
];

export function startBacktest() {
  const since = [{ value: "", text: "the first day possible" }, ...SINCE].reverse();
  fillSelect(select("test-start"), since, "-3Y");
  fillSelect(select("test-rebalance"), REBALANCES, "M");
  input("test-strategy").value = FIRST;
  at("test-run").addEventListener("click", run);
  at("test-put").addEventListener("click", putInSheet);
}

export async function loadBacktest() {
  const { members } = await choices();
  const styles = members.factor.filter(
    (/** @type {string} */ name) => name !== "Market" && !members.sector.includes(name),
  );
  at("test-strategies").replaceChildren(
    ...[
      "equal_weight",
      "cap_weight",
      "inverse_vol",
      "min_risk",
      ...styles.flatMap((/** @type {string} */ name) => [
        `quantile:${name}:5:5`,
        `spread:${name}:5`,
        `pure:${name}`,
      ]),
    ].map((value) => h("option", { value })),
  );
}

function asked() {
  const { benchmark, universe } = settings.now;
  const costs = Number(input("test-costs").value);
  return {
    strategy: input("test-strategy").value.trim(),
    start: select("test-start").value || null,
    rebalance: select("test-rebalance").value,
    options: { cost_bps: costs },
    ...(benchmark ? { benchmark } : {}),
    ...(universe ? { universe } : {}),
  };
}

async function run() {
  const button = /** @type {HTMLButtonElement} */ (at("test-run"));
  button.disabled = true;
  at("test-said").textContent = "";
  try {
    const workbook = await workbookName();
    const job = await ask("backtest", { method: "POST", body: { ...asked(), workbook } });
    const found = await follow("test-busy", job);
    clearProblem("test-problem");
    at("test-body").hidden = false;
    show(found);
    at("test-title").focus();
  } catch (error) {
    if (error instanceof Canceled) {
      at("test-said").textContent = "The backtest was canceled.";
      return;
    }
    showProblem("test-problem", "The backtest did not end well.", error);
  } finally {
    button.disabled = false;
  }
}

/**
 * @param {{strategy: string, run_id: string, views: Record<string, any>,
 *   problems: Record<string, string>}} found
 */
function show({ strategy, run_id: id, views, problems }) {
  at("test-title").textContent = strategy;
  const stats = Object.fromEntries(
    records(views.stats).map(({ measure, portfolio }) => [measure, portfolio]),
  );
  const known = TILES.filter(([measure]) => stats[measure] !== null);
  at("test-tiles").replaceChildren(
    h("dl", { class: "tiles" }, ...known.map(([m, name, shown]) => tile(name, shown(stats[m])))),
  );
  const series = records(views.series);
  const grown = thinned(series.map(({ date, nav }) => ({ date, value: nav - 1 })));
  const last = grown[grown.length - 1].value;
  at("test-curve").replaceChildren(
    lineChart({
      title: `Return since the start, after costs: ${signedPercent(last)}`,
      column: "Return",
      points: grown,
      show: (value) => signedPercent(value, 0),
    }),
  );
  at("test-drawdown").replaceChildren(
    lineChart({
      title: `Below the highest value so far, at most ${percent(stats.max_drawdown)}`,
      column: "Drawdown",
      points: thinned(series.map(({ date, drawdown }) => ({ date, value: drawdown }))),
      show: (value) => percent(value, 0),
    }),
  );
  showWhy(views, problems);
  noteRun({ id, strategy });
  at("test-monthly").replaceChildren(monthly(records(views.monthly)));
  at("test-honesty").replaceChildren(...believed(views, problems));
  at("test-assumptions").replaceChildren(
    tableOf(
      "Assumptions",
      ["Item", "Value"],
      records(views.assumptions).map(({ item, value }) => [item, value]),
    ),
    runTrace(id),
  );
}

/** @param {Record<string, any>[]} rows */
function monthly(rows) {
  const shown = (/** @type {number | null} */ value) =>
    value === null ? "" : signedPercent(value, 1);
  return h(
    "div",
    { class: "wide", tabindex: 0, role: "region", "aria-label": "Returns by month" },
    tableOf(
      "Returns by month",
      ["Year", ...MONTHS.map((m) => m.charAt(0).toUpperCase() + m.slice(1)), "Total"],
      rows.map((row) => [row.year, ...MONTHS.map((m) => shown(row[m])), shown(row.total)]),
      { numeric: Array.from({ length: 13 }, (_, j) => j + 1) },
    ),
  );
}

/**
 * As many points as can be told apart, the last one among them.
 *
 * @param {import("./line_chart.js").Point[]} points
 */
function thinned(points) {
  const step = Math.ceil(points.length / MOST_POINTS);
  return points.filter((_, i) => (points.length - 1 - i) % step === 0);
}

/** @param {string} text as a formula takes it */
const quoted = (text) => (text ? `"${text.replaceAll('"', '""')}"` : "");

async function putInSheet() {
  const { strategy, start, rebalance, options, benchmark = "" } = asked();
  const given = [quoted(strategy), quoted(start ?? ""), "", quoted(rebalance), ""];
  const rest = [quoted(benchmark), '"stats"', `"cost_bps=${options.cost_bps}"`];
  const numbers = Array.from({ length: 3 }, () => ({ width: 76, format: "0.0000" }));
  try {
    await writeFormula(
      SHEET,
      [`Backtest of ${strategy}`],
      `=TILT.BACKTEST(${[...given, ...rest].join(",")})`,
      [{ width: 160 }, ...numbers],
    );
    at("test-said").textContent = `Written to the sheet ${SHEET}.`;
  } catch (error) {
    showProblem("test-problem", "The formula could not be written.", error);
  }
}
