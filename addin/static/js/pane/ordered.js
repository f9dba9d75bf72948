// Reports that a button of the ribbon ordered: how far each one is, Cancel, and its files when it is
// ready. They stand above the tabs until they are dismissed, whatever tab is open.

import { fetchFile, fileActions } from "../files.js";
import { at, h } from "./dom.js";
import { Canceled, follow } from "./jobs.js";
import { ask } from "./server.js";

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
    busy.replaceChildren(await fileList(files));
  } catch (error) {
    said.textContent =
      error instanceof Canceled
        ? `${title} was canceled.`
        : `${title} was not made. ${error.message}`;
  } finally {
    close.hidden = false;
  }
}

/**
 * Fetch files that a report job made and list what can be done with each.
 *
 * @param {{file: string, name: string}[]} files
 * @returns {Promise<HTMLUListElement>}
 */
export async function fileList(files) {
  const blobs = await Promise.all(files.map(({ file }) => fetchFile(file)));
  const items = files.map(({ name }, i) => h("li", null, ...fileActions(name, blobs[i])));
  return /** @type {HTMLUListElement} */ (h("ul", { class: "files" }, ...items));
}
