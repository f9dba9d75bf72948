// Univer fits the heights of rows when the page is idle: also those of a sheet that is gone by then, on
// which it fails. So what waits is taken back before a sheet or a workbook goes.

import {
  CancelMarkDirtyRowAutoHeightOperation,
  MarkDirtyRowAutoHeightOperation,
  RemoveSheetMutation,
} from "@univerjs/preset-sheets-core";

const KEPT = 1000; // it fits them within ten seconds, so the oldest are done

export class RowHeights {
  /** @type {{unitId: string, subUnitId: string, id: string}[]} */
  #waiting = [];

  /** @param {any} commands Univer's */
  constructor(commands) {
    this.commands = commands;
    commands.onCommandExecuted((/** @type {any} */ { id, params }) => {
      if (id !== MarkDirtyRowAutoHeightOperation.id) return;
      const { unitId, subUnitId, id: task } = params;
      this.#waiting = [...this.#waiting.slice(1 - KEPT), { unitId, subUnitId, id: task }];
    });
    commands.beforeCommandExecuted((/** @type {any} */ { id, params }) => {
      if (id === RemoveSheetMutation.id) this.takeBack(params.unitId, params.subUnitId);
    });
  }

  /**
   * Let no row of a workbook, or of one sheet of it, be fitted any more.
   *
   * @param {string} unitId
   * @param {string} [subUnitId]
   */
  takeBack(unitId, subUnitId) {
    const gone = (/** @type {{unitId: string, subUnitId: string}} */ one) =>
      one.unitId === unitId && (subUnitId === undefined || one.subUnitId === subUnitId);
    const tasks = this.#waiting.filter(gone);
    this.#waiting = this.#waiting.filter((one) => !gone(one));
    for (const task of tasks) {
      this.commands.syncExecuteCommand(CancelMarkDirtyRowAutoHeightOperation.id, task);
    }
  }
}
