// What the tab Risk shows, as formulas in a sheet that stay live.

import { bookReferences } from "./book.js";
import { at } from "./dom.js";
import { writeFormulas } from "./formula_sheet.js";
import { clearProblem, showProblem } from "./problems.js";

/** @param {string} text */
export const quoted = (text) => `"${text.replaceAll('"', '""')}"`;

/**
 * A formula of a function of the sheet; blank arguments at its end are left out.
 *
 * @param {string} name
 * @param {(string | number)[]} given each as it stands in a formula; empty is left out
 */
export function call(name, given) {
  const texts = given.map(String);
  while (texts.length > 0 && !texts[texts.length - 1]) texts.pop();
  return `=TILT.${name}(${texts.join(",")})`;
}

/**
 * Options as a text in a formula, empty without any.
 *
 * @param {Record<string, string | number>} given
 */
export function optionsText(given) {
  const pairs = Object.entries(given).filter(([, value]) => value !== "");
  return pairs.length > 0 ? quoted(pairs.map(([key, value]) => `${key}=${value}`).join(";")) : "";
}

/**
 * @typedef {object} Place how a formula names the portfolio in question
 * @property {string} holdings
 * @property {string} benchmark empty: the universe
 * @property {string} universe its text in a formula, empty: the default
 * @property {Record<string, string>} options the universe as an option
 */

/** @returns {Place} */
export function place() {
  const { holdings, benchmark, universe } = bookReferences();
  return {
    holdings,
    benchmark: benchmark && quoted(benchmark),
    universe: universe && quoted(universe),
    options: universe ? { universe } : {},
  };
}

/**
 * Let a button write a sheet and say so.
 *
 * @param {string} part name in the ids: `write-part`, `part-written`
 * @param {string} problem id of the box for what goes wrong
 * @param {string} sheet
 * @param {() => {words: (string | number)[][], blocks: import("./formula_sheet.js").Block[]}} content
 */
export function writeOnClick(part, problem, sheet, content) {
  at(`write-${part}`).addEventListener("click", async () => {
    const said = at(`${part}-written`);
    said.textContent = "";
    try {
      const { words, blocks } = content();
      await writeFormulas(sheet, words, blocks);
      clearProblem(problem);
      said.textContent = `Written to the sheet ${sheet}.`;
    } catch (error) {
      showProblem(problem, `The sheet ${sheet} was not written.`, error);
    }
  });
}
