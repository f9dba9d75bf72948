// What the quality checks found: filtered, counted, a page at a time, and as a formula in the sheet.

import { at, fillSegments, fillSelect, h, input, select } from "./dom.js";
import { count } from "./format.js";
import { clearProblem, showProblem } from "./problems.js";
import { ask, records } from "./server.js";
import { settings } from "./settings.js";
import { inExcel } from "./workbook.js";
import { writeFormula } from "./formula_sheet.js";

const PAGE = 6;
const TYPING = 250; // milliseconds without a key before what was typed is looked for
const SHEET = "Tilt Findings";
const COLUMNS = [
  { width: 66, format: "yyyy-mm-dd" },
  ...[48, 130, 54, 360, 280].map((width) => ({ width })),
];
const SEVERITIES = /** @type {const} */ (["error", "warning", "info"]);
/** @type {Record<string, string>} */
const PLURALS = { error: "Errors", warning: "Warnings", info: "Info" };

let severity = "";
let shown = 0;
/** @type {AbortController | null} the question whose answer is awaited */
let asking = null;

export function startFindings() {
  at("more-findings").addEventListener("click", () => next());
  select("finding-check").addEventListener("change", () => fromTheStart());
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let due;
  for (const id of ["finding-ticker", "finding-text"]) {
    at(id).addEventListener("input", () => {
      clearTimeout(due);
      due = setTimeout(fromTheStart, TYPING);
    });
  }
  at("clear-filters").addEventListener("click", () => {
    severity = "";
    select("finding-check").value = "";
    for (const id of ["finding-ticker", "finding-text"]) input(id).value = "";
    fromTheStart();
    at("finding-text").focus();
  });
  at("write-findings").addEventListener("click", write);
}

/** Show the findings from the first one, as the filters are set. */
export async function fromTheStart() {
  shown = 0;
  await next();
}

/** What is looked for; nothing that is left out. */
function filters() {
  const given = {
    universe: settings.now.universe,
    severity,
    check: select("finding-check").value,
    ticker: input("finding-ticker").value.trim(),
    text: input("finding-text").value.trim(),
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value));
}

/** Show the next page, the first one in place of what was shown. */
async function next() {
  asking?.abort(); // the last question is the one that counts
  const mine = new AbortController();
  asking = mine;
  const list = at("findings");
  list.setAttribute("aria-busy", "true");
  try {
    const page = { limit: String(PAGE), offset: String(shown) };
    const query = new URLSearchParams({ ...filters(), ...page });
    const answer = await ask(`quality?${query}`, { signal: mine.signal });
    clearProblem("findings-problem");
    await show(answer);
  } catch (error) {
    showProblem("findings-problem", "The findings could not be shown.", error);
  } finally {
    if (asking === mine) list.setAttribute("aria-busy", "false");
  }
}

/** @param {Record<string, any>} answer */
async function show({ counts, checks, total, findings, note }) {
  showCounts(counts);
  showChecks(records(checks));
  const items = records(findings).map(finding);
  if (shown === 0) at("findings").replaceChildren(...items);
  else at("findings").append(...items);
  shown += items.length;
  const isFiltered = Object.keys(filters()).some((name) => name !== "universe");
  const none = isFiltered ? note || "No finding fits these filters." : "The checks found nothing.";
  at("quality-count").textContent = total
    ? `${count(shown)} of ${count(total)} shown, the newest first`
    : none;
  at("more-findings").hidden = shown >= total;
  at("clear-filters").hidden = !isFiltered;
  at("write-findings").hidden = !(await inExcel()) || total === 0;
}

/** @param {Record<string, number>} counts */
function showCounts(counts) {
  const all = SEVERITIES.reduce((sum, name) => sum + counts[name], 0);
  const options = [
    { value: "", text: `All ${count(all)}` },
    ...SEVERITIES.map((name) => ({ value: name, text: `${PLURALS[name]} ${count(counts[name])}` })),
  ];
  const group = at("severity");
  const focused = group.contains(document.activeElement);
  fillSegments(group, options, severity, (value) => {
    severity = value;
    fromTheStart();
  });
  // drawn anew, the choice would drop out of the keyboard's hands
  if (focused) /** @type {HTMLElement} */ (group.querySelector("input:checked")).focus();
}

/** @param {Record<string, any>[]} checks severity, check, count */
function showChecks(checks) {
  const list = select("finding-check");
  const chosen = list.value;
  const options = checks.map(({ check, count: number }) => ({
    value: check,
    text: `${plain(check)} (${count(number)})`,
  }));
  if (chosen && !checks.some(({ check }) => check === chosen)) {
    options.push({ value: chosen, text: `${plain(chosen)} (0)` });
  }
  fillSelect(list, [{ value: "", text: "All checks" }, ...options], chosen);
}

/** @param {string} name */
const plain = (name) => name.replaceAll("_", " ");

/** @param {Record<string, any>} found */
function finding({ date, ticker, check, severity: level, detail, action }) {
  return h(
    "li",
    null,
    h(
      "p",
      { class: "split" },
      h("strong", null, ticker || "All"),
      h("span", { class: "quiet small" }, date),
    ),
    h("p", null, h("span", { class: `tag ${level}` }, level), ` ${plain(check)}: ${detail}`),
    h("p", { class: "quiet small" }, action),
  );
}

/** Put the findings as they are filtered into a sheet of their own, as a formula that stays live. */
async function write() {
  const { universe, severity: level, check, ticker } = filters();
  const options = Object.entries({ check, ticker }).filter(([, value]) => value);
  const listed = options.map(([key, value]) => `${key}=${value}`);
  const texts = [universe ?? "", level ?? "", listed.join(";")].map(quoted);
  while (texts.length > 0 && texts.at(-1) === "") texts.pop();
  const words = ["Quality findings", "As filtered in the pane. Change the formula to see others."];
  try {
    await writeFormula(SHEET, words, `=TILT.QUALITY(${texts.join(",")})`, COLUMNS);
    clearProblem("findings-problem");
    at("findings-written").textContent = `Written to the sheet ${SHEET}.`;
  } catch (error) {
    showProblem("findings-problem", "The findings were not written to the sheet.", error);
  }
}

/** @param {string} text as a formula has it; nothing for an argument that is left out */
const quoted = (text) => (text ? `"${text.replaceAll('"', '""')}"` : "");
