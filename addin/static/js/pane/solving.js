// Solving a problem as a job of the server: progress, Cancel, and what went wrong.

import { at, h } from "./dom.js";
import { Canceled, follow } from "./jobs.js";
import { clearProblem, showProblem } from "./problems.js";
import { ask } from "./server.js";

export const NO_PORTFOLIO = "Read a portfolio in the tab Portfolio first.";

/**
 * Ask for a job and wait for it.
 *
 * @param {object} how
 * @param {string} how.button id of the button that asked; `id-job` shows progress, `id-problem` errors
 * @param {string} how.path
 * @param {() => Promise<Record<string, any> | null>} how.body null where there is no portfolio
 * @param {string} how.failed what to say when it could not be done
 * @returns {Promise<{result: any, context: any, body: any} | null>} null when there is no result
 */
export async function solving({ button, path, body, failed }) {
  const pressed = /** @type {HTMLButtonElement} */ (at(button));
  pressed.disabled = true;
  clearProblem(`${button}-problem`);
  try {
    const asked = await body();
    if (!asked) {
      at(`${button}-problem`).replaceChildren(h("p", { role: "alert" }, NO_PORTFOLIO));
      return null;
    }
    const job = await ask(path, { method: "POST", body: asked });
    const result = await follow(`${button}-job`, job);
    return { result, context: job.context, body: asked };
  } catch (error) {
    if (error instanceof Canceled) {
      at(`${button}-job`).replaceChildren(h("p", { class: "done", role: "status" }, "Canceled."));
      pressed.disabled = false;
      pressed.focus();
    } else if (error instanceof RangeError) {
      // a field that cannot be read
      const words = h("p", { class: "error", role: "alert" }, error.message);
      at(`${button}-problem`).replaceChildren(words);
    } else {
      showProblem(`${button}-problem`, failed, error);
    }
    return null;
  } finally {
    pressed.disabled = false;
  }
}
