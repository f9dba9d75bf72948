// The Risk tab: how much risk, and where it comes from.

import { barChart, shareBar } from "./bars.js";
import { bookBody, portfolioName } from "./book.js";
import { at, fillSegments, h } from "./dom.js";
import { decimal, percent, signedPercent } from "./format.js";
import { clearProblem, showProblem } from "./problems.js";
import { ask, records } from "./server.js";
import { settings } from "./settings.js";
import { openTab } from "./tabs.js";

const MOST_BARS = 14;

/** @type {[string, string, (value: number | null) => string][]} */
const TILES = [
  ["tracking_error", "Tracking error", percent],
  ["volatility", "Volatility", percent],
  ["beta", "Beta", decimal],
  ["active_share", "Active share", (value) => percent(value, 1)],
  ["effective_n", "Effective names", (value) => decimal(value, 1)],
  ["var95", "VaR 95 %, one day", percent],
];
const ABSOLUTE = ["volatility", "var95", "effective_n", "names"];
const BY = [
  { value: "factor", text: "Factor" },
  { value: "group", text: "Group" },
  { value: "sector", text: "Sector" },
  { value: "position", text: "Position" },
];

let asked = new AbortController();
/** @type {Record<string, any> | null} */
let risk = null;

export function startRisk() {
  settings.watch(["portfolio", "benchmark", "universe"], () => {
    if (openTab() === "risk") loadRisk();
  });
  settings.watch(["factors"], () => risk && showContributions());
}

export async function loadRisk() {
  asked.abort();
  asked = new AbortController();
  const { signal } = asked;
  const body = at("risk-body");
  body.setAttribute("aria-busy", "true");
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
    showTotals();
    showParts();
    fillSegments(at("risk-by"), BY, settings.now.by, (by) => {
      settings.set({ by });
      showContributions();
    });
    showContributions();
  } catch (error) {
    if (error.name === "AbortError") return;
    showProblem("risk-problem", "The risk could not be shown.", error);
  } finally {
    if (!signal.aborted) body.setAttribute("aria-busy", "false");
  }
}

function showTotals() {
  const { measures, absolute, date, notes } = /** @type {Record<string, any>} */ (risk);
  const shown = TILES.filter(([measure]) => !absolute || ABSOLUTE.includes(measure));
  at("risk-tiles").replaceChildren(
    h(
      "dl",
      { class: "tiles" },
      ...shown.map(([measure, name, show]) =>
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
    `As of ${date}; yearly, forecast by the factor model.`,
    ...notes,
  ].join(" ");
}

/** Factor against specific risk, as shares of the variance. */
function showParts() {
  const { parts, of } = /** @type {Record<string, any>} */ (risk);
  const whole = parts.factor ** 2 + parts.specific ** 2;
  const box = at("risk-parts");
  if (!(whole > 0)) {
    box.replaceChildren(
      h("p", null, "There is no risk to divide: the portfolio is its benchmark."),
    );
    return;
  }
  const shares = [
    ["Factors", parts.factor],
    ["Single names", parts.specific],
  ].map(([name, value]) => ({
    name,
    share: value ** 2 / whole,
    text: `${percent(value ** 2 / whole, 0)} (${percent(value)})`,
  }));
  const what = of === "volatility" ? "variance" : "active variance";
  const title = `Shares of the ${what}: ${shares.map(({ name, text }) => `${name} ${text}`).join(", ")}`;
  box.replaceChildren(shareBar(title, shares));
}

function showContributions() {
  const { tables, of } = /** @type {Record<string, any>} */ (risk);
  const { by } = settings.now;
  const table = tables[by];
  if (!table) {
    at("risk-chart").replaceChildren();
    return;
  }
  const rows = records(table);
  const total = rows[rows.length - 1];
  const name = of === "volatility" ? "volatility" : "tracking error";
  const bars = gathered(rows.slice(0, -1), by);
  const title = `Contributions to the ${name} of ${percent(total.ctr)} by ${by}, the largest: ${bars
    .slice(0, 3)
    .map((bar) => `${bar.name} ${signedPercent(bar.value)}`)
    .join(", ")}`;
  at("risk-chart").replaceChildren(
    h(
      "p",
      { class: "small quiet" },
      `${portfolioName()}: they sum to the ${name} of ${percent(total.ctr)}. Left of the line a bet makes it smaller.`,
    ),
    barChart({ title, column: "Contribution", bars, show: signedPercent }),
  );
}

/**
 * The largest contributions, and the others as one bar.
 *
 * @param {Record<string, any>[]} rows
 * @param {string} by
 * @returns {import("./bars.js").Bar[]}
 */
function gathered(rows, by) {
  const { factors } = settings.now;
  const wanted = (/** @type {Record<string, any>} */ row) =>
    by !== "factor" ||
    factors.length === 0 ||
    row.name === "Specific" ||
    factors.includes(row.name);
  const sorted = rows.filter(wanted).sort((a, b) => Math.abs(b.ctr) - Math.abs(a.ctr));
  const shown = by === "factor" ? sorted : sorted.slice(0, MOST_BARS);
  const rest = rows.filter((row) => !shown.includes(row));
  const bars = shown.map(({ name, ctr, exposure }) => ({
    name: name === "Specific" ? "Single names" : capital(name),
    value: ctr,
    note: by === "position" ? `${name}, active weight ${signedPercent(exposure)}` : undefined,
  }));
  if (rest.length > 0) {
    const value = rest.reduce((sum, { ctr }) => sum + ctr, 0);
    bars.push({ name: `${rest.length} others`, value, note: undefined });
  }
  return bars;
}

/** @param {string} name */
const capital = (name) => name.charAt(0).toUpperCase() + name.slice(1);
