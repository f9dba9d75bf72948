// What contributes to the risk: bars by factor, group, sector or position, and the numbers behind.

import { barChart } from "./bars.js";
import { portfolioName } from "./book.js";
import { at, h } from "./dom.js";
import { decimal, percent, signedPercent } from "./format.js";
import { records } from "./server.js";
import { settings } from "./settings.js";
import { toned } from "./toned.js";

const MOST_BARS = 14;
const MOST_ROWS = 60; // of a table that one can still read; the sheet has them all

export const BY = [
  { value: "factor", text: "Factor" },
  { value: "group", text: "Group" },
  { value: "sector", text: "Sector" },
  { value: "position", text: "Position" },
];

/** @typedef {[string, string, (value: number | null) => string]} Column key, header, how it is shown */

const signedDecimal = (/** @type {number | null} */ value) =>
  (value !== null && value >= 0.005 ? "+" : "") + decimal(value);
const short = (/** @type {number | null} */ value) => percent(value, 1);

/** @type {Record<string, Column[]>} */
const COLUMNS = {
  factor: [
    ["exposure", "x", signedDecimal],
    ["volatility", "σ", short],
    ["correlation", "ρ", signedDecimal],
    ["x_sigma_rho", "x σ ρ", signedPercent],
  ],
  group: [
    ["volatility", "σ", percent],
    ["correlation", "ρ", signedDecimal],
    ["ctr", "Contribution", signedPercent],
    ["pct", "Share", (value) => percent(value, 0)],
  ],
  sector: [
    ["exposure", "Active", signedPercent],
    ["volatility", "σ", percent],
    ["correlation", "ρ", signedDecimal],
    ["ctr", "Contribution", signedPercent],
  ],
  position: [
    ["exposure", "Active", signedPercent],
    ["mctr", "MCTR", short],
    ["mctr_funded", "Funded", short],
    ["ctr", "Contribution", signedPercent],
  ],
};
const MEANING = {
  factor:
    "x: active exposure, σ: the factor's volatility, ρ: its correlation with the portfolio's.",
  group: "σ: the group's volatility alone, ρ: its correlation with the whole.",
  sector:
    "σ: the volatility of the sector's active positions, ρ: their correlation with the whole.",
  position:
    "MCTR: what one more per cent of the capital adds, out of cash; funded: out of the benchmark.",
};

/** @param {Record<string, any>} risk as the server answers */
export function showContributions({ tables, of }) {
  const { by } = settings.now;
  const table = tables[by];
  if (!table) {
    at("risk-chart").replaceChildren();
    return;
  }
  const rows = records(table);
  const total = rows[rows.length - 1];
  const name = of === "volatility" ? "volatility" : "tracking error";
  const sorted = rows.slice(0, -1).sort((a, b) => Math.abs(b.ctr) - Math.abs(a.ctr));
  const bars = gathered(sorted, by);
  const title = `Contributions to the ${name} of ${percent(total.ctr)} by ${by}, the largest: ${bars
    .slice(0, 3)
    .map((bar) => `${bar.name} ${signedPercent(bar.value)}`)
    .join(", ")}`;
  const chart = barChart({
    title,
    column: "Contribution",
    bars,
    show: signedPercent,
    table: numbers(sorted, total, by),
  });
  chart.querySelector("table")?.classList.add("compact");
  chart
    .querySelector("details")
    ?.append(h("p", { class: "small quiet" }, MEANING[/** @type {"factor"} */ (by)]));
  at("risk-chart").replaceChildren(
    h(
      "p",
      { class: "small quiet" },
      `${portfolioName()}: they sum to the ${name} of ${percent(total.ctr)} a year. Left of the line a bet makes it smaller.`,
    ),
    chart,
  );
}

/**
 * @param {Record<string, any>[]} sorted
 * @param {Record<string, any>} total
 * @param {string} by
 */
function numbers(sorted, total, by) {
  const columns = COLUMNS[by];
  const line = (/** @type {Record<string, any>} */ row) => [
    spelled(row.name),
    ...columns.map(([key, , show]) => toned(row[key], show)),
  ];
  const rest = sorted.slice(MOST_ROWS);
  const others = rest.length > 0 && [
    `${rest.length} others`,
    ...columns.map(([key, , show]) =>
      ["ctr", "x_sigma_rho", "pct", "exposure"].includes(key) ? toned(sum(rest, key), show) : "",
    ),
  ];
  const whole = ["Total", ...columns.map(([key, , show]) => (isPart(key) ? show(total[key]) : ""))];
  return {
    headers: ["Name", ...columns.map(([, header]) => header)],
    rows: [...sorted.slice(0, MOST_ROWS).map(line), ...(others ? [others] : []), whole],
  };
}

const isPart = (/** @type {string} */ key) => ["ctr", "x_sigma_rho", "pct"].includes(key);

/**
 * The largest contributions, and the others as one bar.
 *
 * @param {Record<string, any>[]} sorted
 * @param {string} by
 * @returns {import("./bars.js").Bar[]}
 */
function gathered(sorted, by) {
  const { factors } = settings.now;
  const wanted = (/** @type {Record<string, any>} */ row) =>
    by !== "factor" ||
    factors.length === 0 ||
    row.name === "Specific" ||
    factors.includes(row.name);
  const chosen = sorted.filter(wanted);
  const few = by === "factor" && factors.length > 0;
  const shown = few ? chosen : chosen.slice(0, MOST_BARS);
  const rest = sorted.filter((row) => !shown.includes(row));
  const bars = shown.map(({ name, ctr, exposure }) => ({
    name: spelled(name),
    value: ctr,
    note: by === "position" ? `${name}, active weight ${signedPercent(exposure)}` : undefined,
  }));
  if (rest.length > 0) {
    bars.push({ name: `${rest.length} others`, value: sum(rest, "ctr"), note: undefined });
  }
  return bars;
}

/**
 * @param {Record<string, any>[]} rows
 * @param {string} key
 */
const sum = (rows, key) => rows.reduce((total, row) => total + row[key], 0);

/** @param {string} name */
const spelled = (name) =>
  name === "Specific" ? "Single names" : name.charAt(0).toUpperCase() + name.slice(1);
