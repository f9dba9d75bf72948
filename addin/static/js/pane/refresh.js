// A refresh of the data as a job: progress, Cancel, and what came of it in words.

import { forgetChoices } from "./book.js";
import { changes } from "./changes.js";
import { at, h } from "./dom.js";
import { Canceled, follow } from "./jobs.js";
import { clearProblem, showProblem } from "./problems.js";
import { ask } from "./server.js";

const AS_IT_WAS = "Canceled. The data is as it was.";

/**
 * Start a refresh, follow it, and say how it went.
 *
 * @param {object} asked
 * @param {HTMLButtonElement} asked.button pressed; out of use until the end
 * @param {string} asked.box id of the element for progress and summary
 * @param {string} asked.problem id of the element for what goes wrong
 * @param {string} asked.path
 * @param {Record<string, any>} asked.body
 * @param {() => Promise<void>} asked.reload shows everything anew
 * @param {string} [asked.canceled] what to say when it was canceled
 * @returns {Promise<Record<string, any> | null>} the job's result, null where there is none
 */
export async function runRefresh({
  button,
  box,
  problem,
  path,
  body,
  reload,
  canceled = AS_IT_WAS,
}) {
  button.disabled = true;
  clearProblem(problem);
  at(box).replaceChildren();
  try {
    const answer = await ask(path, { method: "POST", body });
    const job = "job" in answer ? answer.job : answer;
    if (job === null) {
      at(box).replaceChildren(note(answer.next));
      return answer;
    }
    const result = await follow(box, job);
    forgetChoices();
    await reload();
    at(box).replaceChildren(summary(result));
    at("recalculate").hidden = result.nothing_new;
    return result;
  } catch (error) {
    if (error instanceof Canceled) {
      at(box).replaceChildren(note(canceled));
    } else {
      showProblem(problem, "The data was not refreshed; it is as it was.", error);
    }
    return null;
  } finally {
    button.disabled = false;
    if (document.hasFocus()) at(button.id)?.focus();
  }
}

/** @param {string} text */
const note = (text) => h("p", { class: "done", role: "status" }, text);

/**
 * What a refresh changed.
 *
 * @param {Record<string, any>} result
 */
function summary(result) {
  if (result.nothing_new) return note("Nothing has changed since the last refresh.");
  const lines = changes(result);
  return h(
    "div",
    { role: "status" },
    h("p", { class: "done" }, `New data is here, as of ${result.as_of}.`),
    lines.length > 0 &&
      h("ul", { class: "plain-list small" }, ...lines.map((l) => h("li", null, l))),
  );
}
