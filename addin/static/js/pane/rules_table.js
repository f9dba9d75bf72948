// The table of rules: two lines a rule, every field a drop-down or a field with suggestions.

import { at, h } from "./dom.js";
import { boundText, readBound } from "./format.js";

/**
 * @typedef {import("./rules.js").Rule} Rule
 * @typedef {import("./rules.js").Kind} Kind
 */

/** @type {Kind} for a name that is no rule; the server says so */
const UNKNOWN = {
  name: "",
  description: "",
  members: "asset",
  percent: true,
  integer: false,
  max_only: false,
  min_only: false,
  relative: true,
};
const GROUP = /^group:/; // a rule by a column, which may be one of the holdings

export class RulesTable extends EventTarget {
  /** @type {Rule[]} */
  rules = [];
  /** @type {Kind[]} */
  #kinds = [];

  /**
   * @param {Record<string, any>} choices of the server
   */
  offer({ rules, members, names }) {
    this.#kinds = rules;
    at("suggestions").replaceChildren(
      ...Object.entries(members).map(([kind, values]) =>
        h(
          "datalist",
          { id: `who-${kind}` },
          h("option", { value: "*" }, "all of them"),
          ...values.map((/** @type {string} */ name) => h("option", { value: name }, names[name])),
        ),
      ),
    );
  }

  /** @param {string} name */
  kind(name) {
    const known = this.#kinds.find((kind) => kind.name === name);
    const group = GROUP.test(name) && this.#kinds.find((kind) => GROUP.test(kind.name));
    return known ?? (group ? { ...group, name } : { ...UNKNOWN, name });
  }

  /** @param {Rule[]} rules */
  show(rules) {
    this.rules = rules;
    at("rules").replaceChildren(...rules.flatMap((rule, i) => this.#lines(rule, i)));
  }

  add() {
    const rule = {
      rule: "weight",
      who: "*",
      min: null,
      max: null,
      relative: false,
      priority: "hard",
    };
    this.show([...this.rules, rule]);
    at(`rule-${this.rules.length - 1}`).focus();
    this.#tell();
  }

  /**
   * Say under each rule how the portfolio stands to it.
   *
   * @param {Map<number, {text: string, state: "kept" | "broken" | "wrong" | "open"}>} verdicts
   */
  judge(verdicts) {
    for (const i of this.rules.keys()) {
      const verdict = verdicts.get(i);
      const line = at(`verdict-${i}`);
      line.textContent = verdict?.text ?? "";
      line.dataset.state = verdict?.state ?? "";
    }
  }

  /**
   * Say under each rule what an answer says of it: its price, or that it is in conflict.
   *
   * @param {Map<number, {text: string, state: "priced" | "slack" | "conflict"}>} answers
   */
  answer(answers) {
    for (const i of this.rules.keys()) {
      const answer = answers.get(i);
      const line = at(`answer-${i}`);
      line.textContent = answer?.text ?? "";
      line.dataset.state = answer?.state ?? "";
      at(`rule-row-${i}`).dataset.state = answer?.state ?? "";
    }
  }

  /**
   * @param {number} i
   * @param {Partial<Rule>} change
   */
  #change(i, change) {
    this.rules = this.rules.map((rule, n) => (n === i ? { ...rule, ...change } : rule));
    at(`verdict-${i}`).textContent = ""; // what it said was of another rule
    this.answer(new Map());
    this.#tell();
  }

  #tell() {
    this.dispatchEvent(new Event("change"));
  }

