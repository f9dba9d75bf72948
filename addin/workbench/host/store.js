// The workbook behind the host: what is in it and who is told when it changes.
//
// A store has sheets, and a sheet has a grid of cells; tables, charts and names are plain records
// beside it. Another grid (that of a browser spreadsheet) takes the place of MemoryGrid by offering
// the same methods.

import { checkBlock, formatBlock, intersect, quoteSheet, union } from "./addresses.js";
import { hostError } from "./errors.js";

/**
 * @typedef {import("./addresses.js").Block} Block
 * @typedef {import("./values.js").Scalar} Scalar
 * @typedef {{value: Scalar, formula: string, error: string, format: Record<string, any>, spilledFrom: string,
 *   text?: string}} Cell text: as shown, where a grid knows number formats
 */

/** @returns {Cell} */
const emptyCell = () => ({ value: "", formula: "", error: "", format: {}, spilledFrom: "" });
const NOTHING = Object.freeze(emptyCell());

/** Cells of one sheet in memory; empty ones are not kept. */
export class MemoryGrid {
  /** @type {Map<number, Map<number, Cell>>} rows, then columns */
  #rows = new Map();

  /**
   * @param {number} row
   * @param {number} column
   * @returns {Readonly<Cell>}
   */
  get(row, column) {
    return this.#rows.get(row)?.get(column) ?? NOTHING;
  }

  /**
   * @param {number} row
   * @param {number} column
   * @param {Partial<Cell>} change
   */
  set(row, column, change) {
    let line = this.#rows.get(row);
    if (!line) this.#rows.set(row, (line = new Map()));
    line.set(column, { ...(line.get(column) ?? emptyCell()), ...change });
  }

  /**
   * Cells that are kept, within a block.
   *
   * @param {Block} [block]
   * @returns {Generator<[number, number, Cell]>}
   */
  *entries(block) {
    for (const [row, line] of [...this.#rows].sort(([a], [b]) => a - b)) {
      if (block && (row < block.row || row >= block.row + block.rows)) continue;
      for (const [column, cell] of [...line].sort(([a], [b]) => a - b)) {
        if (block && (column < block.column || column >= block.column + block.columns)) continue;
        yield [row, column, cell];
      }
    }
  }

  /** Called after a write; a grid that shows itself elsewhere brings there what was set. */
  flush() {}

  /** @returns {Block | null} the smallest block around everything with a value */
  used() {
    /** @type {Block | null} */
    let block = null;
    for (const [row, column, cell] of this.entries()) {
      if (cell.value === "" && !cell.formula) continue;
      const one = { row, column, rows: 1, columns: 1 };
      block = block ? union(block, one) : one;
    }
    return block;
  }
}

/**
 * @typedef {object} Sheet
 * @property {string} id
 * @property {string} name
 * @property {string} visibility
 * @property {boolean} showGridlines
 * @property {string} tabColor
 * @property {boolean} protected
 * @property {string} printArea
 * @property {Block | null} frozen
 * @property {Map<number, number>} columnWidths in points
 * @property {Map<number, number>} rowHeights in points
 * @property {Set<number>} hiddenRows
 * @property {Set<number>} hiddenColumns
 * @property {Block[]} merged
 * @property {any[]} tables
 * @property {any[]} charts
 * @property {any[]} names
 * @property {any[]} notes
 * @property {any[]} shapes
 * @property {any[]} pivots
 * @property {MemoryGrid} grid
 */

export class Store extends EventTarget {
  name = "Book1.xlsx";
  calculation = "Automatic";
  /** @type {Sheet[]} */
  sheets = [];
  /** @type {any[]} names of the workbook */
  names = [];
  #made = 0;

  /** @param {{makeGrid?: (id: string) => MemoryGrid}} [options] a grid for the sheet of that id */
  constructor({ makeGrid = () => new MemoryGrid() } = {}) {
    super();
    this.makeGrid = makeGrid;
    this.active = this.addSheet("Sheet1");
    /** @type {{sheet: Sheet, block: Block}} */
    this.selection = { sheet: this.active, block: { row: 0, column: 0, rows: 1, columns: 1 } };
  }

  /**
   * @param {string} [name]
   * @returns {Sheet}
   */
  addSheet(name) {
    this.#made += 1;
    let given = name ?? `Sheet${this.#made}`;
    if (name === undefined) {
      for (let n = this.#made; this.find(given); n += 1) given = `Sheet${n + 1}`;
    }
    this.checkSheetName(given);
    const sheet = this.makeSheet(`{${String(this.#made).padStart(8, "0")}}`, given);
    this.sheets.push(sheet);
    return sheet;
  }

  /**
   * A sheet's record, which is in no workbook yet.
   *
   * @param {string} id
   * @param {string} name
   * @returns {Sheet}
   */
  makeSheet(id, name) {
    return {
      id,
      name,
      visibility: "Visible",
      showGridlines: true,
      tabColor: "",
      protected: false,
      printArea: "",
      frozen: null,
      columnWidths: new Map(),
      rowHeights: new Map(),
      hiddenRows: new Set(),
      hiddenColumns: new Set(),
      merged: [],
      tables: [],
      charts: [],
      names: [],
      notes: [],
      shapes: [],
      pivots: [],
      grid: this.makeGrid(id),
    };
  }

  /**
   * @param {string} name
   * @param {Sheet} [except]
   */
  checkSheetName(name, except) {
    const legal = /^[^\\/?*[\]:']([^\\/?*[\]:]{0,29}[^\\/?*[\]:'])?$/.test(name);
    if (!legal) throw hostError("InvalidArgument", `'${name}' is no name for a sheet.`);
    const other = this.find(name);
    if (other && other !== except) {
      throw hostError("ItemAlreadyExists", `There is a sheet '${name}' already.`);
    }
  }

