// Several questions to the server, one after the other: how far they are, and an end to them.

import { at, h } from "./dom.js";

/**
 * @typedef {object} Step
 * @property {string} name what is being found out
 * @property {(signal: AbortSignal) => Promise<void>} work asks and draws
 */

/**
 * @param {string} box id of the element that shows how far they are
 * @param {Step[]} steps
 * @param {AbortController} asking ends them; its button does so too
 */
export async function inSteps(box, steps, asking) {
  const stage = h("span", { role: "status", class: "grow" });
  const figures = h("span", { class: "quiet small figures" });
  const bar = h("progress", { max: steps.length, value: 0, "aria-label": "Progress" });
  const end = () => asking.abort();
  const cancel = h("button", { type: "button", class: "cancel", click: end }, "Cancel");
  at(box).replaceChildren(
    h("div", { class: "job" }, h("div", { class: "row tight" }, stage, figures), bar, cancel),
  );
  try {
    for (const [i, { name, work }] of steps.entries()) {
      stage.textContent = name;
      figures.textContent = `${i + 1} of ${steps.length}`;
      bar.value = i;
      await work(asking.signal);
      if (asking.signal.aborted) return;
    }
  } finally {
    // another round of questions may show its own progress there by now
    if (at(box).contains(bar)) at(box).replaceChildren();
  }
}
