// The body of a POST for many calls.

/** Members that all calls of a client share; sent once per POST. */
const SHARED = ["client", "session_id", "culture_info_name", "date_format", "version", "runtime"];

/** Seconds the server may wait for a job before it says how far the job is. */
const WAIT = 2;

/** @typedef {{body: any, asked: import("./cache.js").Asked}} Called */

/**
 * The body of a POST: what all calls have is sent once, and so is every range that several have.
 *
 * @param {Called[]} calls
 */
export function makeBatch(calls) {
  const base = Object.fromEntries(SHARED.map((name) => [name, calls[0].body[name]]));
  /** @type {Map<string, number>} */
  const uses = new Map();
  for (const { asked } of calls) {
    for (const part of asked.parts) {
      if (part.startsWith("#")) uses.set(part, (uses.get(part) ?? 0) + 1);
    }
  }
  /** @type {Map<string, number>} */
  const places = new Map();
  /** @type {any[]} */
  const shared = [];
  const argument = (/** @type {any} */ arg, /** @type {string} */ part) => {
    if ((uses.get(part) ?? 0) < 2 || !Array.isArray(arg)) return arg;
    if (!places.has(part)) places.set(part, shared.push(arg) - 1);
    return { $ref: places.get(part) };
  };
  const bodies = calls.map(({ body, asked }) => ({
    ...slim(body, base),
    args: body.args.map((/** @type {any} */ arg, /** @type {number} */ i) =>
      argument(arg, asked.parts[i]),
    ),
  }));
  return {
    base,
    wait: WAIT,
    ...workbookOf(calls[0].body.caller_address),
    calls: bodies,
    ...(shared.length > 0 ? { shared } : {}),
  };
}

/**
 * The workbook of a cell, as its address names it: `[Book1.xlsx]Sheet1!A1`. All calls of a client are
 * of one workbook, whose backtests the server counts.
 *
 * @param {unknown} address
 */
function workbookOf(address) {
  const found = /^'?\[[^\]]+\]/.exec(typeof address === "string" ? address : "");
  return found ? { workbook: found[0] } : {};
}

/**
 * A call's body without what `base` already says, and without the cell it came from: identical calls
 * of many cells are one.
 *
 * @param {Record<string, any>} body
 * @param {Record<string, any>} base
 */
function slim(body, base) {
  return Object.fromEntries(
    Object.entries(body).filter(
      ([name, value]) => name !== "caller_address" && !(name in base && base[name] === value),
    ),
  );
}
