// Workbooks between the server's JSON and the spreadsheet.

import { toRaw } from "./grid/cells.js";
import { toStyle } from "./grid/styles.js";

/**
 * @typedef {import("./host/store.js").Sheet} Sheet
 * @typedef {import("./grid/store.js").UniverStore} UniverStore
 */

const PIXELS_PER_POINT = 96 / 72;
const ROWS = 200;
const COLUMNS = 30;

/**
 * @param {any} book as the server sends it
 * @returns {any} as Univer wants it
 */
function toUniver(book) {
  const ids = book.sheets.map((/** @type {any} */ _, /** @type {number} */ i) => `sheet${i + 1}`);
  return {
    name: book.name,
    sheetOrder: ids,
    sheets: Object.fromEntries(
      book.sheets.map((/** @type {any} */ sheet, /** @type {number} */ i) => [
        ids[i],
        sheetToUniver(ids[i], sheet),
      ]),
    ),
  };
}

/**
 * @param {string} id
 * @param {any} sheet
 */
function sheetToUniver(id, { name, cells = [], widths = {}, frozen = [0, 0], gridlines = true }) {
  /** @type {Record<number, Record<number, any>>} */
  const cellData = {};
  let [rows, columns] = [0, 0];
  for (const { row, column, value = null, formula, format } of cells) {
    const content = formula ? { f: formula, ...toRaw(value) } : toRaw(value);
    const cell = format ? { ...content, s: present(toStyle(format)) } : content;
    (cellData[row] ??= {})[column] = present(cell);
    rows = Math.max(rows, row + 1);
    columns = Math.max(columns, column + 1);
  }
  const [ySplit, xSplit] = frozen;
  return {
    id,
    name,
    cellData,
    rowCount: Math.max(ROWS, rows + 100),
    columnCount: Math.max(COLUMNS, columns + 10),
    columnData: Object.fromEntries(
      Object.entries(widths).map(([column, points]) => [
        column,
        { w: Math.round(Number(points) * PIXELS_PER_POINT) },
      ]),
    ),
    freeze: { xSplit, ySplit, startRow: ySplit || -1, startColumn: xSplit || -1 },
    showGridlines: gridlines ? 1 : 0,
  };
}

/** @param {Record<string, any>} record */
function present(record) {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== null));
}

/**
 * Show a workbook in place of the present one.
 *
 * @param {UniverStore} store
 * @param {any} book
 */
export function openBook(store, book) {
  store.open(toUniver(book), () => {
    book.sheets.forEach((/** @type {any} */ given, /** @type {number} */ i) => {
      const sheet = store.sheets[i];
      const { widths = {}, tables = [], charts = [], frozen = [0, 0], gridlines = true } = given;
      for (const [column, points] of Object.entries(widths)) {
        sheet.columnWidths.set(Number(column), Number(points));
      }
      sheet.showGridlines = gridlines;
      const [rows, columns] = frozen;
      if (rows || columns) sheet.frozen = { row: 0, column: 0, rows, columns };
      tables.forEach((/** @type {any} */ { name, ...block }, /** @type {number} */ n) =>
        sheet.tables.push({ ...TABLE, id: `${i}.${n}`, name, block }),
      );
      for (const chart of charts) sheet.charts.push(chartOf(store, sheet, chart));
    });
  });
}

const TABLE = {
  style: "TableStyleMedium2",
  showHeaders: true,
  showTotals: false,
  showFilterButton: true,
  highlightFirstColumn: false,
  highlightLastColumn: false,
  showBandedRows: true,
  showBandedColumns: false,
};

/** @type {Record<string, string>} */
const CHART_TYPES = { line: "Line", area: "Area", bar: "ColumnClustered" };

/**
 * @param {UniverStore} store
 * @param {Sheet} sheet
 * @param {any} given as the server sends it
 */
function chartOf(store, sheet, given) {
  const { title, kind, labels, series, numberFormat = "General", source, ...block } = given;
  const number = sheet.charts.length + 1;
  return {
    id: `chart${number}`,
    name: `Chart ${number}`,
    chartType: CHART_TYPES[kind],
    source: { sheet: (source && store.find(source)) || sheet, block },
    seriesBy: "Columns",
    title: { text: title, visible: true },
    legend: { position: "Bottom", visible: true },
    labels,
    series,
    numberFormat,
  };
}

/**
 * The block a chart draws: a source of one cell is what the formula there spills.
 *
 * @param {any} chart
 */
export function chartBlock({ source: { sheet, block } }) {
  const single = block.rows === 1 && block.columns === 1;
  return (single && sheet.grid.spill(block.row, block.column)) || block;
}

/**
 * The workbook as the server takes it for saving.
 *
 * @param {UniverStore} store
 */
export function toBook(store) {
  return { name: store.name, sheets: store.sheets.map(sheetToBook) };
}

/** @param {Sheet} sheet */
function sheetToBook(sheet) {
  const { frozen } = sheet;
  return {
    name: sheet.name,
    cells: [...sheet.grid.entries()].map(([row, column, cell]) =>
      cellToBook(sheet, row, column, cell),
    ),
    tables: sheet.tables.map(({ name, block }) => ({ name, ...block })),
    charts: sheet.charts.filter((chart) => chart.series).map((chart) => chartToBook(sheet, chart)),
    widths: Object.fromEntries(sheet.columnWidths),
    frozen: frozen ? [frozen.rows, frozen.columns] : [0, 0],
    gridlines: sheet.showGridlines,
  };
}

/**
 * @param {Sheet} sheet
 * @param {number} row
 * @param {number} column
 * @param {any} cell
 */
function cellToBook(sheet, row, column, { value, formula, format }) {
  const grid = /** @type {any} */ (sheet.grid);
  const spill = formula ? grid.spill(row, column) : null;
  const size = spill && spill.rows * spill.columns > 1 ? [spill.rows, spill.columns] : null;
  return {
    row,
    column,
    ...(value === "" ? {} : { value: value === "#GETTING_DATA" ? "#N/A" : value }),
    ...(formula ? { formula } : {}),
    ...(Object.keys(format).length > 0 ? { format: plainColors(format) } : {}),
    ...(size ? { spill: size } : {}),
  };
}

/**
 * Colors as #rrggbb, which is all that a file knows.
 *
 * @param {Record<string, any>} format
 */
function plainColors(format) {
  const plain = { ...format };
  for (const key of ["fontColor", "fill"]) {
    const parts = /^rgba?\((\d+),\s*(\d+),\s*(\d+)/.exec(plain[key] ?? "");
    if (parts) {
      const hex = parts.slice(1, 4).map((part) => Number(part).toString(16).padStart(2, "0"));
      plain[key] = `#${hex.join("")}`;
    } else if (plain[key] && !/^#[0-9a-f]{6}$/i.test(plain[key])) delete plain[key];
  }
  return plain;
}

/**
 * @param {Sheet} sheet
 * @param {any} chart
 */
function chartToBook(sheet, chart) {
  const kind = Object.entries(CHART_TYPES).find(([, type]) => type === chart.chartType)?.[0];
  return {
    ...chartBlock(chart),
    title: chart.title.text,
    kind: kind ?? "line",
    labels: chart.labels,
    series: chart.series,
    numberFormat: chart.numberFormat,
    source: chart.source.sheet === sheet ? "" : chart.source.sheet.name,
  };
}
