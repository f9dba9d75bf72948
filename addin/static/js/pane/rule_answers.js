// What an answer says of each rule of the table: whether it binds and what it costs, or that it is in
// conflict.

import { boundText, decimal, percent } from "./format.js";
import { measured } from "./rule_check.js";
import { records } from "./server.js";

const LEAST = 1e-6; // a price below it is rounding

/**
 * @typedef {object} Unit what the objective is measured in
 * @property {boolean} percent
 *
 * @typedef {{text: string, state: "priced" | "slack" | "conflict"}} Answer
 */

/**
 * @param {import("./rules.js").Rule[]} rules
 * @param {Record<string, any>} result of the server
 * @param {{kindOf: (name: string) => import("./rules.js").Kind, unit: Unit}} how
 * @returns {Map<number, Answer>} by place in the table
 */
export function ruleAnswers(rules, result, how) {
  return result.solved ? priced(rules, result, how) : conflicting(result);
}

/** @type {typeof ruleAnswers} */
function priced(rules, result, { kindOf, unit }) {
  const rows = records(result.constraints);
  const answers = new Map();
  for (const [i, rule] of rules.entries()) {
    const mine = rows.filter((row) => isOf(rule, row));
    if (mine.length === 0) continue;
    const kind = kindOf(rule.rule);
    const dear = mine
      .filter(({ status }) => status === "binding")
      .sort((a, b) => (b.gain_if_looser ?? 0) - (a.gain_if_looser ?? 0))[0];
    const given = mine.find(({ status }) => status === "given up");
    if (given) answers.set(i, { text: `Gave up: ${given.note}`, state: "conflict" });
    else if (dear) answers.set(i, { text: bindingText(dear, mine, kind, unit), state: "priced" });
    else answers.set(i, { text: slackText(mine, kind), state: "slack" });
  }
  return answers;
}

/**
 * @param {Record<string, any>} row the dearest
 * @param {Record<string, any>[]} mine
 * @param {import("./rules.js").Kind} kind
 * @param {Unit} unit
 */
function bindingText(row, mine, kind, unit) {
  const who = mine.length > 1 && row.who !== "*" ? ` (${row.who})` : "";
  const gain = row.gain_if_looser;
  const step = row.step === null ? "one step" : boundText(row.step, kind.percent);
  const worth = (/** @type {number} */ x) => (unit.percent ? percent(x, 3) : decimal(x, 5));
  const binds = `Binds${who}${row.value === null ? "" : ` at ${measured(row.value, kind)}`}`;
  if (gain === null) return `${binds}.`;
  if (gain <= LEAST && (row.shadow_price ?? 0) <= LEAST) return `${binds}, and costs nothing.`;
  const tighter =
    row.gain_if_tighter === null ? "" : `; tighter costs ${worth(-row.gain_if_tighter)}`;
  return `${binds}; ${step} looser gains ${worth(gain)}${tighter}.`;
}

/**
 * @param {Record<string, any>[]} mine
 * @param {import("./rules.js").Kind} kind
 */
function slackText(mine, kind) {
  const known = mine.filter(({ slack }) => slack !== null);
  if (known.length === 0) return "Kept.";
  const nearest = known.reduce((a, b) => (b.slack < a.slack ? b : a));
  const who = mine.length > 1 && nearest.who !== "*" ? ` (${nearest.who})` : "";
  return `Free: ${measured(nearest.slack, kind)} of room${who}.`;
}

/** @param {Record<string, any>} result */
function conflicting({ conflict_rows: rows, conflict }) {
  const answers = new Map();
  for (const [n, { row, side }] of (rows ?? []).entries()) {
    if (row < 2) continue; // a rule nobody typed, such as that the weights sum to the capital
    const i = row - 2; // the header is row 1
    const text = `In conflict: ${side} (${conflict[n]}).`;
    const before = answers.get(i);
    answers.set(i, { text: before ? `${before.text} ${text}` : text, state: "conflict" });
  }
  return answers;
}

/**
 * Whether a row of the answer is of a rule: for a rule of all, there is a row for each.
 *
 * @param {import("./rules.js").Rule} rule
 * @param {Record<string, any>} row
 */
function isOf({ rule, who, relative }, row) {
  if (row.rule !== rule || (row.relative === "yes") !== relative) return false;
  const name = who.trim().toLowerCase();
  return name === "" || name === "*" || name === row.who.toLowerCase();
}
