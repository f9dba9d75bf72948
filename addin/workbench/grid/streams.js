// Streams that cells follow (LIVE): each ends when no cell shows it any more.
//
// A calculation tells which streams are in use. After a change of cells all are in doubt until those
// that follow one have been calculated again.

/** @typedef {{name: string, cancel: () => void, used: boolean}} Stream */

export class Streams {
  /** @type {Map<string, Stream>} by function and arguments */
  #running = new Map();

  get size() {
    return this.#running.size;
  }

  /**
   * @param {string} key
   * @param {string} name of the function
   * @param {() => void} cancel
   */
  add(key, name, cancel) {
    this.#running.set(key, { name, cancel, used: true });
  }

  /** @param {string} key */
  use(key) {
    const stream = this.#running.get(key);
    if (stream) stream.used = true;
  }

  doubt() {
    for (const stream of this.#running.values()) stream.used = false;
  }

  /**
   * Cells whose formula calls a function that streams.
   *
   * @param {import("../host/store.js").Sheet[]} sheets
   * @returns {import("./calls.js").Place[]}
   */
  readers(sheets) {
    const names = new Set([...this.#running.values()].map(({ name }) => name));
    return sheets.flatMap((sheet) =>
      [...sheet.grid.entries()]
        .filter(([, , { formula }]) => calls(formula, names))
        .map(([row, column]) => ({ sheetId: sheet.id, row, column })),
    );
  }

  /** @returns {string[]} keys of the streams that were ended */
  endUnused() {
    return this.#end((stream) => !stream.used);
  }

  endAll() {
    return this.#end(() => true);
  }

  /** @param {(stream: Stream) => boolean} which */
  #end(which) {
    const ended = [...this.#running].filter(([, stream]) => which(stream));
    for (const [key, { cancel }] of ended) {
      this.#running.delete(key);
      cancel();
    }
    return ended.map(([key]) => key);
  }
}

/**
 * @param {string} formula
 * @param {Set<string>} names
 */
function calls(formula, names) {
  const text = formula.toUpperCase();
  return [...names].some((name) => text.includes(`${name}(`));
}
