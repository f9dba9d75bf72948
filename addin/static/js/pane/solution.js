// The answer to a portfolio problem: figures, binding rules and their price, trades; or what
// conflicts, and repairs to apply.

import { h } from "./dom.js";
import { boundText, decimal, percent, signedPercent } from "./format.js";
import { records } from "./server.js";
import { OUTPUT, inExcel, writeSheet } from "./workbook.js";

const TOP_TRADES = 10;
const LEAST = 1e-6; // a price below it is rounding

/** @type {[string, string, (value: number | null) => string][]} measure, its name, how it is shown */
const FIGURES = [
  ["tracking_error", "Tracking error", (value) => percent(value)],
  ["volatility", "Volatility", (value) => percent(value)],
  ["turnover", "Turnover", (value) => percent(value, 1)],
  ["names", "Names", (value) => (value === null ? "–" : String(value))],
];

/**
 * @typedef {object} How
 * @property {(name: string) => import("./rules.js").Kind} kindOf
 * @property {(changes: any[]) => boolean} repairable whether the rules are in the table
 * @property {(repair: {changes: any[], options: Record<string, any>}) => void} onRepair
 * @property {() => void} onWrite
 */

/** @param {Record<string, any>} result */
export function solutionTitle({ solved, status }) {
  if (solved) return "The best weights";
  return status === "infeasible" ? "No weights keep all rules" : "No solution";
}

/**
 * @param {Record<string, any>} result
 * @param {Record<string, any>} context
 * @param {How} how
 * @returns {HTMLElement[]}
 */
export function solutionView(result, context, how) {
  return result.solved ? solvedView(result, context, how) : conflictView(result, how);
}

/**
 * @param {Record<string, any>} result
 * @param {Record<string, any>} context
 * @param {How} how
 */
function solvedView(result, context, how) {
  const notes = [...result.messages, ...context.notes];
  return [
    tiles(result),
    h(
      "div",
      { class: "row" },
      h("button", { type: "button", class: "primary", click: how.onWrite }, "Write to sheet"),
      h("p", { id: "written", class: "done", role: "status" }),
    ),
    h("h3", null, "Binding rules"),
    binding(result, how),
    h("h3", null, "Largest trades"),
    trades(result),
    inWords(result.explain),
    notes.length > 0 && h("p", { class: "quiet small" }, notes.join(" ")),
    h("p", { class: "quiet small" }, `As of ${context.date}. Run ${result.run_id}.`),
  ].filter((part) => part instanceof HTMLElement);
}

/** @param {Record<string, any>} result */
function tiles({ summary }) {
  const figures = Object.fromEntries(records(summary).map((row) => [row.measure, row]));
  return h(
    "dl",
    { class: "tiles" },
    ...FIGURES.filter(([measure]) => measure in figures).map(([measure, name, show]) => {
      const { before, after } = figures[measure];
      const alone = measure === "turnover";
      return h(
        "div",
        { class: "tile" },
        h("dt", null, name),
        h(
          "dd",
          null,
          !alone && h("span", { class: "quiet" }, `${show(before)} `),
          !alone && h("span", { "aria-label": "to" }, "→ "),
          h("strong", null, show(after)),
        ),
      );
    }),
  );
}

/**
 * @param {Record<string, any>} result
 * @param {How} how
 */
function binding({ constraints, objective }, { kindOf }) {
  const touched = records(constraints).filter(
    ({ status, rule }) => status === "binding" && rule !== "budget",
  );
  const bound = touched.filter(
    ({ shadow_price: price, gain_if_looser: gain }) => price > LEAST || gain > LEAST,
  );
  const free = touched.length - bound.length;
  if (bound.length === 0) return h("p", null, "None: no rule holds the weights back.");
  bound.sort((a, b) => (b.gain_if_looser ?? 0) - (a.gain_if_looser ?? 0));
  const inRisk = ["min_te", "min_risk"].includes(objective);
  const table = h(
    "table",
    { class: "plain-table stacked" },
    h(
      "caption",
      { class: "visually-hidden" },
      "Rules that hold the weights back, the dearest first",
    ),
    h(
      "thead",
      null,
      h(
        "tr",
        null,
        ...["Value", "Slack", "Shadow price", "If looser"].map((text) =>
          h("th", { scope: "col", class: "number" }, text),
        ),
      ),
    ),
    ...bound.map((row) => {
      const implicit = row.rule === "long_only";
      const inPercent = implicit || kindOf(row.rule).percent;
      const show = (/** @type {number | null} */ x) => (inPercent ? percent(x) : decimal(x, 3));
      const gain = row.gain_if_looser;
      return h(
        "tbody",
        null,
        h("tr", null, h("th", { colspan: 4, scope: "rowgroup" }, ruleWords(row, inPercent))),
        h(
          "tr",
          null,
          h("td", { class: "number" }, show(row.value)),
          h("td", { class: "number" }, show(row.slack)),
          h("td", { class: "number" }, decimal(row.shadow_price, 4)),
          h(
            "td",
            { class: "number" },
            inRisk ? percent(gain, 3) : decimal(gain, 5),
            row.step !== null &&
              h("span", { class: "quiet per" }, `for ${boundText(row.step, inPercent)}`),
          ),
        ),
      );
    }),
  );
  const others = `${free} more ${free === 1 ? "binds and costs" : "bind and cost"} nothing.`;
  return h("div", null, table, free > 0 && h("p", { class: "quiet small" }, others));
}

