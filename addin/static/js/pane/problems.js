// An error as the pane shows it: what happened, what to do, the id, and a button that copies it all.

import { at, h } from "./dom.js";
import { ServerError } from "./server.js";

/**
 * @param {string} box id of the element to show it in
 * @param {string} happened e.g. "The portfolio was not saved."
 * @param {any} error
 */
export function showProblem(box, happened, error) {
  if (error.name === "AbortError") return;
  const known = error instanceof ServerError;
  if (!known) console.error(error);
  const detail = known
    ? error.message
    : `Excel did not take it: ${error.message} Finish what you type in the sheet, then try again.`;
  const id = known ? error.id : "";
  const details = [
    happened,
    detail,
    id && `Id ${id}`,
    known && `${error.request}, status ${error.status}`,
    new Date().toISOString(),
    !known && error.stack,
  ];
  const text = details.filter(Boolean).join("\n");
  at(box).replaceChildren(
    h(
      "div",
      { class: "problem", role: "alert" },
      h("p", { class: "happened" }, happened),
      h("p", null, detail),
      h(
        "div",
        { class: "row tight" },
        id && h("span", { class: "quiet small grow" }, "Id ", h("code", null, id)),
        h("button", { type: "button", class: "plain", click: copyButton(text) }, "Copy details"),
      ),
    ),
  );
}

/** @param {string} box id of the element */
export function clearProblem(box) {
  at(box).replaceChildren();
}

/**
 * @param {string} text
 * @returns {(event: Event) => void}
 */
function copyButton(text) {
  return async (event) => {
    const button = /** @type {HTMLButtonElement} */ (event.currentTarget);
    button.textContent = (await copy(text)) ? "Copied" : "Copying is not allowed here";
  };
}

/** @param {string} text */
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Excel's web view may close the clipboard to scripts; a selection can still be copied
    const field = h("textarea", { class: "visually-hidden", "aria-hidden": "true" });
    field.value = text;
    document.body.append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    return done;
  }
}
