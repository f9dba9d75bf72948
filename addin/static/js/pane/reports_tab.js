// The Reports tab: what a report is to show, made by the server as a job, saved from here.

import { choices } from "./book.js";
import { base64 } from "./data_file.js";
import { at, fillSelect, h, input, select } from "./dom.js";
import { Canceled, follow } from "./jobs.js";
import { fileList } from "./ordered.js";
import { loadPacks, startPacks } from "./packs_part.js";
import { clearProblem, showProblem } from "./problems.js";
import { ask } from "./server.js";
import { settings } from "./settings.js";
import { HOLDINGS, readTable, RULES } from "./workbook.js";

const TABLE = " table"; // no portfolio's name begins with a space
const MOST_TEMPLATE = 6 * 2 ** 20; // bytes; in base64, what the server takes
const IN_SHEET = "Portfolio in the sheet";

/**
 * @typedef {object} Kind
 * @property {string} name
 * @property {string} title
 * @property {string} about
 * @property {boolean} of_portfolio
 * @property {{key: string, title: string}[]} sections
 * @property {{name: string, about: string}[]} options
 */

/** @type {Kind[]} as the server lists them */
let kinds = [];
/** @type {string} a workbook in base64 */
let template = "";

export function startReports() {
  select("report-kind").addEventListener("change", showKind);
  select("report-format").addEventListener("change", showFormat);
  at("report-choose").addEventListener("click", () => at("report-file").click());
  at("report-forget").addEventListener("click", () => useTemplate("", ""));
  input("report-file").addEventListener("change", chooseTemplate);
  at("report-form").addEventListener("submit", create);
  startPacks();
}

export async function loadReports() {
  try {
    const [offered, saved, table] = await Promise.all([
      ask("reports"),
      choices(),
      readTable(HOLDINGS),
    ]);
    clearProblem("report-problem");
    fillChoices(offered);
    fillPortfolios(saved.portfolios, table !== null);
    at("report-form").hidden = false;
    await loadPacks();
  } catch (error) {
    showProblem("report-problem", "The reports could not be listed.", error);
  }
}

/** @param {{kinds: Kind[], formats: any[], modes: any[], note: string}} offered */
function fillChoices({ kinds: found, formats, modes, note }) {
  const named = (/** @type {{name: string, title: string}} */ { name, title }) => ({
    value: name,
    text: title,
  });
  kinds = found;
  const kept = select("report-kind").value;
  fillSelect(select("report-kind"), kinds.map(named), kept || kinds[0].name);
  fillSelect(select("report-format"), formats.map(named), select("report-format").value || "xlsx");
  fillSelect(select("report-mode"), modes.map(named), select("report-mode").value || "formulas");
  at("report-note").textContent = note;
  if (!kept) showKind();
  showFormat();
}

/**
 * @param {string[]} saved
 * @param {boolean} inSheet whether the workbook has a table of holdings
 */
function fillPortfolios(saved, inSheet) {
  const before = new Set(ticked("report-portfolios"));
  const names = [...(inSheet ? [TABLE] : []), ...saved];
  const known = names.filter((name) => before.has(name));
  const first = names.includes(settings.now.portfolio) ? settings.now.portfolio : names[0];
  const chosen = new Set(known.length > 0 ? known : [first]);
  at("report-portfolios").replaceChildren(
    ...names.map((name) => check(name, name === TABLE ? IN_SHEET : name, chosen.has(name))),
  );
  if (names.length === 0)
    at("report-portfolios").replaceChildren(
      h("p", { class: "quiet small" }, "None yet: see Portfolio."),
    );
}

/**
 * @param {string} value
 * @param {string} text
 * @param {boolean} checked
 */
const check = (value, text, checked) =>
  h("label", { class: "check" }, h("input", { type: "checkbox", value, checked }), ` ${text}`);

/**
 * @param {string} box
 * @returns {string[]}
 */
const ticked = (box) =>
  [...at(box).querySelectorAll("input")].filter((i) => i.checked).map(({ value }) => value);

const kindNow = () =>
  /** @type {Kind} */ (kinds.find(({ name }) => name === select("report-kind").value));

function showKind() {
  const { about, sections, options, of_portfolio: ofPortfolio } = kindNow();
  at("report-about").textContent = about;
  at("report-books").hidden = !ofPortfolio;
  at("report-sections").replaceChildren(
    ...sections.map(({ key, title }) => check(key, title, true)),
  );
  at("report-more").hidden = options.length === 0;
  at("report-options").replaceChildren(
    ...options.flatMap(({ name, about: words }) => {
      const id = `report-option-${name}`;
      return [
        h("label", { for: id }, name.replaceAll("_", " ")),
        h("input", {
          id,
          name,
          maxlength: 200,
          autocomplete: "off",
          "aria-describedby": `${id}-what`,
        }),
        h("p", { id: `${id}-what`, class: "quiet small" }, words),
      ];
    }),
  );
}

function showFormat() {
  const workbook = select("report-format").value === "xlsx";
  select("report-mode").disabled = !workbook || template !== "";
}

async function chooseTemplate() {
  const file = input("report-file").files?.[0];
  if (!file) return;
  input("report-file").value = ""; // so that the same file can be chosen again
  const large = file.size > MOST_TEMPLATE;
  const content = large ? "" : await base64(file).catch(() => "");
  useTemplate(content, file.name);
  if (content) return;
  const why = large ? "a template has up to 6 MB" : "it could not be read; close it elsewhere";
  at("report-template").textContent = `${file.name} was not taken: ${why}.`;
}

/**
 * @param {string} content
 * @param {string} name
 */
function useTemplate(content, name) {
  template = content;
  at("report-template").textContent = name && `${name} will be filled.`;
  at("report-forget").hidden = !content;
  showFormat();
}

/** @returns {Promise<Record<string, any>>} */
async function asked() {
  const kind = kindNow();
  const books = kind.of_portfolio ? ticked("report-portfolios") : [];
  const holdings = books.includes(TABLE) ? await readTable(HOLDINGS) : null;
  const constraints = await readTable(RULES);
  const given = [...at("report-options").querySelectorAll("input")].filter((i) => i.value.trim());
  const format = select("report-format").value;
  const { universe } = settings.now;
  return {
    kind: kind.name,
    portfolios: books.map((name) => (name === TABLE ? { name: IN_SHEET, holdings } : name)),
    sections: ticked("report-sections"),
    format,
    mode: format === "xlsx" ? select("report-mode").value : "formulas",
    separate: input("report-separate").checked,
    options: Object.fromEntries(given.map(({ name, value }) => [name, value.trim()])),
    ...(constraints ? { constraints } : {}),
    ...(universe ? { universe } : {}),
    ...(template ? { template } : {}),
  };
}

/** @param {Event} event */
async function create(event) {
  event.preventDefault();
  const button = /** @type {HTMLButtonElement} */ (at("report-create"));
  button.disabled = true;
  at("report-said").textContent = "";
  at("report-files").replaceChildren();
  try {
    const job = await ask("reports", { method: "POST", body: await asked() });
    const made = await follow("report-busy", job);
    clearProblem("report-problem");
    at("report-files").replaceChildren(fileList(made.files));
    at("report-said").textContent = `Made, as of ${made.as_of}.`;
    await loadPacks();
  } catch (error) {
    if (error instanceof Canceled) at("report-said").textContent = "The report was canceled.";
    else showProblem("report-problem", "The report was not made.", error);
  } finally {
    button.disabled = false;
  }
}
