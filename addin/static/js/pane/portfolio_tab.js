// The Portfolio tab: holdings in any form in, matched, mended, saved and put in the sheet.

import { fillBookLists, forgetChoices } from "./book.js";
import { at, fillSelect, h, input, select, tableOf } from "./dom.js";
import { percent } from "./format.js";
import { clearProblem, showProblem } from "./problems.js";
import { ask, records } from "./server.js";
import { settings } from "./settings.js";
import { HOLDINGS, INPUTS, inExcel, writeSheet } from "./workbook.js";

const SHOWN = 12; // holdings before "all" is asked for

/** @type {Record<string, any> | null} the last reading */
let reading = null;
let wholeTable = false;

const pasted = () => /** @type {HTMLTextAreaElement} */ (at("pasted"));

export function startPortfolio() {
  at("read-holdings").addEventListener("click", () => read({ text: pasted().value }));
  pasted().addEventListener("paste", () => setTimeout(() => read({ text: pasted().value })));
  at("choose-file").addEventListener("click", () => at("file").click());
  input("file").addEventListener("change", readFile);
  at("open-saved").addEventListener("click", openSaved);
  at("delete-saved").addEventListener("click", deleteSaved);
  at("save-form").addEventListener("submit", save);
  at("put-holdings").addEventListener("click", putInSheet);
}

export async function loadPortfolio() {
  try {
    await loadSaved();
    at("put-holdings").hidden = !(await inExcel());
  } catch (error) {
    showProblem("portfolio-problem", "The saved portfolios could not be listed.", error);
  }
}

/** @param {string} [chosen] */
async function loadSaved(chosen = select("saved").value) {
  const { portfolios } = await ask("portfolios?limit=1000");
  const options = records(portfolios).map(({ name, names }) => ({
    value: name,
    text: `${name} (${names})`,
  }));
  const none = { value: "", text: "None yet" };
  fillSelect(select("saved"), options.length > 0 ? options : [none], chosen);
  for (const id of ["open-saved", "delete-saved"]) {
    /** @type {HTMLButtonElement} */ (at(id)).disabled = options.length === 0;
  }
}

// --- reading ------------------------------------------------------------------------------------

/**
 * @param {{text?: string, file?: string, name?: string}} given
 * @param {{focus?: string}} [options]
 */
async function read(given, { focus = "reading-title" } = {}) {
  const { universe } = settings.now;
  try {
    const body = { ...given, ...(universe ? { universe } : {}) };
    reading = await ask("uploads", { method: "POST", body });
    clearProblem("portfolio-problem");
    if (given.file !== undefined) pasted().value = asText(reading?.cells);
    wholeTable = false;
    showReading();
    at(focus)?.focus();
  } catch (error) {
    at("reading").hidden = true;
    showProblem("portfolio-problem", "The holdings were not read.", error);
  }
}

async function readFile() {
  const file = input("file").files?.[0];
  if (!file) return;
  const bytes = new Uint8Array(await file.arrayBuffer());
  let binary = "";
  for (let i = 0; i < bytes.length; i += 8192) {
    binary += String.fromCharCode(...bytes.subarray(i, i + 8192));
  }
  input("file").value = ""; // so that the same file can be chosen again
  if (!input("save-name").value) {
    input("save-name").value = file.name.replace(/\.[^.]*$/, "").slice(0, 200);
  }
  await read({ file: btoa(binary), name: file.name });
}

/** @param {any[][]} cells */
const asText = (cells) =>
  cells.map((row) => row.map((cell) => (cell === null ? "" : String(cell))).join("\t")).join("\n");

function showReading() {
  const { usable, findings, error, holdings } = /** @type {Record<string, any>} */ (reading);
  const found = records(findings);
  const open = found.filter(({ severity }) => severity !== "fixed").length;
  const matched = usable ? `${holdings.data.length} holdings matched` : "Not usable yet";
  const toMend = open === 0 ? "nothing to mend" : `${open} to mend`;
  at("reading").hidden = false;
  at("reading-title").textContent = `${matched}, ${toMend}`;
  at("fixes").replaceChildren(
    ...(!usable && found.length === 0 ? [h("p", { class: "error" }, error)] : []),
    ...fixList(found),
  );
  showHoldings();
  at("save-form").hidden = !usable;
  at("saved-note").replaceChildren();
}

/** @param {Record<string, any>[]} found */
function fixList(found) {
  const open = found.filter(({ severity }) => severity !== "fixed");
  const done = found.filter(({ severity }) => severity === "fixed");
  return [
    open.length > 0 && h("ul", { class: "fixes", "aria-label": "To mend" }, ...open.map(fixItem)),
    done.length > 0 &&
      h(
        "details",
        null,
        h("summary", null, `${done.length} read with a remark`),
        h("ul", { class: "fixes" }, ...done.map(fixItem)),
      ),
  ].filter((part) => part instanceof HTMLElement);
}

/** @param {Record<string, any>} finding */
function fixItem({ row, severity, problem, fix }) {
  const meant = /Did you mean '([^']+)'/.exec(fix)?.[1];
  return h(
    "li",
    null,
    h(
      "p",
      null,
      h("span", { class: `tag ${severity}` }, severity),
      row ? h("strong", null, ` Row ${row} `) : " ",
      `${problem}. `,
      h("span", { class: "quiet" }, fix),
    ),
    row > 0 &&
      severity !== "fixed" &&
      h(
        "div",
        { class: "row tight" },
        meant &&
          h(
            "button",
            {
              type: "button",
              click: () => mend(row, (line) => replaceTicker(line, problem, meant)),
            },
            `Use ${meant}`,
          ),
        h(
          "button",
          {
            type: "button",
            "aria-label": `Remove row ${row}`,
            click: () => mend(row, () => ""),
          },
          "Remove row",
        ),
      ),
  );
}

