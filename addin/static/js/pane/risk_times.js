// In what times the market is, and what the portfolio risked in calm and in turbulent ones.

import { bookBody } from "./book.js";
import { at, h, tableOf } from "./dom.js";
import { count, decimal, percent, signedPercent } from "./format.js";
import { lineChart } from "./line_chart.js";
import { part } from "./part.js";
import { call, optionsText, place, writeOnClick } from "./risk_sheet.js";
import { ask, records } from "./server.js";
import { toned } from "./toned.js";
import { inExcel } from "./workbook.js";

const SHEET = "Tilt Regimes";
const HINT = "Filtered: a date knows itself and the dates before it, never what came later.";

/** What was asked for last, and its answer, for the badge and the part alike. */
let known = { body: "", answer: /** @type {Promise<Record<string, any>> | null} */ (null) };

/** @returns {import("./part.js").Part[]} */
export function startTimes() {
  writeOnClick("times", "risk-times-problem", SHEET, content);
  return [part("risk-times", "The times could not be told apart.", showTimes)];
}

/** @param {Record<string, any>} body */
function askTimes(body) {
  const text = JSON.stringify(body);
  if (text !== known.body || !known.answer) {
    const answer = ask("risk/regime", { method: "POST", body });
    known = { body: text, answer };
    answer.catch(() => {
      known = { body: "", answer: null }; // another try may fare better
    });
  }
  return /** @type {Promise<Record<string, any>>} */ (known.answer);
}

/**
 * The badge below the figures; without a regime it says why.
 *
 * @param {Record<string, any>} body
 * @param {AbortSignal} signal
 */
export async function showNow(body, signal) {
  const line = at("risk-now");
  line.textContent = "";
  try {
    const { state, probability, since, universe } = await askTimes(body);
    if (signal.aborted) return;
    line.replaceChildren(
      h("span", { class: "badge", "data-state": state, title: HINT }, `${spelled(state)} times`),
      `${universe} since ${since}, ${percent(probability, 0)} sure.`,
    );
  } catch (error) {
    if (signal.aborted) return;
    line.textContent = `In what times the market is could not be told: ${error.message}`;
  }
}

/** @param {AbortSignal} signal */
async function showTimes(signal) {
  const body = await bookBody();
  if (!body) return;
  const { table, series, universe, notes } = await askTimes(body);
  if (signal.aborted) return;
  const points = records(series).map((row) => ({ date: row.date, value: row.turbulent }));
  const title = `Probability that the market of ${universe} is turbulent, now ${percent(points[points.length - 1].value, 0)}`;
  const rows = records(table);
  at("times-result").replaceChildren(
    h("p", { class: "small" }, `${title}:`),
    lineChart({ title, column: "Probability", points, show: (value) => percent(value, 0) }),
    h("p", { class: "small" }, "Today's holdings, replayed through the past:"),
    h(
      "div",
      { class: "wide", tabindex: 0, role: "region", "aria-label": "Risk by times" },
      tableOf(
        "What today's holdings earned and risked in each kind of times, a year",
        ["Times", "Days", "Mean", "Volatility", "TE", "Beta"],
        rows.map((row) => [
          spelled(row.state),
          count(row.days),
          toned(row.mean, (value) => signedPercent(value, 1)),
          percent(row.volatility, 1),
          percent(row.tracking_error, 1),
          decimal(row.beta),
        ]),
        { numeric: [1, 2, 3, 4, 5], className: "compact" },
      ),
    ),
    h("p", { class: "quiet small" }, [HINT, ...notes.slice(1)].join(" ")),
  );
  at("times-written").textContent = "";
  at("write-times").hidden = !(await inExcel());
}

function content() {
  const { holdings, benchmark, options } = place();
  const percents = { width: 76, format: "0.00%" };
  return {
    words: [["Risk by regime"], [HINT]],
    blocks: [
      {
        formula: call("REGIME_RISK", [holdings, "", benchmark, optionsText(options)]),
        columns: [
          { width: 80 },
          { width: 60 },
          ...[percents, percents, percents, percents],
          { width: 60, format: "0.00" },
          { width: 300 },
        ],
      },
    ],
  };
}

/** @param {string} state */
const spelled = (state) => state.charAt(0).toUpperCase() + state.slice(1);
