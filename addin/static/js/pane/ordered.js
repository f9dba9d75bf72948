// Reports that a button of the ribbon ordered: how far each one is, Cancel, and its files when it is
// ready. They stand above the tabs until they are dismissed, whatever tab is open.

import { fetchFile, fileActions } from "../files.js";
import { at, h } from "./dom.js";
import { Canceled, follow } from "./jobs.js";
import { ask } from "./server.js";

/** @typedef {{file: string, name: string}} Made a file by its id, and what it is saved as */

/**
 * Show a job until it ends, then what it made or why it made nothing; never throws.
 *
 * @param {string} id of the job
 * @param {string} title
 */
export async function followReport(id, title) {
  const box = `ordered-${id}`;
  if (document.getElementById(box)) return; // ordered twice within a second it is one job
  const said = h("p", { class: "small", role: "status" }, title);
  const busy = h("div", { id: box });
  const close = h("button", { type: "button", class: "close", hidden: true }, "Dismiss");
  const card = h("section", { class: "card ordered", "aria-label": title }, said, busy, close);
  close.addEventListener("click", () => card.remove());
  at("ordered").append(card);
  try {
    const { files, as_of: date } = await follow(box, await ask(`jobs/${id}`));
    said.textContent = `${title} is ready, as of ${date}.`;
    busy.replaceChildren(fileList(files));
  } catch (error) {
    said.textContent = `${title} ${outcome(error)}`;
  } finally {
    close.hidden = false;
  }
}

/** @param {any} error of following a job */
function outcome(error) {
  if (error instanceof Canceled) return "was canceled.";
  if (error.status === 0) return `may be ready by now, or not. ${error.message}`;
  return `was not made. ${error.message}`;
}

/**
 * List the files that a report job made; each is fetched, and then shows what can be done with it.
 *
 * @param {Made[]} files
 */
export function fileList(files) {
  const items = files.map(() => h("li", { "aria-live": "polite" }));
  files.forEach((made, i) => fetchInto(items[i], made));
  return h("ul", { class: "files" }, ...items);
}

/**
 * Fetch a file; one that cannot be fetched now is made all the same, and can be fetched again.
 *
 * @param {HTMLElement} item
 * @param {Made} made
 */
async function fetchInto(item, { file, name }) {
  item.replaceChildren(`Fetching ${name}`);
  try {
    item.replaceChildren(...fileActions(name, await fetchFile(file)));
  } catch (error) {
    const again = h("button", { type: "button", "aria-label": `Fetch ${name} again` }, "Try again");
    again.addEventListener("click", () => fetchInto(item, { file, name }));
    item.replaceChildren(`${name} was made, but could not be fetched. ${error.message} `, again);
  }
}
