// The frontier: risk against return within the rules, the portfolio and the benchmark beside it; a
// point's weights and trades, and the formula behind it in a sheet.

import { curveChart } from "./curve_chart.js";
import { at, h, tableOf } from "./dom.js";
import { decimal, percent, signedPercent } from "./format.js";
import { writeFormulas } from "./formula_sheet.js";
import { formulaArguments, formulaOptions } from "./problem.js";
import { showProblem } from "./problems.js";
import { ruleBook } from "./rule_book.js";
import { records } from "./server.js";
import { solving } from "./solving.js";
import { RULES, inExcel } from "./workbook.js";

const SHEET = "Tilt Frontier";
const POINTS = 20;
const SHOWN = 12; // names of a point
const CHANGED = 5e-6; // a smaller change of a weight is no trade

/** @type {Record<string, any> | null} what the frontier was asked for with */
let asked = null;

/** @param {() => Promise<Record<string, any> | null>} body of the problem as it is */
export function startFrontier(body) {
  at("draw-frontier").addEventListener("click", () => draw(body));
  at("write-frontier").addEventListener("click", write);
}

export async function loadFrontier() {
  at("write-frontier").dataset.excel = String(await inExcel());
}

/** @param {() => Promise<Record<string, any> | null>} body */
async function draw(body) {
  at("frontier-body").hidden = true;
  const done = await solving({
    button: "draw-frontier",
    path: "frontier",
    body: async () => {
      const problem = await body();
      return problem && { ...problem, points: POINTS };
    },
    failed: "The frontier was not drawn.",
  });
  if (!done) return;
  asked = done.body;
  show(done.result);
}

/** @param {Record<string, any>} result */
function show(result) {
  at("frontier-body").hidden = false;
  at("frontier-written").textContent = "";
  const drawn = Boolean(result.frontier);
  at("write-frontier").hidden = !drawn || at("write-frontier").dataset.excel !== "true";
  at("frontier-notes").textContent = (result.messages ?? []).join(" ");
  if (!drawn) {
    at("frontier-chart").replaceChildren(h("p", { class: "conflict" }, result.refusal));
    at("frontier-point").replaceChildren();
    at("frontier-title").textContent = "No frontier";
    at("frontier-title").focus();
    return;
  }
  const rows = records(result.frontier);
  const { risk, return: gained } = result.axes;
  const first = rows[0];
  const final = rows[rows.length - 1];
  at("frontier-title").textContent = `${capital(gained)} against ${risk}`;
  const chosen = Math.floor(rows.length / 2);
  at("frontier-chart").replaceChildren(
    curveChart({
      title:
        `The most ${gained} for each ${risk} within the rules: from ${percent(first.return)} at ` +
        `${percent(first.risk)} to ${percent(final.return)} at ${percent(final.risk)}`,
      xName: capital(risk),
      yName: capital(gained),
      points: rows.map((row) => ({ x: row.risk, y: row.return })),
      marks: marks(result),
      sliderName: "Point of the frontier",
      chosen,
      readout: (i) => readout(rows, i, result.axes),
      onChoose: (i) => showPoint(result, rows, i),
    }),
  );
  showPoint(result, rows, chosen);
  at("frontier-title").focus();
}

/** @param {Record<string, any>} result */
const marks = ({ holdings, benchmark }) =>
  [
    holdings && { name: "Portfolio", x: holdings.risk, y: holdings.return },
    benchmark && { name: "Benchmark", x: benchmark.risk, y: benchmark.return },
  ].filter(Boolean);

/**
 * @param {Record<string, any>[]} rows
 * @param {number} i
 * @param {{risk: string, return: string}} axes
 */
function readout(rows, i, axes) {
  const row = rows[i];
  const figures = [
    `${axes.risk} ${percent(row.risk)}`,
    `${axes.return} ${percent(row.return)}`,
    row.ratio === null ? "" : `ratio ${decimal(row.ratio)}`,
    `turnover ${percent(row.turnover, 1)}`,
    `${row.names} names`,
  ].filter(Boolean);
  return `Point ${i + 1} of ${rows.length}: ${figures.join(", ")}.`;
}

/**
 * The weights of a point, and what would be traded to get there.
 *
 * @param {Record<string, any>} result
 * @param {Record<string, any>[]} rows
 * @param {number} i
 */
function showPoint(result, rows, i) {
  const column = String(i + 1);
  const now = result.current ?? {};
  const weights = records(result.weights);
  const lines = weights
    .map((row) => ({
      ticker: row.ticker,
      name: row.name,
      weight: row[column] ?? 0,
      trade: (row[column] ?? 0) - (now[row.ticker] ?? 0),
    }))
    .filter(({ weight, trade }) => Math.abs(weight) > CHANGED || Math.abs(trade) > CHANGED)
    .sort((a, b) => Math.abs(b.weight) - Math.abs(a.weight));
  const shown = lines.slice(0, SHOWN);
  const words = ["entering", "leaving"]
    .filter((change) => rows[i][change])
    .map((change) => `${capital(change)} here: ${rows[i][change]}.`);
  at("frontier-point").replaceChildren(
    h("h3", null, `Weights of point ${column}`),
    ...(words.length > 0 ? [h("p", { class: "quiet small" }, words.join(" "))] : []),
    tableOf(
      `Weights and trades of point ${column}`,
      ["Ticker", "Weight", "Trade"],
      shown.map(({ ticker, name, weight, trade }) => [
        h("span", { title: name }, ticker),
        percent(weight),
        signedPercent(trade),
      ]),
      { numeric: [1, 2] },
    ),
    ...(lines.length > shown.length
      ? [h("p", { class: "quiet small" }, `And ${lines.length - shown.length} smaller ones.`)]
      : []),
  );
}

/** Put the formula behind the frontier, and its weights, in a sheet. */
async function write() {
  if (!asked) return;
  if (asked.universe) {
    at("frontier-written").textContent =
      `The formula works in the default universe, and this workbook uses ${asked.universe}: nothing written.`;
    return;
  }
  try {
    if (!ruleBook.inSheet && ruleBook.rules.length > 0) await ruleBook.put();
    const rules = ruleBook.inSheet ? RULES : "";
    const { options = {}, points } = asked;
    const formula = (/** @type {Record<string, any>} */ more) => {
      const given = formulaArguments(/** @type {any} */ (asked), rules);
      return `=TILT.FRONTIER(${[...given, points, formulaOptions({ ...options, ...more })].join(",")})`;
    };
    const share = { width: 66, format: "0.00%" };
    await writeFormulas(
      SHEET,
      [["Frontier"], ["Change the holdings or the rules: the frontier follows."]],
      [
        {
          title: "Risk and return",
          formula: formula({}),
          columns: [share, share, { width: 50, format: "0.00" }, share, ...plain(3)],
        },
        {
          title: "Weights by point",
          formula: formula({ view: "weights" }),
          columns: [{ width: 56 }, { width: 140 }, ...Array(points).fill(share)],
        },
      ],
    );
    at("frontier-written").textContent = `Written to the sheet ${SHEET}.`;
  } catch (error) {
    showProblem("draw-frontier-problem", "The frontier was not written to the sheet.", error);
  }
}

/** @param {number} n */
const plain = (n) => Array(n).fill({ width: 90 });

/** @param {string} text */
const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
