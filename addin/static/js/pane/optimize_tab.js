// The Optimize tab: objective and rules, how the portfolio stands to them, and the best weights.

import { at, fillSelect, h, input, select } from "./dom.js";
import { bookBody, choices, portfolioName } from "./book.js";
import { boundText, decimal, percent, readBound } from "./format.js";
import { Canceled, follow } from "./jobs.js";
import { clearProblem, showProblem } from "./problems.js";
import { changed, EXAMPLE, fromGrid, isOpen, toCheck, toGrid } from "./rules.js";
import { RulesTable } from "./rules_table.js";
import { ask, records } from "./server.js";
import { settings } from "./settings.js";
import { solutionView, solutionTitle, writeSolution } from "./solution.js";
import {
  INPUTS,
  RULES,
  inExcel,
  readTable,
  updateTable,
  watchTable,
  writeSheet,
} from "./workbook.js";

const QUIET = 350; // milliseconds without a change before the portfolio is checked again
const WITH_ALPHA = ["max_return", "max_utility"];

const table = new RulesTable();
let inSheet = false; // whether the rules come from, and go back to, a table of the workbook
let written = ""; // the rules as last read or written, so that our own writing is not read back
/** @type {ReturnType<typeof setTimeout> | undefined} */
let due;
let checking = new AbortController();
let solved = ""; // the problem whose answer is shown
let loaded = false; // before that there are no rules to check

export function startOptimize() {
  table.addEventListener("change", () => {
    saveRules().catch((error) => showProblem("check-problem", "The rules were not saved.", error));
    checkSoon();
  });
  at("add-rule").addEventListener("click", () => table.add());
  at("put-rules").addEventListener("click", putRules);
  at("solve").addEventListener("click", () => solve());
  select("objective").addEventListener("change", () =>
    settings.set({ objective: select("objective").value }),
  );
  select("alpha").addEventListener("change", () => settings.set({ alpha: select("alpha").value }));
  startOptions();
  settings.watch(["objective", "alpha"], showObjective);
  settings.watch(
    ["portfolio", "benchmark", "universe", "objective", "alpha", "options"],
    checkSoon,
  );
}

/** Show the tab with what the workbook and the server have now. */
export async function loadOptimize() {
  try {
    const offered = await choices();
    table.offer(offered);
    const { objective, alpha } = settings.now;
    fillSelect(select("objective"), named(offered.objectives), objective);
    const factors = offered.members.factor.map((/** @type {string} */ name) => ({
      value: name,
      text: `${name} scores`,
    }));
    fillSelect(select("alpha"), [{ value: "", text: "None" }, ...factors], alpha);
    showObjective();
    await loadRules();
    loaded = true;
    await check();
  } catch (error) {
    showProblem("check-problem", "The rules could not be shown.", error);
  }
}

/** @param {{name: string}[]} list */
const named = (list) =>
  list.map(({ name }) => ({ value: name, text: `${TITLES[name] ?? name.replaceAll("_", " ")}` }));

/** @type {Record<string, string>} */
const TITLES = {
  min_te: "Lowest tracking error",
  min_risk: "Lowest volatility",
  max_utility: "Best return for its risk",
  max_return: "Highest return",
  equal_weight: "Equal weights",
};

async function showObjective() {
  const { objective } = settings.now;
  const { objectives } = await choices();
  const means = objectives.find((/** @type {any} */ o) => o.name === objective)?.description ?? "";
  at("objective-means").textContent = means && `${objective}: ${means}.`;
  at("needs-alpha").hidden = !WITH_ALPHA.includes(objective);
}

// --- parameters ---------------------------------------------------------------------------------

function startOptions() {
  const aversion = input("option-risk-aversion");
  const cash = input("option-cash");
  const short = input("option-long-short");
  showOptions();
  const keep = () => {
    const held = readBound(cash.value, true);
    cash.value = boundText(held, true);
    const price = readBound(aversion.value, false);
    settings.set({
      options: {
        ...(price === null ? {} : { risk_aversion: price }),
        ...(held === null ? {} : { cash: held }),
        ...(short.checked ? { long_short: true } : {}),
      },
    });
  };
  for (const field of [aversion, cash, short]) field.addEventListener("change", keep);
}

