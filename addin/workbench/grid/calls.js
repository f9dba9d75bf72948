// The add-in's functions in Univer's calculation.
//
// Univer waits for asynchronous functions one by one, which makes a thousand cells take seconds.
// So a function here is synchronous over what is known already: on a miss it asks the host, which
// calls the shipped JavaScript as Excel would, and gives back the cell's last good value, or
// #GETTING_DATA while there is none. When the answers are there, the cells that asked are calculated
// again. All misses of one calculation thereby become one batch.

import {
  BaseFunction,
  ErrorValueObject,
  SetTriggerFormulaCalculationStartMutation,
} from "@univerjs/preset-sheets-core";

import { errorOf } from "../host/calculator.js";
import { isError } from "../host/values.js";
import { Streams } from "./streams.js";
import { WAITING, fromVariant, toVariant, waits } from "./variants.js";

/** Answers that are kept; the oldest go first. */
const MOST_ANSWERS = 20_000;
/** Milliseconds between two calculations while answers come in one after another. */
const PACE = 150;

/**
 * @typedef {{sheetId: string, row: number, column: number}} Place
 * @typedef {{result: any[][], error: string}} Answer `error` is the message of an error
 * @typedef {{places: Map<string, Place>}} Question
 */

/** @param {Place} place */
const placeKey = ({ sheetId, row, column }) => `${sheetId}:${row}:${column}`;

export class Calls {
  /** @type {Map<string, Answer>} by function and arguments */
  #answers = new Map();
  /** @type {Map<string, Question>} asked and not answered yet, by function and arguments */
  #open = new Map();
  /** @type {Map<string, string>} what a cell's function showed last -> its key in the answers */
  #last = new Map();
  /** @type {Map<string, Answer>} the last good answer of a cell's function */
  #good = new Map();
  /** @type {Map<string, string>} messages of cells with an error */
  #messages = new Map();
  #streams = new Streams();
  /** @type {Map<string, Place>} cells to calculate again */
  #due = new Map();
  /** @type {ReturnType<typeof setTimeout> | null} */
  #timer = null;
  #calculating = false;
  #generation = 0;
  /** @type {any} */
  #commands = null;
  /** @type {any} */
  store = null;
  /** @type {any} */
  functions = null;

