// Data from a file: what was made of it is shown before it is accepted.

import { plural } from "./changes.js";
import { at, h, input, select, tableOf } from "./dom.js";
import { clearProblem, showProblem } from "./problems.js";
import { runRefresh } from "./refresh.js";
import { ask, records } from "./server.js";
import { settings } from "./settings.js";

const ASKED = ["kind", "field", "dates", "decimal", "delimiter"];

/** @type {{file: string, name: string} | null} the file as it was chosen */
let chosen = null;

/** @param {() => Promise<void>} reload shows everything anew once data was added */
export function startDataFile(reload) {
  at("choose-data-file").addEventListener("click", () => at("data-file-input").click());
  input("data-file-input").addEventListener("change", choose);
  for (const field of ASKED) select(`file-${field}`).addEventListener("change", () => read());
  at("discard-file").addEventListener("click", discard);
  at("data-file-form").addEventListener("submit", (event) => accept(event, reload));
}

async function choose() {
  const file = input("data-file-input").files?.[0];
  if (!file) return;
  at("data-file-busy").textContent = `Reading ${file.name}`;
  const content = await base64(file);
  input("data-file-input").value = ""; // so that the same file can be chosen again
  chosen = { file: content, name: file.name };
  for (const field of ASKED) select(`file-${field}`).value = "";
  const stem = file.name.replace(/\.[^.]*$/, "").replaceAll(/[^\w-]+/g, "_");
  input("file-universe").value = stem.slice(0, 100).toUpperCase();
  await read({ focus: true });
}

/** @param {File} file */
export function base64(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.addEventListener("error", () => reject(reader.error));
    reader.addEventListener("load", () =>
      resolve(/** @type {string} */ (reader.result).replace(/^[^,]*,/, "")),
    );
    reader.readAsDataURL(file);
  });
}

/** What the form says, the fields that are left to detection left out. */
function asked() {
  const given = ASKED.map((field) => [field, select(`file-${field}`).value]);
  return Object.fromEntries(given.filter(([, value]) => value));
}

/**
 * Ask the server what is in the file, and show it; what was asked for can be changed either way.
 *
 * @param {{focus?: boolean}} [options]
 */
async function read({ focus = false } = {}) {
  const busy = at("data-file-busy");
  busy.textContent = `Reading ${chosen?.name}`;
  at("data-file-note").replaceChildren();
  try {
    const found = await ask("uploads/data", { method: "POST", body: { ...chosen, ...asked() } });
    clearProblem("data-file-problem");
    show(found);
  } catch (error) {
    show(null);
    showProblem("data-file-problem", `${chosen?.name} was not read.`, error);
  } finally {
    busy.textContent = "";
  }
  if (focus) at("data-file-title").focus();
}

/** @param {Record<string, any> | null} found tables, notes and samples; null where it was not read */
function show(found) {
  const tables = found ? records(found.tables) : [];
  at("data-file-title").textContent = found
    ? `${chosen?.name}, as it was read`
    : `${chosen?.name}: say more about it`;
  at("data-file-read").replaceChildren(
    ...tables.flatMap(({ name, rows, names, first, last }) => [
      h("dt", null, plain(name)),
      h(
        "dd",
        null,
        `${plural(rows, "row")}, ${plural(names, "name")}${first ? `, ${first} to ${last}` : ""}`,
      ),
    ]),
  );
  const notes = found ? records(found.notes) : [];
  at("data-file-notes").replaceChildren(
    ...notes.map(({ what, text }) => h("li", null, h("strong", null, what), `: ${text}`)),
  );
  at("data-file-sample").replaceChildren(...tables.map(({ name }) => sample(name, found?.samples)));
  /** @type {HTMLButtonElement} */ (at("accept-file")).disabled = !found;
  at("data-file-form").hidden = false;
}

/**
 * The first rows of a table, columns without a value left out.
 *
 * @param {string} name
 * @param {Record<string, any>} samples
 */
function sample(name, samples) {
  const { columns, data } = samples[name];
  const filled = columns
    .map((/** @type {string} */ _, /** @type {number} */ j) => j)
    .filter((/** @type {number} */ j) => data.some((/** @type {any[]} */ row) => row[j] !== null));
  return h(
    "div",
    { class: "scrolls", tabindex: "0", role: "group", "aria-label": `First rows: ${plain(name)}` },
    tableOf(
      `The first rows of ${plain(name)}`,
      filled.map((/** @type {number} */ j) => columns[j]),
      data.map((/** @type {any[]} */ row) =>
        filled.map((/** @type {number} */ j) => String(row[j] ?? "")),
      ),
    ),
  );
}

/** @param {string} name */
const plain = (name) => name.replaceAll("_", " ");

function discard() {
  chosen = null;
  at("data-file-form").hidden = true;
  clearProblem("data-file-problem");
  at("choose-data-file").focus();
}

/**
 * @param {Event} event
 * @param {() => Promise<void>} reload
 */
async function accept(event, reload) {
  event.preventDefault();
  const universe = input("file-universe").value.trim();
  const result = await runRefresh({
    button: /** @type {HTMLButtonElement} */ (at("accept-file")),
    box: "data-file-job",
    problem: "data-file-problem",
    path: "data/import",
    body: { ...chosen, ...asked(), universe },
    reload,
    canceled: "Canceled. The file is kept; the next refresh of the universe takes it in.",
  });
  if (!result) return;
  chosen = null;
  at("data-file-form").hidden = true;
  if (!result.snapshot) return; // it waits for prices
  at("data-file-note").replaceChildren(
    `${result.universe} is there. `,
    h(
      "button",
      {
        type: "button",
        click: () => {
          settings.set({ universe: result.universe });
          at("data-file-note").replaceChildren(`This workbook uses ${result.universe}.`);
        },
      },
      "Use it in this workbook",
    ),
  );
}
