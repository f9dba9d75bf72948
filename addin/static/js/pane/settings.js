// What the user chose, kept with the workbook: whoever opens it next finds it so.

const KEY = "tilt";

/**
 * @typedef {object} Choices
 * @property {string} universe empty: the server's default
 * @property {string} benchmark empty: the universe by market cap; "NONE": absolute risk
 * @property {string} portfolio empty: the marked table, or the first saved one
 * @property {string[]} factors shown on their own in charts; empty: all
 * @property {string} objective a name, or a sum of objectives
 * @property {string} alpha a factor whose scores are taken as expected returns, or the table of them
 * @property {Record<string, string | number | boolean>} options of the optimizer
 * @property {any[][]} rules with a header, where the workbook has no table of them
 * @property {Record<string, any[][]>} ruleSets rules under names, each with a header
 * @property {string} factor studied in the tabs Factors and Pure factor; empty: the first one
 * @property {string} span of its study, as a formula takes it; empty: all there is
 * @property {string} by how risk is split
 * @property {boolean} welcomed whether the first words were put away
 */

/** @type {Choices} */
const NOTHING = {
  universe: "",
  benchmark: "",
  portfolio: "",
  factors: [],
  objective: "min_te",
  alpha: "",
  options: {},
  rules: [],
  ruleSets: {},
  factor: "",
  span: "",
  by: "factor",
  welcomed: false,
};

class Settings extends EventTarget {
  /** @type {Choices} */
  now = NOTHING;
  /** @type {Office.Settings | null} */
  #kept = null;

  /** Read what the workbook keeps; in a plain browser nothing is kept. */
  async load() {
    const { host } = await Office.onReady();
    if (host === Office.HostType.Excel) this.#kept = Office.context.document.settings;
    const kept = this.#kept?.get(KEY) ?? {};
    this.now = { ...NOTHING, ...kept };
  }

  /**
   * Change some, tell who listens, and save them with the workbook.
   *
   * @param {Partial<Choices>} change
   */
  set(change) {
    this.now = { ...this.now, ...change };
    this.dispatchEvent(new CustomEvent("change", { detail: Object.keys(change) }));
    const kept = this.#kept;
    if (!kept) return;
    kept.set(KEY, this.now);
    kept.saveAsync((result) => {
      const failed = result.status === Office.AsyncResultStatus.Failed;
      const detail = failed ? result.error.message : "";
      this.dispatchEvent(new CustomEvent("saved", { detail }));
    });
  }

  /**
   * @param {(keyof Choices)[]} names
   * @param {() => void} listener called when one of them has changed
   */
  watch(names, listener) {
    this.addEventListener("change", (event) => {
      const changed = /** @type {CustomEvent} */ (event).detail;
      if (names.some((name) => changed.includes(name))) listener();
    });
  }
}

export const settings = new Settings();