  /**
   * @param {any} store
   * @param {import("../host/functions.js").Functions} functions
   */
  connect(store, functions) {
    this.store = store;
    this.functions = functions;
    this.#commands = store.commands;
    for (const event of ["edited", "moved"]) store.addEventListener(event, () => this.#sweep());
    const formula = store.api.getFormula();
    formula.calculationStart(() => (this.#calculating = true));
    formula.calculationEnd(() => {
      this.#calculating = false;
      if (this.#due.size === 0) this.#forget(this.#streams.endUnused());
      store.dispatchEvent(new Event("calculated"));
    });
    return this;
  }

  /** Calls that wait for their answer. */
  get pending() {
    return this.#open.size;
  }

  /** Whether every formula has its value. */
  get settled() {
    return this.#open.size === 0 && this.#due.size === 0 && !this.#calculating;
  }

  /** Wait until every formula has its value. */
  async whenSettled() {
    // A change starts its calculation a moment later.
    for (let quiet = 0; quiet < 3; quiet = this.settled ? quiet + 1 : 0) {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  /** Forget every answer and ask anew; the cells keep their values until the new ones are there. */
  calculateAll() {
    this.#answers.clear();
    this.#open.clear();
    this.#forget(this.#streams.endAll());
    this.#generation += 1;
    this.#commands.executeCommand(
      SetTriggerFormulaCalculationStartMutation.id,
      { commands: [], forceCalculation: true },
      { onlyLocal: true },
    );
    this.store.dispatchEvent(new Event("recalculating"));
  }

  /** Ask anew where the answer was an error: the server may be back, or the user signed in. */
  retryErrors() {
    for (const [key, answer] of this.#answers) if (answer.error) this.#answers.delete(key);
    this.#commands.executeCommand(
      SetTriggerFormulaCalculationStartMutation.id,
      { commands: [], forceCalculation: true },
      { onlyLocal: true },
    );
  }

  /** @param {string[]} keys of streams that were ended */
  #forget(keys) {
    for (const key of keys) this.#answers.delete(key);
  }

  /** Cells were changed: calculate those that follow a stream, to see which are still followed. */
  #sweep() {
    if (this.#streams.size === 0) return;
    this.#streams.doubt();
    for (const place of this.#streams.readers(this.store.sheets)) {
      this.#due.set(placeKey(place), place);
    }
    if (this.#due.size > 0) this.#schedule();
    else this.#forget(this.#streams.endUnused());
  }

  /** Forget what is known of cells: another workbook is there. */
  reset() {
    this.#forget(this.#streams.endAll());
    this.#last.clear();
    this.#good.clear();
    this.#messages.clear();
    this.#due.clear();
  }

  /**
   * The message of a cell's error, empty when there is none.
   *
   * @param {string} sheetId
   * @param {number} row
   * @param {number} column
   */
  messageAt(sheetId, row, column) {
    return this.#messages.get(placeKey({ sheetId, row, column })) ?? "";
  }

  /**
   * The value of a function in a cell, as far as it is known.
   *
   * @param {string} name
   * @param {Place} place
   * @param {any[]} variants Univer's arguments
   */
  value(name, place, variants) {
    const cell = placeKey(place);
    const slot = `${cell}:${name}`;
    const args = variants.map(fromVariant);
    if (args.some(waits)) return this.#meanwhile(slot);
    const key = `${name}\n${JSON.stringify(args)}`;
    const answer = this.#answers.get(key);
    if (!answer) {
      this.#ask(key, name, args, place);
      return this.#meanwhile(slot);
    }
    this.#streams.use(key);
    this.#last.set(slot, key);
    if (answer.error) this.#messages.set(cell, answer.error);
    else this.#messages.delete(cell);
    if (!isError(answer.result[0][0])) this.#good.set(slot, answer);
    return toVariant(answer.result);
  }

  /** @param {string} slot */
  #meanwhile(slot) {
    const good = this.#good.get(slot);
    return good ? toVariant(good.result) : ErrorValueObject.create(/** @type {any} */ (WAITING));
  }

  /**
   * @param {string} key
   * @param {string} name
   * @param {(any[][] | null)[]} args
   * @param {Place} place
   */
  #ask(key, name, args, place) {
    const asked = this.#open.get(key);
    if (asked) {
      asked.places.set(placeKey(place), place);
      return;
    }
    const question = { places: new Map([[placeKey(place), place]]) };
    this.#open.set(key, question);
    const generation = this.#generation;
    this.#answer(key, name, args, place, (answer) => {
      if (generation !== this.#generation) return; // asked anew meanwhile
      this.#open.delete(key);
      this.#keep(key, answer);
      for (const [at, one] of question.places) {
        this.#due.set(at, one);
        this.store.makeRoom(one, answer.result.length, answer.result[0].length);
      }
      this.#schedule();
    });
    if (this.#open.size === 1) this.store.dispatchEvent(new Event("asking"));
  }

  /**
   * @param {string} key
   * @param {string} name
   * @param {(any[][] | null)[]} args
   * @param {Place} place
   * @param {(answer: Answer) => void} done
   */
  async #answer(key, name, args, place, done) {
    const address = this.store.addressOf(place);
    const caller = {
      address,
      parameterAddresses: args.map(() => null),
      onStream: (/** @type {any[][] | Error} */ result) =>
        done(result instanceof Error ? errorOf(result) : { result, error: "" }),
      onCancelable: (/** @type {() => void} */ cancel) => this.#streams.add(key, name, cancel),
    };
    let answer;
    try {
      answer = { result: await this.functions.invoke(name, args, caller), error: "" };
    } catch (error) {
      answer = errorOf(error);
    }
    done(answer);
  }

  /**
   * @param {string} key
   * @param {Answer} answer
   */
  #keep(key, answer) {
    this.#answers.delete(key);
    this.#answers.set(key, answer);
    if (this.#answers.size > MOST_ANSWERS) {
      this.#answers.delete(/** @type {string} */ (this.#answers.keys().next().value));
    }
  }

  #schedule() {
    if (this.#timer) {
      if (this.#open.size > 0) return;
      clearTimeout(this.#timer);
    }
    this.#timer = setTimeout(() => this.#calculate(), this.#open.size > 0 ? PACE : 0);
  }

  #calculate() {
    this.#timer = null;
    const unitId = this.store.unitId;
    const dirtyRanges = [...this.#due.values()].map(({ sheetId, row, column }) => ({
      unitId,
      sheetId,
      range: { startRow: row, endRow: row, startColumn: column, endColumn: column },
    }));
    this.#due.clear();
    if (dirtyRanges.length === 0) return;
    this.#calculating = true;
    this.#commands.executeCommand(
      SetTriggerFormulaCalculationStartMutation.id,
      { commands: [], dirtyRanges },
      { onlyLocal: true },
    );
  }
}

/**
 * What Univer needs of the add-in's functions.
 *
 * @param {Calls} calls
 * @param {string} namespace
 * @param {any} metadata as Excel has it
 */
export function describeFunctions(calls, namespace, metadata) {
  class TiltFunction extends BaseFunction {
    /** @param {any[]} variants */
    calculate(...variants) {
      const place = { sheetId: this.subUnitId ?? "", row: this.row, column: this.column };
      return /** @type {any} */ (calls.value(String(this.name), place, variants));
    }
  }
  const names = metadata.functions.map((/** @type {any} */ { name }) =>
    `${namespace}.${name}`.toUpperCase(),
  );
  return {
    functions: names.map((/** @type {string} */ name) => [TiltFunction, name]),
    descriptions: metadata.functions.map((/** @type {any} */ f, /** @type {number} */ i) => ({
      functionName: names[i],
      functionType: 15, // the user's own
      description: f.description,
      abstract: f.description,
      functionParameter: f.parameters.map((/** @type {any} */ p) => ({
        name: p.name,
        detail: p.description ?? "",
        example: "",
        require: p.optional ? 0 : 1,
        repeat: p.repeating ? 1 : 0,
      })),
    })),
  };
}
