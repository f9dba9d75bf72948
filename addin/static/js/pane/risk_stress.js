// Stress, a part of the tab Risk: shocks of one's own or a window of the past, and the library.

import { barChart } from "./bars.js";
import { bookBody } from "./book.js";
import { at, fillSegments, fillSelect, h, select } from "./dom.js";
import { decimal, signedPercent } from "./format.js";
import { part } from "./part.js";
import { clearProblem, showProblem } from "./problems.js";
import { call, optionsText, place, writeOnClick } from "./risk_sheet.js";
import { ask, records } from "./server.js";
import { Shocks } from "./shocks.js";
import { toned } from "./toned.js";
import { inExcel } from "./workbook.js";

const OWN = "";
const MOST_BARS = 12;
const SHOCK_ROWS = 12; // of the range that the sheet's formula reads; more can be typed there
const SHEET = "Tilt Stress Live";
const LIBRARY_SHEET = "Tilt Scenarios";
const OTHERS = [
  { value: "expected", text: "Moves as expected" },
  { value: "zero", text: "Stays" },
];

const shocks = new Shocks();
let others = "expected";
/** @type {Record<string, any> | null} what the result that is shown was asked for with */
let shown = null;
/** @type {() => Record<string, any> | null} the risk that the tab shows */
let riskShown = () => null;

/**
 * @param {() => Record<string, any> | null} risk that the tab shows
 * @returns {import("./part.js").Part[]}
 */
export function startStress(risk) {
  riskShown = risk;
  fillScenarios([]);
  shocks.show([{ name: "Market", text: "-10 %" }]);
  fillSegments(at("stress-others"), OTHERS, others, (value) => {
    others = value;
  });
  at("add-shock").addEventListener("click", () => shocks.add());
  select("stress-scenario").addEventListener("change", () => {
    at("stress-own").hidden = select("stress-scenario").value !== OWN;
  });
  at("stress-form").addEventListener("submit", (event) => {
    event.preventDefault();
    run();
  });
  writeOnClick("stress", "risk-stress-problem", SHEET, content);
  writeOnClick("library", "risk-stress-problem", LIBRARY_SHEET, libraryContent);
  return [part("risk-stress", "The library could not be replayed.", showLibrary)];
}

/** @param {Record<string, any>[]} windows */
function fillScenarios(windows) {
  fillSelect(
    select("stress-scenario"),
    [
      { value: OWN, text: "Shocks of my own" },
      ...windows.map(({ name, start, end }) => ({
        value: name,
        text: `${spelled(name)}, ${start} to ${end}`,
      })),
    ],
    select("stress-scenario").value,
  );
}

/** @param {AbortSignal} signal */
async function showLibrary(signal) {
  at("stress-result").replaceChildren(); // it was of another portfolio
  at("write-stress").hidden = true;
  shocks.suggest(riskShown());
  const body = await bookBody();
  const { table, notes } = await ask("risk/scenarios", { method: "POST", body, signal });
  const windows = records(table);
  fillScenarios(windows);
  const active = !riskShown()?.absolute;
  const sorted = [...windows].sort((a, b) => a.pnl - b.pnl);
  const bars = sorted.map(({ name, pnl, description }) => ({
    name: spelled(name),
    value: pnl,
    note: description,
  }));
  const title = `${active ? "Active return" : "Return"} in ${windows.length} windows of the past, the worst: ${bars
    .slice(0, 3)
    .map(({ name, value }) => `${name} ${signedPercent(value)}`)
    .join(", ")}`;
  at("stress-library").replaceChildren(
    h("p", { class: "small" }, `${active ? "Return against the benchmark" : "Return"}:`),
    barChart({
      title,
      column: "Return",
      bars,
      show: signedPercent,
      className: "pnl",
      table: {
        headers: ["Window", "Portfolio", "Benchmark", "Active"],
        rows: sorted.map((row) => [
          spelled(row.name),
          ...[row.portfolio_pnl, row.benchmark_pnl, row.portfolio_pnl - row.benchmark_pnl].map(
            (value) => toned(value, signedPercent),
          ),
        ]),
      },
    }),
    ...notes.map((/** @type {string} */ note) => h("p", { class: "quiet small" }, note)),
  );
  at("write-library").hidden = !(await inExcel());
}

async function run() {
  const scenario = select("stress-scenario").value;
  const button = /** @type {HTMLButtonElement} */ (at("run-stress"));
  button.disabled = true;
  at("stress-written").textContent = "";
  try {
    const own = scenario === OWN ? { shocks: shocks.read(), others } : { scenario };
    const body = { ...(await bookBody()), ...own };
    const answer = await ask("risk/stress", { method: "POST", body });
    shown = own;
    clearProblem("risk-stress-problem");
    showResult(records(answer.table), answer.notes, scenario);
    at("write-stress").hidden = !(await inExcel());
  } catch (error) {
    at("stress-result").replaceChildren(); // it would be the answer to another question
    at("write-stress").hidden = true;
    if (error instanceof RangeError) shocks.complain(error.message);
    else showProblem("risk-stress-problem", "The stress could not be run.", error);
  } finally {
    button.disabled = false;
  }
}

