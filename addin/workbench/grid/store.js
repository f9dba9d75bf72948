// The host's store over Univer: sheets, tables and charts follow the workbook on the screen, and what
// scripts do to them shows there.

import {
  ILayoutService,
  SetRangeValuesCommand,
  SetRangeValuesMutation,
  SetSelectionsOperation,
} from "@univerjs/preset-sheets-core";
import { ICommandService } from "@univerjs/core";

import { Store } from "../host/store.js";
import { blockOf, extent } from "./blocks.js";
import { UniverGrid } from "./cells.js";
import { showSheet, snapshot } from "./looks.js";
import { RowHeights } from "./row_heights.js";
import { Steps } from "./steps.js";
import { Tables } from "./tables.js";

/**
 * @typedef {import("../host/addresses.js").Block} Block
 * @typedef {import("../host/store.js").Sheet} Sheet
 */

const ROWS = 1000;
const COLUMNS = 40;
const SPARE = 20;

/** Mutations after which the list of sheets may be another one. */
const OF_SHEETS = new Set([
  "sheet.mutation.insert-sheet",
  "sheet.mutation.remove-sheet",
  "sheet.mutation.set-worksheet-name",
  "sheet.mutation.set-worksheet-order",
  "sheet.mutation.set-worksheet-hidden",
  "sheet.operation.set-worksheet-active",
]);

/** Mutations after which cells are elsewhere, or gone. */
const MOVING = /^sheet\.mutation\.((insert|remove)-(row|col|sheet)|move-(range|rows|cols))/;

export class UniverStore extends Store {
  /** @type {any} Univer's workbook */
  book = null;
  /** @type {(sheetId: string, row: number, column: number) => string} */
  messageAt = () => "";
  #own = 0;
  #opened = 0;
  /** @type {WeakMap<Sheet, any>} what Univer shows of a sheet's record */
  #shown = new WeakMap();

  /**
   * @param {any} api Univer's
   * @param {any} injector
   */
  constructor(api, injector) {
    super();
    this.api = api;
    this.injector = injector;
    this.book = api.getActiveWorkbook();
    this.commands = injector.get(ICommandService);
    this.makeGrid = (/** @type {string} */ id) => new UniverGrid(this, id);
    this.tablesShown = new Tables(this);
    this.rowHeights = new RowHeights(this.commands);
    this.steps = new Steps(this);
    this.sheets.length = 0;
    this.#readSheets();
    this.selection = { sheet: this.active, block: { row: 0, column: 0, rows: 1, columns: 1 } };
    this.commands.onCommandExecuted((/** @type {any} */ command, /** @type {any} */ options) =>
      this.#onCommand(command, options),
    );
    this.addEventListener("synced", () => this.show());
  }

  get unitId() {
    return this.book.getId();
  }

  get styles() {
    return this.book.getWorkbook().getStyles();
  }

  /** @param {{sheetId: string, row: number, column: number}} place */
  addressOf({ sheetId, row, column }) {
    const sheet = this.sheets.find(({ id }) => id === sheetId) ?? this.active;
    return this.address(sheet, { row, column, rows: 1, columns: 1 });
  }

  /**
   * Put another workbook in place of this one.
   *
   * @param {any} data as Univer has it
   * @param {(store: UniverStore) => void} fill adds tables and charts to the sheets
   */
  open(data, fill) {
    const before = this.book?.getId();
    this.#opened += 1;
    this.sheets = [];
    this.names = [];
    this.name = data.name;
    this.book = this.api.createWorkbook({ ...data, id: `book${this.#opened}` });
    if (before) {
      this.rowHeights.takeBack(before);
      this.api.disposeUnit(before);
    }
    this.#readSheets();
    this.selection = { sheet: this.active, block: { row: 0, column: 0, rows: 1, columns: 1 } };
    fill(this);
    for (const sheet of this.sheets) this.#shown.set(sheet, snapshot(sheet));
    this.tablesShown.show();
    this.dispatchEvent(new Event("opened"));
  }

  /**
   * What is done inside is one step for undo.
   *
   * @template T
   * @param {() => Promise<T>} work
   * @returns {Promise<T>}
   */
  asOneStep(work) {
    return this.steps.together(work);
  }

  /**
   * Put tables and charts as they were: a step was undone, or done again.
   *
   * @param {import("./steps.js").Kept[]} records
   */
  restore(records) {
    const kept = new Map(records.map((record) => [record.sheet.id, record]));
    this.sheets = this.sheets.map((now) => {
      const record = kept.get(now.id);
      if (!record) return now;
      const { sheet } = record;
      sheet.tables = record.tables.map(([table, was]) => Object.assign(table, was));
      sheet.charts = [...record.charts];
      return Object.assign(sheet, { name: now.name, visibility: now.visibility });
    });
    this.active = this.sheets.find(({ id }) => id === this.active.id) ?? this.sheets[0];
    this.tablesShown.show();
    this.dispatchEvent(new Event("charts"));
  }

