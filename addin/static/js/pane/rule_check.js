// How the portfolio as it is stands to each rule, before anything is solved.

import { portfolioName } from "./book.js";
import { at } from "./dom.js";
import { decimal, percent } from "./format.js";
import { clearProblem, showProblem } from "./problems.js";
import { isOpen } from "./rules.js";
import { records } from "./server.js";

/** @typedef {import("./rules_table.js").RulesTable} RulesTable */

/**
 * @param {RulesTable} table
 * @param {{columns: string[], data: any[][]}} read by the server, a row for each side of each rule
 */
export function showVerdicts(table, read) {
  const readings = records(read);
  const verdicts = new Map();
  let broken = 0;
  for (const [i, rule] of table.rules.entries()) {
    if (isOpen(rule)) {
      verdicts.set(i, { text: "give a min or a max", state: "open" });
      continue;
    }
    const mine = readings.filter(({ row }) => row === i + 2); // the header is row 1
    if (mine.length === 0) continue;
    const worst = mine.reduce((a, b) => (b.slack < a.slack ? b : a));
    const over = worst.slack < -1e-6;
    broken += over ? 1 : 0;
    const text = verdictText(table.kind(worst.rule), worst, mine, over);
    verdicts.set(i, { text, state: over ? "broken" : "kept" });
  }
  table.judge(verdicts);
  const bounding = table.rules.filter((rule) => !isOpen(rule)).length;
  const summary = at("check-summary");
  summary.dataset.state = broken ? "broken" : "kept";
  if (bounding === 0) summary.textContent = "No rules yet: add one.";
  else if (broken === 0) summary.textContent = `${portfolioName()} keeps ${all(bounding)}.`;
  else summary.textContent = `${portfolioName()} breaks ${broken} of ${bounding} rules.`;
}

/** @param {number} n */
const all = (n) => (n === 1 ? "the one rule" : `all ${n} rules`);

/**
 * @param {import("./rules.js").Kind} kind
 * @param {Record<string, any>} worst
 * @param {Record<string, any>[]} mine
 * @param {boolean} over
 */
function verdictText(kind, { who, value, bound, slack }, mine, over) {
  const show = (/** @type {number} */ x) => measured(x, kind);
  const many = mine.length > 1 || who === "*"; // the rule is of each of them
  if (value === null) return over ? "✗" : "✓";
  if (!over) return many ? "kept ✓" : `${show(value)} ✓`;
  const whose = mine.length > 1 ? `${who} ` : "";
  return `✗ ${whose}${show(value)}: ${show(-slack)} too ${value > bound ? "much" : "little"}`;
}

/**
 * A value in the unit of its rule.
 *
 * @param {number} value
 * @param {import("./rules.js").Kind} kind
 * @param {number} [digits] of a number that is neither per cent nor a count
 */
export function measured(value, { percent: inPercent, integer }, digits = 2) {
  if (inPercent) return percent(value);
  return decimal(value, integer ? 0 : digits);
}

/**
 * A mistake in a rule is said at the rule; anything else below the table.
 *
 * @param {RulesTable} table
 * @param {any} error
 */
export function showMistake(table, error) {
  const row = /^constraints row (\d+)[^:]*:\s*(.*)$/s.exec(error.message);
  const summary = at("check-summary");
  summary.dataset.state = "wrong";
  if (row && error.status === 400) {
    const i = Number(row[1]) - 2;
    clearProblem("check-problem");
    table.judge(new Map([[i, { text: `✗ ${row[2]}`, state: "wrong" }]]));
    summary.textContent = `Rule ${i + 1} cannot be read.`;
  } else {
    table.judge(new Map());
    summary.textContent = "";
    showProblem("check-problem", "The portfolio was not checked.", error);
  }
}
