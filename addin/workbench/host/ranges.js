// Range, its format, and what they do to the cells of the store.

import {
  MAX_COLUMNS,
  MAX_ROWS,
  checkBlock,
  intersect,
  parseBlock,
  splitSheet,
  union,
} from "./addresses.js";
import { NULL } from "./client_objects.js";
import { hostError } from "./errors.js";
import { display, fromInput } from "./values.js";
import { Worksheet } from "./sheets.js";

/**
 * @typedef {import("./addresses.js").Block} Block
 * @typedef {import("./client_objects.js").Type} Type
 * @typedef {import("./store.js").Sheet} Sheet
 * @typedef {{sheet: Sheet, block: Block}} Area
 */

const MOST_CELLS = 5_000_000;
const POINTS_PER_LETTER = 5.6;
const STANDARD_WIDTH = 48;
const STANDARD_HEIGHT = 15;

/**
 * @param {Sheet} sheet
 * @param {Block} block
 * @returns {Area}
 */
export const area = (sheet, block) => ({ sheet, block: checkBlock(block) });

/**
 * @param {Sheet} sheet
 * @param {string} address of cells on the sheet, with or without its name
 */
export function areaAt(sheet, address) {
  const { sheet: name, cells } = splitSheet(address);
  if (name !== null && name.toLowerCase() !== sheet.name.toLowerCase()) {
    throw hostError("InvalidArgument", `'${address}' is not on the sheet '${sheet.name}'.`);
  }
  return area(sheet, parseBlock(cells));
}

/**
 * @template T
 * @param {Area} target
 * @param {(cell: Readonly<import("./store.js").Cell>) => T} pick
 * @returns {T[][] | null} null for more cells than Excel hands out
 */
function matrix({ sheet, block }, pick) {
  if (block.rows * block.columns > MOST_CELLS) return null;
  return Array.from({ length: block.rows }, (_, i) =>
    Array.from({ length: block.columns }, (__, j) =>
      pick(sheet.grid.get(block.row + i, block.column + j)),
    ),
  );
}

/**
 * One value for every cell, or a matrix of the range's own shape: anything else is an error, as in
 * Excel.
 *
 * @param {Area} target
 * @param {any} input
 * @returns {(row: number, column: number) => any}
 */
function shaped({ block }, input) {
  if (!Array.isArray(input)) return () => input;
  const rows = input.length;
  const columns = input[0]?.length;
  if (input.some((row) => !Array.isArray(row) || row.length !== columns)) {
    throw hostError("InvalidArgument", "The rows of the input do not have the same length.");
  }
  if (rows === 1 && columns === 1) return () => input[0][0];
  if (rows !== block.rows || columns !== block.columns) {
    throw hostError(
      "InvalidArgument",
      `The input has ${rows} × ${columns} cells, the range ${block.rows} × ${block.columns}.`,
    );
  }
  return (row, column) => input[row][column];
}

/**
 * @param {Area} target
 * @param {any} input
 * @param {any} host
 */
function writeContents(target, input, host) {
  const at = shaped(target, input);
  host.store.write(
    target.sheet,
    target.block,
    (/** @type {number} */ i, /** @type {number} */ j, /** @type {any} */ cell) => {
      const given = at(i, j);
      if (given === null || given === undefined) return null; // Excel leaves such a cell as it is
      if (cell.spilledFrom && given !== "") throw hostError("InvalidOperation", "Part of a spill.");
      const { value, formula, format } = fromInput(given, cell.format.numberFormat ?? "General");
      const kept =
        format && !cell.format.numberFormat
          ? { ...cell.format, numberFormat: format }
          : cell.format;
      return { value, formula, error: "", spilledFrom: "", format: kept };
    },
  );
}

/**
 * @param {string} key
 * @param {any} standard what an untouched cell has
 */
function formatProperty(key, standard) {
  return {
    /** @param {Area} target */
    read: (target) => {
      const all = (matrix(target, (cell) => cell.format[key] ?? standard) ?? [[null]]).flat();
      return all.every((value) => value === all[0]) ? all[0] : null;
    },
    /**
     * @param {Area} target
     * @param {any} value
     * @param {any} host
     */
    write: ({ sheet, block }, value, host) => {
      const change = (/** @type {any} */ cell) => ({ format: { ...cell.format, [key]: value } });
      const whole = block.rows === MAX_ROWS || block.columns === MAX_COLUMNS;
      if (whole) host.store.touch(sheet, block, change);
      else
        host.store.write(
          sheet,
          block,
          (/** @type {any} */ _i, /** @type {any} */ _j, /** @type {any} */ cell) => change(cell),
        );
    },
  };
}

