// Where the rules of the workbook are kept: in the marked table of a sheet, or with the workbook.

import { EXAMPLE, fromGrid, toGrid } from "./rules.js";
import { settings } from "./settings.js";
import { INPUTS, RULES, readTable, updateTable, watchTable, writeSheet } from "./workbook.js";

/** Tells "change" when the rules were read anew and are others than before. */
class RuleBook extends EventTarget {
  /** @type {import("./rules.js").Rule[]} */
  rules = [];
  inSheet = false; // whether they come from, and go back to, a table of the workbook
  #written = ""; // as last read or written, so that our own writing is not read back

  /** Read them, from the table where there is one. */
  async load() {
    const cells = await readTable(RULES);
    this.inSheet = cells !== null;
    if (this.inSheet) await watchTable(RULES, () => this.#onSheetChanged());
    const kept = cells ?? (settings.now.rules.length > 0 ? settings.now.rules : null);
    this.rules = kept ? fromGrid(kept) : EXAMPLE;
    const text = JSON.stringify(toGrid(this.rules));
    const others = text !== this.#written;
    this.#written = text;
    if (others) this.dispatchEvent(new Event("change"));
  }

  /** @param {import("./rules.js").Rule[]} rules that somebody changed in the pane */
  async save(rules) {
    const grid = toGrid(rules);
    this.rules = rules;
    this.#written = JSON.stringify(grid);
    if (!this.inSheet) settings.set({ rules: grid });
    else if (!(await updateTable(RULES, grid))) await this.load(); // the table was deleted meanwhile
  }

  /** Put them into a marked table of a sheet, which keeps them from then on. */
  async put() {
    const tables = [{ name: RULES, rows: toGrid(this.rules) }];
    await writeSheet(INPUTS, ["What Tilt's buttons work on."], tables);
    await this.load();
  }

  async #onSheetChanged() {
    const cells = await readTable(RULES);
    if (cells && JSON.stringify(toGrid(fromGrid(cells))) === this.#written) return;
    await this.load();
  }
}

export const ruleBook = new RuleBook();
