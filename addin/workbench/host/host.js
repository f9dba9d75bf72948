// The host: Office, Excel and CustomFunctions as a page sees them, over a store.

import { formatBlock } from "./addresses.js";
import { Calculator } from "./calculator.js";
import { RequestContext } from "./client_objects.js";
import { DocumentSettings, memoryKeeper } from "./document.js";
import { hostError, notInHost } from "./errors.js";
import { Functions } from "./functions.js";
import { Application, Workbook } from "./sheets.js";
import { Store } from "./store.js";

/** What this host says it supports: the newest set of each kind. */
const REQUIREMENTS = /** @type {Record<string, string>} */ ({
  EXCELAPI: "1.17",
  SHAREDRUNTIME: "1.2",
  CUSTOMFUNCTIONS: "1.6",
  CUSTOMFUNCTIONSRUNTIME: "1.4",
  DIALOGAPI: "1.2",
  RIBBONAPI: "1.2",
  ADDINCOMMANDS: "1.3",
});

/**
 * @param {string} name
 * @param {string} [version]
 */
function isSetSupported(name, version = "1.1") {
  const ours = REQUIREMENTS[String(name).toUpperCase()];
  if (!ours) return false;
  const [major, minor] = String(version).split(".").map(Number);
  const [ourMajor, ourMinor] = ours.split(".").map(Number);
  return major < ourMajor || (major === ourMajor && (minor || 0) <= ourMinor);
}

/**
 * An object whose unknown members throw, because undefined would hide a mistake.
 *
 * @template {object} T
 * @param {string} name
 * @param {T} members
 * @returns {T}
 */
function strict(name, members) {
  return new Proxy(members, {
    get(target, key, receiver) {
      if (key in target || typeof key === "symbol" || key === "then" || key === "toJSON") {
        return Reflect.get(target, key, receiver);
      }
      throw notInHost(`${name}.${key}`);
    },
  });
}

class CustomFunctionsError extends Error {
  /**
   * @param {string} code
   * @param {string} [message]
   */
  constructor(code, message = "") {
    super(message);
    this.name = "CustomFunctions.Error";
    this.code = code;
  }
}

const ERROR_CODES = strict("CustomFunctions.ErrorCode", {
  invalidValue: "#VALUE!",
  notAvailable: "#N/A",
  divisionByZero: "#DIV/0!",
  invalidNumber: "#NUM!",
  nullReference: "#NULL!",
  invalidName: "#NAME?",
  invalidReference: "#REF!",
});

/** Constants of the Excel namespace that the add-in and xlwings use. */
const EXCEL_CONSTANTS = {
  ShapeType: strict("Excel.ShapeType", { image: "Image" }),
  ClearApplyTo: strict("Excel.ClearApplyTo", {
    all: "All",
    contents: "Contents",
    formats: "Formats",
  }),
  CalculationType: strict("Excel.CalculationType", {
    full: "Full",
    recalculate: "Recalculate",
    fullRebuild: "FullRebuild",
  }),
};

export class Host {
  syncs = 0;
  /** @type {Map<string, Function>} actions of the ribbon */
  actions = new Map();
  /** @type {string[]} addresses of the dialogs that were asked for */
  dialogs = [];
  paneShown = 0;
  /** How often Undo would have to be pressed to take back everything that was written. */
  undoSteps = 0;
  #edits = 0;
  #editsBefore = 0;
  #merging = 0;

