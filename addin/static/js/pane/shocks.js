// The fields of the shocks that somebody types: a name and a return each.

import { at, h } from "./dom.js";
import { readBound } from "./format.js";
import { records } from "./server.js";

/** @typedef {{name: string, text: string}} Shock as it was typed */

export class Shocks {
  /** @type {Shock[]} */
  #typed = [];

  /** @param {Shock[]} typed */
  show(typed) {
    this.#typed = typed;
    at("stress-shocks").replaceChildren(
      ...typed.map((shock, i) => this.#line(shock, i)),
      h("p", { id: "stress-wrong", class: "verdict", "data-state": "wrong", role: "alert" }),
    );
  }

  add() {
    this.show([...this.#typed, { name: "", text: "" }]);
    at(`shock-name-${this.#typed.length - 1}`).focus();
  }

  /**
   * What was typed, as the server takes it.
   *
   * @returns {[string, number][]}
   * @throws {RangeError} naming the field that cannot be read
   */
  read() {
    const filled = this.#typed.filter(({ name, text }) => name.trim() || text.trim());
    if (filled.length === 0)
      throw new RangeError("Type a factor, sector or ticker and its return.");
    return filled.map(({ name, text }) => {
      if (!name.trim()) throw new RangeError(`Say what moves by ${text.trim()}.`);
      const value = readBound(text, true);
      if (typeof value !== "number") {
        throw new RangeError(
          `The shock of ${name.trim()} is ${text.trim() || "blank"}: type -10 %.`,
        );
      }
      return [name.trim(), value];
    });
  }

  /** @param {string} words empty: nothing is wrong */
  complain(words) {
    at("stress-wrong").textContent = words;
  }

  /** @param {Record<string, any> | null} risk whose factors and positions are offered */
  suggest(risk) {
    const names = ["factor", "position"].flatMap((by) =>
      risk?.tables[by] ? records(risk.tables[by]).map(({ name }) => name) : [],
    );
    const offered = [...new Set(names)].filter((name) => !["Specific", "Total"].includes(name));
    at("shock-names").replaceChildren(...offered.map((value) => h("option", { value })));
  }

  /**
   * @param {Shock} shock
   * @param {number} i
   */
  #line({ name, text }, i) {
    const change = (/** @type {Partial<Shock>} */ some) => {
      this.#typed = this.#typed.map((shock, n) => (n === i ? { ...shock, ...some } : shock));
    };
    const value = (/** @type {Event} */ event) =>
      /** @type {HTMLInputElement} */ (event.currentTarget).value;
    return h(
      "div",
      { class: "shock" },
      h("input", {
        id: `shock-name-${i}`,
        "aria-label": `Shock ${i + 1}: factor, sector or ticker`,
        list: "shock-names",
        autocomplete: "off",
        value: name,
        input: (/** @type {Event} */ event) => change({ name: value(event) }),
      }),
      h("input", {
        id: `shock-return-${i}`,
        class: "number",
        "aria-label": `Shock ${i + 1}: return`,
        inputmode: "decimal",
        autocomplete: "off",
        placeholder: "-10 %",
        value: text,
        input: (/** @type {Event} */ event) => change({ text: value(event) }),
      }),
      h(
        "button",
        {
          type: "button",
          class: "icon",
          "aria-label": `Remove shock ${i + 1}`,
          click: () => this.show(this.#typed.filter((_, n) => n !== i)),
        },
        "×",
      ),
    );
  }
}