/**
 * @param {Record<string, any>[]} rows
 * @param {string[]} notes
 * @param {string} scenario
 */
function showResult(rows, notes, scenario) {
  shocks.complain("");
  const total = rows[rows.length - 1];
  const active = !riskShown()?.absolute;
  const sorted = rows.slice(0, -1).sort((a, b) => Math.abs(b.pnl) - Math.abs(a.pnl));
  const rest = sorted.slice(MOST_BARS);
  const bars = sorted.slice(0, MOST_BARS).map(({ name, pnl, shock }) => ({
    name: name === "Specific" ? "Single names" : name,
    value: pnl,
    note: shock === null ? name : `${name}, shock ${signedPercent(shock)}`,
  }));
  if (rest.length > 0) {
    const value = rest.reduce((sum, { pnl }) => sum + pnl, 0);
    bars.push({ name: `${rest.length} others`, value, note: "the others" });
  }
  const what = scenario ? spelled(scenario) : "Your shocks";
  const tiles = active
    ? [
        ["Portfolio", total.portfolio_pnl],
        ["Benchmark", total.benchmark_pnl],
        ["Active", total.pnl],
      ]
    : [["Portfolio", total.pnl]];
  const title = `${what}: ${tiles.map(([name, value]) => `${name} ${signedPercent(value)}`).join(", ")}`;
  at("stress-result").replaceChildren(
    h("h3", { id: "stress-title", tabindex: -1 }, what),
    h(
      "dl",
      { class: "tiles", id: "stress-totals" },
      ...tiles.map(([name, value]) =>
        h(
          "div",
          { class: "tile" },
          h("dt", null, name),
          h("dd", null, h("strong", null, toned(value, signedPercent))),
        ),
      ),
    ),
    h("p", { class: "small" }, active ? "Active return by factor:" : "Return by factor:"),
    barChart({
      title,
      column: "Return",
      bars,
      show: signedPercent,
      className: "pnl",
      table: {
        headers: ["Factor", "Shock", "Exposure", "Return"],
        rows: [...sorted, total].map((row) => [
          row.name === "Specific" ? "Single names" : row.name,
          row.shock === null ? "" : toned(row.shock, signedPercent),
          row.exposure === null ? "" : toned(row.exposure, decimal),
          toned(row.pnl, signedPercent),
        ]),
      },
    }),
    ...notes.map((note) => h("p", { class: "quiet small" }, note)),
  );
  at("stress-title").focus();
}

/** The shocks in a range that one can change, and the formula that reads it. */
function content() {
  const { holdings, benchmark, options } = place();
  const asked = /** @type {Record<string, any>} */ (shown);
  const columns = [
    { width: 150 },
    ...["0.00%", "0.000", "0.00%"].map((format) => ({ width: 70, format })),
    { width: 70 },
    ...["0.00%", "0.00%"].map((format) => ({ width: 84, format })),
    { width: 300 },
  ];
  const words = [["Stress"], ["Change a shock or the scenario: the table follows."]];
  if (asked.scenario) {
    const given = [holdings, "$B$3", "", benchmark, optionsText(options)];
    return {
      words: [...words, ["scenario", asked.scenario]],
      blocks: [{ formula: call("STRESS", given), columns }],
    };
  }
  const blank = Array.from({ length: SHOCK_ROWS }, () => ["", ""]);
  const rows = [...asked.shocks, ...blank].slice(0, Math.max(SHOCK_ROWS, asked.shocks.length));
  const given = optionsText({ others: asked.others === "zero" ? "zero" : "", ...options });
  const range = `$A$7:$B$${6 + rows.length}`;
  return {
    words,
    blocks: [
      {
        title: "Shocks",
        values: rows,
        columns: [{ width: 130 }, { width: 70, format: "0.00%" }],
        rows: rows.length,
      },
      {
        title: "What they do",
        formula: call("STRESS", [holdings, range, "", benchmark, given]),
        columns,
      },
    ],
  };
}

function libraryContent() {
  const { holdings, benchmark, options } = place();
  return {
    words: [["Windows of the past"], ["Each replayed on today's exposures."]],
    blocks: [
      {
        formula: call("SCENARIOS", [holdings, "", benchmark, optionsText(options)]),
        columns: [
          { width: 120 },
          ...[1, 2].map(() => ({ width: 76, format: "yyyy-mm-dd" })),
          { width: 260 },
          ...[1, 2, 3].map(() => ({ width: 84, format: "0.00%" })),
          { width: 300 },
        ],
      },
    ],
  };
}

/** @param {string} name of a window */
const spelled = (name) => {
  const words = name
    .replaceAll("_", " ")
    .replace(/^(us|ltcm)\b/, (letters) => letters.toUpperCase());
  return words.charAt(0).toUpperCase() + words.slice(1);
};
