// Attribution in the tab Performance: why the portfolio did better or worse than its benchmark.

import { attributionChart, EFFECTS } from "./attribution_chart.js";
import { bookBody, bookReferences, portfolioName } from "./book.js";
import { at, fillSegments, fillSelect, h, select } from "./dom.js";
import { writeFormula } from "./formula_sheet.js";
import { signedPercent } from "./format.js";
import { clearProblem, showProblem } from "./problems.js";
import { ask, records } from "./server.js";
import { settings } from "./settings.js";
import { openTab } from "./tabs.js";

const SHEET = "Tilt Attribution Formula";
const NO_PORTFOLIO = "Read a portfolio in the tab Portfolio first.";

export const SINCE = [
  { value: "-1M", text: "a month ago" },
  { value: "-3M", text: "three months ago" },
  { value: "YTD", text: "the year's start" },
  { value: "-1Y", text: "a year ago" },
  { value: "-3Y", text: "three years ago" },
];

/** How it is explained: the method and its grouping, and where the table has names and numbers. */
const WAYS = [
  { value: "sector", text: "Sector", method: "brinson", by: "sector" },
  { value: "industry", text: "Industry", method: "brinson", by: "industry" },
  { value: "factor", text: "Factor", method: "factor", by: "" },
  { value: "position", text: "Position", method: "position", by: "" },
];
let way = "sector";
let asked = new AbortController();

export function startAttribution() {
  fillSelect(select("why-start"), SINCE, "-1Y");
  fillSegments(at("why-by"), WAYS, way, (chosen) => {
    way = chosen;
    loadAttribution();
  });
  at("why-start").addEventListener("change", loadAttribution);
  at("why-put").addEventListener("click", putInSheet);
  settings.watch(["portfolio", "benchmark", "universe"], () => {
    if (openTab() === "performance") loadAttribution();
  });
}

export async function loadAttribution() {
  asked.abort();
  asked = new AbortController();
  const { signal } = asked;
  const body = at("why-body");
  body.setAttribute("aria-busy", "true");
  try {
    const book = await bookBody();
    if (!book) {
      at("why-problem").replaceChildren(h("p", null, NO_PORTFOLIO));
      body.hidden = true;
      return;
    }
    const { method, by } = chosenWay();
    const given = { ...book, start: select("why-start").value, method, by };
    const found = await ask("attribution", { method: "POST", body: given, signal });
    clearProblem("why-problem");
    body.hidden = false;
    show(found);
  } catch (error) {
    if (error.name === "AbortError") return;
    body.hidden = true;
    showProblem("why-problem", "The return could not be explained.", error);
  } finally {
    if (!signal.aborted) body.setAttribute("aria-busy", "false");
  }
}

const chosenWay = () => WAYS.find(({ value }) => value === way) ?? WAYS[0];

/** @param {Record<string, any>} found */
function show(found) {
  const { method, table, portfolio, benchmark, start, end, against, notes } = found;
  const rows = records(table);
  const total = rows[rows.length - 1];
  at("why-tiles").replaceChildren(
    h(
      "dl",
      { class: "tiles" },
      tile("Return", signedPercent(portfolio)),
      tile("Benchmark", signedPercent(benchmark)),
      tile("Active", signedPercent(portfolio - benchmark)),
      ...(method === "brinson"
        ? EFFECTS.map((effect) => tile(capital(effect), signedPercent(total[effect])))
        : []),
    ),
  );
  at("why-chart").replaceChildren(attributionChart(method, rows));
  at("why-notes").textContent = [
    `${portfolioName()}, ${start} to ${end}, against ${against}; days linked by Carino.`,
    ...notes,
  ].join(" ");
  at("why-said").textContent = "";
}

/**
 * @param {string} name
 * @param {string} value
 */
export const tile = (name, value) =>
  h("div", { class: "tile" }, h("dt", null, name), h("dd", null, h("strong", null, value)));

/** @param {string} word */
const capital = (word) => word.charAt(0).toUpperCase() + word.slice(1);

/** @param {string} text as a formula takes it; nothing for nothing */
const quoted = (text) => (text ? `"${text.replaceAll('"', '""')}"` : "");

async function putInSheet() {
  const { holdings, benchmark, universe } = bookReferences();
  const { method, by, text } = chosenWay();
  const start = select("why-start").value;
  const given = [holdings, quoted(benchmark), quoted(start), "", quoted(method), quoted(by)];
  const formula = `=TILT.ATTRIBUTION(${given.join(",")},${quoted(universe)})`;
  const shown = Array.from({ length: 8 }, () => ({ width: 76, format: "0.00%" }));
  try {
    await writeFormula(SHEET, [`Attribution by ${text.toLowerCase()}`, `Since ${start}`], formula, [
      { width: 150 },
      ...shown,
    ]);
    at("why-said").textContent = `Written to the sheet ${SHEET}.`;
  } catch (error) {
    showProblem("why-problem", "The formula could not be written.", error);
  }
}