/**
 * @param {Record<string, ReturnType<typeof formatProperty>>} properties
 */
function split(properties) {
  const entries = Object.entries(properties);
  return {
    read: Object.fromEntries(entries.map(([name, property]) => [name, property.read])),
    write: Object.fromEntries(entries.map(([name, property]) => [name, property.write])),
  };
}

/**
 * @param {"columnWidths" | "rowHeights"} sizes
 * @param {"column" | "row"} first
 * @param {"columns" | "rows"} count
 * @param {number} standard
 */
function sizeProperty(sizes, first, count, standard) {
  return {
    /** @param {Area} target */
    read: ({ sheet, block }) => {
      const at = (/** @type {number} */ k) => sheet[sizes].get(block[first] + k) ?? standard;
      const all = Array.from({ length: Math.min(block[count], 1000) }, (_, k) => at(k));
      return all.every((size) => size === all[0]) ? all[0] : null;
    },
    /**
     * @param {Area} target
     * @param {number} size
     */
    write: ({ sheet, block }, size) => {
      if (!(size >= 0)) throw hostError("InvalidArgument", `${size} is no size.`);
      for (let k = 0; k < Math.min(block[count], MAX_COLUMNS); k += 1)
        sheet[sizes].set(block[first] + k, size);
    },
  };
}

/** @param {Area} target */
function autofitColumns({ sheet, block }) {
  /** @type {Map<number, number>} */
  const widest = new Map();
  // Excel looks at the whole column, whatever the range.
  for (const [, column, cell] of sheet.grid.entries({ ...block, row: 0, rows: MAX_ROWS })) {
    if (cell.format.numberFormat === ";;;") continue;
    const text = cell.text ?? display(cell.value);
    widest.set(column, Math.max(widest.get(column) ?? 0, text.length));
  }
  for (const [column, letters] of widest) {
    if (letters) sheet.columnWidths.set(column, 8 + letters * POINTS_PER_LETTER);
  }
}

/** @type {Type} */
const RangeFont = {
  name: "RangeFont",
  ...split({
    bold: formatProperty("bold", false),
    italic: formatProperty("italic", false),
    size: formatProperty("size", 11),
    color: formatProperty("fontColor", "#000000"),
    name: formatProperty("font", "Calibri"),
  }),
};

const fill = formatProperty("fill", "#FFFFFF");

/** @type {Type} */
const RangeFill = {
  name: "RangeFill",
  read: { color: fill.read },
  write: { color: fill.write },
  methods: { clear: { run: (target, _, host) => fill.write(target, undefined, host) } },
};

/** @type {Type} */
const RangeFormat = {
  name: "RangeFormat",
  ...split({
    wrapText: formatProperty("wrapText", false),
    horizontalAlignment: formatProperty("horizontalAlignment", "General"),
    verticalAlignment: formatProperty("verticalAlignment", "Bottom"),
    columnWidth: sizeProperty("columnWidths", "column", "columns", STANDARD_WIDTH),
    rowHeight: sizeProperty("rowHeights", "row", "rows", STANDARD_HEIGHT),
  }),
  links: {
    font: { to: () => RangeFont, get: (target) => target },
    fill: { to: () => RangeFill, get: (target) => target },
  },
  methods: {
    autofitColumns: { run: autofitColumns },
    autofitRows: { run: () => {} }, // every row of this host has the height it needs
  },
};

/**
 * @param {Area} target
 * @param {string} what All, Contents, Formats
 * @param {any} host
 */
function clear({ sheet, block }, what, host) {
  if (!["All", "Contents", "Formats"].includes(what)) {
    throw hostError("InvalidArgument", `'${what}' cannot be cleared.`);
  }
  host.store.touch(sheet, block, () => ({
    ...(what === "Formats" ? {} : { value: "", formula: "", error: "", spilledFrom: "" }),
    ...(what === "Contents" ? {} : { format: {} }),
  }));
}

/**
 * The region of filled cells around a range: it grows until a blank row and column surround it.
 *
 * @param {Area} target
 */
function surroundingRegion({ sheet, block }) {
  let region = block;
  for (;;) {
    const row = Math.max(0, region.row - 1);
    const column = Math.max(0, region.column - 1);
    const rows = Math.min(MAX_ROWS, region.row + region.rows + 1) - row;
    const columns = Math.min(MAX_COLUMNS, region.column + region.columns + 1) - column;
    let grown = region;
    for (const [i, j, cell] of sheet.grid.entries({ row, column, rows, columns })) {
      if (cell.value === "" && !cell.formula) continue;
      grown = union(grown, { row: i, column: j, rows: 1, columns: 1 });
    }
    if (grown.rows === region.rows && grown.columns === region.columns) return area(sheet, region);
    region = grown;
  }
}