/**
 * @param {Record<string, any>} row
 * @param {boolean} inPercent
 */
function ruleWords({ rule, who, min, max, value, relative, note }, inPercent) {
  if (rule === "long_only") return "No short positions";
  const atMax = max !== null && (min === null || Math.abs(max - value) <= Math.abs(value - min));
  const name = rule.replaceAll("_", " ");
  const subject = who === "*" ? `each ${name}` : `${name} ${who}`.trim();
  const against = relative === "yes" ? " against the benchmark" : "";
  const bounded = `${atMax ? "at most" : "at least"} ${boundText(atMax ? max : min, inPercent)}`;
  const words = `${subject} ${bounded}${against}`;
  return words.charAt(0).toUpperCase() + words.slice(1) + (note ? ` (${note})` : "");
}

/** @param {Record<string, any>} result */
function trades(result) {
  const every = records(result.trades);
  if (every.length === 0) return h("p", null, "None: the portfolio is the best already.");
  const shown = every.slice(0, TOP_TRADES);
  return h(
    "div",
    null,
    h(
      "table",
      { class: "plain-table stacked" },
      h("caption", { class: "visually-hidden" }, "The largest trades, each with its reason"),
      h(
        "thead",
        null,
        h(
          "tr",
          null,
          h("th", { scope: "col" }, "Ticker"),
          h("th", { scope: "col", class: "number" }, "Now"),
          h("th", { scope: "col", class: "number" }, "Best"),
          h("th", { scope: "col", class: "number" }, "Trade"),
        ),
      ),
      ...shown.map(({ ticker, name, current, optimal, trade, reason }) =>
        h(
          "tbody",
          null,
          h(
            "tr",
            null,
            h("th", { scope: "row", title: name }, ticker),
            h("td", { class: "number" }, percent(current)),
            h("td", { class: "number" }, percent(optimal)),
            h("td", { class: "number strong" }, signedPercent(trade)),
          ),
          h("tr", null, h("td", { colspan: 4, class: "quiet small" }, reason)),
        ),
      ),
    ),
    every.length > shown.length &&
      h(
        "p",
        { class: "quiet small" },
        `${every.length - shown.length} smaller ones: write to the sheet.`,
      ),
  );
}

/**
 * @param {Record<string, any>} result
 * @param {How} how
 */
function conflictView(result, { repairable, onRepair }) {
  const { explain, repairs, refusal } = result;
  const offered = repairs.filter((/** @type {any} */ { changes }) => repairable(changes));
  return [
    h("p", { class: "conflict" }, refusal),
    ...(offered.length > 0
      ? [
          h("h3", null, "Repairs"),
          h(
            "p",
            { class: "quiet small" },
            "Each one lets all rules hold. It changes the rule or the option and solves again.",
          ),
          h(
            "ul",
            { class: "repairs" },
            ...offered.map((/** @type {any} */ { words, changes, options }) =>
              h(
                "li",
                null,
                h("span", { class: "grow" }, words),
                h(
                  "button",
                  {
                    type: "button",
                    "aria-label": `Apply: ${words}`,
                    click: () => onRepair({ changes, options }),
                  },
                  "Apply",
                ),
              ),
            ),
          ),
        ]
      : []),
    inWords(
      explain.filter((/** @type {string} */ line) => line !== refusal),
      true,
    ),
  ];
}

/**
 * @param {string[]} sentences
 * @param {boolean} [open]
 */
function inWords(sentences, open = false) {
  return h(
    "details",
    { open },
    h("summary", null, "In words"),
    h("ul", { class: "sentences" }, ...sentences.map((text) => h("li", null, text))),
  );
}

/**
 * Write the answer to its own sheet, as the button of the ribbon does.
 *
 * @param {Record<string, any>} result
 * @param {Record<string, any>} context
 * @returns {Promise<string>} the sheet's name
 */
export async function writeSolution(result, context) {
  if (!(await inExcel())) throw new Error("The pane is not open in Excel.");
  const rows = (/** @type {any} */ { columns, data }) => [columns, ...data];
  const figures = records(result.summary);
  const words = figures
    .filter(({ measure }) => ["tracking_error", "volatility", "turnover"].includes(measure))
    .map(({ measure, before, after }) => {
      const from = measure === "turnover" ? "" : `${percent(before)} to `;
      return `${measure.replaceAll("_", " ")} ${from}${percent(after)}`;
    });
  const source = `${context.universe}, snapshot ${context.snapshot}, run ${result.run_id}`;
  const lines = [
    `Optimal weights: ${result.objective}`,
    words.join("; "),
    `As of ${context.date}, ${source}`,
    [...context.notes, ...result.messages].join(" "),
  ];
  await writeSheet(OUTPUT, lines, [
    { name: "TiltSummary", rows: rows(result.summary) },
    { name: "TiltTrades", rows: rows(result.trades), percent: ["current", "optimal", "trade"] },
    {
      name: "TiltWeights",
      rows: rows(result.weights),
      percent: ["weight", "benchmark", "active", "current"],
    },
  ]);
  return OUTPUT;
}
