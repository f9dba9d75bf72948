// Sets of rules under names, kept with the workbook: saved, loaded and deleted here.

import { at, fillSelect, input, select } from "./dom.js";
import { fromGrid, toGrid } from "./rules.js";
import { settings } from "./settings.js";

/**
 * @param {object} how
 * @param {() => import("./rules.js").Rule[]} how.now the rules as they stand
 * @param {(rules: import("./rules.js").Rule[]) => Promise<void>} how.onLoad
 */
export function startRuleSets({ now, onLoad }) {
  at("save-rules").addEventListener("submit", (event) => {
    event.preventDefault();
    const name = input("rule-set-name").value.trim();
    if (!name) return;
    settings.set({ ruleSets: { ...settings.now.ruleSets, [name]: toGrid(now()) } });
    input("rule-set-name").value = "";
    showRuleSets(name);
    say(`Saved ${name} with the workbook.`);
  });
  at("load-rules").addEventListener("click", async () => {
    const name = select("rule-set").value;
    const grid = settings.now.ruleSets[name];
    if (!grid) return;
    await onLoad(fromGrid(grid));
    say(`Loaded ${name}.`);
  });
  at("delete-rules").addEventListener("click", () => {
    const name = select("rule-set").value;
    const { [name]: gone, ...kept } = settings.now.ruleSets;
    if (!gone) return;
    settings.set({ ruleSets: kept });
    showRuleSets();
    say(`Deleted ${name}.`);
    input("rule-set-name").focus();
  });
}

/** @param {string} [chosen] */
export function showRuleSets(chosen = "") {
  const names = Object.keys(settings.now.ruleSets).sort();
  const options = names.map((name) => ({ value: name, text: name }));
  const none = [{ value: "", text: "None saved yet" }];
  fillSelect(select("rule-set"), names.length > 0 ? options : none, chosen);
  for (const id of ["load-rules", "delete-rules"]) {
    /** @type {HTMLButtonElement} */ (at(id)).disabled = names.length === 0;
  }
}

/** @param {string} words */
function say(words) {
  at("rule-set-note").textContent = words;
}