  /**
   * @param {string} name
   * @returns {Sheet | undefined} names of sheets know no capitals
   */
  find(name) {
    return this.sheets.find((sheet) => sheet.name.toLowerCase() === name.toLowerCase());
  }

  /** @param {Sheet} sheet */
  removeSheet(sheet) {
    const visible = this.sheets.filter((s) => s.visibility === "Visible" && s !== sheet);
    if (visible.length === 0) {
      throw hostError("InvalidOperation", "A workbook keeps at least one visible sheet.");
    }
    this.sheets.splice(this.sheets.indexOf(sheet), 1);
    if (this.active === sheet) this.active = visible[0];
    if (this.selection.sheet === sheet)
      this.select(this.active, checkBlock({ row: 0, column: 0, rows: 1, columns: 1 }));
  }

  /** @param {Sheet} sheet */
  activate(sheet) {
    if (sheet.visibility !== "Visible") {
      throw hostError("InvalidOperation", `The sheet '${sheet.name}' is hidden.`);
    }
    this.active = sheet;
  }

  /**
   * Do what is one step of undo; a store with an undo of its own sees to that.
   *
   * @template T
   * @param {() => Promise<T>} work
   * @returns {Promise<T>}
   */
  asOneStep(work) {
    return work();
  }

  /**
   * @param {Sheet} sheet
   * @param {Block} block
   */
  select(sheet, block) {
    this.active = sheet;
    this.selection = { sheet, block };
    this.#tell("selected", sheet, block);
  }

  /**
   * Write cells and tell those who calculate.
   *
   * @param {Sheet} sheet
   * @param {Block} block
   * @param {(row: number, column: number, cell: Readonly<Cell>) => Partial<Cell> | null} change
   *   counted from the block's corner; null leaves a cell as it is
   */
  write(sheet, block, change) {
    if (sheet.protected) throw hostError("AccessDenied", `The sheet '${sheet.name}' is protected.`);
    for (let i = 0; i < block.rows; i += 1) {
      for (let j = 0; j < block.columns; j += 1) {
        const [row, column] = [block.row + i, block.column + j];
        const changed = change(i, j, sheet.grid.get(row, column));
        if (changed) sheet.grid.set(row, column, changed);
      }
    }
    sheet.grid.flush();
    this.#tell("edited", sheet, block);
  }

  /**
   * Change the cells that are kept within a block, however large it is.
   *
   * @param {Sheet} sheet
   * @param {Block} block
   * @param {(cell: Cell) => Partial<Cell>} change
   */
  touch(sheet, block, change) {
    if (sheet.protected) throw hostError("AccessDenied", `The sheet '${sheet.name}' is protected.`);
    for (const [row, column, cell] of sheet.grid.entries(block)) {
      sheet.grid.set(row, column, change(cell));
    }
    sheet.grid.flush();
    this.#tell("edited", sheet, block);
  }

  /** @returns {{sheet: Sheet, table: any}[]} */
  tables() {
    return this.sheets.flatMap((sheet) => sheet.tables.map((table) => ({ sheet, table })));
  }

  /**
   * @param {Sheet} sheet
   * @param {Block} block
   * @param {boolean} hasHeaders
   */
  addTable(sheet, block, hasHeaders) {
    if (sheet.tables.some((table) => intersect(table.block, block))) {
      throw hostError("InvalidArgument", "A table cannot overlap another one.");
    }
    const taken = this.tables().length;
    let n = taken + 1;
    while (this.tables().some(({ table }) => table.name === `Table${n}`)) n += 1;
    const rows = Math.max(block.rows, 2); // a table has at least one row below its headers
    const table = {
      id: String(n),
      name: `Table${n}`,
      block: { ...block, rows },
      style: "TableStyleMedium2",
      showHeaders: hasHeaders,
      showTotals: false,
      showFilterButton: true,
      highlightFirstColumn: false,
      highlightLastColumn: false,
      showBandedRows: true,
      showBandedColumns: false,
    };
    if (hasHeaders) {
      this.write(sheet, { ...block, rows: 1 }, (_, column, cell) => ({
        value: cell.value === "" ? `Column${column + 1}` : String(cell.value),
      }));
    }
    sheet.tables.push(table);
    return table;
  }

  /**
   * @param {any} table
   * @param {string} name
   */
  nameTable(table, name) {
    if (!/^[A-Za-z_\\][\w.\\]{0,254}$/.test(name) || /^[A-Za-z]{1,3}\d+$/.test(name)) {
      throw hostError("InvalidArgument", `'${name}' is no name for a table.`);
    }
    const same = this.tables().find((t) => t.table.name.toLowerCase() === name.toLowerCase());
    if (same && same.table !== table) {
      throw hostError("InvalidArgument", `There is a table '${name}' already.`);
    }
    table.name = name;
  }

  /**
   * @param {Sheet} sheet
   * @param {Block} block
   */
  address(sheet, block) {
    return `${quoteSheet(sheet.name)}!${formatBlock(block)}`;
  }

  /**
   * @param {string} type
   * @param {Sheet} sheet
   * @param {Block} block
   */
  #tell(type, sheet, block) {
    this.dispatchEvent(new CustomEvent(type, { detail: { sheet, block } }));
  }
}
