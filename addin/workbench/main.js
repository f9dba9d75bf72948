// The workbench: the add-in's ribbon, pane and functions around a spreadsheet in the browser.

import { openBook, toBook } from "./books.js";
import { chartSelection, startCharts } from "./chart_panel.js";
import { Calls, describeFunctions } from "./grid/calls.js";
import { UniverStore } from "./grid/store.js";
import { explainErrors, startUniver } from "./grid/univer.js";
import { Host } from "./host/host.js";
import { drawIcon, drawRibbon, readManifest } from "./ribbon.js";
import { ServerError, ask } from "./server.js";
import { StatusBar } from "./status_bar.js";
import { tipAtMouse } from "./tips.js";
import "./workbench.css";

const ICONS = {
  open_file: "M3 6h6l2 2h10v11H3zM3 10h18",
  save_file: "M12 3v12m-4-4 4 4 4-4M4 17v4h16v-4",
  new_book: "M6 3h9l4 4v14H6zM15 3v4h4M9 12h7M9 16h7",
  chart: "M4 20V4M4 20h16M8 17v-5M12 17V8M16 17v-8M20 17V6",
  recalculate: "M19 8a8 8 0 1 0 1 6M20 4v5h-5",
};
const WAIT = 50;

/**
 * @template {HTMLElement} T
 * @param {string} id
 * @returns {T}
 */
const at = (id) => /** @type {T} */ (document.getElementById(id));

/** @returns {Promise<{manifest: Document, namespace: string, metadata: any}>} */
async function describe() {
  const [manifest, metadata] = await Promise.all([
    ask("/manifest.xml").then((answer) => answer.text()),
    ask("/xlwings/custom-functions-meta.json").then((answer) => answer.json()),
  ]);
  const parsed = new DOMParser().parseFromString(manifest.trim(), "application/xml");
  const name = parsed.querySelector('[id="Functions.Namespace"]')?.getAttribute("DefaultValue");
  return { manifest: parsed, namespace: name ?? "", metadata };
}

class Workbench {
  #loaded = false;

  /** @param {{manifest: Document, namespace: string, metadata: any}} described */
  constructor(described) {
    const dark = window.matchMedia("(prefers-color-scheme: dark)");
    const calls = new Calls();
    const { api, injector } = startUniver({
      container: "grid",
      dark: dark.matches,
      ...describeFunctions(calls, described.namespace, described.metadata),
    });
    dark.addEventListener("change", () => api.toggleDarkMode(dark.matches));
    this.calls = calls;
    this.store = new UniverStore(api, injector);
    this.host = new Host({
      store: this.store,
      describe: async () => described,
      makeCalculator: (store, functions) => calls.connect(store, functions),
    });
    this.store.messageAt = (...place) => calls.messageAt(...place);
    const say = tipAtMouse(at("tip"), at("grid"));
    explainErrors(injector, this.store.messageAt, (message) => say("Tilt", message));
    this.bar = new StatusBar(at("bar"), this.store, calls);
    this.store.addEventListener("pane", () => this.showPane());
    this.store.addEventListener("opened", () => {
      calls.reset();
      at("book-name").textContent = this.store.name;
    });
    this.store.addEventListener("recalculating", () => this.#loaded || this.openStarter());
    startCharts(at("charts"), this.store);
    drawRibbon(
      at("ribbon"),
      [this.#ownGroup(), ...readManifest(described.manifest, this)],
      at("tip"),
    );
    at("file").addEventListener("change", () => this.#openFile());
  }

  /** @returns {import("./ribbon.js").Group} */
  #ownGroup() {
    const button = (
      /** @type {keyof typeof ICONS} */ name,
      /** @type {string} */ label,
      /** @type {string} */ tip,
      /** @type {() => any} */ run,
    ) => ({ name, label, title: label, tip, icon: drawIcon(ICONS[name]), run });
    return {
      label: "Workbook",
      buttons: [
        button(
          "open_file",
          "Open file",
          "Opens an Excel workbook (.xlsx) from this computer.",
          () => at("file").click(),
        ),
        button(
          "save_file",
          "Save file",
          "Saves the workbook as .xlsx, its formulas live in Excel.",
          () => this.save(),
        ),
        button("new_book", "New", "Opens a fresh starter workbook over the server's data.", () =>
          this.openStarter(),
        ),
        button("chart", "Chart", "Draws the selected cells below the sheet.", () =>
          this.bar.say(chartSelection(this.store)),
        ),
        button("recalculate", "Calculate", "Asks the server for every value anew.", () =>
          this.calls.calculateAll(),
        ),
      ],
    };
  }

  /**
   * Press a button of the add-in.
   *
   * @param {string} name
   */
  async press(name) {
    await this.host.press(name);
    this.store.focus();
  }

  showPane() {
    document.body.classList.remove("no-pane");
    at("pane").focus();
  }

  /** Wait until the pane's page, in which the functions run, is there. */
  async startPane() {
    /** @type {HTMLIFrameElement} */ (at("pane")).src = "/workbench/pane";
    while (this.host.functions.associated.size === 0) {
      await new Promise((resolve) => setTimeout(resolve, WAIT));
    }
  }

  async openStarter() {
    await this.#tell("Opening the starter workbook", async () => {
      const book = await (await ask("/api/v1/workbooks/starter")).json();
      this.#loaded = true;
      openBook(this.store, book);
    });
  }

  async #openFile() {
    const input = /** @type {HTMLInputElement} */ (at("file"));
    const file = input.files?.[0];
    input.value = "";
    if (!file) return;
    await this.#tell(`Opening ${file.name}`, async () => {
      const headers = { "X-File-Name": encodeURIComponent(file.name) };
      const answer = await ask("/api/v1/workbooks/open", { method: "POST", body: file, headers });
      this.#loaded = true;
      openBook(this.store, await answer.json());
    });
  }

  async save() {
    await this.#tell("Saving", async () => {
      await this.calls.whenSettled();
      const answer = await ask("/api/v1/workbooks/save", {
        method: "POST",
        body: JSON.stringify(toBook(this.store)),
        headers: { "Content-Type": "application/json" },
      });
      const link = document.createElement("a");
      link.href = URL.createObjectURL(await answer.blob());
      link.download = `${this.store.name.replace(/\.xlsx$/i, "")}.xlsx`;
      link.click();
      URL.revokeObjectURL(link.href);
    });
  }

  /**
   * @param {string} doing
   * @param {() => Promise<void>} work
   */
  async #tell(doing, work) {
    this.bar.say(doing);
    try {
      await work();
      this.bar.say("");
    } catch (error) {
      if (!(error instanceof ServerError)) throw error;
      this.bar.say(`${doing}: ${error.message}`);
    }
  }
}

async function start() {
  const bench = new Workbench(await describe());
  Object.assign(window, { tiltHost: bench.host, tiltWorkbench: bench });
  await bench.startPane();
  await Promise.all([bench.bar.check(), bench.openStarter()]);
}

await start();
