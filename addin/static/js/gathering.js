// The calls of one recalculation, gathered until no more come.

/**
 * @typedef {import("./calls.js").Call} Call
 * @typedef {{calls: Call[], cells: number, parts: Set<string>, first: number, last: number}} Queue
 */

export class Gathering {
  /** @type {Map<string, Queue>} one queue per address and credentials, which never mix */
  #queues = new Map();

  /**
   * @param {object} options
   * @param {(part: string) => number} options.cellsOf cells of a long argument, 0 for a short one
   * @param {(calls: Call[]) => void} options.send told of the calls that belong into one POST
   * @param {number} options.quiet milliseconds without a new call after which they are sent
   * @param {number} options.patience milliseconds after which they are sent although calls still come
   * @param {number} options.maxCalls calls in one POST
   * @param {number} options.maxCells cells of arguments in one POST
   */
  constructor({ cellsOf, send, quiet, patience, maxCalls, maxCells }) {
    this.cellsOf = cellsOf;
    this.send = send;
    this.quiet = quiet;
    this.patience = patience;
    this.maxCalls = maxCalls;
    this.maxCells = maxCells;
  }

  /**
   * @param {string} lane
   * @param {Call} call
   */
  add(lane, call) {
    const { asked } = call;
    const now = performance.now();
    let queue = this.#queues.get(lane);
    if (queue && queue.cells + this.#newCells(queue, asked) > this.maxCells) {
      this.#flush(lane, queue);
      queue = undefined;
    }
    if (!queue) {
      queue = { calls: [], cells: 0, parts: new Set(), first: now, last: now };
      this.#queues.set(lane, queue);
      this.#watch(lane, queue);
    }
    queue.cells += this.#newCells(queue, asked);
    for (const part of asked.parts) if (part.startsWith("#")) queue.parts.add(part);
    queue.calls.push(call);
    queue.last = now;
    if (queue.calls.length >= this.maxCalls) this.#flush(lane, queue);
  }

  /**
   * How many cells a call adds to a POST, which sends a range once.
   *
   * @param {Queue} queue
   * @param {import("./cache.js").Asked} asked
   */
  #newCells(queue, asked) {
    let cells = asked.fresh;
    for (const part of asked.parts) if (!queue.parts.has(part)) cells += this.cellsOf(part);
    return cells;
  }

  /**
   * Send the queue once no call has come for a while, or enough time has passed.
   *
   * @param {string} lane
   * @param {Queue} queue
   */
  #watch(lane, queue) {
    setTimeout(() => {
      if (this.#queues.get(lane) !== queue) return; // already sent, being full
      const now = performance.now();
      if (now - queue.last >= this.quiet || now - queue.first >= this.patience) {
        this.#flush(lane, queue);
      } else {
        this.#watch(lane, queue);
      }
    }, this.quiet);
  }

  /**
   * @param {string} lane
   * @param {Queue} queue
   */
  #flush(lane, queue) {
    this.#queues.delete(lane);
    this.send(queue.calls);
  }
}
