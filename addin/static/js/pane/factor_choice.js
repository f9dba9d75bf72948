// The factor in question, shared by the tabs that study it, and kept with the workbook.

import { universeQuery } from "./book.js";
import { h } from "./dom.js";
import { ask, records } from "./server.js";
import { settings } from "./settings.js";

const FIRST_GROUP = "style"; // what a list begins with

/**
 * @typedef {object} Known
 * @property {string} universe
 * @property {string} snapshot
 * @property {string} as_of
 * @property {Record<string, any>[]} factors of the model: factor, group, description, first_date
 * @property {string[]} imported
 * @property {string[]} left_out why a style is not there
 */

/** @type {Known | null} what the lists show */
let known = null;

/** Let every list of factors change the workbook's choice. */
export function startFactorChoice() {
  for (const list of lists()) {
    list.addEventListener("change", () => settings.set({ factor: list.value }));
  }
  settings.watch(["factor"], () => known && fill(known));
}

/**
 * Ask for the factors of the universe in use, and fill the lists of every tab.
 *
 * @param {AbortSignal} [signal]
 */
export async function fillFactors(signal) {
  const answer = await ask(`factors${universeQuery()}`, { signal });
  known = { ...answer, factors: records(answer.factors) };
  fill(/** @type {Known} */ (known));
  return /** @type {Known} */ (known);
}

/** The factor that is chosen: a name, or an expression. */
export function chosenFactor() {
  const first = known?.factors.find(({ group }) => group === FIRST_GROUP) ?? known?.factors[0];
  return settings.now.factor || first?.factor || "";
}

/** Whether the chosen factor is one of the model, with returns of its own. */
export const isOfModel = () =>
  Boolean(known?.factors.some(({ factor }) => factor === chosenFactor()));

/** @param {Known} offered */
function fill({ factors, imported }) {
  const chosen = chosenFactor();
  const names = new Set([...factors.map(({ factor }) => factor), ...imported]);
  const groups = [...new Set(factors.map(({ group }) => group))].sort(
    (a, b) => Number(b === FIRST_GROUP) - Number(a === FIRST_GROUP),
  );
  /** @type {[string, string[]][]} */
  const parts = groups.map((group) => [
    group,
    factors.filter((one) => one.group === group).map(({ factor }) => factor),
  ]);
  if (imported.length > 0) parts.push(["imported", imported]);
  if (chosen && !names.has(chosen)) parts.unshift(["your own", [chosen]]);
  for (const list of lists()) {
    list.replaceChildren(
      ...parts.map(([label, members]) =>
        h("optgroup", { label: capital(label) }, ...members.map((name) => option(name))),
      ),
    );
    list.value = chosen;
  }
  const about = factors.find(({ factor }) => factor === chosen);
  for (const line of document.querySelectorAll(".factor-about")) {
    line.textContent = about ? aboutOf(about) : "";
  }
}

/** @param {string} name */
const option = (name) => h("option", { value: name }, name);

/** @param {Record<string, any>} factor */
function aboutOf({ description, first_date: first, days }) {
  const since = days > 0 ? `Returns since ${first}.` : "No returns yet.";
  return `${description}. ${since}`;
}

const lists = () =>
  /** @type {HTMLSelectElement[]} */ ([...document.querySelectorAll("select.factor")]);

/** @param {string} text */
const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
