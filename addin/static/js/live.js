// Cells that follow the market: one request for all of them, one prices' clock.
//
// Excel gives each LIVE cell an invocation to tell values to. All of them are fed by one poll with
// the user's own credentials; what was last shown stays when the server is away, and its age grows.

import { toldToWait } from "./outcomes.js";

const LIVE_ROUTE = "/api/v1/live";
const EPOCH = Date.UTC(1899, 11, 30);
const DAY = 86_400_000;
const AWAY = "The Tilt server does not answer. Open the Tilt pane to see why.";
const REFUSED = "The Tilt server does not understand what this LIVE asks for. Update the add-in.";
const FIELDS = ["price", "time", "age", "change", "currency"];
const NOT_GIVEN = "The source of live prices does not give this field.";

/**
 * @typedef {{setResult: (result: any) => void, onCanceled?: () => void}} Invocation
 * @typedef {{ticker: string, field: string, invocation: Invocation, shown: string}} Cell
 * @typedef {{price: number, time: string, age: number, change: number | null,
 *   currency: string | null} | {error: string}} Quote
 */

export class LiveCells {
  /** @type {Set<Cell>} */
  #cells = new Set();
  /** @type {Map<string, {quote: Quote, at: number}>} by ticker as given */
  #quotes = new Map();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #asking = false;
  /** @type {string | null} who was told to wait, until that time is over */
  #told = null;
  #owner = "";
  #failures = 0;

  /**
   * @param {object} options
   * @param {(url: string, body: any) => Promise<{data: any, status: number}>} options.post
   * @param {(cell: string, message: string) => any} options.error what `setResult` shows as an error
   * @param {() => string} options.owner whose credentials the next request carries
   * @param {() => boolean} [options.isPaused]
   * @param {number} [options.gather] milliseconds in which new cells are gathered
   * @param {readonly number[]} [options.retries] milliseconds to wait when the server is away
   * @param {number} [options.tick] milliseconds between two values of an age
   */
  constructor({
    post,
    error,
    owner,
    isPaused = () => false,
    gather = 20,
    retries = [2000, 5000, 10_000, 30_000, 60_000],
    tick = 10_000,
  }) {
    this.post = post;
    this.error = error;
    this.owner = owner;
    this.isPaused = isPaused;
    this.gather = gather;
    this.retries = retries;
    this.tick = tick;
    setInterval(() => this.#showAll(), tick);
  }

  get size() {
    return this.#cells.size;
  }

  /** The function that Excel calls: as all of ours it takes ranges, and the invocation last. */
  start = (/** @type {any[]} */ ...args) => {
    const invocation = /** @type {Invocation} */ (args.pop());
    const ticker = String(only(args[0]) ?? "").trim();
    const field = String(only(args[1]) ?? "price")
      .trim()
      .toLowerCase();
    if (!ticker || !FIELDS.includes(field)) {
      const words = ticker
        ? `field must be one of ${FIELDS.join(", ")}; got '${field}'.`
        : "ticker is missing: TILT.LIVE(ticker,[field])";
      invocation.setResult(this.error("#VALUE!", words));
      return;
    }
    const cell = { ticker, field, invocation, shown: "" };
    this.#cells.add(cell);
    invocation.onCanceled = () => this.#cells.delete(cell);
    if (this.#quotes.has(ticker) && this.owner() === this.#owner) this.#show(cell);
    else this.soon();
  };

  /** Ask now, for example because somebody signed in or the server is back. */
  soon() {
    if (this.#told !== this.owner()) this.#wait(this.gather);
  }

  /** @param {number} milliseconds */
  #wait(milliseconds) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#ask(), milliseconds);
  }

  async #ask() {
    this.#told = null;
    if (this.#asking || this.#cells.size === 0 || this.isPaused()) return;
    this.#asking = true;
    const owner = this.owner();
    const tickers = [...new Set([...this.#cells].map((cell) => cell.ticker))];
    try {
      const reply = await this.post(window.location.origin + LIVE_ROUTE, { tickers });
      this.#take(owner, reply.data.quotes);
      this.#failures = 0;
      this.#wait(1000 * Math.min(300, Math.max(1, reply.data.again)));
    } catch (error) {
      const status = error.response?.status ?? 0;
      this.#fail(owner, status);
      const usual = this.retries[Math.min(this.#failures, this.retries.length - 1)];
      const told = toldToWait(error.response);
      this.#wait(told === undefined ? usual : Math.max(usual, told * (1 + 0.2 * Math.random())));
      this.#told = told === undefined ? null : owner;
      this.#failures += 1;
    } finally {
      this.#asking = false;
    }
    const known = (/** @type {Cell} */ cell) => this.#quotes.has(cell.ticker);
    if (this.#failures === 0 && ![...this.#cells].every(known)) this.soon(); // came meanwhile
  }

  /**
   * @param {string} owner
   * @param {Record<string, Quote>} quotes
   */
  #take(owner, quotes) {
    if (owner !== this.owner()) return this.soon(); // somebody else signed in meanwhile
    this.#owner = owner;
    const at = performance.now();
    for (const [ticker, quote] of Object.entries(quotes)) this.#quotes.set(ticker, { quote, at });
    this.#showAll();
  }

  /**
   * @param {string} owner
   * @param {number} status
   */
  #fail(owner, status) {
    const out = status === 401 || status === 403;
    if (out || owner !== this.#owner) this.#quotes.clear(); // what another user saw is not shown
    const words = out ? "Not signed in: open the Tilt pane." : status === 422 ? REFUSED : AWAY;
    for (const cell of this.#cells) {
      if (!this.#quotes.has(cell.ticker)) this.#tell(cell, words, this.error("#N/A", words));
    }
    this.#showAll();
  }

  #showAll() {
    for (const cell of this.#cells) if (this.#quotes.has(cell.ticker)) this.#show(cell);
  }

  /** @param {Cell} cell */
  #show(cell) {
    const { quote, at } = /** @type {{quote: Quote, at: number}} */ (this.#quotes.get(cell.ticker));
    if ("error" in quote) {
      this.#tell(cell, quote.error, this.error("#N/A", quote.error));
      return;
    }
    const age = Math.round(quote.age + (performance.now() - at) / 1000);
    const { price, change, currency } = quote;
    const value = { price, time: serial(quote.time), age, change, currency }[cell.field];
    if (value === null || value === undefined) {
      this.#tell(cell, NOT_GIVEN, this.error("#N/A", NOT_GIVEN));
      return;
    }
    this.#tell(cell, String(value), [[value]]);
  }

  /**
   * Tell a cell what to show, unless it does already.
   *
   * @param {Cell} cell
   * @param {string} shown
   * @param {any} result
   */
  #tell(cell, shown, result) {
    if (cell.shown === shown) return;
    cell.shown = shown;
    cell.invocation.setResult(result);
  }
}

/** @param {any} arg a range of one cell, or its value */
function only(arg) {
  const value = Array.isArray(arg) ? arg[0]?.[0] : arg;
  const plain = value && typeof value === "object" ? value.basicValue : value;
  return plain === "" || plain === null ? undefined : plain;
}

/** @param {string} time in ISO form @returns {number} as Excel numbers days, UTC */
function serial(time) {
  return (Date.parse(time) - EPOCH) / DAY;
}
