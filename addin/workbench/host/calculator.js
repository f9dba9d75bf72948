// Calculation as far as custom functions go: a formula calls its function when it is entered and
// when what it reads changes, and the result spills.

import { intersect } from "./addresses.js";
import { parseFormula, references } from "./formulas.js";
import { fromResult, toArgument } from "./values.js";

/**
 * @typedef {import("./addresses.js").Block} Block
 * @typedef {import("./formulas.js").Node} Node
 * @typedef {import("./store.js").Sheet} Sheet
 * @typedef {{sheet: Sheet, row: number, column: number, formula: string, node: Node | null,
 *   reads: {sheet: Sheet, block: Block}[], spill: Block | null, state: "dirty" | "running" | "done",
 *   run: number, cancel: (() => void) | null}} Entry
 */

/** Codes of CustomFunctions.Error that carry a message to the cell. */
const SPEAKING = ["#VALUE!", "#N/A"];

export class Calculator {
  /** @type {Map<string, Entry>} formulas, by sheet and cell */
  #entries = new Map();
  #scheduled = false;
  #writing = false;

  /**
   * @param {import("./store.js").Store} store
   * @param {import("./functions.js").Functions} functions
   */
  constructor(store, functions) {
    this.store = store;
    this.functions = functions;
    store.addEventListener("edited", (event) => this.#onEdit(/** @type {any} */ (event).detail));
  }

  /** Whether every formula has its value. */
  get settled() {
    return [...this.#entries.values()].every((entry) => entry.state === "done");
  }

  /** Wait until every formula has its value. */
  async whenSettled() {
    while (!this.settled) {
      await new Promise((resolve) =>
        this.store.addEventListener("calculated", resolve, { once: true }),
      );
    }
  }

  calculateAll() {
    for (const entry of this.#entries.values()) entry.state = "dirty";
    this.#schedule();
  }

  /** @param {{sheet: Sheet, block: Block}} edit */
  #onEdit({ sheet, block }) {
    if (!this.#writing) this.#follow(sheet, block);
    for (const entry of this.#entries.values()) {
      const reads = entry.reads.some((r) => r.sheet === sheet && intersect(r.block, block));
      const spills = entry.sheet === sheet && entry.spill && intersect(entry.spill, block);
      if (reads || (spills && !this.#writing)) entry.state = "dirty";
    }
    this.#schedule();
  }

  /**
   * Take up the formulas that were entered in a block, and drop those that went.
   *
   * @param {Sheet} sheet
   * @param {Block} block
   */
  #follow(sheet, block) {
    for (const [key, entry] of this.#entries) {
      if (entry.sheet !== sheet) continue;
      const one = { row: entry.row, column: entry.column, rows: 1, columns: 1 };
      if (!intersect(one, block)) continue;
      if (sheet.grid.get(entry.row, entry.column).formula === entry.formula) continue;
      entry.cancel?.();
      entry.run += 1; // an answer still on its way is too late
      this.#clearSpill(entry);
      this.#entries.delete(key);
    }
    for (const [row, column, cell] of sheet.grid.entries(block)) {
      const key = `${sheet.id}:${row}:${column}`;
      if (!cell.formula || this.#entries.has(key)) continue;
      this.#entries.set(key, this.#enter(sheet, row, column, cell.formula));
    }
  }

  /**
   * @param {Sheet} sheet
   * @param {number} row
   * @param {number} column
   * @param {string} formula
   * @returns {Entry}
   */
  #enter(sheet, row, column, formula) {
    const node = parseFormula(formula);
    const reads = (node ? references(node) : []).map((reference) => ({
      sheet: reference.sheet === null ? sheet : (this.store.find(reference.sheet) ?? sheet),
      block: reference.block,
    }));
    const entry = { sheet, row, column, formula, node, reads, spill: null, run: 0, cancel: null };
    return { ...entry, state: "dirty" };
  }

  #schedule() {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setTimeout(() => {
      this.#scheduled = false;
      this.#pass();
    }, 0);
  }

  /** Start every formula that waits for no other. */
  #pass() {
    const open = [...this.#entries.values()].filter((entry) => entry.state !== "done");
    for (const entry of open) {
      if (entry.state !== "dirty") continue;
      const waits = open.some((other) => other !== entry && feeds(other, entry));
      if (!waits) this.#start(entry);
    }
    if (this.settled) this.store.dispatchEvent(new Event("calculated"));
  }

  /** @param {Entry} entry */
  async #start(entry) {
    entry.state = "running";
    entry.run += 1;
    const { run } = entry;
    entry.cancel?.();
    entry.cancel = null;
    let shown;
    try {
      if (!entry.node) throw cellError("#NAME?");
      shown = { result: await this.#evaluate(entry.node, entry), error: "" };
    } catch (error) {
      shown = errorOf(error);
    }
    if (run !== entry.run) return; // changed or started again meanwhile
    this.#show(entry, shown);
    if (entry.state === "running") entry.state = "done";
    this.#schedule();
  }

  /**
   * @param {Node} node
   * @param {Entry} entry
   * @returns {Promise<any[][]>}
   */
  async #evaluate(node, entry) {
    if (node.kind === "constant") return [[node.value]];
    if (node.kind === "nothing") return [[""]];
    if (node.kind === "range") return this.#cells(node, entry.sheet);
    const args = await Promise.all(
      node.args.map((arg) => (arg.kind === "nothing" ? null : this.#evaluate(arg, entry))),
    );
    const addresses = node.args.map((arg) =>
      arg.kind === "range" ? this.#absolute(arg, entry) : null,
    );
    return this.functions.invoke(node.name, args, {
      address: this.store.address(entry.sheet, {
        row: entry.row,
        column: entry.column,
        rows: 1,
        columns: 1,
      }),
      parameterAddresses: addresses,
      onStream: (result) =>
        this.#show(entry, result instanceof Error ? errorOf(result) : { result, error: "" }),
      onCancelable: (cancel) => (entry.cancel = cancel),
    });
  }

  /**
   * @param {import("./formulas.js").Reference} reference
   * @param {Sheet} home
   */
  #cells(reference, home) {
    const sheet = reference.sheet === null ? home : this.store.find(reference.sheet);
    if (!sheet) throw cellError("#REF!");
    const block = reference.spilled ? this.#spilledFrom(sheet, reference.block) : reference.block;
    const used = sheet.grid.used();
    const end = used ? used.row + used.rows : 0;
    // A whole column is read as far as there is anything in the sheet.
    const rows = Math.min(block.rows, Math.max(1, end - block.row));
    return Array.from({ length: rows }, (_, i) =>
      Array.from({ length: block.columns }, (__, j) =>
        toArgument(sheet.grid.get(block.row + i, block.column + j).value),
      ),
    );
  }

  /**
   * @param {Sheet} sheet
   * @param {Block} anchor
   * @returns {Block} what the formula there spills
   */
  #spilledFrom(sheet, { row, column }) {
    const spill = this.#entries.get(`${sheet.id}:${row}:${column}`)?.spill;
    if (!spill) throw cellError("#REF!");
    return spill;
  }

