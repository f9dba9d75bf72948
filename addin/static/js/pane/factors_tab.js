// The Factors tab: what a factor returned, what it foretold, what it is like, what resembles it.

import { universeQuery } from "./book.js";
import { at, fillSelect, h, input, select } from "./dom.js";
import { chosenFactor, fillFactors, isOfModel, startFactorChoice } from "./factor_choice.js";
import { DRAW, statisticsTable } from "./factor_views.js";
import { writeFormulas } from "./formula_sheet.js";
import { part } from "./part.js";
import { clearProblem, showProblem } from "./problems.js";
import { ask, records } from "./server.js";
import { settings } from "./settings.js";
import { inSteps } from "./steps.js";
import { openTab } from "./tabs.js";
import { inExcel } from "./workbook.js";

const SHEET = "Tilt Factor Research";
const NEED_RETURNS = ["returns", "statistics", "correlation", "shape"];
const SPANS = ["", "-5Y", "-3Y", "-1Y", "YTD"];

/** What is asked for, in this order, and what the progress calls it. */
const VIEWS = {
  returns: "What it returned",
  statistics: "Its numbers",
  ic: "What it foretold",
  ic_series: "What it foretold through time",
  decay: "How long that lasts",
  quantiles: "What low and high scores earned",
  correlation: "Which factors are alike",
  shape: "Its shape",
};

let asking = new AbortController();
let shown = ""; // what was asked for and is drawn whole
/** @type {Record<string, string>} the formula that shows each view in a sheet */
let formulas = {};
/** @type {import("./part.js").Part} */
let all;

export function startFactors() {
  startFactorChoice();
  fillSelect(select("factors-span"), spanOptions(), settings.now.span);
  select("factors-span").addEventListener("change", () =>
    settings.set({ span: select("factors-span").value }),
  );
  for (const id of ["factors-horizon", "factors-quantiles"]) {
    at(id).addEventListener("change", loadFactors);
  }
  at("use-own").addEventListener("click", useOwn);
  at("factors-own").addEventListener("keydown", (event) => {
    if (event.key === "Enter") useOwn();
  });
  at("write-factor").addEventListener("click", write);
  all = part("all-factors", "The factors could not be listed.", showAll);
  settings.watch(["factor", "span"], () => {
    if (openTab() === "factors") loadFactors();
  });
}

const spanOptions = () =>
  SPANS.map((value, i) => ({ value, text: select("factors-span").options[i].text }));

function useOwn() {
  const text = input("factors-own").value.trim();
  if (text) settings.set({ factor: text });
}

/** What every view is asked with. */
function question() {
  const { span, universe } = settings.now;
  return {
    factor: chosenFactor(),
    horizon: Number(select("factors-horizon").value),
    quantiles: Number(select("factors-quantiles").value),
    // a point a week is as much as the chart can show of many years
    frequency: ["-1Y", "YTD"].includes(span) ? "D" : "W",
    ...(span ? { start: span } : {}),
    ...(universe ? { universe } : {}),
  };
}

export async function loadFactors() {
  asking.abort(); // the last question is the one that counts
  const mine = new AbortController();
  asking = mine;
  const results = at("factor-results");
  try {
    const { snapshot, left_out: leftOut } = await fillFactors(mine.signal);
    clearProblem("factors-problem");
    const body = question();
    const wanted = JSON.stringify([snapshot, body]);
    if (wanted === shown) return;
    shown = "";
    formulas = {};
    at("factor-written").textContent = "";
    results.hidden = false;
    results.setAttribute("aria-busy", "true");
    at("write-factor").hidden = true;
    at("factors-left-out").replaceChildren(...leftOut.map((line) => h("li", null, line)));
    for (const view of Object.keys(VIEWS)) at(`factor-${view}`).replaceChildren();
    const steps = Object.entries(VIEWS).map(([view, name]) => ({
      name,
      work: async (/** @type {AbortSignal} */ signal) => {
        if (openTab() === "factors") await showView(view, body, signal);
        else mine.abort(); // nobody looks; it goes on when somebody does
      },
    }));
    await inSteps("factors-busy", steps, mine);
    if (asking !== mine) return;
    if (!mine.signal.aborted) shown = wanted;
    results.setAttribute("aria-busy", "false");
    at("write-factor").hidden = Object.keys(formulas).length === 0 || !(await inExcel());
    await all.load();
  } catch (error) {
    if (asking !== mine) return;
    results.hidden = true;
    const what = chosenFactor() || "The factors";
    showProblem("factors-problem", `${what} could not be shown.`, error);
  }
}

/**
 * Ask for one view and draw it; what went wrong is said in its place, and the others go on.
 *
 * @param {string} view
 * @param {ReturnType<typeof question>} body
 * @param {AbortSignal} signal
 */
async function showView(view, body, signal) {
  const problem = `factor-${view}-problem`;
  clearProblem(problem);
  try {
    const answer = await ask(`factor-research/${view}`, { method: "POST", body, signal });
    const rows = records(answer.table);
    at(`factor-${view}`).replaceChildren(
      ...DRAW[view].draw(rows, body.factor, body.horizon),
      ...answer.notes.map((/** @type {string} */ note) => h("p", { class: "quiet small" }, note)),
    );
    formulas[view] = answer.formula;
  } catch (error) {
    // a factor of one's own may have too few values for returns, and foretell all the same; what
    // else is wrong with it is wrong for every view
    const itself = !isOfModel() && !NEED_RETURNS.includes(view);
    if (itself && !signal.aborted) throw error;
    showProblem(problem, `This could not be shown: ${VIEWS[/** @type {"ic"} */ (view)]}.`, error);
  }
}

/** @param {AbortSignal} signal */
async function showAll(signal) {
  const { factors } = await fillFactors(signal);
  const { span } = settings.now;
  const query = new URLSearchParams(universeQuery());
  if (span) query.set("start", span);
  const answer = await ask(`factor-statistics?${query}`, { signal });
  const groups = Object.fromEntries(factors.map(({ factor, group }) => [factor, group]));
  at("factor-list").replaceChildren(
    statisticsTable(records(answer.table), groups, (factor) => settings.set({ factor })),
  );
}

/** Put the formulas of what is shown side by side in a sheet; its factor stands in a cell. */
async function write() {
  const factor = chosenFactor();
  const quoted = `"${factor.replaceAll('"', '""')}"`;
  // the matrix is wide, so it comes last
  const views = Object.entries(formulas).sort(
    ([a], [b]) => Number(a === "correlation") - Number(b === "correlation"),
  );
  const blocks = views.map(([view, formula]) => ({
    title: VIEWS[/** @type {"ic"} */ (view)],
    formula: formula.replace(`(${quoted}`, "($B$3"),
    columns: DRAW[view].columns,
    rows: DRAW[view].rows,
  }));
  const words = [
    ["Factor research"],
    ["Change the factor in B3: a factor, a field, or an expression such as rank(roe)."],
    ["factor", factor],
  ];
  try {
    await writeFormulas(SHEET, words, blocks);
    clearProblem("factors-problem");
    at("factor-written").textContent = `Written to the sheet ${SHEET}.`;
  } catch (error) {
    showProblem("factors-problem", "The factor was not written to the sheet.", error);
  }
}
