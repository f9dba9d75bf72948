// Answers kept on this page: the same call over the same data is not asked again.
//
// Every answer names the edition of the data behind it. An answer of the current edition is given
// again without a request; an older one only where there is no newer to be had (the server is away,
// or Tilt is paused). Kept in memory alone: answers tell what people hold, and nothing of that is
// written to a browser's storage.

/** Texts longer than this are kept once, whichever and however many calls have them. */
const LONG = 64;

/**
 * @typedef {{result: any} | {error: string, status: number, cell: string,
 *   after?: number}} Outcome after: milliseconds until another try, where the server told them
 * @typedef {{outcome: Outcome, edition: string, generation: number, bytes: number}} Kept
 * @typedef {{key: string, parts: string[], cells: number, fresh: number}} Asked what tells one call
 *   from another: equal keys for equal calls; parts stand for its arguments, fresh counts cells of
 *   arguments that are not long
 */

export class AnswerCache {
  /** The data behind the latest answer. */
  edition = "";
  generation = 0;
  bytes = 0;
  /** @type {Map<string, Kept>} by key, the least recently used first */
  #kept = new Map();
  /** @type {Map<string, {part: string, cells: number}>} long arguments, by their JSON */
  #long = new Map();
  /** @type {Map<string, number>} cells of long arguments, by part */
  #cells = new Map();
  #longBytes = 0;
  #named = 0;
  #asked = 0; // when the request was sent that told the edition

  /**
   * @param {object} [limits]
   * @param {number} [limits.maxEntries] answers kept
   * @param {number} [limits.maxBytes] of answers, roughly; as much again of long arguments
   */
  constructor({ maxEntries = 50_000, maxBytes = 64 * 2 ** 20 } = {}) {
    this.maxEntries = maxEntries;
    this.maxBytes = maxBytes;
  }

  get size() {
    return this.#kept.size;
  }

  /**
   * @param {string} lane address and credentials
   * @param {string} name of the function
   * @param {any[]} args
   * @returns {Asked}
   */
  describe(lane, name, args) {
    let fresh = 0;
    const parts = args.map((arg) => {
      const text = JSON.stringify(arg) ?? "null";
      if (text.length > LONG) return this.#part(text, arg);
      fresh += countCells(arg);
      return text;
    });
    const long = parts.reduce((sum, part) => sum + (this.#cells.get(part) ?? 0), 0);
    return { key: `${lane}\n${name}\n${parts.join("\n")}`, parts, cells: fresh + long, fresh };
  }

  /**
   * How many cells a long argument has, 0 for a short one.
   *
   * @param {string} part
   */
  cellsOf(part) {
    return this.#cells.get(part) ?? 0;
  }

  /**
   * The answer to a call, if it is of the current data.
   *
   * @param {string} key
   * @param {number} [since] the least generation that will do
   * @returns {Outcome | null}
   */
  get(key, since = 0) {
    const kept = this.#kept.get(key);
    if (!kept || kept.edition !== this.edition || kept.generation < since) return null;
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    return kept.outcome;
  }

  /**
   * The last good answer to a call, of whatever data.
   *
   * @param {string} key
   * @returns {Outcome | null}
   */
  last(key) {
    const outcome = this.#kept.get(key)?.outcome;
    return outcome && "result" in outcome ? outcome : null;
  }

  /**
   * Note the edition that a request was told.
   *
   * @param {string} edition
   * @param {number} asked when it was sent; an answer overtaken by a later request's tells nothing
   * @returns {boolean} whether the data are others than before
   */
  note(edition, asked) {
    if (asked < this.#asked) return false;
    this.#asked = asked;
    const changed = this.edition !== "" && edition !== this.edition;
    this.edition = edition;
    return changed;
  }

  /**
   * @param {string} key
   * @param {Outcome} outcome
   * @param {string} edition
   * @param {number} generation
   */
  keep(key, outcome, edition, generation) {
    this.#drop(key);
    const bytes = 2 * key.length + 200 + roughBytes("result" in outcome ? outcome.result : "");
    if (bytes > this.maxBytes / 4) return;
    this.#kept.set(key, { outcome, edition, generation, bytes });
    this.bytes += bytes;
    while (this.#kept.size > this.maxEntries || this.bytes > this.maxBytes) {
      this.#drop(/** @type {string} */ (this.#kept.keys().next().value));
    }
  }

  /** Forget every answer: another user sits here now. */
  clear() {
    this.#kept.clear();
    this.#long.clear();
    this.#cells.clear();
    this.bytes = 0;
    this.#longBytes = 0;
    this.edition = "";
  }

  /** @param {string} key */
  #drop(key) {
    this.bytes -= this.#kept.get(key)?.bytes ?? 0;
    this.#kept.delete(key);
  }

  /**
   * @param {string} text
   * @param {any} arg
   */
  #part(text, arg) {
    const known = this.#long.get(text);
    if (known) return known.part;
    if (this.#longBytes + 2 * text.length > this.maxBytes) {
      // The parts are never used again, so answers under them could not be found either.
      this.#long.clear();
      this.#cells.clear();
      this.#longBytes = 0;
      for (const key of [...this.#kept.keys()]) if (key.includes("\n#")) this.#drop(key);
    }
    this.#named += 1;
    const part = `#${this.#named}`; // no JSON begins so
    const cells = countCells(arg);
    this.#long.set(text, { part, cells });
    this.#cells.set(part, cells);
    this.#longBytes += 2 * text.length;
    return part;
  }
}

/** @param {any} value */
function countCells(value) {
  if (!Array.isArray(value)) return 1;
  let cells = 0;
  for (const item of value) cells += countCells(item);
  return cells;
}

/** @param {any} value */
function roughBytes(value) {
  if (Array.isArray(value)) {
    let bytes = 16;
    for (const item of value) bytes += roughBytes(item);
    return bytes;
  }
  if (typeof value === "string") return 2 * value.length + 16;
  return value !== null && typeof value === "object" ? 160 : 16;
}
