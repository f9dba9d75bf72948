// The Pure factor tab: four portfolios of one factor side by side, and the weights of each.

import { bookBody, fillBookLists } from "./book.js";
import { at, fillSegments, h, input, tableOf } from "./dom.js";
import { chosenFactor, fillFactors } from "./factor_choice.js";
import { count, decimal, percent, readBound } from "./format.js";
import { writeFormulas } from "./formula_sheet.js";
import { putHoldings } from "./portfolio_tab.js";
import { clearProblem, showProblem } from "./problems.js";
import { showThroughTime } from "./pure_time.js";
import { ask, records } from "./server.js";
import { settings } from "./settings.js";
import { inSteps } from "./steps.js";
import { openTab } from "./tabs.js";
import { HOLDINGS, INPUTS, inExcel, updateTable } from "./workbook.js";

const SHEET = "Tilt Pure Research";
const SHOWN = 12; // weights before "all" is asked for
const NAMES_AT_MOST = 3000;

const KINDS = [
  {
    value: "pure",
    text: "Pure",
    meaning:
      "Exposure 1 to the factor and 0 to every other; its return is the factor's. Sums to 0.",
  },
  {
    value: "simple",
    text: "Simple",
    meaning: "Exposure 1 to the factor, whatever else comes along. Sums to 0.",
  },
  {
    value: "min_risk",
    text: "Least risk",
    meaning: "The exposures of the pure portfolio at the least specific risk. Sums to 0.",
  },
  {
    value: "investable",
    text: "Investable",
    meaning:
      "As near as the limits above allow to the benchmark plus the portfolio of least risk. In " +
      "the table it counts against the benchmark.",
  },
];
const LONG_SHORT =
  "Short positions cannot be loaded as holdings: choose the investable portfolio, without them.";

/** @type {[string, string, (value: number | null) => string][]} */
const MEASURES = [
  ["exposure", "Exposure", decimal],
  ["largest_other_style", "Largest other style", decimal],
  ["volatility", "Volatility, a year", (value) => percent(value, 1)],
  ["factor_volatility", "of factors", (value) => percent(value, 1)],
  ["specific_volatility", "of single names", (value) => percent(value, 1)],
  ["volatility_per_exposure", "Volatility per exposure", (value) => percent(value, 1)],
  ["risk_beyond_pure", "Risk beyond pure, per exposure", (value) => percent(value, 1)],
  ["correlation_with_pure", "Correlation with pure", decimal],
  ["gross", "Gross weight", (value) => percent(value, 0)],
  ["names", "Names", (value) => (value === null ? "–" : count(value))],
  ["effective_names", "Effective names", (value) => decimal(value, 0)],
  ["turnover_a_month", "Turnover, a month", (value) => percent(value, 0)],
  ["cost_a_year", "Cost, a year", percent],
  ["cost_per_exposure", "Cost per exposure", percent],
  ["turnover_to_start", "Turnover to get there", (value) => percent(value, 0)],
  ["cost_to_start", "Cost to get there", percent],
];

let asking = new AbortController();
let kind = "pure";
let whole = false;
/** @type {Record<string, any> | null} what the portfolios were asked for with */
let body = null;
/** @type {Record<string, any>[]} weights of the kind that is shown */
let weights = [];
/** @type {Record<string, string>} the formulas behind what is shown */
let formulas = {};

export function startPure() {
  at("pure-form").addEventListener("submit", (event) => {
    event.preventDefault();
    make();
  });
  at("pure-time").addEventListener("click", () => body && showThroughTime(body, KINDS));
  at("write-pure").addEventListener("click", write);
  at("load-pure").addEventListener("click", load);
  settings.watch(["factor", "universe"], () => {
    asking.abort();
    at("pure-results").hidden = true; // they are of another factor
    if (openTab() === "pure") loadPure();
  });
}

export async function loadPure() {
  clearProblem("pure-problem"); // before it asks: a problem found meanwhile is to stay
  try {
    await fillFactors();
  } catch (error) {
    showProblem("pure-problem", "The factors could not be listed.", error);
  }
}

/**
 * What is asked for, as the form says.
 *
 * @throws {RangeError} naming the field that cannot be read
 */
async function question() {
  const { universe } = settings.now;
  const held = input("pure-held").checked ? await bookBody() : null;
  if (input("pure-held").checked && !held) throw new RangeError("There are no holdings yet.");
  return {
    factor: chosenFactor(),
    long_only: input("pure-long").checked,
    max_weight: field("pure-weight", "At most of a name", true) ?? 0.05,
    max_turnover: field("pure-turnover", "Turnover at most", true),
    exposure: field("pure-exposure", "Exposure wanted", false) ?? 1,
    cost_bps: field("pure-cost", "Cost", false) ?? 10,
    ...(universe ? { universe } : {}),
    ...(held ? { holdings: held.holdings } : {}),
  };
}

/**
 * @param {string} id
 * @param {string} name
 * @param {boolean} inPercent
 * @returns {number | null} null where the field is blank
 */
function field(id, name, inPercent) {
  const value = readBound(input(id).value, inPercent);
  input(id).setAttribute("aria-invalid", String(typeof value === "string"));
  if (typeof value !== "string") return value;
  input(id).focus();
  throw new RangeError(`${name} is '${value}', which is no number.`);
}

