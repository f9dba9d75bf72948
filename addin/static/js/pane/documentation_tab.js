// The Documentation tab: every function with its help page, found by words.

import { at, h, input } from "./dom.js";
import { ask } from "./server.js";

export function startDocumentation() {
  at("find").addEventListener("input", filter);
}

export async function loadDocumentation() {
  const meta = await ask("/xlwings/custom-functions-meta.json");
  at("functions").replaceChildren(...meta.functions.map(item));
  filter();
}

/** @param {{name: string, description: string, helpUrl?: string, parameters: {name: string, optional?: boolean}[]}} f */
function item({ name, description, helpUrl, parameters }) {
  const names = parameters.map((p) => (p.optional ? `[${p.name}]` : p.name)).join(", ");
  const title = helpUrl
    ? h("a", { href: helpUrl, target: "_blank", rel: "noopener" }, name)
    : h("strong", null, name);
  return h("li", null, title, h("code", null, `(${names})`), h("p", null, description));
}

function filter() {
  const words = input("find").value.toLowerCase().split(/\s+/);
  const items = [...at("functions").children].map((line) => /** @type {HTMLElement} */ (line));
  for (const line of items) {
    const text = (line.textContent ?? "").toLowerCase();
    line.hidden = !words.every((word) => text.includes(word));
  }
  const shown = items.filter((line) => !line.hidden).length;
  at("found").textContent = `${shown} of ${items.length} functions`;
}