function showOptions() {
  const { risk_aversion: price, cash, long_short: short } = settings.now.options;
  input("option-risk-aversion").value = String(price ?? "");
  input("option-cash").value = cash === undefined ? "" : boundText(Number(cash), true);
  input("option-long-short").checked = short === true;
}

// --- rules --------------------------------------------------------------------------------------

/** Read the rules from the marked table, or from what the workbook keeps for the pane. */
async function loadRules() {
  const cells = await readTable(RULES);
  inSheet = cells !== null;
  if (inSheet) await watchTable(RULES, onSheetChanged);
  const kept = cells ?? (settings.now.rules.length > 0 ? settings.now.rules : null);
  const rules = kept ? fromGrid(kept) : EXAMPLE;
  if (JSON.stringify(toGrid(rules)) !== JSON.stringify(toGrid(table.rules))) table.show(rules);
  written = JSON.stringify(toGrid(rules));
  at("rules-from").textContent = inSheet
    ? `The table ${RULES} of the sheet; changes here are written to it.`
    : "Kept with this workbook.";
  at("put-rules").hidden = inSheet || !(await inExcel());
}

async function onSheetChanged() {
  const cells = await readTable(RULES);
  if (cells && JSON.stringify(toGrid(fromGrid(cells))) === written) return;
  await loadRules();
  checkSoon();
}

async function saveRules() {
  const grid = toGrid(table.rules);
  written = JSON.stringify(grid);
  if (!inSheet) settings.set({ rules: grid });
  else if (!(await updateTable(RULES, grid))) await loadRules(); // the table was deleted meanwhile
}

