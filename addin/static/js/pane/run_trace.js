// What is behind an answer: its run, opened where the answer stands, and the same computed again.

import { at, h, tableOf } from "./dom.js";
import { Canceled, follow } from "./jobs.js";
import { clearProblem, showProblem } from "./problems.js";
import { ask, records } from "./server.js";

/** Parts of a trace that are a line each in the sheet, and a list of names or numbers here. */
const LONG = new Set(["holdings", "benchmark", "alpha"]);

/**
 * A run that tells what is behind it when it is opened.
 *
 * @param {string} id
 * @returns {HTMLDetailsElement}
 */
export function runTrace(id) {
  const body = h("div", { class: "trace-body" });
  const made = h("details", { class: "trace" }, h("summary", null, `Run ${id}`), body);
  made.addEventListener("toggle", () => {
    if (made.open && body.childElementCount === 0) open(id, body);
  });
  return made;
}

/**
 * @param {string} id
 * @param {HTMLElement} body
 */
async function open(id, body) {
  const problem = `trace-problem-${id}`;
  body.replaceChildren(h("p", { class: "quiet small" }, "Reading"), h("div", { id: problem }));
  try {
    body.replaceChildren(...told(await ask(`runs/${id}`), problem));
  } catch (error) {
    showProblem(problem, "The run could not be read.", error);
    body.firstElementChild?.remove();
  }
}

/**
 * @param {Record<string, any>} run
 * @param {string} problem id of the element for errors
 */
function told(run, problem) {
  const rows = records(run.trace).filter(({ part, item }) => !LONG.has(part) || item === "in all");
  const busy = `trace-busy-${run.run_id}`;
  const said = h("p", { class: "small", role: "status" });
  const again = h("button", { type: "button", class: "plain" }, "Compute again");
  again.disabled = !run.reproducible;
  again.addEventListener("click", () => verify(run.run_id, again, said, { busy, problem }));
  return [
    h(
      "p",
      { class: "quiet small" },
      `In a sheet: =TILT.TRACE("${run.run_id}")${run.reproducible ? "" : ". Its snapshot was removed."}`,
    ),
    h("div", { class: "row tight" }, again, said),
    h("div", { id: busy }),
    h("div", { id: problem }),
    h(
      "div",
      {
        class: "wide",
        tabindex: 0,
        role: "region",
        "aria-label": `What is behind run ${run.run_id}`,
      },
      tableOf(
        `What is behind run ${run.run_id}`,
        ["Part", "Item", "Value"],
        rows.map(({ part, item, value }) => [part, item, String(value)]),
      ),
    ),
  ];
}

/**
 * @param {string} id
 * @param {HTMLButtonElement} button
 * @param {HTMLElement} said
 * @param {{busy: string, problem: string}} boxes ids of elements
 */
async function verify(id, button, said, { busy, problem }) {
  button.disabled = true;
  said.textContent = "";
  clearProblem(problem);
  try {
    const found = await follow(busy, await ask(`runs/${id}/verify`, { method: "POST" }));
    said.textContent = verdict(found);
  } catch (error) {
    if (error instanceof Canceled) said.textContent = "Canceled.";
    else if (at(problem)) showProblem(problem, "The run was not computed again.", error);
  } finally {
    button.disabled = false;
  }
}

/** @param {{equal: boolean, tables: any}} found */
export function verdict({ equal, tables }) {
  const rows = records(tables);
  const all = rows[rows.length - 1];
  if (equal) return `Computed again: all ${all.numbers.toLocaleString("en")} numbers are equal.`;
  const other = rows.slice(0, -1).filter((row) => !row.equal);
  return `Computed again: ${other.map(({ table }) => table).join(", ")} differs from what was recorded.`;
}
