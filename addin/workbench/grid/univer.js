// The spreadsheet: Univer with the functions of the add-in among its own.

import { IUndoRedoService, LocaleType, Univer, mergeLocales } from "@univerjs/core";
import { FUniver } from "@univerjs/core/facade";
import {
  CellAlertManagerService,
  HoverManagerService,
  UniverSheetsCorePreset,
} from "@univerjs/preset-sheets-core";
import enUS from "@univerjs/preset-sheets-core/locales/en-US";
import "@univerjs/preset-sheets-core/lib/index.css";

import { HeldUndo } from "./steps.js";

/**
 * @param {object} options
 * @param {string} options.container id of the element it fills
 * @param {boolean} options.dark
 * @param {any[]} options.functions classes with the names they have in cells
 * @param {any[]} options.descriptions of these functions, shown while one types
 * @returns {{api: any, injector: any}}
 */
export function startUniver({ container, dark, functions, descriptions }) {
  const univer = new Univer({
    locale: LocaleType.EN_US,
    locales: { [LocaleType.EN_US]: mergeLocales(enUS) },
    darkMode: dark,
    override: [[IUndoRedoService, { useClass: HeldUndo }]],
  });
  const { plugins } = UniverSheetsCorePreset({
    container,
    ribbonType: "simple",
    disableAutoFocus: true,
    formula: { function: functions, description: descriptions },
  });
  for (const plugin of plugins) {
    if (Array.isArray(plugin)) univer.registerPlugin(plugin[0], plugin[1]);
    else univer.registerPlugin(plugin);
  }
  const api = FUniver.newAPI(univer);
  // The services of a spreadsheet are there once a workbook is.
  const sheet = { id: "sheet1", name: "Sheet1", rowCount: 200, columnCount: 30 };
  api.createWorkbook({
    id: "book",
    name: "Book1.xlsx",
    sheetOrder: ["sheet1"],
    sheets: { sheet1: sheet },
  });
  return { api, injector: univer.__getInjector() };
}

/**
 * Say on hover what the functions say, where Univer would explain the error code.
 *
 * @param {any} injector
 * @param {(sheetId: string, row: number, column: number) => string} messageAt
 * @param {(message: string) => void} show an empty one when there is nothing to say
 */
export function explainErrors(injector, messageAt, show) {
  const alerts = injector.get(CellAlertManagerService);
  const explain = alerts.showAlert.bind(alerts);
  alerts.showAlert = (/** @type {any} */ alert) => {
    const { subUnitId, row, col } = alert.location;
    if (!messageAt(subUnitId, row, col)) explain(alert);
  };
  injector.get(HoverManagerService).currentCell$.subscribe((/** @type {any} */ cell) => {
    const at = cell?.location;
    show(at ? messageAt(at.subUnitId, at.row, at.col) : "");
  });
}
