// The Tracking error tab: how far from the benchmark, how far it could be and at what turnover, and the
// trades that get there.

import { bookBody, choices } from "./book.js";
import { curveChart } from "./curve_chart.js";
import { at, fillSegments, h, input } from "./dom.js";
import { boundText, percent, readBound } from "./format.js";
import { problemBody } from "./problem.js";
import { clearProblem, showProblem } from "./problems.js";
import { ruleBook } from "./rule_book.js";
import { isOpen, toGrid } from "./rules.js";
import { ask, records } from "./server.js";
import { settings } from "./settings.js";
import { solutionTitle, solutionView } from "./solution.js";
import { writeSolution } from "./solution_sheet.js";
import { NO_PORTFOLIO, solving } from "./solving.js";
import { openTab, showTab } from "./tabs.js";
import { showContributions } from "./tracking_contributions.js";

const OBJECTIVE = "min_te";
const REPAIR = "min_cost"; // the objective that trades as little as a cap allows
const SHEET = { sheet: "Tilt Tracking Error", prefix: "TiltTe" };

/** @type {{value: string, text: string}[]} */
const GOALS = [
  { value: "least", text: "Least" },
  { value: "turnover", text: "Turnover at most" },
  { value: "cap", text: "Error at most" },
];

let goal = "least";
let measuring = new AbortController();
/** @type {Record<string, any> | null} the risk of the portfolio as it is */
let now = null;

export function startTracking() {
  at("te-curve").addEventListener("click", drawCurve);
  at("te-solve").addEventListener("click", solve);
  at("te-change-rules").addEventListener("click", () => showTab("optimize"));
  at("te-bound").addEventListener("change", () => {
    const value = readBound(input("te-bound").value, true);
    input("te-bound").value = boundText(value, true);
    input("te-bound").setAttribute("aria-invalid", String(typeof value === "string"));
  });
  settings.watch(["portfolio", "benchmark", "universe"], () => {
    at("te-curve-body").hidden = true; // it is of another portfolio
    at("te-solution").hidden = true;
    if (openTab() === "tracking") loadTracking();
  });
}

export async function loadTracking() {
  measuring.abort();
  measuring = new AbortController();
  const { signal } = measuring;
  try {
    await ruleBook.load();
    await showGoals();
    const body = await bookBody();
    at("te-body").hidden = !body;
    if (!body) {
      at("te-problem").replaceChildren(h("p", null, NO_PORTFOLIO));
      return;
    }
    showRules();
    now = await ask("risk", { method: "POST", body, signal });
    clearProblem("te-problem");
    showNow();
  } catch (error) {
    if (error.name === "AbortError") return;
    at("te-body").hidden = true;
    showProblem("te-problem", "The tracking error could not be shown.", error);
  }
}

function showNow() {
  const { measures, absolute, date, notes } = /** @type {Record<string, any>} */ (now);
  at("te-none").hidden = !absolute;
  at("te-work").hidden = absolute;
  at("te-now").replaceChildren(
    ...(absolute
      ? []
      : [
          tile("Tracking error", percent(measures.tracking_error)),
          tile("From factors", percent(measures.factor_te)),
          tile("From single names", percent(measures.specific_te)),
          tile("Active share", percent(measures.active_share, 1)),
        ]),
  );
  at("te-notes").textContent = [`As of ${date}; a year, forecast.`, ...notes].join(" ");
}

/**
 * @param {string} name
 * @param {string} value
 */
const tile = (name, value) =>
  h("div", { class: "tile" }, h("dt", null, name), h("dd", null, h("strong", null, value)));

function showRules() {
  const count = ruleBook.rules.filter((rule) => !isOpen(rule)).length;
  const rules = count === 1 ? "The rule" : `The ${count} rules`;
  at("te-rules").textContent =
    count === 0
      ? "No rules hold."
      : `${rules} of the tab Optimize ${count === 1 ? "holds" : "hold"}.`;
}

// --- what is wanted -------------------------------------------------------------------------------

async function showGoals() {
  const { objectives } = await choices();
  const offered = objectives.some((/** @type {any} */ { name }) => name === REPAIR)
    ? GOALS
    : GOALS.filter(({ value }) => value !== "cap");
  fillSegments(at("te-goal"), offered, goal, (chosen) => {
    goal = chosen;
    showBound();
  });
  showBound();
}

function showBound() {
  at("te-bound-part").hidden = goal === "least";
  at("te-bound-name").textContent =
    goal === "cap" ? "Tracking error at most" : "Turnover at most, one way";
  at("te-goal-means").textContent =
    {
      least: "The least tracking error that the rules allow.",
      turnover: "The least tracking error for this turnover, in place of the rules for turnover.",
      cap: "The cheapest trades after which the tracking error is no more than this.",
    }[goal] ?? "";
}

