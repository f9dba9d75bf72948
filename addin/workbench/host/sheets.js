// Workbook, worksheets, names and the application.

import { checkBlock, parseBlock, splitSheet } from "./addresses.js";
import { NULL } from "./client_objects.js";
import { collection, fields, remove } from "./collections.js";
import { hostError } from "./errors.js";
import { Range, area, areaAt } from "./ranges.js";
import { BookTables, Charts, SheetTables } from "./tables.js";

/**
 * @typedef {import("./client_objects.js").Type} Type
 * @typedef {import("./store.js").Sheet} Sheet
 */

const WHOLE = { row: 0, column: 0, rows: 1_048_576, columns: 16_384 };

/**
 * @param {Sheet} sheet
 * @param {any} host
 */
const orderOf = (sheet, host) => host.store.sheets.indexOf(sheet);

// --- names --------------------------------------------------------------------------------------

/**
 * @param {any} item
 * @param {any} host
 */
function rangeOfName(item, host) {
  const { sheet: name, cells } = splitSheet(item.formula.replace(/^=/, ""));
  const sheet = name === null ? undefined : host.store.find(name);
  return sheet && /^\$?[A-Z]{1,3}\$?\d+(:\$?[A-Z]{1,3}\$?\d+)?$/i.test(cells)
    ? area(sheet, parseBlock(cells))
    : NULL;
}

/** @type {Type} */
const NamedItem = {
  name: "NamedItem",
  read: {
    name: (item) => item.name,
    formula: (item) => item.formula,
    type: (item, host) => (rangeOfName(item, host) === NULL ? "String" : "Range"),
  },
  write: { formula: (item, formula) => void (item.formula = formula) },
  methods: {
    getRange: {
      returns: () => Range,
      run: (item, _, host) => {
        const found = rangeOfName(item, host);
        if (found === NULL) throw hostError("InvalidOperation", `'${item.name}' is no range.`);
        return found;
      },
    },
    getRangeOrNullObject: { returns: () => Range, run: (item, _, host) => rangeOfName(item, host) },
    delete: { run: (item) => remove(item.scope, item) },
  },
};

const Names = collection(
  "NamedItemCollection",
  () => NamedItem,
  (owner) => owner.names,
  {
    methods: {
      add: {
        returns: () => NamedItem,
        run: (owner, [name, reference], host) => {
          const scope = owner.names;
          if (
            scope.some((/** @type {any} */ item) => item.name.toLowerCase() === name.toLowerCase())
          ) {
            throw hostError("InvalidArgument", `There is a name '${name}' already.`);
          }
          const formula =
            typeof reference === "string"
              ? reference
              : `=${host.store.address(reference.sheet, reference.block)}`;
          const item = { name, formula, scope };
          scope.push(item);
          return item;
        },
      },
    },
  },
);

// --- parts of a sheet that the add-in only looks at ------------------------------------------------

/** @type {Type} */
const Shape = {
  name: "Shape",
  ...fields(["id", "type"], ["name", "width", "height", "left", "top", "lockAspectRatio"]),
};
const Shapes = collection(
  "ShapeCollection",
  () => Shape,
  (sheet) => sheet.shapes,
);

/** @type {Type} */
const Note = {
  name: "Note",
  ...fields(["authorName"], ["content"]),
  methods: { getLocation: { returns: () => Range, run: (note) => note.area } },
};
const Notes = collection(
  "NoteCollection",
  () => Note,
  (sheet) => sheet.notes,
);

/** @type {Type} */
const PivotTable = { name: "PivotTable", ...fields(["id", "name"]) };
const PivotTables = collection(
  "PivotTableCollection",
  () => PivotTable,
  (sheet) => sheet.pivots,
);

/** @type {Type} */
const Protection = {
  name: "WorksheetProtection",
  read: { protected: (sheet) => sheet.protected },
  methods: {
    protect: { run: (sheet) => void (sheet.protected = true) },
    unprotect: { run: (sheet) => void (sheet.protected = false) },
  },
};

/** @type {Type} */
const PrintArea = {
  name: "RangeAreas",
  links: {
    areas: {
      to: () => ({ name: "RangeCollection", items: { of: () => Range, list: (areas) => areas } }),
      get: (areas) => areas,
    },
  },
};

/** @type {Type} */
const PageLayout = {
  name: "PageLayout",
  ...fields([], []),
  methods: {
    getPrintAreaOrNullObject: {
      returns: () => PrintArea,
      run: (sheet) => (sheet.printArea ? [areaAt(sheet, sheet.printArea)] : NULL),
    },
    setPrintArea: { run: (sheet, [address]) => void (sheet.printArea = address) },
  },
};

/** @type {Type} */
const FreezePanes = {
  name: "WorksheetFreezePanes",
  methods: {
    freezeAt: { run: (sheet, [range]) => void (sheet.frozen = range.block) },
    freezeRows: {
      run: (sheet, [rows]) => void (sheet.frozen = checkBlock({ ...WHOLE, rows })),
    },
    unfreeze: { run: (sheet) => void (sheet.frozen = null) },
  },
};

// --- sheets -------------------------------------------------------------------------------------

const sheetFields = fields(["id"], ["showGridlines", "tabColor", "visibility"]);

