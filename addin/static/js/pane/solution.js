// The answer to a portfolio problem: figures before and after, what the rules cost, trades, the reasons
// in words; or what conflicts, and repairs to accept.

import { conflictView, sentences } from "./conflict_view.js";
import { h } from "./dom.js";
import { decimal, percent } from "./format.js";
import { runTrace } from "./run_trace.js";
import { records } from "./server.js";
import { tradesTable } from "./solution_trades.js";

/** @type {[string, string, (value: number | null) => string][]} measure, its name, how it is shown */
const FIGURES = [
  ["tracking_error", "Tracking error", (value) => percent(value)],
  ["volatility", "Volatility", (value) => percent(value)],
  ["expected_return", "Expected return", (value) => percent(value)],
  ["beta", "Beta", (value) => decimal(value)],
  ["turnover", "Turnover", (value) => percent(value, 1)],
  ["names", "Names", (value) => (value === null ? "–" : String(value))],
];
const ALONE = ["turnover"]; // there is none before the trades

/**
 * @typedef {object} How
 * @property {(changes: any[]) => boolean} repairable whether the rules are in the table
 * @property {(repair: import("./conflict_view.js").Repair) => void} onRepair
 * @property {() => void} onWrite
 * @property {{onPin: (ticker: string) => void, onExclude: (ticker: string) => void} | null} change
 * @property {Record<string, any> | null} last the answer before this one, to compare with
 * @property {string} written id of the line that says what was written
 */

/** @param {Record<string, any>} result */
export function solutionTitle({ solved, status }) {
  if (solved && status === "time_limit") return "Good weights, not proven the best";
  if (solved) return "The best weights";
  return status === "infeasible" ? "No weights keep all rules" : "No solution";
}

/**
 * @param {Record<string, any>} result
 * @param {Record<string, any>} context
 * @param {How} how
 * @returns {HTMLElement[]}
 */
export function solutionView(result, context, how) {
  const warnings = warningList(result.warnings ?? []);
  if (!result.solved) return [...warnings, ...conflictView(result, how)];
  const notes = [...result.messages, ...context.notes];
  return [
    ...warnings,
    tiles(result, how.last),
    h(
      "div",
      { class: "row" },
      h("button", { type: "button", class: "primary write", click: how.onWrite }, "Write to sheet"),
      h("p", { id: how.written, class: "done", role: "status" }),
    ),
    h("h3", null, "Largest trades"),
    tradesTable(result, how.change),
    sentences(result.explain),
    notes.length > 0 && h("p", { class: "quiet small" }, notes.join(" ")),
    h("p", { class: "quiet small" }, `As of ${context.date}.`),
    runTrace(result.run_id),
  ].filter((part) => part instanceof HTMLElement);
}

/** @param {string[]} warnings */
const warningList = (warnings) =>
  warnings.map((text) =>
    h("p", { class: "warning" }, h("strong", { class: "visually-hidden" }, "Warning: "), text),
  );

/**
 * Figures before and after; what they were without pins, or in the answer before this one.
 *
 * @param {Record<string, any>} result
 * @param {Record<string, any> | null} last
 */
function tiles({ summary }, last) {
  const figures = byMeasure(summary);
  const earlier = last?.solved ? byMeasure(last.summary) : {};
  return h(
    "dl",
    { class: "tiles" },
    ...FIGURES.filter(([measure]) => measure in figures).map(([measure, name, show]) => {
      const { before, after, unpinned } = figures[measure];
      const compared = comparison(show, after, unpinned, earlier[measure]?.after);
      return h(
        "div",
        { class: "tile" },
        h("dt", null, name),
        h(
          "dd",
          null,
          !ALONE.includes(measure) && h("span", { class: "quiet" }, `${show(before)} `),
          !ALONE.includes(measure) && h("span", { "aria-label": "to" }, "→ "),
          h("strong", null, show(after)),
          compared && h("span", { class: "quiet per" }, compared),
        ),
      );
    }),
  );
}

/**
 * @param {(value: number | null) => string} show
 * @param {number | null} after
 * @param {number | null | undefined} unpinned
 * @param {number | null | undefined} earlier
 */
function comparison(show, after, unpinned, earlier) {
  if (unpinned !== undefined && unpinned !== null) return `${show(unpinned)} without pins`;
  if (earlier === undefined || earlier === null || show(earlier) === show(after)) return "";
  return `${show(earlier)} in the last answer`;
}

/** @param {{columns: string[], data: any[][]}} table */
const byMeasure = (table) => Object.fromEntries(records(table).map((row) => [row.measure, row]));
