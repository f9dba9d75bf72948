// A host with functions to call, and short ways to use it.

import { Host } from "../../../addin/workbench/host/host.js";

const FUNCTIONS = [
  { id: "ADD", name: "ADD", parameters: [matrix("a"), matrix("b")] },
  { id: "GRID", name: "GRID", parameters: [matrix("rows"), matrix("columns")] },
  { id: "TOTAL", name: "TOTAL", parameters: [matrix("cells")] },
  { id: "PICK", name: "PICK", parameters: [{ name: "kind", type: "string" }] },
  { id: "FAIL", name: "FAIL", parameters: [] },
  { id: "MAYBE", name: "MAYBE", parameters: [matrix("a"), { ...matrix("b"), optional: true }] },
  { id: "WHERE", name: "WHERE", parameters: [matrix("a")], options: { requiresAddress: true } },
  { id: "DATE", name: "DATE", parameters: [] },
  { id: "LIVE", name: "LIVE", parameters: [matrix("a")], options: { stream: true } },
];

function matrix(name) {
  return { name, type: "any", dimensionality: "matrix" };
}

/** A host with functions, and what they were called with. */
export function makeHost() {
  const describe = async () => ({ namespace: "TILT", metadata: { functions: FUNCTIONS } });
  const host = new Host({ describe });
  const calls = [];
  const { associate, Error: CellError, ErrorCode } = host.customFunctions();
  const define = (name, run) =>
    associate(name, async (...args) => {
      calls.push([name, ...args.slice(0, -1)]);
      return run(...args);
    });
  define("ADD", (a, b) => [[a[0][0] + b[0][0]]]);
  define("GRID", (r, c) =>
    Array.from({ length: r[0][0] }, (_, i) =>
      Array.from({ length: c[0][0] }, (__, j) => i * 10 + j),
    ),
  );
  define("TOTAL", (cells) => [[cells.flat().reduce((sum, v) => sum + (Number(v) || 0), 0)]]);
  define("PICK", (kind) => [[typeof kind]]);
  define("FAIL", () => {
    throw new CellError(ErrorCode.notAvailable, "Nothing there.");
  });
  define("MAYBE", (a, b) => [[b === null ? "left out" : "given"]]);
  define("WHERE", (_, invocation) => [[invocation.address]]);
  define("DATE", () => [
    [
      { type: "FormattedNumber", basicValue: 45000, numberFormat: "yyyy-mm-dd" },
      { type: "Error", errorType: "NotAvailable" },
    ],
  ]);
  const streams = [];
  associate("LIVE", (a, invocation) => streams.push({ a, invocation }));
  return { host, calls, streams, Excel: host.excel() };
}

/** Do something on Sheet1. */
export const onSheet = (Excel, batch) =>
  Excel.run((context) => batch(context.workbook.worksheets.getItem("Sheet1"), context));

export async function read(Excel, address, property = "values") {
  return onSheet(Excel, async (sheet, context) => {
    const range = sheet.getRange(address).load(property);
    await context.sync();
    return range[property];
  });
}

export const put = (Excel, address, values) =>
  onSheet(Excel, (sheet) => {
    sheet.getRange(address).values = values;
  });

/** @param {Host} host */
export const shownAt = (host, row, column) => host.store.sheets[0].grid.get(row, column);
