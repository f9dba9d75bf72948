// The Risk tab: how much risk, where it comes from, and what may happen.

import { shareBar } from "./bars.js";
import { bookBody } from "./book.js";
import { at, fillSegments, h } from "./dom.js";
import { decimal, percent } from "./format.js";
import { clearProblem, showProblem } from "./problems.js";
import { BY, showContributions } from "./risk_contributions.js";
import { startHealth } from "./risk_health.js";
import { startLosses } from "./risk_losses.js";
import { call, place, writeOnClick } from "./risk_sheet.js";
import { startStress } from "./risk_stress.js";
import { showNow, startTimes } from "./risk_times.js";
import { ask } from "./server.js";
import { settings } from "./settings.js";
import { openTab } from "./tabs.js";
import { inExcel } from "./workbook.js";

const SHEET = "Tilt Risk Live";

/** @type {[string, string, (value: number | null) => string][]} */
const TILES = [
  ["tracking_error", "Tracking error", percent],
  ["volatility", "Volatility", percent],
  ["beta", "Beta", decimal],
  ["factor_te", "TE, factors", percent],
  ["specific_te", "TE, names", percent],
  ["active_share", "Active share", (value) => percent(value, 1)],
  ["var95", "VaR 95 %", percent],
  ["cvar95", "CVaR 95 %", percent],
  ["effective_n", "Effective N", (value) => decimal(value, 1)],
];
const ABSOLUTE = ["volatility", "factor_volatility", "specific_volatility", "var95", "cvar95"];
/** @type {typeof TILES} */
const ALONE = [
  ["volatility", "Volatility", percent],
  ["factor_volatility", "Factors", percent],
  ["specific_volatility", "Single names", percent],
  ["var95", "VaR 95 %", percent],
  ["cvar95", "CVaR 95 %", percent],
  ["effective_n", "Effective N", (value) => decimal(value, 1)],
];

let asked = new AbortController();
/** @type {Record<string, any> | null} */
let risk = null;
/** @type {import("./part.js").Part[]} */
let parts = [];

export function startRisk() {
  parts = [...startStress(() => risk), ...startLosses(), ...startTimes(), ...startHealth()];
  writeOnClick("risk", "risk-problem", SHEET, content);
  settings.watch(["portfolio", "benchmark", "universe"], () => {
    if (openTab() === "risk") loadRisk();
  });
  settings.watch(["factors"], () => risk && showContributions(risk));
}

export async function loadRisk() {
  asked.abort();
  asked = new AbortController();
  const { signal } = asked;
  const body = at("risk-body");
  body.setAttribute("aria-busy", "true");
  at("risk-busy").textContent = "Working out the risk";
  try {
    const given = await bookBody();
    if (!given) {
      const none = h("p", null, "Read a portfolio in the tab Portfolio first.");
      at("risk-problem").replaceChildren(none);
      body.hidden = true;
      return;
    }
    risk = await ask("risk", { method: "POST", body: given, signal });
    clearProblem("risk-problem");
    body.hidden = false;
    await showRisk();
    at("risk-busy").textContent = "";
    await Promise.all([showNow(given, signal), ...parts.map((one) => one.load())]);
  } catch (error) {
    if (error.name === "AbortError") return;
    body.hidden = true; // numbers of another portfolio would mislead
    showProblem("risk-problem", "The risk could not be shown.", error);
  } finally {
    if (!signal.aborted) {
      body.setAttribute("aria-busy", "false");
      at("risk-busy").textContent = "";
    }
  }
}

async function showRisk() {
  showTotals();
  showParts();
  const shown = /** @type {Record<string, any>} */ (risk);
  fillSegments(at("risk-by"), BY, settings.now.by, (by) => {
    settings.set({ by });
    showContributions(/** @type {Record<string, any>} */ (risk));
  });
  showContributions(shown);
  at("risk-written").textContent = "";
  at("write-risk").hidden = !(await inExcel());
}

function showTotals() {
  const { measures, absolute, date, notes } = /** @type {Record<string, any>} */ (risk);
  at("risk-tiles").replaceChildren(
    h(
      "dl",
      { class: "tiles" },
      ...(absolute ? ALONE : TILES).map(([measure, name, show]) =>
        h(
          "div",
          { class: "tile" },
          h("dt", null, name),
          h("dd", null, h("strong", null, show(measures[measure]))),
        ),
      ),
    ),
  );
  at("risk-notes").textContent = [
    `As of ${date}, forecast by the factor model for a year; VaR and CVaR for a day.`,
    ...notes,
  ].join(" ");
}

/** Factor against specific risk, as shares of the variance. */
function showParts() {
  const { parts: split, of } = /** @type {Record<string, any>} */ (risk);
  const whole = split.factor ** 2 + split.specific ** 2;
  const box = at("risk-parts");
  if (!(whole > 0)) {
    const why = of === "volatility" ? "all of it is cash" : "the portfolio is its benchmark";
    box.replaceChildren(h("p", null, `There is no risk to divide: ${why}.`));
    return;
  }
  const shares = [
    ["Factors", split.factor],
    ["Single names", split.specific],
  ].map(([name, value]) => ({
    name,
    share: value ** 2 / whole,
    text: `${percent(value ** 2 / whole, 0)} (${percent(value)})`,
  }));
  const what = of === "volatility" ? "variance" : "active variance";
  const title = `Shares of the ${what}: ${shares.map(({ name, text }) => `${name} ${text}`).join(", ")}`;
  box.replaceChildren(shareBar(title, shares));
}

/** The figures and the four tables of contributions, side by side. */
function content() {
  const { holdings, benchmark, universe } = place();
  const { absolute } = /** @type {Record<string, any>} */ (risk);
  const measures = absolute ? [...ABSOLUTE, "effective_n"] : TILES.map(([measure]) => measure);
  const figures = measures.map((measure, i) => [
    measure,
    call("RISK", [holdings, `A${i + 7}`, "", benchmark, universe]),
  ]);
  const shown = { width: 58, format: "0.00%" };
  const plain = { width: 58, format: "0.000" };
  const columns = [{ width: 120 }, { width: 70 }, plain, shown, plain, shown, shown, shown, shown];
  const tables = BY.map(({ value, text }) => ({
    title: `By ${text.toLowerCase()}`,
    formula: call("RISK_TABLE", [holdings, `"${value}"`, "", benchmark, universe]),
    columns:
      value === "position" ? [...columns, shown, { width: 200 }] : [...columns, { width: 200 }],
  }));
  return {
    words: [["Risk"], ["Every number is a formula: change the holdings and they follow."]],
    blocks: [
      {
        title: "Figures",
        values: figures,
        formats: measures.map((m) => [
          "General",
          ["beta", "effective_n"].includes(m) ? "0.00" : "0.00%",
        ]),
        columns: [{ width: 110 }, { width: 60 }],
        rows: figures.length,
      },
      ...tables,
    ],
  };
}
