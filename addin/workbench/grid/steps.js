// Steps of undo: what a button writes is one, with the tables and charts it makes.
//
// Univer can gather what it is told into one step itself, but takes it back in the order in which it
// was done, so that a sheet is gone before its cells are cleared and the step cannot be redone; and
// it refuses a second gathering while one is open.

import {
  CommandType,
  ICommandService,
  IUndoRedoService,
  LocalUndoRedoService,
} from "@univerjs/core";

/**
 * @typedef {import("../host/store.js").Sheet} Sheet
 * @typedef {{sheet: Sheet, tables: [any, any][], charts: any[]}} Kept
 */

const RECORDS = "tilt.mutation.set-records";
const REMOVE = "sheet.mutation.remove-sheet";

/** Univer's undo, which can hold back what was done and take it as one step. */
export class HeldUndo extends LocalUndoRedoService {
  /** @type {{unitId: string, items: any[]} | null} what was done to a workbook since */
  held = null;

  /** @param {any} item */
  pushUndoRedo(item) {
    if (item.unitID === this.held?.unitId) this.held?.items.push(item);
    else super.pushUndoRedo(item);
  }
}

export class Steps {
  #open = 0;
  /** @type {Kept[]} */
  #before = [];

  /** @param {import("./store.js").UniverStore} store */
  constructor(store) {
    this.store = store;
    this.undo = store.injector.get(IUndoRedoService);
    store.injector.get(ICommandService).registerCommand({
      id: RECORDS,
      type: CommandType.MUTATION,
      handler: (/** @type {any} */ _, /** @type {any} */ { records: kept }) => {
        store.restore(kept);
        return true;
      },
    });
  }

  get isOpen() {
    return this.#open > 0;
  }

  /**
   * What is done inside is one step; a step within another is part of it.
   *
   * @template T
   * @param {() => Promise<T>} work
   * @returns {Promise<T>}
   */
  async together(work) {
    if (!this.isOpen) {
      this.#before = records(this.store);
      this.undo.held = { unitId: this.store.unitId, items: [] };
    }
    this.#open += 1;
    try {
      return await work();
    } finally {
      this.#open -= 1;
      if (!this.isOpen) this.#close();
    }
  }

  #close() {
    const { unitId, items } = this.undo.held;
    this.undo.held = null;
    if (items.length === 0 || unitId !== this.store.unitId) return; // another one was opened
    const put = (/** @type {Kept[]} */ kept) => ({
      id: RECORDS,
      params: { unitId, records: kept },
    });
    this.undo.pushUndoRedo({
      unitID: unitId,
      undoMutations: [...takingBack(items), put(this.#before)],
      redoMutations: [
        ...items.flatMap((/** @type {any} */ { redoMutations }) => redoMutations),
        put(records(this.store)),
      ],
    });
  }
}

/**
 * What takes a step back. A sheet that it made goes as a whole, and last: Univer cannot change cells
 * of another sheet once the one on the screen is gone, and would stop there, in the midst of a step.
 *
 * @param {any[]} items
 * @returns {any[]}
 */
function takingBack(items) {
  const undo = items.toReversed().flatMap((/** @type {any} */ { undoMutations }) => undoMutations);
  const removals = undo.filter(({ id }) => id === REMOVE);
  const made = new Set(removals.map(({ params }) => params.subUnitId));
  return [...undo.filter(({ params }) => !made.has(params.subUnitId)), ...removals];
}

/**
 * @param {import("./store.js").UniverStore} store
 * @returns {Kept[]} the tables and charts of its sheets, as they are now
 */
function records({ sheets }) {
  return sheets.map((sheet) => ({
    sheet,
    tables: sheet.tables.map((table) => [table, { ...table }]),
    charts: [...sheet.charts],
  }));
}
