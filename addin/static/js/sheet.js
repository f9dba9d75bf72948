// The sheet's side of Tilt: what its cells show, pausing, calculating anew, and coming back after the
// server was away. The pane and the ribbon reach it as `globalThis.tilt`.

import { CALL_ROUTE, CallBatcher } from "./calls.js";
import { connection } from "./connection.js";
import { covers, parseAddress } from "./covers.js";
import { errorValue, failure } from "./excel_errors.js";
import { LiveCells } from "./live.js";

/** Milliseconds between two looks whether a server that was away is back; the last one repeats. */
const LOOKS = [2000, 4000, 8000, 15_000, 30_000];
/** Milliseconds after which kept answers are asked about: are the data still the same? */
const TRUSTED = 60_000;
const EDITION_ROUTE = "/xlwings/edition";

/** @typedef {"selection" | "sheet" | "book"} Scope */

export class Sheet extends EventTarget {
  /** @type {Set<string>} cells that show an old value, or none, for want of an answer */
  waiting = new Set();
  #generation = 0;
  /** @type {{generation: number, area: import("./covers.js").Area}[]} what was to be made anew */
  #renewed = [];
  #looking = false;
  #looks = 0; // since the server last answered
  #confirmed = 0;
  #confirming = false;

  /**
   * @param {object} options
   * @param {import("./calls.js").Post} options.post
   * @param {(url: string) => Promise<{data: any, status: number}>} options.get
   * @param {() => string} options.owner whose credentials a request carries
   * @param {Partial<import("./calls.js").BatcherOptions>} [options.calls]
   */
  constructor({ post, get, owner, calls = {} }) {
    super();
    this.get = get;
    /** @type {import("./calls.js").Post} */
    const watched = (url, body, options) => connection.watch(() => post(url, body, options));
    this.batcher = new CallBatcher({
      failure,
      longFunctions: () => globalThis.tiltLongFunctions ?? [],
      generationOf: (address) => this.#generationOf(address),
      onReply: (status) => this.#onReply(status),
      onAnswer: (address, kind) => this.#onAnswer(address, kind),
      onLate: () => this.#onLate(),
      onEdition: () => this.dispatchEvent(new Event("data")),
      ...calls,
      post: watched,
    });
    this.live = new LiveCells({
      post: (url, body) => watched(url, body, { headers: { "Content-Type": "application/json" } }),
      error: errorValue,
      owner,
      isPaused: () => this.isPaused,
    });
    connection.addEventListener("change", () => this.#onConnection());
  }

  /**
   * Answer a cell's call.
   *
   * @param {string} url
   * @param {any} body
   * @param {any} [options]
   */
  call(url, body, options) {
    if (performance.now() - this.#confirmed > TRUSTED) this.confirm();
    return this.batcher.call(url, body, options);
  }

  get isPaused() {
    return this.batcher.paused;
  }

  /** Ask the server for nothing: cells keep their last good values. */
  pause() {
    this.batcher.paused = true;
    this.dispatchEvent(new Event("change"));
  }

  /** Ask again, first of all for what was missing meanwhile. */
  async resume() {
    this.batcher.paused = false;
    this.live.soon();
    this.dispatchEvent(new Event("change"));
    if (this.waiting.size > 0) await calculate();
  }

  /**
   * Calculate cells anew, whatever is kept of them; all others are answered from what is kept.
   *
   * @param {Scope} scope
   */
  async refresh(scope) {
    const area = await areaOf(scope);
    this.#generation += 1;
    if (area === null) this.#renewed = [];
    this.#renewed.push({ generation: this.#generation, area });
    await calculate();
  }

  /** Ask whether the data are still those behind the kept answers. */
  async confirm() {
    if (this.#confirming || this.batcher.paused || this.batcher.cache.edition === "") return;
    this.#confirming = true;
    this.#confirmed = performance.now();
    const asked = this.batcher.now();
    try {
      const { data } = await connection.watch(() =>
        this.get(window.location.origin + EDITION_ROUTE),
      );
      if (this.batcher.cache.note(String(data.edition), asked)) {
        this.dispatchEvent(new Event("data"));
      }
    } catch {
      // the connection tells of it, and the next answer or minute asks again
    } finally {
      this.#confirming = false;
    }
  }

  /** Have the cells show what their jobs found after they had stopped waiting. */
  async #onLate() {
    try {
      await calculate();
    } catch (error) {
      console.warn("Tilt: Excel did not calculate; the next calculation shows it.", error);
    }
  }

  /** @param {string} address of a calling cell */
  #generationOf(address) {
    if (this.#renewed.length === 0) return 0;
    const cell = parseAddress(address);
    const least = this.#renewed.filter(({ area }) => covers(area, cell)).at(-1);
    return least?.generation ?? 0;
  }

  /** @param {number} status */
  #onReply(status) {
    if (status < 200 || status >= 300) return;
    this.#confirmed = performance.now();
    this.#looks = 0;
  }

  /**
   * @param {string} address
   * @param {"good" | "old" | "missing"} kind
   */
  #onAnswer(address, kind) {
    const before = this.waiting.size;
    if (kind === "good") this.waiting.delete(address);
    else this.waiting.add(address);
    if (this.waiting.size !== before) this.#changed();
    if (kind !== "good" && !this.batcher.paused) this.#look();
  }

