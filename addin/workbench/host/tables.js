// Tables and charts of a sheet.

import { collection, fields, remove } from "./collections.js";
import { hostError } from "./errors.js";
import { Range, area, areaAt } from "./ranges.js";
import { Worksheet } from "./sheets.js";

/**
 * @typedef {import("./client_objects.js").Type} Type
 * @typedef {import("./store.js").Sheet} Sheet
 */

/**
 * @param {any} table
 * @param {any} host
 * @returns {Sheet}
 */
const sheetOf = (table, host) =>
  host.store.tables().find((/** @type {any} */ t) => t.table === table).sheet;

/**
 * The rows of a table between its headers and its totals.
 *
 * @param {any} table
 */
function body({ block, showHeaders, showTotals }) {
  const above = showHeaders ? 1 : 0;
  return { ...block, row: block.row + above, rows: block.rows - above - (showTotals ? 1 : 0) };
}

/** @param {(table: any) => import("./addresses.js").Block} pick */
const rangeOf = (pick) => ({
  returns: () => Range,
  run: (/** @type {any} */ table, /** @type {any[]} */ _, /** @type {any} */ host) =>
    area(sheetOf(table, host), pick(table)),
});

const styled = fields(
  ["id"],
  [
    "style",
    "showHeaders",
    "showTotals",
    "showFilterButton",
    "highlightFirstColumn",
    "highlightLastColumn",
    "showBandedRows",
    "showBandedColumns",
  ],
);

/** @type {Type} */
const TableColumn = {
  name: "TableColumn",
  read: { name: (column) => column.name, index: (column) => column.index },
  methods: {
    getDataBodyRange: {
      returns: () => Range,
      run: ({ table, index }, _, host) =>
        area(sheetOf(table, host), {
          ...body(table),
          column: table.block.column + index,
          columns: 1,
        }),
    },
  },
};

const TableColumns = collection(
  "TableColumnCollection",
  () => TableColumn,
  (table, host) =>
    Array.from({ length: table.block.columns }, (_, index) => {
      const { row, column } = table.block;
      const header = table.showHeaders
        ? sheetOf(table, host).grid.get(row, column + index).value
        : "";
      return { table, index, name: String(header || `Column${index + 1}`) };
    }),
);

/** @type {Type} */
const TableRows = { name: "TableRowCollection", read: { count: (table) => body(table).rows } };

/** @type {Type} */
export const Table = {
  name: "Table",
  read: { ...styled.read, name: (table) => table.name },
  write: { ...styled.write, name: (table, name, host) => host.store.nameTable(table, name) },
  tolerated: ["dataBodyRange"], // a method in fact, but Excel does not mind
  links: {
    columns: { to: () => TableColumns, get: (table) => table },
    rows: { to: () => TableRows, get: (table) => table },
    worksheet: { to: () => Worksheet, get: sheetOf },
  },
  methods: {
    getRange: rangeOf((table) => table.block),
    getDataBodyRange: rangeOf(body),
    getHeaderRowRange: rangeOf((table) => ({ ...table.block, rows: 1 })),
    getTotalRowRange: rangeOf(({ block }) => ({
      ...block,
      row: block.row + block.rows - 1,
      rows: 1,
    })),
    resize: {
      run: (table, [address], host) => {
        const sheet = sheetOf(table, host);
        table.block = typeof address === "string" ? areaAt(sheet, address).block : address.block;
      },
    },
    convertToRange: {
      returns: () => Range,
      run: (table, _, host) => {
        const sheet = sheetOf(table, host);
        remove(sheet.tables, table);
        return area(sheet, table.block);
      },
    },
    delete: {
      run: (table, _, host) => {
        const sheet = sheetOf(table, host);
        remove(sheet.tables, table);
        host.store.touch(sheet, table.block, () => ({
          value: "",
          formula: "",
          error: "",
          format: {},
        }));
      },
    },
  },
};

/** @param {(target: any, address: any, host: any) => {sheet: Sheet, block: any}} locate */
const addTable = (locate) => ({
  returns: () => Table,
  run: (
    /** @type {any} */ target,
    /** @type {any[]} */ [where, hasHeaders],
    /** @type {any} */ host,
  ) => {
    const { sheet, block } = typeof where === "string" ? locate(target, where, host) : where;
    return host.store.addTable(sheet, block, hasHeaders);
  },
});

export const SheetTables = collection(
  "TableCollection",
  () => Table,
  (sheet) => sheet.tables,
  {
    methods: { add: addTable((sheet, address) => areaAt(sheet, address)) },
  },
);

export const BookTables = collection(
  "TableCollection",
  () => Table,
  (_, host) => host.store.tables().map((/** @type {any} */ t) => t.table),
);

const chartFields = fields(
  ["id"],
  ["name", "left", "top", "width", "height", "chartType", "style"],
);

/** @type {Type} */
const ChartTitle = { name: "ChartTitle", ...fields([], ["text", "visible"]) };

/** @type {Type} */
const ChartLegend = { name: "ChartLegend", ...fields([], ["position", "visible"]) };

/** @type {Type} */
const Chart = {
  name: "Chart",
  ...chartFields,
  links: {
    title: { to: () => ChartTitle, get: (chart) => chart.title },
    legend: { to: () => ChartLegend, get: (chart) => chart.legend },
  },
  methods: {
    setData: {
      run: (chart, [source, seriesBy = "Auto"]) => Object.assign(chart, { source, seriesBy }),
    },
    setPosition: { run: (chart, [first, last = first]) => Object.assign(chart, { first, last }) },
    delete: {
      run: (chart, _, host) => {
        const sheet = host.store.sheets.find((/** @type {Sheet} */ s) => s.charts.includes(chart));
        remove(sheet.charts, chart);
      },
    },
  },
};

export const Charts = collection(
  "ChartCollection",
  () => Chart,
  (sheet) => sheet.charts,
  {
    methods: {
      add: {
        returns: () => Chart,
        run: (sheet, [chartType, source, seriesBy = "Auto"]) => {
          if (!source?.block) throw hostError("InvalidArgument", "A chart needs a range of data.");
          const number = sheet.charts.length + 1;
          const chart = {
            id: `chart${number}`,
            name: `Chart ${number}`,
            chartType,
            source,
            seriesBy,
            left: 0,
            top: 0,
            width: 360,
            height: 216,
            style: 2,
            title: { text: "", visible: false },
            legend: { position: "Right", visible: true },
          };
          sheet.charts.push(chart);
          return chart;
        },
      },
    },
  },
);
