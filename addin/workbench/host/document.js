// Settings that an add-in keeps in a document: `Office.context.document.settings`.
//
// As in Excel they are a copy in memory until `saveAsync` puts them into the document, and what
// cannot be written as JSON does not go in.

import { hostError } from "./errors.js";

/**
 * Where a document keeps its settings.
 *
 * @typedef {{read: () => string | null, write: (content: string) => void}} Keeper
 */

/** @returns {Keeper} one that forgets with the page */
export function memoryKeeper() {
  /** @type {string | null} */
  let kept = null;
  return { read: () => kept, write: (content) => void (kept = content) };
}

export class DocumentSettings {
  /** @type {Record<string, any>} */
  #values;
  #keeper;

  /** @param {Keeper} keeper */
  constructor(keeper) {
    this.#keeper = keeper;
    this.#values = JSON.parse(keeper.read() ?? "{}");
  }

  /** @param {string} name */
  get(name) {
    return Object.hasOwn(this.#values, name) ? this.#values[name] : null;
  }

  /**
   * @param {string} name
   * @param {any} value
   */
  set(name, value) {
    if (typeof name !== "string" || !name)
      throw hostError("InvalidArgument", "A setting has a name.");
    const content = JSON.stringify(value);
    if (content === undefined) {
      throw hostError("InvalidArgument", `The setting '${name}' cannot be written as JSON.`);
    }
    this.#values[name] = JSON.parse(content);
  }

  /** @param {string} name */
  remove(name) {
    delete this.#values[name];
  }

  /** @param {...any} args options, which may be left out, and a callback */
  saveAsync(...args) {
    const done = args.at(-1);
    setTimeout(() => {
      this.#keeper.write(JSON.stringify(this.#values));
      if (typeof done === "function") done({ status: "succeeded", value: this });
    });
  }
}