/**
 * @param {(target: Area, args: any[]) => Partial<Block>} change
 * @returns {import("./client_objects.js").Method}
 */
const part = (change) => ({
  returns: () => Range,
  run: (target, args) => area(target.sheet, { ...target.block, ...change(target, args) }),
});

/** @type {Type} */
export const Range = {
  name: "Range",
  read: {
    address: ({ sheet, block }, host) => host.store.address(sheet, block),
    rowIndex: ({ block }) => block.row,
    columnIndex: ({ block }) => block.column,
    rowCount: ({ block }) => block.rows,
    columnCount: ({ block }) => block.columns,
    values: (target) => matrix(target, (cell) => cell.value),
    formulas: (target) => matrix(target, (cell) => cell.formula || cell.value),
    text: (target) => matrix(target, (cell) => cell.text ?? display(cell.value)),
    numberFormat: (target) => matrix(target, (cell) => cell.format.numberFormat ?? "General"),
    hyperlink: ({ sheet, block }) =>
      sheet.grid.get(block.row, block.column).format.hyperlink ?? null,
    rowHidden: ({ sheet, block }) => sheet.hiddenRows.has(block.row),
    columnHidden: ({ sheet, block }) => sheet.hiddenColumns.has(block.column),
    left: ({ block }) => block.column * STANDARD_WIDTH,
    top: ({ block }) => block.row * STANDARD_HEIGHT,
  },
  write: {
    values: writeContents,
    formulas: writeContents,
    numberFormat: (target, input, host) => {
      const at = shaped(target, input);
      host.store.write(
        target.sheet,
        target.block,
        (/** @type {number} */ i, /** @type {number} */ j, /** @type {any} */ cell) => ({
          format: { ...cell.format, numberFormat: String(at(i, j)) },
        }),
      );
    },
    hyperlink: (target, link, host) => {
      const corner = { ...target.block, rows: 1, columns: 1 };
      host.store.write(
        target.sheet,
        corner,
        (/** @type {any} */ _i, /** @type {any} */ _j, /** @type {any} */ cell) => ({
          value: link.textToDisplay ?? cell.value,
          format: { ...cell.format, hyperlink: link },
        }),
      );
    },
    rowHidden: ({ sheet, block }, hidden) => {
      for (let i = 0; i < block.rows; i += 1)
        sheet.hiddenRows[hidden ? "add" : "delete"](block.row + i);
    },
    columnHidden: ({ sheet, block }, hidden) => {
      for (let j = 0; j < block.columns; j += 1) {
        sheet.hiddenColumns[hidden ? "add" : "delete"](block.column + j);
      }
    },
  },
  links: {
    format: { to: () => RangeFormat, get: (target) => target },
    worksheet: { to: () => Worksheet, get: ({ sheet }) => sheet },
  },
  methods: {
    clear: { run: (target, [what = "All"], host) => clear(target, what, host) },
    select: { run: ({ sheet, block }, _, host) => host.store.select(sheet, block) },
    merge: { run: ({ sheet, block }) => void sheet.merged.push(block) },
    unmerge: {
      run: ({ sheet, block }) => {
        sheet.merged = sheet.merged.filter(
          (/** @type {Block} */ merged) => !intersect(merged, block),
        );
      },
    },
    getSurroundingRegion: { returns: () => Range, run: surroundingRegion },
    getIntersectionOrNullObject: {
      returns: () => Range,
      run: ({ sheet, block }, [other]) => {
        const both = typeof other === "string" ? areaAt(sheet, other) : other;
        const shared = both.sheet === sheet && intersect(block, both.block);
        return shared ? area(sheet, shared) : NULL;
      },
    },
    getCell: part(({ block }, [i, j]) => ({
      row: block.row + i,
      column: block.column + j,
      rows: 1,
      columns: 1,
    })),
    getRow: part(({ block }, [i]) => ({ row: block.row + i, rows: 1 })),
    getColumn: part(({ block }, [j]) => ({ column: block.column + j, columns: 1 })),
    getLastRow: part(({ block }) => ({ row: block.row + block.rows - 1, rows: 1 })),
    getOffsetRange: part(({ block }, [i, j]) => ({ row: block.row + i, column: block.column + j })),
    getResizedRange: part(({ block }, [i, j]) => ({
      rows: block.rows + i,
      columns: block.columns + j,
    })),
    getAbsoluteResizedRange: part((_, [rows, columns]) => ({ rows, columns })),
    getEntireRow: part(() => ({ column: 0, columns: MAX_COLUMNS })),
    getEntireColumn: part(() => ({ row: 0, rows: MAX_ROWS })),
  },
};
