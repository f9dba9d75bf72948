// The tabs: one panel at a time, arrow keys between them.

import { at } from "./dom.js";

/** @type {Record<string, () => void>} what a tab does when it is shown, by its name */
const shown = {};

/** @returns {HTMLElement[]} */
const tabs = () => [...document.querySelectorAll("[role=tab]")].map((tab) => at(tab.id));

/** @param {HTMLElement} tab */
const nameOf = (tab) => tab.id.replace("tab-", "");

export function startTabs() {
  for (const tab of tabs()) {
    tab.addEventListener("click", () => select(tab));
    tab.addEventListener("keydown", onKey);
  }
}

/**
 * @param {string} name
 * @param {() => void} listener
 */
export function onShow(name, listener) {
  shown[name] = listener;
}

/** @param {string} name */
export function showTab(name) {
  const tab = at(`tab-${name}`);
  if (tab) select(tab); // a button of the ribbon may be newer than this pane
}

/** The name of the tab that is open. */
export function openTab() {
  return nameOf(
    /** @type {HTMLElement} */ (document.querySelector("[role=tab][aria-selected=true]")),
  );
}

/** @param {HTMLElement} chosen */
function select(chosen) {
  for (const tab of tabs()) {
    const selected = tab === chosen;
    tab.setAttribute("aria-selected", String(selected));
    tab.tabIndex = selected ? 0 : -1;
    at(/** @type {string} */ (tab.getAttribute("aria-controls"))).hidden = !selected;
  }
  shown[nameOf(chosen)]?.();
}

/** @param {KeyboardEvent} event */
function onKey(event) {
  const all = tabs();
  const here = all.indexOf(/** @type {HTMLElement} */ (event.currentTarget));
  /** @type {Record<string, number>} */
  const targets = { ArrowLeft: here - 1, ArrowRight: here + 1, Home: 0, End: all.length - 1 };
  if (!(event.key in targets)) return;
  event.preventDefault();
  const next = all[(targets[event.key] + all.length) % all.length];
  select(next);
  next.focus();
}