  /**
   * @param {object} options
   * @param {Store} [options.store]
   * @param {() => Promise<{namespace: string, metadata: any}>} options.describe see Functions
   * @param {(store: any, functions: Functions) => any} [options.makeCalculator] a spreadsheet that
   *   calculates by itself brings its own
   * @param {import("./document.js").Keeper} [options.keeper] where the document keeps settings
   */
  constructor({
    store = new Store(),
    describe,
    makeCalculator = (own, functions) => new Calculator(own, functions),
    keeper = memoryKeeper(),
  }) {
    this.store = store;
    this.settings = new DocumentSettings(keeper);
    store.addEventListener("edited", () => void (this.#edits += 1));
    this.functions = new Functions(describe);
    this.calculator = makeCalculator(store, this.functions);
  }

  beforeSync() {
    this.syncs += 1;
    this.#editsBefore = this.#edits;
  }

  afterSync() {
    if (this.#edits > this.#editsBefore && this.#merging === 0) this.undoSteps += 1;
    this.store.dispatchEvent(new Event("synced"));
  }

  /** @param {import("./addresses.js").Block} block */
  localAddress(block) {
    return formatBlock(block);
  }

  /** @returns {RequestContext} */
  context() {
    return new RequestContext(this, Workbook, Application);
  }

  /**
   * Press a button of the ribbon and wait until it says it is done.
   *
   * @param {string} name the FunctionName of the manifest
   * @returns {Promise<void>}
   */
  press(name) {
    const action = this.actions.get(name);
    if (!action) throw hostError("ItemNotFound", `No script is associated with '${name}'.`);
    return new Promise((resolve) => action({ source: { id: name }, completed: resolve }));
  }

  /** The Excel namespace of a page. */
  excel() {
    const host = this;
    class PageContext extends RequestContext {
      constructor() {
        super(host, Workbook, Application);
      }
    }
    const finish = async (/** @type {RequestContext} */ context, /** @type {Function} */ batch) => {
      const result = await batch(context);
      await context.sync();
      return result;
    };
    const run = async (/** @type {any[]} */ ...args) => {
      const batch = args.at(-1);
      if (typeof batch !== "function")
        throw hostError("InvalidArgument", "Excel.run needs a function.");
      const given = args.length > 1 ? (args[0].context ?? args[0]) : null;
      const context = given instanceof RequestContext ? given : new PageContext();
      if (!args[0].mergeUndoGroup) return finish(context, batch);
      const before = this.#edits;
      this.#merging += 1;
      try {
        return await this.store.asOneStep(() => finish(context, batch));
      } finally {
        this.#merging -= 1;
        if (this.#edits > before) this.undoSteps += 1;
      }
    };
    return strict("Excel", { RequestContext: PageContext, run, ...EXCEL_CONSTANTS });
  }

  /** The CustomFunctions namespace of a page. */
  customFunctions() {
    return strict("CustomFunctions", {
      associate: (/** @type {any} */ id, /** @type {any} */ run) => {
        const all = typeof id === "string" ? { [id]: run } : id;
        for (const [name, f] of Object.entries(all)) this.functions.associate(name, f);
      },
      Error: CustomFunctionsError,
      ErrorCode: ERROR_CODES,
    });
  }

  /** What the Office namespace has beside `onReady`. */
  office() {
    const ui = strict("Office.context.ui", {
      displayDialogAsync: (
        /** @type {string} */ url,
        /** @type {any} */ _options,
        /** @type {any} */ done,
      ) => {
        this.dialogs.push(url);
        done?.({ status: "succeeded", value: { addEventHandler() {}, close() {} } });
      },
    });
    const kept = this.settings;
    const settings = strict("Office.context.document.settings", {
      get: (/** @type {string} */ name) => kept.get(name),
      set: (/** @type {string} */ name, /** @type {any} */ value) => kept.set(name, value),
      remove: (/** @type {string} */ name) => kept.remove(name),
      saveAsync: (/** @type {any[]} */ ...args) => kept.saveAsync(...args),
    });
    return {
      context: strict("Office.context", {
        ui,
        document: strict("Office.context.document", { settings }),
        platform: "PC",
        partitionKey: undefined,
        diagnostics: { version: "Tilt host", platform: "PC", host: "Excel" },
        requirements: { isSetSupported },
      }),
      actions: {
        associate: (/** @type {string} */ name, /** @type {Function} */ run) =>
          this.actions.set(name, run),
      },
      addin: strict("Office.addin", {
        showAsTaskpane: async () => {
          this.paneShown += 1;
          this.store.dispatchEvent(new Event("pane"));
        },
      }),
      HostType: { Excel: "Excel" },
      AsyncResultStatus: { Failed: "failed", Succeeded: "succeeded" },
      EventType: {
        DialogMessageReceived: "dialogMessageReceived",
        DialogEventReceived: "dialogEventReceived",
      },
    };
  }
}
