// Where the data come from: the sources in use, each with its Refresh, and all that could be used.

import { at, h, input } from "./dom.js";
import { moment } from "./format.js";
import { part } from "./part.js";
import { runRefresh } from "./refresh.js";
import { ask, records } from "./server.js";

/**
 * @param {() => Promise<void>} reload shows everything anew after a refresh
 * @returns {import("./part.js").Part}
 */
export function sourcesPart(reload) {
  at("source-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const source = input("source-asked").value.trim();
    const universe = input("source-universe").value.trim();
    const body = { source, ...(universe ? { universe } : {}) };
    if (source) await load(/** @type {SubmitEvent} */ (event), body, reload);
    else input("source-asked").focus();
  });
  return part("sources", "The sources could not be listed.", async (signal) => {
    const { sources, in_use: used } = await ask("sources", { signal });
    const inUse = records(used);
    at("sources-in-use").replaceChildren(...inUse.map((use, i) => useItem(use, i, reload)));
    at("sources-known").replaceChildren(...records(sources).map(sourceItem));
  });
}

/**
 * @param {Record<string, any>} use
 * @param {number} i
 * @param {() => Promise<void>} reload
 */
function useItem({ universe, source, as_of: asOf, last_refresh: refreshed, snapshot }, i, reload) {
  const press = (/** @type {Event} */ event) => load(event, { universe }, reload);
  return h(
    "li",
    null,
    h(
      "div",
      { class: "row tight" },
      h("p", { class: "grow" }, h("strong", null, universe), ` from ${source}`),
      h(
        "button",
        {
          type: "button",
          id: `refresh-source-${i}`,
          "aria-label": `Refresh ${universe}`,
          click: press,
        },
        "Refresh",
      ),
    ),
    h(
      "p",
      { class: "quiet small" },
      `As of ${asOf}, refreshed ${moment(refreshed)}, snapshot `,
      h("code", null, snapshot),
    ),
  );
}

/** @param {Record<string, any>} source */
function sourceItem({ name, title, available, reason, cure, gives, example }) {
  const state = available ? "ready" : "not available";
  return h(
    "li",
    null,
    h(
      "p",
      { class: "split" },
      h("strong", null, title),
      h("span", { class: `tag ${available ? "fixed" : "warning"}` }, state),
    ),
    h(
      "p",
      { class: "quiet small" },
      h("code", null, example || name),
      gives && ` · ${gives.replaceAll("_", " ")}`,
    ),
    !available && h("p", { class: "small" }, `${reason} ${cure}`),
  );
}

/**
 * @param {Event} event of the button that was pressed
 * @param {{source?: string, universe?: string}} body
 * @param {() => Promise<void>} reload
 */
async function load(event, body, reload) {
  const pressed = event instanceof SubmitEvent ? event.submitter : event.currentTarget;
  const button = /** @type {HTMLButtonElement} */ (pressed);
  await runRefresh({
    button,
    box: "source-job",
    problem: "sources-problem",
    path: "data/refresh",
    body,
    reload,
  });
}
