// Views of Black-Litterman as a table: who, over whom, what return, how sure. Kept as the option views,
// a text such as "AAPL=0.08@0.6, MSFT - XOM=0.02".

import { at, h } from "./dom.js";
import { boundText, readBound } from "./format.js";
import { settings } from "./settings.js";

export const VIEWS = "views";

/**
 * @typedef {object} View
 * @property {string} name
 * @property {string} over whose return is taken away; empty for a view of one name
 * @property {number | string | null} view yearly return
 * @property {number | string | null} confidence
 */

/** @type {View[]} as they stand in the fields, also those that are not whole yet */
let views = [];
let kept = "";

export function startViews() {
  at("add-view").addEventListener("click", () => {
    views = [...views, { name: "", over: "", view: null, confidence: null }];
    draw();
    at(`view-name-${views.length - 1}`).focus();
  });
}

/** Show what is kept, unless it is what the fields say already. */
export function showViews() {
  const text = String(settings.now.options[VIEWS] ?? "");
  if (text === kept && views.length > 0) return;
  kept = text;
  views = readViews(text);
  draw();
}

/**
 * @param {string} text
 * @returns {View[]}
 */
export function readViews(text) {
  return text
    .split(",")
    .map((part) => /^\s*(.+?)(?:\s+-\s+(.+?))?\s*=\s*([^@]+?)(?:\s*@\s*(.+?))?\s*$/.exec(part))
    .filter((found) => found !== null)
    .map(([, name, over = "", view, confidence]) => ({
      name,
      over,
      view: readBound(view, false),
      confidence: confidence === undefined ? null : readBound(confidence, false),
    }));
}

/** @param {View[]} rows those without a name or a return are left out */
export function viewsText(rows) {
  return rows
    .filter(({ name, view }) => name && view !== null)
    .map(({ name, over, view, confidence }) => {
      const sure = confidence === null ? "" : `@${confidence}`;
      return `${name}${over ? ` - ${over}` : ""}=${view}${sure}`;
    })
    .join(", ");
}

function draw() {
  at("views").replaceChildren(...views.map(line));
}

/**
 * @param {View} view
 * @param {number} i
 */
function line(view, i) {
  const of = `of view ${i + 1}`;
  const change = (/** @type {Partial<View>} */ some) => {
    views = views.map((one, n) => (n === i ? { ...one, ...some } : one));
    keep();
  };
  const number = (/** @type {"view" | "confidence"} */ key, /** @type {string} */ label) =>
    h("input", {
      class: "number",
      "aria-label": `${label} ${of}`,
      inputmode: "text",
      autocomplete: "off",
      value: boundText(view[key], true),
      change: (/** @type {Event} */ { target }) => {
        const field = /** @type {HTMLInputElement} */ (target);
        const value = readBound(field.value, true);
        field.value = boundText(value, true);
        change({ [key]: value });
      },
    });
  const name = (/** @type {"name" | "over"} */ key, /** @type {string} */ label) =>
    h("input", {
      id: `view-${key}-${i}`,
      "aria-label": `${label} ${of}`,
      list: "who-asset",
      autocomplete: "off",
      spellcheck: "false",
      value: view[key],
      change: (/** @type {Event} */ { target }) =>
        change({ [key]: /** @type {any} */ (target).value.trim() }),
    });
  const remove = () => {
    views = views.filter((_, n) => n !== i);
    keep();
    draw();
    at("add-view").focus();
  };
  return h(
    "tr",
    { class: "fields" },
    ...[
      name("name", "Name"),
      name("over", "Over which name,"),
      number("view", "Return a year"),
      number("confidence", "Confidence"),
      h(
        "button",
        { type: "button", class: "icon", "aria-label": `Remove view ${i + 1}`, click: remove },
        "×",
      ),
    ].map((part) => h("td", null, part)),
  );
}

function keep() {
  kept = viewsText(views);
  const options = { ...settings.now.options };
  if (kept) options[VIEWS] = kept;
  else delete options[VIEWS];
  settings.set({ options });
}
