// What to strive for: an objective with its own options, or a sum of objectives typed as a formula.

import { choices } from "./book.js";
import { at, fillSelect, h, input, select } from "./dom.js";
import { optionField } from "./option_fields.js";
import { ALPHA, objectiveNamed } from "./problem.js";
import { settings } from "./settings.js";
import { showViews, startViews, VIEWS } from "./views_table.js";
import { readTable } from "./workbook.js";

const SUM = "+"; // in the list of objectives; no objective has this name
const FIRST_SUM = "max_return - 4*risk";

export function startObjective() {
  select("objective").addEventListener("change", () => {
    const chosen = select("objective").value;
    settings.set({ objective: chosen === SUM ? FIRST_SUM : chosen });
    if (chosen === SUM) input("sum").focus();
  });
  input("sum").addEventListener("change", () => {
    const text = input("sum").value.trim();
    if (text) settings.set({ objective: text });
  });
  select("alpha").addEventListener("change", () => settings.set({ alpha: select("alpha").value }));
  startViews();
  settings.watch(["objective", "alpha"], () => showObjective());
}

/** Show objective, expected returns and parameters with what the server and the workbook offer. */
export async function loadObjective() {
  const offered = await choices();
  const sums = offered.terms ? [{ value: SUM, text: "A sum of objectives …" }] : [];
  const named = offered.objectives.map((/** @type {any} */ one) => ({
    value: one.name,
    text: one.title,
  }));
  fillSelect(select("objective"), [...named, ...sums], settings.now.objective);
  await fillAlpha(offered);
  await showObjective();
}

/** @param {Record<string, any>} offered */
async function fillAlpha(offered) {
  const own = (await readTable(ALPHA)) ? [{ value: ALPHA, text: `In the sheet: ${ALPHA}` }] : [];
  const factors = offered.members.factor.map((/** @type {string} */ name) => ({
    value: name,
    text: `${name} scores`,
  }));
  const none = { value: "", text: "None" };
  fillSelect(select("alpha"), [none, ...own, ...factors], settings.now.alpha);
}

async function showObjective() {
  const offered = await choices();
  const { objective, alpha } = settings.now;
  const summed = !offered.objectives.some((/** @type {any} */ one) => one.name === objective);
  select("objective").value = summed ? SUM : objective;
  at("sum-part").hidden = !summed;
  if (summed) showSum(offered, objective);
  const about = objectiveNamed(offered, objective);
  at("objective-means").textContent = summed ? "" : `${about.name}: ${about.description}.`;
  select("alpha").value = alpha;
  at("alpha-means").textContent = alphaWords(alpha);
  showOptions("objective-own", offered, (option) => about.options.includes(option.name));
  showOptions("parameter-fields", offered, (option) => !option.own);
  at("views-part").hidden = !about.options.includes(VIEWS);
  showViews();
}

/** @param {string} alpha */
function alphaWords(alpha) {
  if (alpha === ALPHA) return `The table ${ALPHA}: tickers and expected yearly returns.`;
  if (alpha) return "A score of 1 in the factor counts as 1 % a year.";
  return `A factor, or a table ${ALPHA} in the workbook; for the frontier and for what wants return.`;
}

/**
 * @param {Record<string, any>} offered
 * @param {string} text
 */
function showSum({ terms }, text) {
  const field = input("sum");
  if (document.activeElement !== field) field.value = text;
  at("sum-terms").replaceChildren(
    ...Object.entries(terms).flatMap(([name, description]) => [
      h("dt", null, h("code", null, name)),
      h("dd", { class: "quiet" }, String(description)),
    ]),
  );
}

/**
 * Show the fields of some options; a field that somebody is in stays.
 *
 * @param {string} id of the element to show them in
 * @param {Record<string, any>} offered
 * @param {(option: import("./option_fields.js").Option) => boolean} wanted
 */
function showOptions(id, { options }, wanted) {
  const box = at(id);
  const shown = options.filter((/** @type {any} */ option) => option.form && wanted(option));
  const names = shown.map((/** @type {any} */ { name }) => name).join(" ");
  if (box.dataset.names === names && box.contains(document.activeElement)) return;
  box.dataset.names = names;
  box.replaceChildren(...shown.map(optionField));
}

/** Show the parameters as they are kept now, for an answer has changed one. */
export async function openParameters() {
  await showObjective();
  /** @type {HTMLDetailsElement} */ (at("parameters")).open = true;
}
