// The portfolio problem as the pane has it now: what the server is asked with.

import { bookBody, choices } from "./book.js";
import { settings } from "./settings.js";
import { HOLDINGS, readTable } from "./workbook.js";

export const ALPHA = "TiltAlpha"; // a table of tickers and expected yearly returns

/**
 * @param {any[][]} constraints
 * @param {{objective?: string}} [instead] another objective than the chosen one
 * @returns {Promise<Record<string, any> | null>} null without a portfolio
 */
export async function problemBody(constraints, instead = {}) {
  const [body, offered] = await Promise.all([bookBody(), choices()]);
  if (!body) return null;
  const objective = instead.objective ?? settings.now.objective;
  const alpha = await expected();
  return {
    ...body,
    objective,
    constraints,
    options: optionsOf(offered, objective),
    ...(alpha ? { alpha } : {}),
  };
}

/**
 * What the server says of an objective, or of a sum of objectives.
 *
 * @param {Record<string, any>} offered
 * @param {string} name
 */
export function objectiveNamed({ objectives }, name) {
  const found = objectives.find((/** @type {any} */ one) => one.name === name);
  return found ?? { name, title: name, description: "", options: [], percent: true };
}

/**
 * The options that count: the general ones, and those of the objective.
 *
 * @param {Record<string, any>} offered
 * @param {string} objective
 */
function optionsOf(offered, objective) {
  const mine = objectiveNamed(offered, objective).options;
  const counts = new Set(
    offered.options
      .filter((/** @type {any} */ { name, own }) => !own || mine.includes(name))
      .map((/** @type {any} */ { name }) => name),
  );
  return Object.fromEntries(
    Object.entries(settings.now.options).filter(([name]) => counts.has(name)),
  );
}

/** @returns {Promise<any>} a factor's name, the cells of the table, or nothing */
async function expected() {
  const { alpha } = settings.now;
  return alpha === ALPHA ? readTable(ALPHA) : alpha;
}

/**
 * The problem as the arguments of a formula that has them in this order: objective, holdings,
 * constraints, benchmark, alpha.
 *
 * @param {Record<string, any>} body
 * @param {string} rules the name of the table that has them
 * @returns {string[]}
 */
export function formulaArguments({ objective, holdings, benchmark, alpha }, rules) {
  return [
    quoted(objective),
    Array.isArray(holdings) ? HOLDINGS : quoted(holdings),
    rules,
    benchmark ? quoted(benchmark) : "",
    Array.isArray(alpha) ? ALPHA : alpha ? quoted(alpha) : "",
  ];
}

/**
 * Options as a formula takes them: one text of keys and values.
 *
 * @param {Record<string, any>} options
 */
export function formulaOptions(options) {
  const pairs = Object.entries(options).map(([key, value]) => {
    if (typeof value === "boolean") return `${key}=${value ? "yes" : "no"}`;
    return `${key}=${value}`;
  });
  return pairs.length > 0 ? quoted(pairs.join(";")) : "";
}

/** @param {string} text */
const quoted = (text) => `"${text.replaceAll('"', '""')}"`;