  /**
   * @param {import("./formulas.js").Reference} reference
   * @param {Entry} entry
   */
  #absolute({ sheet: name, block, spilled }, entry) {
    const sheet = (name && this.store.find(name)) || entry.sheet;
    return this.store.address(sheet, spilled ? this.#spilledFrom(sheet, block) : block);
  }

  /**
   * Put a result into its cell and those it spills over.
   *
   * @param {Entry} entry
   * @param {{result: any[][], error: string}} shown
   */
  #show(entry, { result, error }) {
    this.#writing = true;
    this.#clearSpill(entry);
    const { sheet, row, column } = entry;
    const block = { row, column, rows: result.length, columns: result[0].length };
    const blocked = [...sheet.grid.entries(block)].some(
      ([i, j, cell]) =>
        (i !== row || j !== column) && (cell.value !== "" || cell.formula || cell.spilledFrom),
    );
    const values = blocked ? [["#SPILL!"]] : result;
    const written = blocked ? { ...block, rows: 1, columns: 1 } : block;
    const anchor = this.store.address(sheet, { row, column, rows: 1, columns: 1 });
    this.store.write(sheet, written, (i, j, cell) => {
      const { value, format } = fromResult(values[i][j]);
      const numberFormat = cell.format.numberFormat ?? format;
      const formatted = numberFormat ? { ...cell.format, numberFormat } : cell.format;
      const first = i === 0 && j === 0;
      return { value, format: formatted, ...(first ? { error } : { spilledFrom: anchor }) };
    });
    entry.spill = written;
    this.#writing = false;
  }

  /** @param {Entry} entry */
  #clearSpill(entry) {
    const { sheet, row, column, spill } = entry;
    if (!spill) return;
    entry.spill = null;
    for (const [i, j, cell] of sheet.grid.entries(spill)) {
      if ((i !== row || j !== column) && cell.spilledFrom) {
        sheet.grid.set(i, j, { value: "", spilledFrom: "" });
      }
    }
  }
}

/**
 * Whether one formula's cells are among those another reads.
 *
 * @param {Entry} source
 * @param {Entry} reader
 */
function feeds(source, reader) {
  const own = { row: source.row, column: source.column, rows: 1, columns: 1 };
  return reader.reads.some(
    ({ sheet, block }) =>
      sheet === source.sheet &&
      (intersect(block, own) || (source.spill && intersect(block, source.spill))),
  );
}

/** @param {string} code */
export function cellError(code) {
  return Object.assign(new Error(code), { code });
}

/**
 * @param {any} error
 * @returns {{result: any[][], error: string}}
 */
export function errorOf(error) {
  const code =
    typeof error?.code === "string" && error.code.startsWith("#") ? error.code : "#VALUE!";
  const message = error?.code && error.message !== error.code ? error.message : "";
  return { result: [[code]], error: SPEAKING.includes(code) ? message : "" };
}
