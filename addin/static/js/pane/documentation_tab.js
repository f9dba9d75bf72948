// The Documentation tab: every function and every part of the guides, found by words.

import { at, h, input } from "./dom.js";
import { ask } from "./server.js";

/** Most parts of guides that are listed; more would be no answer. */
const MOST = 12;

/** @typedef {{guide: string, heading: string, url: string, text: string}} Section */

/** @type {Section[]} */
let sections = [];

export function startDocumentation() {
  at("find").addEventListener("input", filter);
}

export async function loadDocumentation() {
  const [meta, found] = await Promise.all([
    ask("/xlwings/custom-functions-meta.json", { open: true }),
    ask("/help/index.json", { open: true }),
  ]);
  sections = found;
  at("functions").replaceChildren(...meta.functions.map(item));
  filter();
}

/** @param {{name: string, description: string, helpUrl?: string, parameters: {name: string, optional?: boolean}[]}} f */
function item({ name, description, helpUrl, parameters }) {
  const names = parameters.map((p) => (p.optional ? `[${p.name}]` : p.name)).join(", ");
  const title = helpUrl ? page(helpUrl, name) : h("strong", null, name);
  return h("li", null, title, h("code", null, `(${names})`), h("p", null, description));
}

/**
 * @param {string} href
 * @param {string} text
 */
const page = (href, text) => h("a", { href, target: "_blank", rel: "noopener" }, text);

function filter() {
  const words = input("find").value.toLowerCase().split(/\s+/).filter(Boolean);
  const items = [...at("functions").children].map((line) => /** @type {HTMLElement} */ (line));
  for (const line of items) {
    const text = (line.textContent ?? "").toLowerCase();
    line.hidden = !words.every((word) => text.includes(word));
  }
  const shown = items.filter((line) => !line.hidden).length;
  at("found").textContent = `${shown} of ${items.length} functions`;
  showGuides(words);
}

/** @param {string[]} words none shows no part of a guide */
function showGuides(words) {
  const found = words.length > 0 ? findSections(sections, words) : [];
  const guides = at("guides");
  guides.hidden = found.length === 0;
  at("guides-found").replaceChildren(
    ...found
      .slice(0, MOST)
      .map(({ guide, heading, url }) =>
        h(
          "li",
          null,
          page(url, heading),
          heading !== guide && h("span", { class: "quiet small" }, ` in ${guide}`),
        ),
      ),
  );
}

/**
 * The parts that have every word, those with the words in the heading first.
 *
 * @param {Section[]} all
 * @param {string[]} words in lower case
 * @returns {Section[]}
 */
function findSections(all, words) {
  const has = (/** @type {string} */ text) => {
    const lower = text.toLowerCase();
    return words.every((word) => lower.includes(word));
  };
  const titled = all.filter(({ heading }) => has(heading));
  const said = all.filter(
    (section) => !titled.includes(section) && has(`${section.heading} ${section.text}`),
  );
  return [...titled, ...said];
}
