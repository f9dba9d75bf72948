// The backtests that were run in this pane, beside each other.

import { at, h, tableOf } from "./dom.js";
import { decimal, percent, signedPercent } from "./format.js";
import { writeFormulas } from "./formula_sheet.js";
import { Canceled, follow } from "./jobs.js";
import { linesChart } from "./lines_chart.js";
import { clearProblem, showProblem } from "./problems.js";
import { ask, records } from "./server.js";
import { settings } from "./settings.js";

const SHEET = "Tilt Comparison Formula";
const MOST = 5; // lines that one can tell apart
const MOST_POINTS = 300;

/** @type {[string, string, (value: number | null) => string][]} */
const SHOWN = [
  ["cagr", "Return a year", signedPercent],
  ["volatility", "Volatility", percent],
  ["sharpe", "Sharpe", decimal],
  ["max_drawdown", "Largest fall", percent],
  ["active_return", "Active, in all", signedPercent],
  ["tracking_error", "Tracking error", percent],
  ["information_ratio", "Information ratio", decimal],
  ["turnover_per_year", "Turnover a year", percent],
  ["cost_per_year", "Costs a year", percent],
  ["names", "Names", (value) => decimal(value, 0)],
];

/** @typedef {{id: string, strategy: string}} Run */

/** @type {Run[]} the latest ones, each once */
let runs = [];

export function startRuns() {
  at("runs-compare").addEventListener("click", compare);
  at("runs-put").addEventListener("click", putInSheet);
}

/**
 * Note a backtest that was run.
 *
 * @param {Run} run
 */
export function noteRun(run) {
  runs = [...runs.filter(({ id }) => id !== run.id), run].slice(-MOST);
  at("runs").hidden = runs.length < 2;
  at("runs-list").replaceChildren(
    ...runs.map(({ id, strategy }) => h("li", null, strategy, " ", h("code", null, id))),
  );
  at("runs-body").hidden = true; // it is of other runs now
}

async function compare() {
  const button = /** @type {HTMLButtonElement} */ (at("runs-compare"));
  button.disabled = true;
  const { benchmark, universe } = settings.now;
  const body = {
    books: runs.map(({ id }) => id),
    ...(benchmark ? { benchmark } : {}),
    ...(universe ? { universe } : {}),
  };
  try {
    const job = await ask("compare", { method: "POST", body });
    const found = await follow("runs-busy", job);
    clearProblem("runs-problem");
    at("runs-body").hidden = false;
    show(found);
  } catch (error) {
    if (error instanceof Canceled) return;
    showProblem("runs-problem", "The backtests could not be compared.", error);
  } finally {
    button.disabled = false;
  }
}

/** @param {{views: Record<string, any>, notes: string[]}} found */
function show({ views, notes }) {
  const names = Object.fromEntries(runs.map(({ id, strategy }) => [id, strategy]));
  const heads = views.performance.columns.slice(1);
  const called = heads.map((/** @type {string} */ head) => names[head] ?? "Benchmark");
  const figures = Object.fromEntries(records(views.performance).map((row) => [row.name, row]));
  const known = SHOWN.filter(([measure]) => measure in figures);
  const growth = thinned(records(views.growth));
  at("runs-chart").replaceChildren(
    linesChart({
      title: "Return since the start, after costs",
      dates: growth.map(({ date }) => date),
      lines: heads.map((/** @type {string} */ head, /** @type {number} */ j) => ({
        name: called[j],
        values: growth.map((row) => row[head] - 1),
      })),
      show: (value) => signedPercent(value, 0),
    }),
  );
  const cells = (
    /** @type {string} */ measure,
    /** @type {(v: number | null) => string} */ shown,
  ) =>
    heads.map((/** @type {string} */ head) =>
      figures[measure][head] === null ? "–" : shown(figures[measure][head]),
    );
  at("runs-table").replaceChildren(
    tableOf(
      "Backtests side by side",
      ["Measure", ...called],
      known.map(([measure, name, shown]) => [name, ...cells(measure, shown)]),
      { numeric: heads.map((/** @type {string} */ _, /** @type {number} */ j) => j + 1) },
    ),
  );
  const active = records(views.correlation);
  const across = views.correlation.columns.slice(1);
  at("runs-correlation").replaceChildren(
    tableOf(
      "Correlation of active returns",
      ["Correlation", ...across.map((/** @type {string} */ head) => names[head] ?? head)],
      active.map((row) => [
        names[row.name] ?? row.name,
        ...across.map((/** @type {string} */ head) => decimal(row[head])),
      ]),
      { numeric: across.map((/** @type {string} */ _, /** @type {number} */ j) => j + 1) },
    ),
  );
  at("runs-notes").textContent = notes.join(" ");
}

/**
 * As many rows as can be told apart, the last one among them.
 *
 * @param {Record<string, any>[]} rows
 */
function thinned(rows) {
  const step = Math.ceil(rows.length / MOST_POINTS);
  return rows.filter((_, i) => (rows.length - 1 - i) % step === 0);
}

async function putInSheet() {
  const last = 7 + runs.length; // their ids begin in row 8, the last one is the other book
  const { benchmark } = settings.now;
  const options = benchmark ? `,,"benchmark=${benchmark.replaceAll('"', '""')}"` : "";
  const number = { width: 84, format: "0.0000" };
  const across = Array.from({ length: runs.length }, () => number);
  const compared = (/** @type {string} */ by) =>
    `=TILT.COMPARE($A$8:$A$${last - 1},$A$${last},"${by}"${options})`;
  try {
    await writeFormulas(
      SHEET,
      [["Backtests side by side"]],
      [
        {
          title: "Runs",
          values: [["run", "strategy"], ...runs.map(({ id, strategy }) => [id, strategy])],
          columns: [{ width: 90 }, { width: 150 }],
        },
        {
          title: "Performance",
          formula: compared("performance"),
          // name, the books, their difference if they are two, benchmark, note
          columns: [{ width: 120 }, ...across, number, number, { width: 160 }],
        },
        {
          title: "Correlation of active returns",
          formula: compared("correlation"),
          columns: [{ width: 90 }, ...across],
        },
      ],
    );
    at("runs-said").textContent = `Written to the sheet ${SHEET}.`;
  } catch (error) {
    showProblem("runs-problem", "The formulas could not be written.", error);
  }
}
