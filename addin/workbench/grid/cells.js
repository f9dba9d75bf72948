// A sheet of Univer as the host's store wants its grid: cells with values, formulas and formats.

import { FormulaDataModel } from "@univerjs/preset-sheets-core";

import { MemoryGrid } from "../host/store.js";
import { union } from "../host/addresses.js";
import { fromStyle, toStyle } from "./styles.js";

/** @typedef {import("../host/addresses.js").Block} Block */

const TEXT = 1;
const NUMBER = 2;
const TRUTH = 3;

/**
 * A value as Univer keeps it.
 *
 * @param {any} value
 */
export function toRaw(value) {
  if (value === "" || value === null) return { v: null, t: null };
  if (typeof value === "boolean") return { v: value ? 1 : 0, t: TRUTH };
  return typeof value === "number" ? { v: value, t: NUMBER } : { v: value, t: TEXT };
}

/** @param {any} raw */
function fromRaw(raw) {
  const value = raw?.v ?? "";
  return raw?.t === TRUTH ? Boolean(value) : value;
}

export class UniverGrid extends MemoryGrid {
  /** @type {Record<number, Record<number, any>>} what was set and not yet shown */
  #waiting = {};

  /**
   * @param {any} store
   * @param {string} id of the sheet
   */
  constructor(store, id) {
    super();
    this.store = store;
    this.id = id;
  }

  get #sheet() {
    return this.store.book.getSheetBySheetId(this.id).getSheet();
  }

  get #formulas() {
    return this.store.injector.get(FormulaDataModel);
  }

  /** Results that spilled, which Univer keeps beside the cells. */
  get #spilled() {
    return this.#formulas.getArrayFormulaCellData()?.[this.store.unitId]?.[this.id] ?? {};
  }

  /** Blocks of the formulas that spill, by row and column of the formula. */
  get #spills() {
    return this.#formulas.getArrayFormulaRange()?.[this.store.unitId]?.[this.id] ?? {};
  }

  /**
   * The block over which a cell's formula spills.
   *
   * @param {number} row
   * @param {number} column
   * @returns {Block | null}
   */
  spill(row, column) {
    const range = this.#spills[row]?.[column];
    if (!range) return null;
    const { startRow, endRow, startColumn, endColumn } = range;
    return {
      row: startRow,
      column: startColumn,
      rows: endRow - startRow + 1,
      columns: endColumn - startColumn + 1,
    };
  }

  /**
   * @param {number} row
   * @param {number} column
   * @returns {any}
   */
  get(row, column) {
    return this.#read(row, column, this.#sheet.getCellRaw(row, column), this.#spilled);
  }

  /**
   * @param {number} row
   * @param {number} column
   * @param {any} raw
   * @param {any} spilled
   */
  #read(row, column, raw, spilled) {
    const formula = this.#formulaOf(row, column, raw);
    const over = formula ? null : spilled[row]?.[column];
    const holds = raw?.v !== undefined && raw?.v !== null && raw?.v !== "";
    const shown = over && !holds ? over : raw;
    const sheet = this.#sheet;
    return {
      value: fromRaw(shown),
      formula,
      error: this.store.messageAt(this.id, row, column),
      format: fromStyle(this.store.styles.getStyleByCell(raw), shown),
      spilledFrom: over && !holds ? this.#spillOrigin(row, column) : "",
      get text() {
        return String(sheet.getCell(row, column)?.v ?? "");
      },
    };
  }

  /**
   * @param {number} row
   * @param {number} column
   * @param {any} raw
   */
  #formulaOf(row, column, raw) {
    if (raw?.f) return raw.f;
    if (!raw?.si) return "";
    return this.#formulas.getFormulaStringByCell(row, column, this.id, this.store.unitId) ?? "";
  }

  /**
   * @param {number} row
   * @param {number} column
   */
  #spillOrigin(row, column) {
    for (const [r, line] of Object.entries(this.#spills)) {
      for (const c of Object.keys(line ?? {})) {
        const block = this.spill(Number(r), Number(c));
        if (!block || row < block.row || row >= block.row + block.rows) continue;
        if (column < block.column || column >= block.column + block.columns) continue;
        return this.store.addressOf({ sheetId: this.id, row: Number(r), column: Number(c) });
      }
    }
    return "";
  }

  /**
   * @param {number} row
   * @param {number} column
   * @param {any} change
   */
  set(row, column, change) {
    const line = (this.#waiting[row] ??= {});
    const cell = (line[column] ??= {});
    if ("value" in change || "formula" in change) {
      const empty = { v: null, t: null, f: null, si: null, p: null };
      Object.assign(cell, empty, toRaw(change.value ?? ""));
      if (change.formula) Object.assign(cell, { v: null, t: null, f: change.formula });
    }
    if (change.format) cell.s = toStyle(change.format);
  }

  flush() {
    const value = this.#waiting;
    this.#waiting = {};
    if (Object.keys(value).length > 0) this.store.setCells(this.id, value);
  }

  /**
   * @param {Block} [block]
   * @returns {Generator<[number, number, any]>}
   */
  *entries(block) {
    const cells = this.#sheet.getCellMatrix().getMatrix();
    const spilled = this.#spilled;
    const inside = (
      /** @type {number} */ at,
      /** @type {number} */ from,
      /** @type {number} */ n,
    ) => at >= from && at < from + n;
    for (const row of keys(cells, spilled)) {
      if (block && !inside(row, block.row, block.rows)) continue;
      for (const column of keys(cells[row], spilled[row])) {
        if (block && !inside(column, block.column, block.columns)) continue;
        yield [row, column, this.#read(row, column, cells[row]?.[column], spilled)];
      }
    }
  }

  /** @returns {Block | null} */
  used() {
    const cells = this.#sheet.getCellMatrix().getMatrix();
    const spilled = this.#spilled;
    /** @type {Block | null} */
    let block = null;
    for (const row of keys(cells, spilled)) {
      for (const column of keys(cells[row], spilled[row])) {
        const raw = cells[row]?.[column];
        const value = raw?.v ?? spilled[row]?.[column]?.v ?? "";
        if (value === "" && !raw?.f && !raw?.si) continue;
        const one = { row, column, rows: 1, columns: 1 };
        block = block ? union(block, one) : one;
      }
    }
    return block;
  }
}

/**
 * @param {any} a
 * @param {any} b
 * @returns {number[]} numeric keys of both, in order
 */
function keys(a, b) {
  const all = new Set([...Object.keys(a ?? {}), ...Object.keys(b ?? {})].map(Number));
  return [...all].sort((x, y) => x - y);
}
