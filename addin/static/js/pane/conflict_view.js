// Why no weights keep all rules, and repairs to accept.

import { h } from "./dom.js";

/** @typedef {{words: string, changes: any[], options: Record<string, any>}} Repair */

/**
 * @param {Record<string, any>} result
 * @param {{repairable: (changes: any[]) => boolean, onRepair: (repair: Repair) => void}} how
 *   repairable: whether the rules are in the table
 * @returns {HTMLElement[]}
 */
export function conflictView({ explain, repairs, refusal }, { repairable, onRepair }) {
  /** @type {Repair[]} */
  const offered = repairs.filter((/** @type {Repair} */ { changes }) => repairable(changes));
  const rest = explain.filter((/** @type {string} */ line) => line !== refusal);
  return [
    h("p", { class: "conflict" }, refusal),
    ...(offered.length > 0 ? repairList(offered, onRepair) : []),
    sentences(rest, true),
  ];
}

/**
 * @param {Repair[]} offered
 * @param {(repair: Repair) => void} onRepair
 */
function repairList(offered, onRepair) {
  const hint = "Each of these lets all rules hold. Accept changes the rule and solves again.";
  return [
    h("h3", null, "Repairs"),
    h("p", { class: "quiet small" }, hint),
    h(
      "ul",
      { class: "repairs" },
      ...offered.map((repair) =>
        h(
          "li",
          null,
          h("span", { class: "grow" }, repair.words),
          h(
            "button",
            {
              type: "button",
              "aria-label": `Accept: ${repair.words}`,
              click: () => onRepair(repair),
            },
            "Accept",
          ),
        ),
      ),
    ),
  ];
}

/**
 * @param {string[]} lines
 * @param {boolean} [open]
 */
export function sentences(lines, open = false) {
  return h(
    "details",
    { open },
    h("summary", null, "In words"),
    h("ul", { class: "sentences" }, ...lines.map((text) => h("li", null, text))),
  );
}
