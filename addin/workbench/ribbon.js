// The ribbon as Excel would draw it from the manifest, and beside it what Excel itself has: opening,
// saving, charts, recalculating.

import { showTip } from "./tips.js";

/**
 * @typedef {{name: string, label: string, title: string, tip: string, icon: string | SVGElement,
 *   run: () => any}} Button
 * @typedef {{label: string, buttons: Button[]}} Group
 */

/**
 * @param {Document} manifest
 * @param {{press: (name: string) => Promise<void>, showPane: () => void}} host
 * @returns {Group[]}
 */
export function readManifest(manifest, host) {
  const resource = (/** @type {string} */ id) =>
    manifest.querySelector(`Resources [id="${id}"]`)?.getAttribute("DefaultValue") ?? "";
  const text = (/** @type {Element | null} */ element) =>
    resource(element?.getAttribute("resid") ?? "");
  return [...manifest.querySelectorAll("CustomTab > Group")].map((group) => ({
    label: text(group.querySelector(":scope > Label")),
    buttons: [...group.querySelectorAll("Control")].map((control) => {
      const action = /** @type {Element} */ (control.querySelector("Action"));
      const name = action.querySelector("FunctionName")?.textContent ?? "pane";
      const shows = action.getAttribute("xsi:type") === "ShowTaskpane";
      return {
        name,
        label: text(control.querySelector(":scope > Label")),
        title: text(control.querySelector("Supertip > Title")),
        tip: text(control.querySelector("Supertip > Description")),
        icon: new URL(text(control.querySelector('Icon > [size="32"]'))).pathname,
        run: () => (shows ? host.showPane() : host.press(name)),
      };
    }),
  }));
}

/**
 * @param {HTMLElement} ribbon
 * @param {Group[]} groups
 * @param {HTMLElement} tip where a button's supertip is shown
 */
export function drawRibbon(ribbon, groups, tip) {
  for (const { label, buttons } of groups) {
    const group = document.createElement("div");
    group.className = "group";
    group.setAttribute("role", "group");
    group.setAttribute("aria-label", label);
    const row = document.createElement("div");
    row.className = "buttons";
    row.append(...buttons.map((button) => drawButton(button, tip)));
    const caption = document.createElement("p");
    caption.textContent = label;
    caption.setAttribute("aria-hidden", "true");
    group.append(row, caption);
    ribbon.append(group);
  }
  const all = [...ribbon.querySelectorAll("button")];
  all.forEach((button, i) => (button.tabIndex = i === 0 ? 0 : -1));
  ribbon.addEventListener("keydown", (event) => move(event, all));
}

/**
 * @param {Button} button
 * @param {HTMLElement} tip
 */
function drawButton({ name, label, title, tip: words, icon, run }, tip) {
  const button = document.createElement("button");
  button.type = "button";
  button.dataset.name = name;
  button.setAttribute("aria-description", words);
  if (typeof icon === "string") {
    const image = document.createElement("img");
    Object.assign(image, { src: icon, alt: "", width: 24, height: 24 });
    button.append(image);
  } else button.append(icon);
  const caption = document.createElement("span");
  caption.textContent = label;
  button.append(caption);
  button.addEventListener("click", async () => {
    if (button.getAttribute("aria-busy") === "true") return;
    button.setAttribute("aria-busy", "true");
    try {
      await run();
    } finally {
      button.removeAttribute("aria-busy");
    }
  });
  const show = () => {
    const { left, bottom } = button.getBoundingClientRect();
    showTip(tip, { title, words, left, top: bottom });
  };
  const hide = () => (tip.hidden = true);
  button.addEventListener("mouseenter", show);
  button.addEventListener("focus", () => button.matches(":focus-visible") && show());
  for (const event of ["mouseleave", "blur", "click"]) button.addEventListener(event, hide);
  return button;
}

/**
 * Arrow keys go from button to button, as in every toolbar.
 *
 * @param {KeyboardEvent} event
 * @param {HTMLButtonElement[]} all
 */
function move(event, all) {
  const here = all.indexOf(/** @type {HTMLButtonElement} */ (document.activeElement));
  /** @type {Record<string, number>} */
  const targets = { ArrowLeft: here - 1, ArrowRight: here + 1, Home: 0, End: all.length - 1 };
  if (here < 0 || !(event.key in targets)) return;
  event.preventDefault();
  const next = all[(targets[event.key] + all.length) % all.length];
  for (const button of all) button.tabIndex = button === next ? 0 : -1;
  next.focus();
}

/**
 * A line drawing of 24 by 24 for the buttons that the manifest does not have.
 *
 * @param {string} path
 */
export function drawIcon(path) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const line = document.createElementNS(space, "path");
  line.setAttribute("d", path);
  svg.append(line);
  return svg;
}
