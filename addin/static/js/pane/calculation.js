// Pausing, and asking anew: what the pane's header says of the cells, and does with them.

import { at } from "./dom.js";
import { clearProblem, showProblem } from "./problems.js";

export function startCalculation() {
  at("pause").addEventListener("click", turn);
  for (const button of scopes()) {
    button.addEventListener("click", () =>
      recalculate(/** @type {import("../sheet.js").Scope} */ (button.dataset.scope)),
    );
  }
  globalThis.tilt.addEventListener("change", show);
  show();
}

/** @returns {HTMLButtonElement[]} */
const scopes = () => [.../** @type {any} */ (document.querySelectorAll("[data-scope]"))];

function show() {
  const { isPaused, waiting } = globalThis.tilt;
  const words = stateOf(isPaused, waiting.size);
  const shown = at("calculation-state");
  shown.hidden = !words;
  shown.dataset.state = isPaused ? "paused" : "waiting";
  if (shown.textContent !== words) shown.textContent = words; // it is read out when it changes
  at("pause").textContent = isPaused ? "Resume" : "Pause";
  for (const button of scopes()) button.disabled = isPaused;
}

/**
 * @param {boolean} paused
 * @param {number} count of the cells that wait for an answer
 */
function stateOf(paused, count) {
  const cells = `${count.toLocaleString("en-US")} ${count === 1 ? "cell" : "cells"}`;
  const wait = count === 1 ? "waits" : "wait";
  if (!paused) return count > 0 ? `${cells} ${wait} for the server.` : "";
  const waiting = count > 0 ? ` ${cells} ${wait} for a new one.` : "";
  return `Paused. Cells keep their last values.${waiting}`;
}

async function turn() {
  if (globalThis.tilt.isPaused) await guarded(() => globalThis.tilt.resume());
  else globalThis.tilt.pause();
}

/** @param {import("../sheet.js").Scope} scope */
async function recalculate(scope) {
  await guarded(() => globalThis.tilt.refresh(scope));
}

/** @param {() => Promise<void>} work that Excel may refuse, for example while a cell is edited */
async function guarded(work) {
  clearProblem("calculation-problem");
  try {
    await work();
  } catch (error) {
    showProblem("calculation-problem", "Excel did not calculate.", error);
  }
}