async function make() {
  asking.abort();
  const mine = new AbortController();
  asking = mine;
  const results = at("pure-results");
  try {
    body = await question();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    at("pure-problem").replaceChildren(h("p", { class: "error", role: "alert" }, error.message));
    return;
  }
  clearProblem("pure-problem");
  at("pure-written").textContent = "";
  at("pure-time-results").hidden = true; // of an earlier question
  results.setAttribute("aria-busy", "true");
  formulas = {};
  try {
    await inSteps(
      "pure-busy",
      [
        { name: "The four portfolios", work: compare },
        { name: "Weights", work: showWeights },
      ],
      mine,
    );
    if (asking !== mine) return;
    results.hidden = mine.signal.aborted;
    at("pure-title").focus();
  } catch (error) {
    if (asking === mine) results.hidden = true;
    showProblem("pure-problem", "The portfolios could not be made.", error);
  } finally {
    if (asking === mine) results.setAttribute("aria-busy", "false");
  }
}

/** @param {AbortSignal} signal */
async function compare(signal) {
  const answer = await ask("pure-factor", { method: "POST", body, signal });
  const of = Object.fromEntries(records(answer.table).map((row) => [row.measure, row]));
  formulas.compare = answer.formula;
  at("pure-title").textContent = `Four portfolios of ${body?.factor}`;
  at("pure-compare").replaceChildren(
    tableOf(
      `Four portfolios of ${body?.factor} side by side`,
      ["Measure", ...KINDS.map(({ text }) => text)],
      MEASURES.filter(([measure]) => of[measure]).map(([measure, name, show]) => [
        name,
        ...KINDS.map(({ value }) => show(of[measure][value])),
      ]),
      { numeric: [1, 2, 3, 4] },
    ),
  );
  at("pure-notes").textContent = answer.notes.join(" ");
  fillSegments(at("pure-kind"), KINDS, kind, (chosen) => {
    kind = chosen;
    whole = false;
    otherKind();
  });
}

async function otherKind() {
  try {
    await showWeights(asking.signal);
    clearProblem("pure-problem");
  } catch (error) {
    showProblem("pure-problem", "The weights could not be shown.", error);
  }
}

/** @param {AbortSignal} signal */
async function showWeights(signal) {
  const asked = kind;
  const answer = await ask(`pure-factor/${asked}`, { method: "POST", body, signal });
  if (asked !== kind) return; // another one was chosen meanwhile
  weights = records(answer.table);
  formulas.weights = answer.formula;
  at("pure-meaning").textContent = KINDS.find(({ value }) => value === kind)?.meaning ?? "";
  drawWeights();
  const excel = await inExcel();
  const loadable = kind === "investable" && body?.long_only;
  at("write-pure").hidden = !excel;
  at("load-pure").hidden = !excel;
  /** @type {HTMLButtonElement} */ (at("load-pure")).disabled = !loadable;
  at("pure-load-why").textContent = excel && !loadable ? LONG_SHORT : "";
}

function drawWeights() {
  const shown = whole ? weights : weights.slice(0, SHOWN);
  const sum = weights.reduce((all, { weight }) => all + weight, 0);
  at("pure-weights").replaceChildren(
    tableOf(
      "Weights, the largest first",
      ["Ticker", "Weight"],
      shown.map(({ ticker, weight }) => [ticker, percent(weight)]),
      { numeric: [1], footer: [[`${weights.length} names`, percent(sum)]] },
    ),
  );
  if (shown.length === weights.length) return;
  const more = () => {
    whole = true;
    drawWeights();
  };
  at("pure-weights").append(
    h("button", { type: "button", click: more }, `Show all ${weights.length}`),
  );
}

/** Put the formulas of the comparison and of the weights in a sheet. */
async function write() {
  const factor = String(body?.factor);
  const quoted = `"${factor.replaceAll('"', '""')}"`;
  const inCell = (/** @type {string} */ formula) => formula.replace(`(${quoted}`, "($B$3");
  const words = [
    [`Pure factor`],
    ["Change the factor in B3: a factor, a field, or an expression such as rank(roe)."],
    ["factor", factor],
  ];
  const number = { width: 66, format: "0.000" };
  try {
    await writeFormulas(SHEET, words, [
      {
        title: "Four kinds side by side",
        formula: inCell(formulas.compare),
        columns: [{ width: 128 }, number, number, number, number],
      },
      {
        title: `Weights: ${KINDS.find(({ value }) => value === kind)?.text}`,
        formula: inCell(formulas.weights),
        columns: [{ width: 66 }, { width: 66, format: "0.00%" }],
        rows: NAMES_AT_MOST,
      },
    ]);
    clearProblem("pure-problem");
    at("pure-written").textContent = `Written to the sheet ${SHEET}.`;
  } catch (error) {
    showProblem("pure-problem", "The portfolios were not written to the sheet.", error);
  }
}

/** Make the weights the marked holdings, which the other tabs and the buttons work on. */
async function load() {
  try {
    const rows = weights.map(({ ticker, weight }) => [ticker, weight]);
    // the table stays where it is; only a workbook without one gets a sheet for it
    const stands = await updateTable(HOLDINGS, [["ticker", "weight"], ...rows]);
    if (!stands) await putHoldings(rows);
    settings.set({ portfolio: "" }); // the table comes first
    await fillBookLists();
    clearProblem("pure-problem");
    const where = stands ? "" : ` on the sheet ${INPUTS}`;
    at("pure-written").textContent =
      `Loaded into the table ${HOLDINGS}${where}: the tabs Risk and Optimize use it.`;
  } catch (error) {
    showProblem("pure-problem", "The portfolio was not loaded.", error);
  }
}
