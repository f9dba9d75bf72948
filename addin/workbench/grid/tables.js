// Marked tables in Univer, which has none of its own in this edition: formulas may name them
// (TiltHoldings, TiltHoldings[weight]), they look like tables, and they grow as Excel's do.

import { RemoveSuperTableMutation, SetSuperTableMutation } from "@univerjs/preset-sheets-core";

/**
 * @typedef {import("../host/addresses.js").Block} Block
 * @typedef {import("../host/store.js").Sheet} Sheet
 */

const HEADER = { bl: 1, bg: { rgb: "#0f6b5c" }, cl: { rgb: "#ffffff" }, vt: 2 };
const LOCAL = { onlyLocal: true };

export class Tables {
  /** @type {Map<any, {name: string, signature: string, styled: string}>} */
  #shown = new Map();

  /** @param {any} store */
  constructor(store) {
    this.store = store;
  }

  /** Tell Univer of tables that are new, changed or gone. */
  show() {
    const { unitId, commands } = this.store;
    const all = this.store.tables();
    const kept = new Set(all.map((/** @type {any} */ { table }) => table));
    for (const [table, { name }] of this.#shown) {
      if (kept.has(table)) continue;
      this.#shown.delete(table);
      commands.syncExecuteCommand(RemoveSuperTableMutation.id, { unitId, tableName: name }, LOCAL);
    }
    for (const { sheet, table } of all) this.#showOne(sheet, table);
  }

  /**
   * @param {Sheet} sheet
   * @param {any} table
   */
  #showOne(sheet, table) {
    const { unitId, commands } = this.store;
    const { row, column, rows, columns } = table.block;
    const titles = Array.from({ length: columns }, (_, j) =>
      table.showHeaders ? String(sheet.grid.get(row, column + j).value) : `Column${j + 1}`,
    );
    const signature = JSON.stringify([unitId, sheet.id, table.name, table.block, titles]);
    const before = this.#shown.get(table);
    if (before?.signature === signature) return;
    if (before && before.name !== table.name) {
      const gone = { unitId, tableName: before.name };
      commands.syncExecuteCommand(RemoveSuperTableMutation.id, gone, LOCAL);
    }
    const range = {
      startRow: table.showHeaders ? row : row - 1,
      endRow: row + rows - 1,
      startColumn: column,
      endColumn: column + columns - 1,
    };
    const reference = {
      sheetId: sheet.id,
      range,
      titleMap: new Map(titles.map((title, index) => [title, index])),
    };
    const params = { unitId, tableName: table.name, reference };
    commands.syncExecuteCommand(SetSuperTableMutation.id, params, LOCAL);
    const styled = JSON.stringify([row, column, columns]);
    this.#shown.set(table, { name: table.name, signature, styled });
    if (table.showHeaders && before?.styled !== styled) this.#style(sheet, table.block);
  }

  /**
   * @param {Sheet} sheet
   * @param {Block} block
   */
  #style(sheet, { row, column, columns }) {
    const line = Object.fromEntries(
      Array.from({ length: columns }, (_, j) => [column + j, { s: HEADER }]),
    );
    // part of the step that makes the table; else it comes with a workbook, or back by undo
    if (this.store.steps.isOpen) this.store.setCells(sheet.id, { [row]: line });
    else this.store.paintCells(sheet.id, { [row]: line });
  }

  /**
   * A table grows when something is written right below it, as in Excel.
   *
   * @param {Sheet} sheet
   * @param {Block} edited
   */
  grow(sheet, edited) {
    for (const table of sheet.tables) {
      const { row, column, rows, columns } = table.block;
      const below = edited.row <= row + rows && edited.row + edited.rows > row + rows;
      const beside =
        edited.column < column + columns && edited.column + edited.columns > column && below;
      if (!beside || edited.row < row + rows) continue;
      const filled = [...sheet.grid.entries({ ...edited, column, columns })].filter(
        ([, , cell]) => cell.value !== "" || cell.formula,
      );
      const last = Math.max(-1, ...filled.map(([at]) => at));
      if (last < row + rows) continue;
      table.block = { ...table.block, rows: last - row + 1 };
    }
    this.show();
  }

  /**
   * Move and stretch tables as rows and columns come and go.
   *
   * @param {Sheet} sheet
   * @param {string} mutation
   * @param {any} params
   */
  follow(sheet, mutation, params) {
    const [, came, axis] =
      /^sheet\.mutation\.(insert|remove)-(row|col)s?$/.exec(mutation) ?? /** @type {any[]} */ ([]);
    if (!axis || !params.range) return;
    const [first, count] = axis === "row" ? ["row", "rows"] : ["column", "columns"];
    const [start, end] =
      axis === "row"
        ? [params.range.startRow, params.range.endRow]
        : [params.range.startColumn, params.range.endColumn];
    const change = came === "insert" ? inserted : removed;
    sheet.tables = sheet.tables.filter((table) => {
      const next = change(table.block[first], table.block[count], start, end - start + 1);
      if (next) table.block = { ...table.block, [first]: next[0], [count]: next[1] };
      return next;
    });
    this.show();
  }
}

/**
 * @param {number} first
 * @param {number} count
 * @param {number} at
 * @param {number} n
 * @returns {[number, number]}
 */
function inserted(first, count, at, n) {
  if (at <= first) return [first + n, count];
  return at < first + count ? [first, count + n] : [first, count];
}

/**
 * @param {number} first
 * @param {number} count
 * @param {number} at
 * @param {number} n
 * @returns {[number, number] | null} null when nothing is left
 */
function removed(first, count, at, n) {
  const left = Math.max(0, Math.min(first + count, at) - first);
  const right = Math.max(0, first + count - Math.max(first, at + n));
  if (left + right === 0) return null;
  const start = first - Math.max(0, Math.min(first, at + n) - Math.min(first, at));
  return [start, left + right];
}