  /**
   * Let a sheet grow where what is shown would go over its edge: Excel's has a million rows.
   *
   * @param {{sheetId: string, row: number, column: number}} place
   * @param {number} rows
   * @param {number} columns
   */
  makeRoom({ sheetId, row, column }, rows, columns) {
    const sheet = this.book.getSheetBySheetId(sheetId);
    if (!sheet) return;
    const [lastRow, lastColumn] = [row + rows, column + columns];
    this.#byUs(() => {
      if (lastRow > sheet.getMaxRows()) sheet.setRowCount(lastRow + SPARE);
      if (lastColumn > sheet.getMaxColumns()) sheet.setColumnCount(lastColumn + SPARE);
    });
  }

  /** Let the keyboard go to the cells. */
  focus() {
    this.injector.get(ILayoutService).focus();
  }

  // --- from the host to the screen ---------------------------------------------------------------

  /** @param {() => void} work whose events are none of the user's */
  #byUs(work) {
    this.#own += 1;
    try {
      work();
    } finally {
      this.#own -= 1;
    }
  }

  /** @param {string} [name] */
  addSheet(name) {
    const sheet = super.addSheet(name);
    if (this.book) {
      this.#byUs(() =>
        this.book.insertSheet(sheet.name, {
          index: this.sheets.length - 1,
          sheet: { id: sheet.id, rowCount: ROWS, columnCount: COLUMNS },
        }),
      );
      this.#shown.set(sheet, snapshot(sheet));
    }
    return sheet;
  }

  /** @param {Sheet} sheet */
  removeSheet(sheet) {
    super.removeSheet(sheet);
    this.#byUs(() => this.book.deleteSheet(sheet.id));
  }

  /**
   * @param {Sheet} sheet
   * @param {Block} block
   */
  select(sheet, block) {
    this.#byUs(() => {
      this.book.setActiveSheet(sheet.id);
      const { row, column, rows, columns } = block;
      this.#sheetOf(sheet).getRange(row, column, rows, columns).activate();
    });
    super.select(sheet, block);
  }

  /**
   * @param {string} sheetId
   * @param {Record<number, Record<number, any>>} value
   */
  setCells(sheetId, value) {
    const range = extent(value);
    this.makeRoom({ sheetId, row: 0, column: 0 }, range.endRow + 1, range.endColumn + 1);
    this.#byUs(() =>
      this.commands.syncExecuteCommand(SetRangeValuesCommand.id, {
        unitId: this.unitId,
        subUnitId: sheetId,
        range,
        value,
      }),
    );
  }

  /**
   * Change how cells look, without a step of undo of its own.
   *
   * @param {string} sheetId
   * @param {Record<number, Record<number, any>>} cellValue
   */
  paintCells(sheetId, cellValue) {
    this.#byUs(() =>
      this.commands.syncExecuteCommand(
        SetRangeValuesMutation.id,
        { unitId: this.unitId, subUnitId: sheetId, cellValue },
        { onlyLocal: true },
      ),
    );
  }

  /** @param {Sheet} sheet */
  #sheetOf(sheet) {
    return this.book.getSheetBySheetId(sheet.id);
  }

  /** Show what was changed on the records of the sheets. */
  show() {
    this.#byUs(() => {
      this.sheets.forEach((sheet, index) =>
        this.#shown.set(sheet, showSheet(this.book, sheet, index, this.#shown.get(sheet))),
      );
      if (this.book.getActiveSheet().getSheetId() !== this.active.id)
        this.book.setActiveSheet(this.active.id);
    });
    this.tablesShown.show();
    this.dispatchEvent(new Event("shown"));
  }

  // --- from the screen to the host ---------------------------------------------------------------

  #readSheets() {
    const known = new Map(this.sheets.map((sheet) => [sheet.id, sheet]));
    this.sheets = this.book.getSheets().map((/** @type {any} */ at) => {
      const id = at.getSheetId();
      const sheet = known.get(id) ?? this.makeSheet(id, at.getSheetName());
      sheet.name = at.getSheetName();
      sheet.visibility = at.isSheetHidden() ? "Hidden" : "Visible";
      if (!known.has(id)) this.#shown.set(sheet, snapshot(sheet));
      return sheet;
    });
    const active = this.book.getActiveSheet().getSheetId();
    this.active = this.sheets.find(({ id }) => id === active) ?? this.sheets[0];
  }

  /**
   * @param {{id: string, params: any}} command
   * @param {any} options
   */
  #onCommand({ id, params }, options) {
    if (!this.book || this.#own > 0 || options?.fromFormula) return;
    if (params?.unitId && params.unitId !== this.unitId) return;
    if (id === SetSelectionsOperation.id) this.#onSelection();
    if (OF_SHEETS.has(id)) {
      const active = this.active;
      this.#readSheets();
      if (active !== this.active) this.#onSelection();
      this.dispatchEvent(new Event(active === this.active ? "sheets" : "activated"));
    }
    if (MOVING.test(id)) this.dispatchEvent(new Event("moved"));
    const sheet = this.sheets.find((one) => one.id === params?.subUnitId);
    if (!sheet) return;
    this.tablesShown.follow(sheet, id, params);
    if (id !== SetRangeValuesMutation.id || !params.cellValue) return;
    const block = blockOf(extent(params.cellValue));
    this.tablesShown.grow(sheet, block);
    this.dispatchEvent(new CustomEvent("edited", { detail: { sheet, block } }));
  }

  #onSelection() {
    const range = this.book?.getActiveRange()?.getRange();
    const sheet = this.sheets.find(({ id }) => id === this.book.getActiveSheet().getSheetId());
    const block = range ? blockOf(range) : { row: 0, column: 0, rows: 1, columns: 1 };
    if (sheet) super.select(sheet, block);
  }
}
