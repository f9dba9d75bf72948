// Custom functions: what the page associates, called as the metadata says Excel would.

import { cellError } from "./calculator.js";
import { hostError } from "./errors.js";

/**
 * @typedef {{name: string, type?: string, dimensionality?: string, optional?: boolean,
 *   repeating?: boolean}} Parameter
 * @typedef {{id: string, name: string, parameters: Parameter[],
 *   options?: {stream?: boolean, requiresAddress?: boolean, requiresParameterAddresses?: boolean}}} Meta
 * @typedef {{address: string, parameterAddresses: (string | null)[],
 *   onStream: (result: any[][] | Error) => void, onCancelable: (cancel: () => void) => void}} Caller
 */

export class Functions {
  /** @type {Map<string, Function>} by id */
  associated = new Map();
  /** @type {Map<string, Meta>} by the name in cells, namespace and all */
  #known = new Map();
  /** @type {Promise<void> | null} */
  #loading = null;

  /**
   * @param {() => Promise<{namespace: string, metadata: {functions: Meta[]}}>} describe what the
   *   manifest and the metadata say; asked once, when the first formula calls
   */
  constructor(describe) {
    this.describe = describe;
  }

  /**
   * @param {string} id
   * @param {Function} run
   */
  associate(id, run) {
    if (typeof run !== "function") throw hostError("InvalidArgument", `'${id}' needs a function.`);
    this.associated.set(id.toUpperCase(), run);
  }

  async #load() {
    const { namespace, metadata } = await this.describe();
    for (const meta of metadata.functions) {
      this.#known.set(`${namespace}.${meta.name}`.toUpperCase(), meta);
    }
  }

  /**
   * @param {string} name as in the cell
   * @param {(any[][] | null)[]} args
   * @param {Caller} caller
   * @returns {Promise<any[][]>}
   */
  async invoke(name, args, caller) {
    this.#loading ??= this.#load();
    await this.#loading;
    const meta = this.#known.get(name);
    if (!meta) throw cellError("#NAME?");
    const run = this.associated.get(meta.id.toUpperCase());
    if (!run) throw cellError("#NAME?"); // in the metadata, but no script stands behind it
    const passed = passArguments(meta, args);
    const invocation = { functionName: meta.name, ...addresses(meta, caller) };
    if (meta.options?.stream) return stream(run, passed, invocation, caller);
    return rectangle(await run(...passed, invocation));
  }
}

/**
 * @param {Meta} meta
 * @param {(any[][] | null)[]} args
 */
function passArguments(meta, args) {
  const { parameters } = meta;
  const last = parameters.at(-1);
  const required = parameters.filter((p) => !p.optional && !p.repeating).length;
  const most = last?.repeating ? Infinity : parameters.length;
  if (args.length < required || args.length > most) throw cellError("#VALUE!");
  const fixed = parameters.filter((p) => !p.repeating);
  const passed = fixed.map((parameter, i) => passOne(parameter, args[i] ?? null));
  return last?.repeating
    ? [...passed, args.slice(fixed.length).map((arg) => passOne(last, arg))]
    : passed;
}

/**
 * @param {Parameter} parameter
 * @param {any[][] | null} arg
 */
function passOne({ dimensionality = "scalar", type = "any" }, arg) {
  if (arg === null) return null;
  if (dimensionality === "matrix") return arg;
  if (arg.length !== 1 || arg[0].length !== 1) throw cellError("#VALUE!");
  const value = arg[0][0];
  return type === "string" ? String(value) : value;
}

/**
 * @param {Meta} meta
 * @param {Caller} caller
 */
function addresses({ options = {} }, { address, parameterAddresses }) {
  return {
    ...(options.requiresAddress ? { address } : {}),
    ...(options.requiresParameterAddresses ? { parameterAddresses } : {}),
  };
}

/**
 * @param {Function} run
 * @param {any[]} passed
 * @param {any} invocation
 * @param {Caller} caller
 * @returns {Promise<any[][]>} the first result; later ones go to the caller
 */
function stream(run, passed, invocation, caller) {
  return new Promise((resolve, reject) => {
    let first = true;
    invocation.setResult = (/** @type {any} */ result) => {
      if (first && result instanceof Error) reject(result);
      else if (first) resolve(rectangle(result));
      else caller.onStream(result instanceof Error ? result : rectangle(result));
      first = false;
    };
    caller.onCancelable(() => invocation.onCanceled?.());
    run(...passed, invocation);
  });
}

/**
 * @param {any} result
 * @returns {any[][]}
 */
function rectangle(result) {
  if (!Array.isArray(result)) return [[result === undefined ? "#VALUE!" : result]];
  const columns = result[0]?.length;
  if (!columns || result.some((row) => !Array.isArray(row) || row.length !== columns)) {
    throw cellError("#VALUE!");
  }
  return result;
}
