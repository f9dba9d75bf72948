// A part of a tab that opens: what is in it is asked for when it is opened, and again when the data
// change. A server that is slow or away holds up this part alone.

import { at } from "./dom.js";
import { clearProblem, showProblem } from "./problems.js";

/**
 * @typedef {object} Part
 * @property {() => Promise<void>} load shows it anew, if it is open
 */

/**
 * @param {string} id of a details element; `id-busy` says that it is being loaded, `id-problem` what
 *   went wrong
 * @param {string} failed what to say when it could not be loaded
 * @param {(signal: AbortSignal) => Promise<void>} show asks and draws
 * @returns {Part}
 */
export function part(id, failed, show) {
  const box = /** @type {HTMLDetailsElement} */ (at(id));
  const busy = at(`${id}-busy`);
  /** @type {AbortController | null} */
  let asking = null;

  async function load() {
    if (!box.open) return;
    asking?.abort(); // the last question is the one that counts
    const mine = new AbortController();
    asking = mine;
    busy.textContent = "Loading";
    box.setAttribute("aria-busy", "true");
    try {
      await show(mine.signal);
      clearProblem(`${id}-problem`);
    } catch (error) {
      showProblem(`${id}-problem`, failed, error);
    }
    if (asking !== mine) return;
    busy.textContent = "";
    box.setAttribute("aria-busy", "false");
  }

  box.addEventListener("toggle", () => load());
  return { load };
}