  #due = false;

  /** Tell of many changed cells once. */
  #changed() {
    if (this.#due) return;
    this.#due = true;
    setTimeout(() => {
      this.#due = false;
      this.dispatchEvent(new Event("change"));
    }, 0);
  }

  #onConnection() {
    if (connection.state !== "online" || this.isPaused) return;
    this.live.soon();
    if (this.waiting.size > 0) calculate();
  }

  /** Look again and again whether the server is back, as long as cells wait for it and not for us. */
  async #look() {
    if (this.#looking) return;
    this.#looking = true;
    while (this.waiting.size > 0 && !this.isPaused && !connection.needsSignIn) {
      const wait = LOOKS[Math.min(this.#looks, LOOKS.length - 1)];
      this.#looks += 1;
      await new Promise((resolve) => setTimeout(resolve, wait));
      const health = () => this.get(`${window.location.origin}/health/live`);
      try {
        await connection.watch(health, { open: true });
        if (connection.state === "online") break; // which calculates what waits
      } catch {
        // still away, as the connection shows
      }
    }
    this.#looking = false;
  }
}

/**
 * The cells of a scope, as they are now; null is every cell.
 *
 * @param {Scope} scope
 * @returns {Promise<import("./covers.js").Area>}
 */
async function areaOf(scope) {
  if (scope === "book") return null;
  return Excel.run(async (context) => {
    const sheet = context.workbook.worksheets.getActiveWorksheet();
    sheet.load("name");
    if (scope === "sheet") {
      await context.sync();
      return { sheet: sheet.name, block: null };
    }
    const range = context.workbook.getSelectedRange();
    range.load("rowIndex,columnIndex,rowCount,columnCount");
    await context.sync();
    const { rowIndex: row, columnIndex: column, rowCount: rows, columnCount: columns } = range;
    return { sheet: sheet.name, block: { row, column, rows, columns } };
  });
}

/** Have Excel call every custom function; what is kept and good costs no request. */
async function calculate() {
  const { host } = await Office.onReady();
  if (host !== Office.HostType.Excel) return;
  await Excel.run(async (context) => {
    context.application.calculate(Excel.CalculationType.full);
    await context.sync();
  });
}

/**
 * Put the sheet between the shipped scripts and the network.
 *
 * @param {{get: Function, post: Function}} request `xwRequest`, which they look up at each call
 * @param {() => Record<string, string>} headers of every request
 * @returns {Sheet}
 */
export function startSheet(request, headers) {
  const { get, post } = request;
  const named = (/** @type {any} */ options = {}) => {
    const given = { ...options.headers };
    delete given.Authorization; // of whoever was signed in when the cell called
    return { ...options, headers: { ...given, ...headers() } };
  };
  const sheet = new Sheet({
    post: (url, body, options) => post(url, body, named(options)),
    get: (url) => get(url, named()),
    owner: () => headers().Authorization ?? "",
    calls: { deadline: (globalThis.config.requestTimeout + 5) * 1000 }, // the request's own is first
  });
  request.get = (/** @type {string} */ url, /** @type {any} */ options) => get(url, named(options));
  request.post = async (
    /** @type {string} */ url,
    /** @type {any} */ body,
    /** @type {any} */ options,
  ) => {
    if (url.endsWith(CALL_ROUTE)) return sheet.call(url, body, options);
    const reply = await post(url, body, named(options));
    await sheet.confirm(); // a button may have changed data or portfolios
    return reply;
  };
  return sheet;
}