/**
 * Change one line of what was pasted, and read it again. A removed line stays as a blank one, so that
 * the others keep their numbers.
 *
 * @param {number} row
 * @param {(line: string) => string} change
 */
async function mend(row, change) {
  const lines = pasted().value.split(/\r\n|\r|\n/);
  lines[row - 1] = change(lines[row - 1] ?? "");
  pasted().value = lines.join("\n");
  await read({ text: pasted().value });
}

/**
 * @param {string} line
 * @param {string} problem names the ticker as it was written
 * @param {string} meant
 */
function replaceTicker(line, problem, meant) {
  const written = /'([^']+)'/.exec(problem)?.[1] ?? "";
  return written && line.includes(written) ? line.replace(written, meant) : line;
}

function showHoldings() {
  const { usable, holdings, cash } = /** @type {Record<string, any>} */ (reading);
  if (!usable) {
    at("holdings").replaceChildren();
    return;
  }
  const every = records(holdings).sort((a, b) => b.weight - a.weight);
  const shown = wholeTable ? every : every.slice(0, SHOWN);
  const invested = every.reduce((sum, { weight }) => sum + weight, 0);
  at("holdings").replaceChildren(
    tableOf(
      "Holdings as read",
      ["Ticker", "Name", "Weight"],
      shown.map(({ ticker, name, weight }) => [ticker, name, percent(weight)]),
      {
        numeric: [2],
        footer: [
          ["Invested", `${every.length} names`, percent(invested)],
          ["Cash", "", percent(cash)],
        ],
        className: "holdings",
      },
    ),
  );
  if (shown.length < every.length) {
    const more = () => {
      wholeTable = true;
      showHoldings();
    };
    at("holdings").append(h("button", { type: "button", click: more }, `Show all ${every.length}`));
  }
}

// --- saved portfolios ---------------------------------------------------------------------------

async function openSaved() {
  const name = select("saved").value;
  try {
    const { holdings, cash } = await ask(`portfolios/${encodeURIComponent(name)}`);
    const rows = records(holdings).map(({ ticker, weight }) => [ticker, weight]);
    if (cash > 1e-9) rows.push(["CASH", Number(cash.toPrecision(12))]);
    pasted().value = asText([["ticker", "weight"], ...rows]);
    input("save-name").value = name;
    await read({ text: pasted().value });
  } catch (error) {
    showProblem("portfolio-problem", `${name} could not be opened.`, error);
  }
}

/** The first press asks, the second one deletes. */
async function deleteSaved() {
  const button = at("delete-saved");
  const name = select("saved").value;
  if (button.dataset.sure !== name) {
    button.dataset.sure = name;
    button.textContent = "Really delete?";
    const settle = () => {
      delete button.dataset.sure;
      button.textContent = "Delete";
    };
    button.addEventListener("blur", settle, { once: true });
    return;
  }
  try {
    await ask(`portfolios/${encodeURIComponent(name)}`, { method: "DELETE" });
    clearProblem("portfolio-problem");
    forgetChoices();
    await Promise.all([loadSaved(), fillBookLists()]);
  } catch (error) {
    showProblem("portfolio-problem", `${name} was not deleted.`, error);
  }
}

/** @param {Event} event */
async function save(event) {
  event.preventDefault();
  const name = input("save-name").value.trim();
  if (!name) {
    at("saved-note").textContent = "Give it a name first.";
    input("save-name").focus();
    return;
  }
  const { universe } = settings.now;
  try {
    const cells = /** @type {Record<string, any>} */ (reading).cells;
    const body = { holdings: cells, ...(universe ? { universe } : {}) };
    const saved = await ask(`portfolios/${encodeURIComponent(name)}`, { method: "PUT", body });
    clearProblem("portfolio-problem");
    forgetChoices();
    await loadSaved(saved.name);
    settings.set({ portfolio: saved.name });
    await fillBookLists();
    at("saved-note").replaceChildren(
      `Saved. In a cell: `,
      h("code", null, `=TILT.RISK("${saved.name.replaceAll('"', '""')}")`),
    );
  } catch (error) {
    showProblem("portfolio-problem", "The portfolio was not saved.", error);
  }
}

async function putInSheet() {
  const { holdings, cash } = /** @type {Record<string, any>} */ (reading);
  const rows = records(holdings).map(({ ticker, weight }) => [ticker, weight]);
  if (cash > 1e-9) rows.push(["CASH", Number(cash.toPrecision(12))]);
  try {
    await putHoldings(rows);
    at("saved-note").textContent = `Written to the table ${HOLDINGS} on the sheet ${INPUTS}.`;
  } catch (error) {
    showProblem("portfolio-problem", "The holdings were not written to the sheet.", error);
  }
}

/**
 * Write the marked table of holdings, and make it the portfolio in question.
 *
 * @param {any[][]} rows tickers and weights
 * @param {import("./workbook.js").TableContent[]} [more] tables to write beside it
 */
export async function putHoldings(rows, more = []) {
  await writeSheet(
    INPUTS,
    ["What Tilt's buttons and the pane work on. Change it as you like."],
    [{ name: HOLDINGS, rows: [["ticker", "weight"], ...rows], percent: ["weight"] }, ...more],
  );
  settings.set({ portfolio: "" }); // the table comes first
  await fillBookLists();
}