/**
 * @param {Sheet} sheet
 * @param {number} position
 * @param {any} host
 */
function moveSheet(sheet, position, host) {
  const { sheets } = host.store;
  if (!Number.isInteger(position) || position < 0 || position >= sheets.length) {
    throw hostError("InvalidArgument", `A sheet cannot stand at ${position}.`);
  }
  remove(sheets, sheet);
  sheets.splice(position, 0, sheet);
}

/** @param {Sheet} sheet */
function usedRange(sheet) {
  const used = sheet.grid.used();
  return used ? area(sheet, used) : NULL;
}

/** @type {Type} */
export const Worksheet = {
  name: "Worksheet",
  read: { ...sheetFields.read, name: (sheet) => sheet.name, position: orderOf },
  write: {
    ...sheetFields.write,
    name: (sheet, name, host) => {
      host.store.checkSheetName(name, sheet);
      sheet.name = name;
    },
    position: moveSheet,
  },
  links: {
    names: { to: () => Names, get: (sheet) => sheet },
    tables: { to: () => SheetTables, get: (sheet) => sheet },
    charts: { to: () => Charts, get: (sheet) => sheet },
    shapes: { to: () => Shapes, get: (sheet) => sheet },
    notes: { to: () => Notes, get: (sheet) => sheet },
    pivotTables: { to: () => PivotTables, get: (sheet) => sheet },
    protection: { to: () => Protection, get: (sheet) => sheet },
    pageLayout: { to: () => PageLayout, get: (sheet) => sheet },
    freezePanes: { to: () => FreezePanes, get: (sheet) => sheet },
  },
  methods: {
    getRange: {
      returns: () => Range,
      run: (sheet, [address]) => (address ? areaAt(sheet, address) : area(sheet, WHOLE)),
    },
    getRanges: { returns: () => Range, run: (sheet) => area(sheet, WHOLE) },
    getRangeByIndexes: {
      returns: () => Range,
      run: (sheet, [row, column, rows, columns]) => area(sheet, { row, column, rows, columns }),
    },
    getCell: {
      returns: () => Range,
      run: (sheet, [row, column]) => area(sheet, { row, column, rows: 1, columns: 1 }),
    },
    getUsedRange: {
      returns: () => Range,
      run: (sheet) => {
        const used = usedRange(sheet);
        return used === NULL ? area(sheet, parseBlock("A1")) : used;
      },
    },
    getUsedRangeOrNullObject: { returns: () => Range, run: usedRange },
    activate: { run: (sheet, _, host) => host.store.activate(sheet) },
    delete: { run: (sheet, _, host) => host.store.removeSheet(sheet) },
  },
  events: {
    onSelectionChanged: (sheet, host, handler) => {
      const listener = (/** @type {any} */ { detail }) => {
        if (detail.sheet !== sheet) return;
        handler({ type: "WorksheetSelectionChanged", address: host.localAddress(detail.block) });
      };
      host.store.addEventListener("selected", listener);
      return () => host.store.removeEventListener("selected", listener);
    },
    onChanged: (sheet, host, handler) => {
      const listener = (/** @type {any} */ { detail }) => {
        if (detail.sheet !== sheet) return;
        handler({ type: "WorksheetChanged", address: host.localAddress(detail.block) });
      };
      host.store.addEventListener("edited", listener);
      return () => host.store.removeEventListener("edited", listener);
    },
  },
};

const Worksheets = collection(
  "WorksheetCollection",
  () => Worksheet,
  (store) => store.sheets,
  {
    methods: {
      add: { returns: () => Worksheet, run: (store, [name]) => store.addSheet(name) },
      getActiveWorksheet: { returns: () => Worksheet, run: (store) => store.active },
    },
    events: {
      onCalculated: (store, _, handler) => {
        const listener = () => handler({ type: "WorksheetCalculated" });
        store.addEventListener("calculated", listener);
        return () => store.removeEventListener("calculated", listener);
      },
    },
  },
);

/** @type {Type} */
const DatetimeFormat = {
  name: "DatetimeFormatInfo",
  read: { shortDatePattern: () => "M/d/yyyy" },
};

/** @type {Type} */
const CultureInfo = {
  name: "CultureInfo",
  read: { name: () => "en-US" },
  links: { datetimeFormat: { to: () => DatetimeFormat, get: (store) => store } },
};

/** @type {Type} */
export const Application = {
  name: "Application",
  read: { calculationMode: (store) => store.calculation },
  write: { calculationMode: (store, mode) => void (store.calculation = mode) },
  links: { cultureInfo: { to: () => CultureInfo, get: (store) => store } },
  methods: {
    calculate: { run: (_store, _args, host) => host.calculator.calculateAll() },
    suspendScreenUpdatingUntilNextSync: { run: () => {} },
  },
};

/** @type {Type} */
export const Workbook = {
  name: "Workbook",
  read: { name: (store) => store.name },
  links: {
    worksheets: { to: () => Worksheets, get: (store) => store },
    names: { to: () => Names, get: (store) => store },
    tables: { to: () => BookTables, get: (store) => store },
    application: { to: () => Application, get: (store) => store },
  },
  methods: {
    getSelectedRange: {
      returns: () => Range,
      run: ({ selection }) => area(selection.sheet, selection.block),
    },
  },
};
