// The line at the bottom: the server and its data, the message of the selected cell, work in hand.

import { ServerError, ask } from "./server.js";

const EVERY = 20_000;

export class StatusBar {
  #snapshot = "";
  #away = false;

  /**
   * @param {HTMLElement} bar
   * @param {import("./grid/store.js").UniverStore} store
   * @param {import("./grid/calls.js").Calls} calls
   */
  constructor(bar, store, calls) {
    const at = (/** @type {string} */ id) =>
      /** @type {HTMLElement} */ (bar.querySelector(`#${id}`));
    this.server = at("server");
    this.cell = at("cell");
    this.work = at("work");
    this.store = store;
    this.calls = calls;
    for (const event of ["asking", "calculated", "recalculating"]) {
      store.addEventListener(event, () => this.#showWork());
    }
    for (const event of ["selected", "calculated"]) {
      store.addEventListener(event, () => this.#showCell());
    }
    store.addEventListener("recalculating", () => this.check());
    setInterval(() => this.check(), EVERY);
  }

  /** @param {string} text */
  say(text) {
    this.work.textContent = text;
  }

  /** Ask the server how it is; a new snapshot or its return brings new values. */
  async check() {
    try {
      const status = await (await ask("/api/v1/status")).json();
      const { as_of: asOf, snapshot, version } = status;
      const day = asOf ? String(asOf).slice(0, 10) : "none";
      this.#show(
        "online",
        `Connected · data as of ${day} · snapshot ${snapshot} · Tilt ${version}`,
      );
      const changed = this.#snapshot && this.#snapshot !== snapshot;
      this.#snapshot = snapshot;
      if (changed) this.calls.calculateAll();
      else if (this.#away) this.calls.retryErrors();
      this.#away = false;
    } catch (error) {
      if (!(error instanceof ServerError)) throw error;
      const signedOut = error.status === 401;
      this.#away = !signedOut;
      if (signedOut) this.#show("signed-out", "Not signed in · sign in in the Tilt pane");
      else this.#show("offline", `Server away · values shown are the last ones · ${error.message}`);
    }
  }

  /**
   * @param {string} state
   * @param {string} text
   */
  #show(state, text) {
    this.server.dataset.state = state;
    if (this.server.textContent !== text) this.server.textContent = text;
  }

  #showWork() {
    const { pending } = this.calls;
    this.work.textContent = pending ? `Calculating ${pending} cells` : "";
  }

  #showCell() {
    const { sheet, block } = this.store.selection;
    const message = this.calls.messageAt(sheet.id, block.row, block.column);
    this.cell.textContent = message;
    this.cell.title = message;
  }
}