async function putRules() {
  try {
    await writeSheet(
      INPUTS,
      ["What Tilt's buttons work on."],
      [{ name: RULES, rows: toGrid(table.rules) }],
    );
    await loadRules();
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

/**
 * @param {any[][]} constraints
 * @returns {Promise<Record<string, any> | null>} null without a portfolio
 */
async function problemBody(constraints) {
  const body = await bookBody();
  if (!body) return null;
  const { objective, alpha, options } = settings.now;
  const wanted = WITH_ALPHA.includes(objective) && alpha;
  return { ...body, objective, constraints, options, ...(wanted ? { alpha } : {}) };
}

async function check() {
  checking.abort();
  checking = new AbortController();
  const { signal } = checking;
  try {
    const body = await problemBody(toCheck(table.rules));
    if (!body) {
      at("check-summary").textContent = "Read a portfolio in the tab Portfolio first.";
      return;
    }
    const asked = { ...body, constraints: toGrid(table.rules) };
    at("solution-stale").hidden = JSON.stringify(asked) === solved;
    const { rules } = await ask("optimize/check", { method: "POST", body, signal });
    if (signal.aborted) return;
    clearProblem("check-problem");
    showVerdicts(records(rules));
  } catch (error) {
    if (error.name === "AbortError") return;
    showMistake(error);
  }
}

/** @param {Record<string, any>[]} readings */
function showVerdicts(readings) {
  const verdicts = new Map();
  let broken = 0;
  for (const [i, rule] of table.rules.entries()) {
    if (isOpen(rule)) {
      verdicts.set(i, { text: "give a min or a max", state: "open" });
      continue;
    }
    const mine = readings.filter(({ row }) => row === i + 2); // the header is row 1
    if (mine.length === 0) continue;
    const worst = mine.reduce((a, b) => (b.slack < a.slack ? b : a));
    const over = worst.slack < -1e-6;
    broken += over ? 1 : 0;
    verdicts.set(i, { text: verdictText(worst, mine, over), state: over ? "broken" : "kept" });
  }
  table.judge(verdicts);
  const bounding = table.rules.filter((rule) => !isOpen(rule)).length;
  const summary = at("check-summary");
  summary.dataset.state = broken ? "broken" : "kept";
  if (bounding === 0) summary.textContent = "No rules yet: add one.";
  else if (broken === 0) summary.textContent = `${portfolioName()} keeps ${all(bounding)}.`;
  else summary.textContent = `${portfolioName()} breaks ${broken} of ${bounding} rules.`;
}

/** @param {number} n */
const all = (n) => (n === 1 ? "the one rule" : `all ${n} rules`);

/**
 * @param {Record<string, any>} worst
 * @param {Record<string, any>[]} mine
 * @param {boolean} over
 */
function verdictText({ rule, who, value, bound, slack }, mine, over) {
  const show = (/** @type {number} */ x) => (table.kind(rule).percent ? percent(x) : decimal(x));
  const many = mine.length > 1 || who === "*"; // the rule is of each of them
  if (!over) return many ? "kept ✓" : `${show(value)} ✓`;
  const whose = mine.length > 1 ? `${who} ` : "";
  return `✗ ${whose}${show(value)}: ${show(-slack)} too ${value > bound ? "much" : "little"}`;
}

/**
 * A mistake in a rule is said at the rule; anything else below the table.
 *
 * @param {any} error
 */
function showMistake(error) {
  const row = /^constraints row (\d+)[^:]*:\s*(.*)$/s.exec(error.message);
  const summary = at("check-summary");
  summary.dataset.state = "wrong";
  if (row && error.status === 400) {
    const i = Number(row[1]) - 2;
    clearProblem("check-problem");
    table.judge(new Map([[i, { text: `✗ ${row[2]}`, state: "wrong" }]]));
    summary.textContent = `Rule ${i + 1} cannot be read.`;
  } else {
    table.judge(new Map());
    summary.textContent = "";
    showProblem("check-problem", "The portfolio was not checked.", error);
  }
}

// --- solving ------------------------------------------------------------------------------------

/** @param {{after?: () => void}} [options] */
async function solve({ after } = {}) {
  const button = /** @type {HTMLButtonElement} */ (at("solve"));
  button.disabled = true;
  clearProblem("solve-problem");
  at("solution").hidden = true;
  try {
    const body = await problemBody(toGrid(table.rules));
    if (!body) {
      at("solve-problem").replaceChildren(
        h("p", null, "Read a portfolio in the tab Portfolio first."),
      );
      return;
    }
    const job = await ask("optimize", { method: "POST", body });
    const result = await follow("solve-job", job);
    solved = JSON.stringify(body);
    at("solution-stale").hidden = true;
    checkSoon(); // the rules may have changed while it was solved
    showSolution(result, job.context);
    after?.();
  } catch (error) {
    if (error instanceof Canceled) {
      at("solve-job").replaceChildren(h("p", { class: "done", role: "status" }, "Canceled."));
      button.disabled = false;
      button.focus();
    } else {
      showProblem("solve-problem", "The weights were not found.", error);
    }
  } finally {
    button.disabled = false;
  }
}

/**
 * @param {Record<string, any>} result
 * @param {Record<string, any>} context
 */
function showSolution(result, context) {
  const kindOf = (/** @type {string} */ name) => table.kind(name);
  at("solution").hidden = false;
  at("solution-title").textContent = solutionTitle(result);
  at("solution-body").replaceChildren(
    ...solutionView(result, context, {
      kindOf,
      repairable: (changes) => repaired(changes) !== null,
      onRepair: applyRepair,
      onWrite: () => write(result, context),
    }),
  );
  at("solution-title").focus();
}

/**
 * @param {any[]} changes
 * @returns {import("./rules.js").Rule[] | null} null where a change is of no rule in the table
 */
const repaired = (changes) =>
  changes.reduce((rules, change) => rules && changed(rules, change), table.rules);

/** @param {{changes: any[], options: Record<string, any>}} repair */
async function applyRepair({ changes, options }) {
  const rules = repaired(changes);
  if (!rules) return;
  if (changes.length > 0) {
    table.show(rules);
    await saveRules();
  }
  if (Object.keys(options).length > 0) {
    settings.set({ options: { ...settings.now.options, ...options } });
    showOptions();
    /** @type {HTMLDetailsElement} */ (at("parameters")).open = true; // it shows what was changed
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
    at("written").textContent = `Wrote summary, trades and weights to the sheet ${sheet}.`;
  } catch (error) {
    showProblem("solve-problem", "The weights were not written.", error);
  }
}