  /** @param {number} i */
  #remove(i) {
    this.show(this.rules.filter((_, n) => n !== i));
    const next = Math.min(i, this.rules.length - 1);
    at(next >= 0 ? `rule-${next}` : "add-rule").focus();
    this.#tell();
  }

  /**
   * @param {number} i
   * @param {string} name
   */
  #choose(i, name) {
    const kind = this.kind(name);
    const same = this.kind(this.rules[i].rule).members === kind.members;
    this.#change(i, {
      rule: name,
      who: same ? this.rules[i].who : kind.members && "*",
      min: kind.max_only ? null : this.rules[i].min,
      max: kind.min_only ? null : this.rules[i].max,
      relative: kind.relative && this.rules[i].relative,
    });
    this.show(this.rules);
    at(`rule-${i}`).focus();
  }

  /**
   * @param {Rule} rule
   * @param {number} i
   */
  #lines(rule, i) {
    const kind = this.kind(rule.rule);
    const of = `of rule ${i + 1}`;
    return [
      h(
        "tr",
        { class: "fields", id: `rule-row-${i}` },
        h("td", null, this.#ruleList(rule, i)),
        h(
          "td",
          null,
          h("input", {
            "aria-label": `Who, ${of}`,
            list: kind.members ? `who-${kind.members}` : null,
            value: kind.members ? rule.who || "*" : "",
            placeholder: kind.members ? "*" : "portfolio",
            disabled: !kind.members,
            autocomplete: "off",
            spellcheck: "false",
            focus: (/** @type {Event} */ { target }) => /** @type {any} */ (target).select(),
            change: (/** @type {Event} */ { target }) =>
              this.#change(i, { who: /** @type {any} */ (target).value.trim() }),
          }),
        ),
        h("td", null, this.#bound(rule, i, "min", kind)),
        h("td", null, this.#bound(rule, i, "max", kind)),
        h(
          "td",
          null,
          h(
            "button",
            {
              type: "button",
              class: "icon",
              "aria-label": `Remove rule ${i + 1}`,
              title: "Remove",
              click: () => this.#remove(i),
            },
            "×",
          ),
        ),
      ),
      h(
        "tr",
        { class: "more" },
        h(
          "td",
          { colspan: 5 },
          this.#second(rule, i, kind),
          h("p", { id: `answer-${i}`, class: "answer small" }),
        ),
      ),
    ];
  }

  /**
   * @param {Rule} rule
   * @param {number} i
   */
  #ruleList(rule, i) {
    const kinds = this.#kinds.some(({ name }) => name === rule.rule)
      ? this.#kinds
      : [this.kind(rule.rule), ...this.#kinds];
    return h(
      "select",
      {
        id: `rule-${i}`,
        "aria-label": `Rule ${i + 1}`,
        title: this.kind(rule.rule).description,
        change: (/** @type {Event} */ { target }) =>
          this.#choose(i, /** @type {any} */ (target).value),
      },
      ...kinds.map(({ name, description }) =>
        h(
          "option",
          { value: name, selected: name === rule.rule, title: description },
          name.replaceAll("_", " "),
        ),
      ),
    );
  }

  /**
   * @param {Rule} rule
   * @param {number} i
   * @param {"min" | "max"} side
   * @param {Kind} kind
   */
  #bound(rule, i, side, kind) {
    return h("input", {
      id: `${side}-${i}`,
      "aria-label": `${side === "min" ? "Min" : "Max"} of rule ${i + 1}`,
      class: "number",
      inputmode: "text",
      value: boundText(rule[side], kind.percent),
      disabled: (side === "min" ? kind.max_only : kind.min_only) && rule[side] === null,
      autocomplete: "off",
      change: (/** @type {Event} */ { target }) => {
        const field = /** @type {HTMLInputElement} */ (target);
        const value = readBound(field.value, kind.percent);
        field.value = boundText(value, kind.percent);
        this.#change(i, { [side]: value });
      },
    });
  }

  /**
   * @param {Rule} rule
   * @param {number} i
   * @param {Kind} kind
   */
  #second(rule, i, kind) {
    return h(
      "div",
      { class: "second" },
      h(
        "label",
        { class: "check" },
        h("input", {
          type: "checkbox",
          "aria-label": `Relative to the benchmark, rule ${i + 1}`,
          checked: rule.relative,
          disabled: !kind.relative && !rule.relative,
          change: (/** @type {Event} */ { target }) =>
            this.#change(i, { relative: /** @type {any} */ (target).checked }),
        }),
        "relative",
      ),
      h(
        "label",
        { class: "check", title: "hard, or a number: what breaking the rule costs" },
        "priority",
        h("input", {
          class: "priority",
          "aria-label": `Priority of rule ${i + 1}: hard, or a number, what breaking it costs`,
          value: String(rule.priority),
          autocomplete: "off",
          change: (/** @type {Event} */ { target }) => {
            const typed = /** @type {any} */ (target).value.trim() || "hard";
            this.#change(i, { priority: Number.isFinite(Number(typed)) ? Number(typed) : typed });
          },
        }),
      ),
      h("span", { id: `verdict-${i}`, class: "verdict" }),
    );
  }
}
