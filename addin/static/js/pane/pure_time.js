// What the four portfolios of a factor earned, each made with what was known on its date: a job,
// followed until done, and then a chart and a table.

import { at, select, tableOf } from "./dom.js";
import { decimal, percent, signedPercent } from "./format.js";
import { Canceled, follow } from "./jobs.js";
import { linesChart } from "./lines_chart.js";
import { clearProblem, showProblem } from "./problems.js";
import { ask, records } from "./server.js";

const NOTES = 3; // that are shown; the others are counted

/** @type {[string, string, (value: number | null) => string][]} */
const MEASURES = [
  ["mean", "Mean, a year", (value) => signedPercent(value, 1)],
  ["volatility", "Volatility", (value) => percent(value, 1)],
  ["ir", "Information ratio", decimal],
  ["t_stat", "t of the mean", decimal],
  ["max_drawdown", "Deepest fall", (value) => percent(value, 1)],
  ["exposure", "Exposure, mean", decimal],
  ["turnover_a_year", "Turnover, a year", (value) => percent(value, 0)],
  ["cost_a_year", "Cost, a year", percent],
  ["mean_net", "Mean after costs", (value) => signedPercent(value, 1)],
  ["periods", "Months", (value) => decimal(value, 0)],
];

/**
 * @param {Record<string, any>} body of the portfolios shown
 * @param {{value: string, text: string}[]} kinds
 */
export async function showThroughTime(body, kinds) {
  const button = /** @type {HTMLButtonElement} */ (at("pure-time"));
  button.disabled = true;
  try {
    const start = select("pure-since").value;
    /** @type {Record<string, any>} */
    const asked = { ...body, ...(start ? { start } : {}) };
    delete asked.holdings; // it begins at the benchmark, whatever is held today
    const job = await ask("pure-factor/history", { method: "POST", body: asked });
    const found = await follow("pure-time-busy", job);
    clearProblem("pure-time-problem");
    draw(found, kinds);
    at("pure-time-results").hidden = false;
    at("pure-time-title").focus();
  } catch (error) {
    at("pure-time-results").hidden = true;
    if (error instanceof Canceled) clearProblem("pure-time-problem");
    else showProblem("pure-time-problem", "The portfolios were not shown through time.", error);
  } finally {
    button.disabled = false;
  }
}

/**
 * @param {Record<string, any>} found
 * @param {{value: string, text: string}[]} kinds
 */
function draw({ history, performance, notes }, kinds) {
  const rows = records(history);
  const lines = kinds.map(({ value, text }) => {
    let sum = 0; // on capital of one that stays so
    const values = rows.map((row) => (row[value] === null ? null : (sum += row[value])));
    return { name: text, values };
  });
  const ends = lines.map(({ name, values }) => {
    const known = values.filter((value) => value !== null);
    return `${name} ${signedPercent(known[known.length - 1] ?? null, 1)}`;
  });
  at("pure-time-chart").replaceChildren(
    linesChart({
      title: `Returns of the months added up, before costs: ${ends.join(", ")}`,
      dates: rows.map(({ date }) => date),
      lines,
      show: (value) => percent(value, 0),
    }),
  );
  const of = Object.fromEntries(records(performance).map((row) => [row.measure, row]));
  at("pure-time-table").replaceChildren(
    tableOf(
      "The four portfolios through time",
      ["Measure", ...kinds.map(({ text }) => text)],
      MEASURES.map(([measure, name, show]) => [
        name,
        ...kinds.map(({ value }) => show(of[measure][value])),
      ]),
      { numeric: kinds.map((_, i) => i + 1) },
    ),
  );
  const more = notes.length > NOTES ? ` And ${notes.length - NOTES} more.` : "";
  at("pure-time-notes").textContent = notes.slice(0, NOTES).join(" ") + more;
}
