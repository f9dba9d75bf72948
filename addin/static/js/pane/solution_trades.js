// The trades of an answer, each with its reason; a name can be kept as it is or excluded from here.

import { h } from "./dom.js";
import { percent, signedPercent } from "./format.js";
import { records } from "./server.js";

const TOP_TRADES = 10;
const CASH = "CASH";

/**
 * @param {Record<string, any>} result
 * @param {{onPin: (ticker: string) => void, onExclude: (ticker: string) => void} | null} change
 *   null where names cannot be pinned
 */
export function tradesTable(result, change) {
  const every = records(result.trades);
  if (every.length === 0) return h("p", null, "None: the portfolio is the best already.");
  const shown = every.slice(0, TOP_TRADES);
  const more = every.length - shown.length;
  return h(
    "div",
    null,
    h(
      "table",
      { class: "plain-table stacked trades" },
      h("caption", { class: "visually-hidden" }, "The largest trades, each with its reason"),
      h(
        "thead",
        null,
        h(
          "tr",
          null,
          h("th", { scope: "col" }, "Ticker"),
          ...["Now", "Best", "Trade"].map((text) =>
            h("th", { scope: "col", class: "number" }, text),
          ),
        ),
      ),
      ...shown.map((trade) => tradeRows(trade, change)),
    ),
    more > 0 && h("p", { class: "quiet small" }, `${more} smaller ones: write to the sheet.`),
  );
}

/**
 * @param {Record<string, any>} trade
 * @param {{onPin: (ticker: string) => void, onExclude: (ticker: string) => void} | null} change
 */
function tradeRows({ ticker, name, current, optimal, trade, reason }, change) {
  const button = (
    /** @type {string} */ text,
    /** @type {string} */ said,
    /** @type {() => void} */ click,
  ) =>
    h(
      "button",
      { type: "button", class: "plain small", "aria-label": said, title: said, click },
      text,
    );
  return h(
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
    h(
      "tr",
      null,
      h(
        "td",
        { colspan: 4, class: "quiet small" },
        reason,
        change &&
          ticker !== CASH &&
          h(
            "span",
            { class: "choices" },
            button("Keep", `Keep ${ticker} at ${percent(current)} and solve again`, () =>
              change.onPin(ticker),
            ),
            button("Exclude", `Exclude ${ticker} and solve again`, () => change.onExclude(ticker)),
          ),
      ),
    ),
  );
}