/**
 * @returns {Promise<Record<string, any> | null>} null without a portfolio
 * @throws {RangeError} where the bound is not to be read
 */
async function question() {
  const rules = ruleBook.rules;
  if (goal === "least") return problemBody(toGrid(rules), { objective: OBJECTIVE });
  const bound = readBound(input("te-bound").value, true);
  if (typeof bound !== "number" || bound < 0) {
    input("te-bound").focus();
    throw new RangeError(`${at("te-bound-name").textContent}: type a per cent, such as 2 %.`);
  }
  const rule = goal === "cap" ? "tracking_error" : "turnover";
  const capped = [
    ...rules.filter((one) => one.rule !== rule),
    { rule, who: "", min: null, max: bound, relative: false, priority: "hard" },
  ];
  const objective = goal === "cap" ? REPAIR : OBJECTIVE;
  return problemBody(toGrid(capped), { objective });
}

// --- the curve ------------------------------------------------------------------------------------

async function drawCurve() {
  at("te-curve-body").hidden = true;
  const done = await solving({
    button: "te-curve",
    path: "tracking-error",
    body: () => problemBody(toGrid(ruleBook.rules), { objective: OBJECTIVE }),
    failed: "The curve was not drawn.",
  });
  if (done) showCurve(done.result);
}

/** @param {Record<string, any>} result */
function showCurve({ curve, holdings, messages }) {
  const rows = records(curve);
  at("te-curve-body").hidden = false;
  at("te-curve-notes").textContent = messages.join(" ");
  if (rows.length === 0) {
    at("te-curve-chart").replaceChildren();
    return;
  }
  const last = rows[rows.length - 1];
  at("te-curve-chart").replaceChildren(
    curveChart({
      title:
        `The least tracking error for each turnover: ${percent(holdings)} as it is, ` +
        `${percent(last.tracking_error)} with ${percent(last.turnover, 1)} traded`,
      xName: "Turnover, one way",
      yName: "Tracking error",
      points: rows.map((row) => ({ x: row.turnover, y: row.tracking_error })),
      marks: [{ name: "Portfolio", x: 0, y: holdings }],
      sliderName: "Turnover",
      chosen: rows.length - 1,
      readout: (i) =>
        `Turnover ${percent(rows[i].turnover, 1)}: tracking error ` +
        `${percent(rows[i].tracking_error)}, ${rows[i].names} names.`,
      onChoose: (i) => wantTurnover(rows[i].turnover),
    }),
  );
}

/** @param {number} turnover of the point that was chosen; the next Solve is for it */
function wantTurnover(turnover) {
  goal = "turnover";
  const radio = at("te-goal").querySelector("input[value=turnover]");
  /** @type {HTMLInputElement} */ (radio).checked = true;
  showBound();
  const up = Math.ceil(turnover * 1e4) / 1e4; // never under the turnover of the point
  input("te-bound").value = boundText(up, true);
}

// --- solving --------------------------------------------------------------------------------------

async function solve() {
  at("te-solution").hidden = true;
  const done = await solving({
    button: "te-solve",
    path: "optimize",
    body: question,
    failed: "The weights were not found.",
  });
  if (!done) return;
  const { result, context, body } = done;
  at("te-solution").hidden = false;
  at("te-solution-title").textContent = solutionTitle(result);
  at("te-solution-body").replaceChildren(
    ...solutionView(result, context, {
      repairable: () => false,
      onRepair: () => {},
      onWrite: () => write(result, context),
      change: null,
      last: null,
      written: "te-written",
    }),
  );
  at("te-contributions").replaceChildren();
  at("te-solution-title").focus();
  if (result.solved) await contributions(result, body);
}

/**
 * @param {Record<string, any>} result
 * @param {Record<string, any>} body
 */
async function contributions(result, body) {
  try {
    const { benchmark, universe } = body;
    const against = { ...(benchmark ? { benchmark } : {}), ...(universe ? { universe } : {}) };
    const holdings = records(result.weights)
      .filter(({ weight }) => weight !== 0)
      .map(({ ticker, weight }) => [ticker, weight]);
    const after = await ask("risk", { method: "POST", body: { ...against, holdings } });
    if (now) showContributions("te-contributions", now, after);
  } catch (error) {
    showProblem("te-solve-problem", "The contributions could not be shown.", error);
  }
}

/**
 * @param {Record<string, any>} result
 * @param {Record<string, any>} context
 */
async function write(result, context) {
  try {
    const sheet = await writeSolution(result, context, SHEET);
    at("te-written").textContent =
      `Wrote summary, trades, weights and limits to the sheet ${sheet}.`;
  } catch (error) {
    showProblem("te-solve-problem", "The weights were not written.", error);
  }
}
