// The settings of the workbook, on the Data tab.

import { choices } from "./book.js";
import { at, fillSelect, h, select } from "./dom.js";
import { settings } from "./settings.js";

export function startSettings() {
  select("set-universe").addEventListener("change", () => {
    settings.set({ universe: select("set-universe").value });
  });
  settings.addEventListener("saved", (event) => {
    const failed = /** @type {CustomEvent} */ (event).detail;
    at("settings-saved").textContent = failed
      ? `Not kept with the workbook: ${failed}`
      : "Kept with the workbook; save the workbook to keep them.";
  });
}

export async function showSettings() {
  const offered = await choices();
  const { universe, factors } = settings.now;
  const options = offered.universes.map((/** @type {string} */ name) => ({
    value: name,
    text: name,
  }));
  fillSelect(select("set-universe"), options, universe || offered.universe);
  at("set-factors").replaceChildren(
    ...offered.members.factor.map((/** @type {string} */ name) =>
      h(
        "label",
        { class: "check" },
        h("input", {
          type: "checkbox",
          value: name,
          checked: factors.length === 0 || factors.includes(name),
          change: keepFactors,
        }),
        name,
      ),
    ),
  );
}

/** Keep which factors stand on their own; all of them is kept as none, so that new ones are seen. */
function keepFactors() {
  const boxes = /** @type {HTMLInputElement[]} */ ([
    ...at("set-factors").querySelectorAll("input"),
  ]);
  const chosen = boxes.filter(({ checked }) => checked).map(({ value }) => value);
  settings.set({ factors: chosen.length === boxes.length ? [] : chosen });
}
