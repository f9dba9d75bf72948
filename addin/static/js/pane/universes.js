// The universes: which there are and how honest their past is; one of one's own by rule or by list.

import { fillBookLists, forgetChoices } from "./book.js";
import { at, h } from "./dom.js";
import { count } from "./format.js";
import { part } from "./part.js";
import { clearProblem, showProblem } from "./problems.js";
import { ask, records } from "./server.js";
import { settings } from "./settings.js";
import { askFirst } from "./sure.js";
import { openForm, startForm } from "./universe_form.js";

/**
 * @param {() => Promise<void>} reload shows everything anew after a change
 * @returns {import("./part.js").Part}
 */
export function universesPart(reload) {
  const changed = async (/** @type {string} */ words) => {
    forgetChoices();
    await reload();
    at("universe-note").replaceChildren(words);
  };
  startForm(changed);
  at("new-universe").addEventListener("click", () => openForm(null));
  return part("universes", "The universes could not be listed.", async (signal) => {
    const { universes } = await ask("universes?limit=1000", { signal });
    const all = records(universes);
    at("universe-list").replaceChildren(...all.map((universe) => item(universe, changed)));
    at("universe-note").replaceChildren();
  });
}

/**
 * @param {Record<string, any>} universe
 * @param {(words: string) => Promise<void>} changed
 */
function item(universe, changed) {
  const { name, description, securities, first_date: first, last_date: last, kind } = universe;
  const derived = kind !== "base";
  return h(
    "li",
    null,
    h(
      "p",
      { class: "split" },
      h("strong", null, name),
      h("span", { class: "quiet small" }, plainKind(kind)),
    ),
    description && h("p", { class: "small" }, description),
    h("p", { class: "quiet small" }, `${count(securities)} securities, ${first} to ${last}`),
    universe.survivorship &&
      h(
        "details",
        { class: "small" },
        h("summary", null, "How honest its past is"),
        h("p", { class: "quiet" }, universe.survivorship),
      ),
    h("div", { class: "row tight" }, ...buttons(name, derived, changed)),
  );
}

/** @param {string} kind */
const plainKind = (kind) =>
  ({ base: "from a source", rule: "by rule", list: "by list" })[kind] ?? kind;

/**
 * @param {string} name
 * @param {boolean} derived
 * @param {(words: string) => Promise<void>} changed
 */
function* buttons(name, derived, changed) {
  if (name === (settings.now.universe || at("status").dataset.universe)) {
    yield h("span", { class: "tag fixed" }, "in use");
  } else {
    yield h(
      "button",
      { type: "button", "aria-label": `Use ${name} in this workbook`, click: () => use(name) },
      "Use",
    );
  }
  if (!derived) return;
  const edit = () => openForm(name);
  yield h("button", { type: "button", "aria-label": `Edit ${name}`, click: edit }, "Edit");
  const remove = h("button", { type: "button" }, "Delete");
  askFirst(remove, `Delete ${name}?`, () => drop(name, changed));
  yield remove;
}

/**
 * Make a universe the workbook's: everything in the pane is shown of it.
 *
 * @param {string} name
 */
function use(name) {
  settings.set({ universe: name });
  at("tab-data").focus();
}

/**
 * @param {string} name
 * @param {(words: string) => Promise<void>} changed
 */
async function drop(name, changed) {
  try {
    await ask(`universes/${encodeURIComponent(name)}`, { method: "DELETE" });
  } catch (error) {
    showProblem("universes-problem", `${name} was not deleted.`, error);
    return;
  }
  clearProblem("universes-problem");
  if (settings.now.universe === name) settings.set({ universe: "" });
  await changed(`${name} is deleted.`);
  await fillBookLists();
  at("new-universe").focus();
}
