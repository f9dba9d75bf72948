// Why the backtest shown did what it did: attribution, forecast against realized risk, regimes.

import { attributionChart } from "./attribution_chart.js";
import { at, fillSegments, h, tableOf } from "./dom.js";
import { decimal, percent, signedPercent } from "./format.js";
import { linesChart } from "./lines_chart.js";
import { records } from "./server.js";

/** The views of attribution, and what each is called. */
const WAYS = [
  { value: "attribution", text: "Sector", method: "brinson" },
  { value: "factors", text: "Factor", method: "factor" },
];
/** @type {[string, string, (value: number | null) => string][]} */
const OF_REGIMES = [
  ["share", "Share of days", (value) => percent(value, 0)],
  ["mean", "Return a year", signedPercent],
  ["volatility", "Volatility", percent],
  ["sharpe", "Sharpe", decimal],
  ["active_return", "Active a year", signedPercent],
  ["tracking_error", "Tracking error", percent],
];

let way = "attribution";

/**
 * @param {Record<string, any>} views of a backtest as a job gives them
 * @param {Record<string, string>} problems why a view is not there, by its name
 */
export function showWhy(views, problems) {
  fillSegments(at("test-why-by"), WAYS, way, (chosen) => {
    way = chosen;
    showBars(views, problems);
  });
  showBars(views, problems);
  fill("test-forecast", views.forecast, problems.forecast, forecast);
  fill("test-regimes", views.regimes, problems.regimes, regimes);
}

/**
 * @param {Record<string, any>} views
 * @param {Record<string, string>} problems
 */
function showBars(views, problems) {
  const { method } = WAYS.find(({ value }) => value === way) ?? WAYS[0];
  fill("test-why", views[way], problems[way], (rows) => [attributionChart(method, rows)]);
}

/**
 * @param {string} id
 * @param {{columns: string[], data: any[][]} | null} table
 * @param {string} problem
 * @param {(rows: Record<string, any>[]) => Node[]} show
 */
function fill(id, table, problem, show) {
  at(id).replaceChildren(
    ...(table ? show(records(table)) : [h("p", { class: "quiet small" }, problem)]),
  );
}

/** @param {Record<string, any>[]} rows the last one is of all days */
function forecast(rows) {
  const months = rows.slice(0, -1);
  const all = rows[rows.length - 1];
  const active = all.tracking_error !== null;
  const [expected, came, bias] = active
    ? ["tracking_error", "realized_tracking_error", "active_bias"]
    : ["volatility", "realized_volatility", "bias"];
  const what = active ? "Tracking error" : "Volatility";
  const inside = all.low <= all[bias] && all[bias] <= all.high;
  const verdict = inside ? "within" : all[bias] > all.high ? "above" : "below";
  return [
    linesChart({
      title: `${what} forecast, ${percent(all[expected])} a year, and realized, ${percent(all[came])}`,
      dates: months.map(({ last }) => last),
      lines: [
        { name: "Forecast", values: months.map((row) => row[expected]) },
        { name: "Realized", values: months.map((row) => row[came]) },
      ],
      show: (value) => percent(value, 1),
    }),
    h(
      "p",
      { class: "small" },
      `Bias ${decimal(all[bias])}: ${verdict} the ${decimal(all.low)} to ${decimal(all.high)} of a right model.`,
    ),
  ];
}

/** @param {Record<string, any>[]} rows */
function regimes(rows) {
  const known = OF_REGIMES.filter(([column]) => column in rows[0]);
  return [
    h(
      "div",
      { class: "wide", tabindex: 0, role: "region", "aria-label": "Performance by regime" },
      tableOf(
        "Performance by regime",
        ["Market", ...known.map(([, name]) => name)],
        rows.map((row) => [row.state, ...known.map(([column, , show]) => show(row[column]))]),
        { numeric: known.map((_, j) => j + 1) },
      ),
    ),
  ];
}
