// The fields of the optimizer's options, as the server describes them.

import { h } from "./dom.js";
import { boundText, readBound } from "./format.js";
import { settings } from "./settings.js";

/**
 * @typedef {object} Option
 * @property {string} name
 * @property {string} description
 * @property {"flag" | "number" | "text"} kind
 * @property {string | number | boolean | null} default
 * @property {boolean} percent
 * @property {string[]} choices
 * @property {boolean} own whether it belongs to some objectives alone
 * @property {boolean} form whether it stands in a list of options
 */

/**
 * @param {Option} option
 * @returns {HTMLElement}
 */
export function optionField(option) {
  const id = `option-${option.name.replaceAll("_", "-")}`;
  const title = capital(option.name.replaceAll("_", " "));
  const hint = h(
    "p",
    { id: `${id}-hint`, class: "quiet small" },
    `${capital(option.description)}.`,
  );
  if (option.kind === "flag") {
    const box = h("input", {
      id,
      type: "checkbox",
      checked: held(option) === true,
      "aria-describedby": hint.id,
      change: () => keep(option, box.checked || null),
    });
    return h("div", { class: "option" }, h("label", { class: "check" }, box, title), hint);
  }
  const label = h("label", { for: id }, title);
  const field = option.choices.length > 0 ? list(option, id, hint.id) : typed(option, id, hint.id);
  return h("div", { class: "option" }, label, field, hint);
}

/**
 * @param {Option} option
 * @param {string} id
 * @param {string} hint
 */
function list(option, id, hint) {
  const now = held(option) ?? option.default;
  const open = option.choices.includes(String(now)) ? [] : [h("option", { value: "" }, "Choose")];
  const field = h(
    "select",
    { id, "aria-describedby": hint, change: () => keep(option, field.value || null) },
    ...open,
    ...option.choices.map((value) => h("option", { value, selected: value === now }, value)),
  );
  return field;
}

/**
 * @param {Option} option
 * @param {string} id
 * @param {string} hint
 */
function typed(option, id, hint) {
  const number = option.kind === "number";
  const shown = (/** @type {any} */ value) =>
    number ? boundText(value, option.percent) : String(value ?? "");
  const field = h("input", {
    id,
    inputmode: number ? "decimal" : "text",
    autocomplete: "off",
    spellcheck: "false",
    "aria-describedby": hint,
    placeholder: option.default === null ? "" : shown(option.default),
    value: shown(held(option) ?? null),
    change: () => {
      const value = number ? readBound(field.value, option.percent) : field.value.trim() || null;
      field.value = shown(value);
      keep(option, value);
    },
  });
  return field;
}

/** @param {Option} option */
const held = ({ name }) => settings.now.options[name];

/**
 * @param {Option} option
 * @param {string | number | boolean | null} value null is as if it were not given
 */
function keep({ name }, value) {
  const options = { ...settings.now.options };
  if (value === null) delete options[name];
  else options[name] = value;
  settings.set({ options });
}

/** @param {string} text */
const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
