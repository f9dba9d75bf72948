// Bars of what made an active return, with the effects of each group as a table.

import { barChart } from "./bars.js";
import { signedPercent } from "./format.js";

const MOST_BARS = 14;
export const EFFECTS = ["allocation", "selection", "interaction"];

/** Where the table of each method has names and numbers. @type {Record<string, [string, string]>} */
const COLUMNS = {
  brinson: ["group", "total"],
  factor: ["name", "contribution"],
  position: ["name", "active_contribution"],
};

/**
 * @param {string} method of ATTRIBUTION
 * @param {Record<string, any>[]} rows of its table; the last two are Residual and Total
 * @returns {HTMLElement}
 */
export function attributionChart(method, rows) {
  const [name, column] = COLUMNS[method];
  const active = rows[rows.length - 1][column];
  const bars = gathered(
    rows.slice(0, -2).map((row) => ({ name: row[name], value: row[column], note: noteOf(row) })),
  );
  const largest = bars.slice(0, 3).map((bar) => `${bar.name} ${signedPercent(bar.value)}`);
  return barChart({
    title: `What made the active return of ${signedPercent(active)}, the largest: ${largest.join(", ")}`,
    column: "Contribution",
    bars,
    show: signedPercent,
    className: "pnl",
    table: method === "brinson" ? effectsTable(rows) : undefined,
  });
}

/** @param {Record<string, any>} row */
function noteOf(row) {
  if (row.allocation === undefined || row.allocation === null) return undefined;
  return `${row.group}, ${EFFECTS.map((e) => `${e} ${signedPercent(row[e])}`).join(", ")}, together`;
}

/** @param {Record<string, any>[]} rows */
function effectsTable(rows) {
  return {
    headers: ["Group", "Allocation", "Selection", "Interaction", "Total"],
    rows: rows.map((row) => [
      row.group,
      ...[...EFFECTS, "total"].map((c) => (row[c] === null ? "–" : signedPercent(row[c]))),
    ]),
  };
}

/**
 * The largest bars, and the others as one.
 *
 * @param {import("./bars.js").Bar[]} bars
 */
function gathered(bars) {
  const sorted = [...bars].sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
  const rest = sorted.slice(MOST_BARS);
  if (rest.length === 0) return sorted;
  const value = rest.reduce((sum, bar) => sum + bar.value, 0);
  return [...sorted.slice(0, MOST_BARS), { name: `${rest.length} others`, value }];
}
