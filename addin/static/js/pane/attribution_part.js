// Attribution in the tab Performance: why the portfolio did better or worse than its benchmark.

import { barChart } from "./bars.js";
import { bookBody, bookReferences, portfolioName } from "./book.js";
import { at, fillSegments, fillSelect, h, select } from "./dom.js";
import { writeFormula } from "./formula_sheet.js";
import { signedPercent } from "./format.js";
import { clearProblem, showProblem } from "./problems.js";
import { ask, records } from "./server.js";
import { settings } from "./settings.js";
import { openTab } from "./tabs.js";

const MOST_BARS = 14;
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
/** @type {Record<string, [string, string]>} */
const COLUMNS = {
  brinson: ["group", "total"],
  factor: ["name", "contribution"],
  position: ["name", "active_contribution"],
};
const EFFECTS = ["allocation", "selection", "interaction"];

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
  const [name, column] = COLUMNS[method];
  const rows = records(table);
  const total = rows[rows.length - 1];
  const active = portfolio - benchmark;
  at("why-tiles").replaceChildren(
    h(
      "dl",
      { class: "tiles" },
      tile("Return", signedPercent(portfolio)),
      tile("Benchmark", signedPercent(benchmark)),
      tile("Active", signedPercent(active)),
      ...(method === "brinson"
        ? EFFECTS.map((effect) => tile(capital(effect), signedPercent(total[effect])))
        : []),
    ),
  );
  const bars = gathered(
    rows.slice(0, -2).map((row) => ({ name: row[name], value: row[column], note: noteOf(row) })),
  );
  const title = `What made the active return of ${signedPercent(active)}, the largest: ${bars
    .slice(0, 3)
    .map((bar) => `${bar.name} ${signedPercent(bar.value)}`)
    .join(", ")}`;
  at("why-chart").replaceChildren(
    barChart({
      title,
      column: "Contribution",
      bars,
      show: signedPercent,
      className: "pnl",
      table: method === "brinson" ? effectsTable(rows) : undefined,
    }),
  );
  at("why-notes").textContent = [
    `${portfolioName()}, ${start} to ${end}, against ${against}; days linked by Carino.`,
    ...notes,
  ].join(" ");
  at("why-said").textContent = "";
}

/** @param {Record<string, any>} row */
function noteOf(row) {
  if (row.allocation === undefined || row.allocation === null) return undefined;
  return `${row.group}, ${EFFECTS.map((e) => `${e} ${signedPercent(row[e])}`).join(", ")}, together`;
}

/** @param {Record<string, any>[]} rows */
function effectsTable(rows) {
  return {
    headers: ["Group", "Allocation", "Selection", "Interaction", "Total"],
    rows: rows.map((row) => [
      row.group,
      ...[...EFFECTS, "total"].map((c) => (row[c] === null ? "–" : signedPercent(row[c]))),
    ]),
  };
}

/**
 * The largest bars, and the others as one.
 *
 * @param {import("./bars.js").Bar[]} bars
 */
function gathered(bars) {
  const sorted = [...bars].sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
  const rest = sorted.slice(MOST_BARS);
  if (rest.length === 0) return sorted;
  const value = rest.reduce((sum, bar) => sum + bar.value, 0);
  return [...sorted.slice(0, MOST_BARS), { name: `${rest.length} others`, value }];
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
