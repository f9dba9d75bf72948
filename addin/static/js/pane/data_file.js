// Data from a file: what was made of it is shown before it is accepted.

import { at, fillSelect, h, input, select } from "./dom.js";
import { count } from "./format.js";
import { clearProblem, showProblem } from "./problems.js";
import { runRefresh } from "./refresh.js";
import { ask, records } from "./server.js";
import { settings } from "./settings.js";

const ASKED = ["kind", "dates", "decimal", "delimiter"];

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

/** Ask the server what is in the file, and show it. */
async function read({ focus = false } = {}) {
  at("data-file-busy").textContent = `Reading ${chosen?.name}`;
  at("data-file-note").replaceChildren();
  try {
    const found = await ask("uploads/data", { method: "POST", body: { ...chosen, ...asked() } });
    clearProblem("data-file-problem");
    show(found);
    if (focus) at("data-file-title").focus();
  } catch (error) {
    if (focus) at("data-file-form").hidden = true; // else what was asked for can be changed back
    showProblem("data-file-problem", `${chosen?.name} was not read.`, error);
  } finally {
    at("data-file-busy").textContent = "";
  }
}

/** @param {Record<string, any>} found kinds, tables and notes */
function show({ kinds, tables, notes }) {
  const options = kinds.map((/** @type {string} */ kind) => ({ value: kind, text: kind }));
  fillSelect(
    select("file-kind"),
    [{ value: "", text: "as detected" }, ...options],
    select("file-kind").value,
  );
  const found = records(tables);
  at("data-file-title").textContent = `${chosen?.name}, as it was read`;
  at("data-file-read").replaceChildren(
    ...found.flatMap(({ name, rows, names, first, last }) => [
      h("dt", null, name.replaceAll("_", " ")),
      h(
        "dd",
        null,
        `${count(rows)} rows, ${count(names)} names${first ? `, ${first} to ${last}` : ""}`,
      ),
    ]),
  );
  at("data-file-notes").replaceChildren(
    ...records(notes).map(({ what, text }) => h("li", null, h("strong", null, what), `: ${text}`)),
  );
  at("data-file-form").hidden = false;
}

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
  });
  if (!result) return;
  chosen = null;
  at("data-file-form").hidden = true;
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
