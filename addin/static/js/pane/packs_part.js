// What the user's reports held, as the server keeps it: the list, and taking one off the record.

import { at, h, tableOf } from "./dom.js";
import { moment } from "./format.js";
import { clearProblem, showProblem } from "./problems.js";
import { ask, records } from "./server.js";
import { askFirst } from "./sure.js";

const MOST = 50; // of the newest, which is said when there may be more

export function startPacks() {
  at("packs").addEventListener("toggle", loadPacks);
}

/** Show the reports on record, if that part is open. */
export async function loadPacks() {
  if (!(/** @type {HTMLDetailsElement} */ (at("packs")).open)) return;
  try {
    const { packs } = await ask(`packs?limit=${MOST}`);
    clearProblem("packs-problem");
    at("packs-list").replaceChildren(listOf(records(packs)));
  } catch (error) {
    showProblem("packs-problem", "The reports on record could not be listed.", error);
  }
}

/** @param {Record<string, any>[]} found */
function listOf(found) {
  if (found.length === 0) return h("p", { class: "quiet small" }, "None yet.");
  const rows = found.map(({ pack, portfolio, kind, as_of: date, made }) => [
    portfolio,
    kind.replaceAll("_", " "),
    String(date).slice(0, 10),
    moment(`${made}Z`.replace("ZZ", "Z")),
    removal(pack, `${portfolio}, ${String(date).slice(0, 10)}`),
  ]);
  const table = tableOf("Reports on record", ["Of", "Kind", "As of", "Made", "Remove"], rows);
  if (found.length < MOST) return table;
  return h("div", null, table, h("p", { class: "quiet small" }, `The newest ${MOST}.`));
}

/**
 * @param {string} pack
 * @param {string} which in words
 */
function removal(pack, which) {
  const button = h("button", { type: "button", "aria-label": `Remove ${which}` }, "Remove");
  askFirst(button, "Sure?", async () => {
    button.disabled = true; // pressed twice, the second time there is nothing to remove
    try {
      await ask(`packs/${pack}`, { method: "DELETE" });
    } catch (error) {
      button.disabled = false;
      showProblem("packs-problem", "The report is still on record.", error);
      return;
    }
    await loadPacks();
    at("packs").querySelector("summary")?.focus(); // the button that had the focus is gone
  });
  return button;
}
