// The Optimize tab: objective and rules, how the portfolio stands to them, the best weights, and what
// each rule costs.

import { choices } from "./book.js";
import { at } from "./dom.js";
import { loadFrontier, startFrontier } from "./frontier.js";
import { loadObjective, openParameters, startObjective } from "./objective_form.js";
import { exclude, pin, showPins, startPins } from "./pins.js";
import { objectiveNamed, problemBody } from "./problem.js";
import { clearProblem, showProblem } from "./problems.js";
import { ruleAnswers } from "./rule_answers.js";
import { ruleBook } from "./rule_book.js";
import { showMistake, showVerdicts } from "./rule_check.js";
import { showRuleSets, startRuleSets } from "./rule_sets.js";
import { changed, toCheck, toGrid } from "./rules.js";
import { RulesTable } from "./rules_table.js";
import { ask } from "./server.js";
import { settings } from "./settings.js";
import { solutionTitle, solutionView } from "./solution.js";
import { writeSolution } from "./solution_sheet.js";
import { NO_PORTFOLIO, solving } from "./solving.js";
import { RULES, inExcel } from "./workbook.js";

const QUIET = 350; // milliseconds without a change before the portfolio is checked again

const table = new RulesTable();
/** @type {ReturnType<typeof setTimeout> | undefined} */
let due;
let checking = new AbortController();
let solved = ""; // the problem whose answer is shown
/** @type {Record<string, any> | null} the answer that is shown, and the one before it */
let answer = null;
/** @type {Record<string, any> | null} */
let last = null;
let loaded = false; // before that there are no rules to check

export function startOptimize() {
  table.addEventListener("change", () => {
    clearProblem("solve-problem"); // it was of other rules
    saveRules(table.rules);
    checkSoon();
  });
  ruleBook.addEventListener("change", () => {
    showRules();
    checkSoon();
  });
  at("add-rule").addEventListener("click", () => table.add());
  at("put-rules").addEventListener("click", putRules);
  at("solve").addEventListener("click", () => solve());
  startRuleSets({
    now: () => table.rules,
    onLoad: async (rules) => {
      table.show(rules);
      await saveRules(rules);
      checkSoon();
    },
  });
  startObjective();
  startPins();
  startFrontier(() => problemBody(toGrid(table.rules)));
  settings.watch(
    ["portfolio", "benchmark", "universe", "objective", "alpha", "options"],
    checkSoon,
  );
}

/** Show the tab with what the workbook and the server have now. */
export async function loadOptimize() {
  try {
    table.offer(await choices());
    await loadObjective();
    showPins();
    showRuleSets();
    await ruleBook.load();
    showRules();
    at("put-rules").hidden = ruleBook.inSheet || !(await inExcel());
    await loadFrontier();
    loaded = true;
    await check();
  } catch (error) {
    showProblem("check-problem", "The rules could not be shown.", error);
  }
}

// --- rules --------------------------------------------------------------------------------------

function showRules() {
  const same = JSON.stringify(toGrid(ruleBook.rules)) === JSON.stringify(toGrid(table.rules));
  if (!same) table.show(ruleBook.rules);
  at("rules-from").textContent = ruleBook.inSheet
    ? `The table ${RULES} of the sheet; changes here are written to it.`
    : "Kept with this workbook.";
}

/** @param {import("./rules.js").Rule[]} rules */
async function saveRules(rules) {
  try {
    await ruleBook.save(rules);
  } catch (error) {
    showProblem("check-problem", "The rules were not saved.", error);
  }
}

async function putRules() {
  try {
    await ruleBook.put();
    showRules();
    at("put-rules").hidden = ruleBook.inSheet;
    at("add-rule").focus();
  } catch (error) {
    showProblem("check-problem", "The rules were not written.", error);
  }
}

// --- the portfolio against the rules ------------------------------------------------------------

function checkSoon() {
  clearTimeout(due);
  if (loaded) due = setTimeout(check, QUIET);
}

async function check() {
  checking.abort();
  checking = new AbortController();
  const { signal } = checking;
  try {
    const body = await problemBody(toCheck(table.rules));
    if (!body) {
      at("check-summary").textContent = NO_PORTFOLIO;
      return;
    }
    const asked = { ...body, constraints: toGrid(table.rules) };
    markStale(JSON.stringify(asked) !== solved);
    const { rules } = await ask("optimize/check", { method: "POST", body, signal });
    if (signal.aborted) return;
    clearProblem("check-problem");
    showVerdicts(table, rules);
  } catch (error) {
    if (error.name === "AbortError") return;
    showMistake(table, error);
  }
}

/** @param {boolean} stale whether the answer that is shown is one to another problem */
function markStale(stale) {
  at("solution-stale").hidden = !stale;
  if (stale) table.answer(new Map());
}

// --- solving ------------------------------------------------------------------------------------

async function solve() {
  at("solution").hidden = true;
  const done = await solving({
    button: "solve",
    path: "optimize",
    body: () => problemBody(toGrid(table.rules)),
    failed: "The weights were not found.",
  });
  if (!done) return;
  solved = JSON.stringify(done.body);
  last = answer;
  answer = done.result;
  showSolution(done.result, done.context, await unit(done.body.objective));
  checkSoon(); // the rules may have changed while it was solved
}

/** @param {string} objective */
const unit = async (objective) => ({
  percent: Boolean(objectiveNamed(await choices(), objective).percent),
});

/**
 * @param {Record<string, any>} result
 * @param {Record<string, any>} context
 * @param {{percent: boolean}} measured
 */
function showSolution(result, context, measured) {
  at("solution").hidden = false;
  at("solution-stale").hidden = true;
  at("solution-title").textContent = solutionTitle(result);
  table.answer(
    ruleAnswers(table.rules, result, { kindOf: (name) => table.kind(name), unit: measured }),
  );
  at("solution-body").replaceChildren(
    ...solutionView(result, context, {
      repairable: (changes) => repaired(changes) !== null,
      onRepair: acceptRepair,
      onWrite: () => write(result, context),
      change: {
        onPin: (ticker) => solveWith(() => pin(ticker)),
        onExclude: (ticker) => solveWith(() => exclude(ticker)),
      },
      last,
      written: "written",
    }),
  );
  at("solution-title").focus();
}

/** @param {() => void} change of the problem */
async function solveWith(change) {
  change();
  await solve();
}

/**
 * @param {any[]} changes
 * @returns {import("./rules.js").Rule[] | null} null where a change is of no rule in the table
 */
const repaired = (changes) =>
  changes.reduce((rules, change) => rules && changed(rules, change), table.rules);

/** @param {import("./conflict_view.js").Repair} repair */
async function acceptRepair({ changes, options }) {
  const rules = repaired(changes);
  if (!rules) return;
  if (changes.length > 0) {
    table.show(rules);
    await saveRules(rules);
  }
  if (Object.keys(options).length > 0) {
    settings.set({ options: { ...settings.now.options, ...options } });
    await openParameters(); // it shows what was changed
  }
  checkSoon();
  await solve();
}

/**
 * @param {Record<string, any>} result
 * @param {Record<string, any>} context
 */
async function write(result, context) {
  try {
    const sheet = await writeSolution(result, context);
    at("written").textContent = `Wrote summary, trades, weights and limits to the sheet ${sheet}.`;
  } catch (error) {
    showProblem("solve-problem", "The weights were not written.", error);
  }
}
