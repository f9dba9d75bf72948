// A chart of bars to both sides of zero, with its numbers as a table for those who do not see it.

import { h, s } from "./dom.js";
import { chartFigure } from "./figure.js";

const WIDTH = 292;
const ROW = 22;
const NAMES = 104;
const VALUES = 52;
const LETTERS = 16;

/** @typedef {{name: string, value: number, note?: string}} Bar */

/**
 * @param {object} options
 * @param {string} options.title what the bars are, in a sentence
 * @param {string} options.column what the numbers are called
 * @param {Bar[]} options.bars
 * @param {(value: number) => string} options.show
 * @param {string} [options.className] pnl: gains and losses
 * @param {{headers: string[], rows: import("./dom.js").Child[][]}} [options.table] more than the bars
 *   say, in place of their numbers
 * @returns {HTMLElement}
 */
export function barChart({ title, column, bars, show, className, table }) {
  const room = WIDTH - NAMES - VALUES - 8;
  const low = Math.min(0, ...bars.map(({ value }) => value));
  const high = Math.max(0, ...bars.map(({ value }) => value));
  const scale = room / (high - low || 1);
  const zero = NAMES + 4 - low * scale;
  const height = bars.length * ROW + 6;
  const rows = bars.map((bar, i) => row(bar, i, { zero, scale, show }));
  const headers = table?.headers ?? ["Name", column];
  const cells = table?.rows ?? bars.map(({ name, value }) => [name, show(value)]);
  const figure = chartFigure(
    s(
      "svg",
      { viewBox: `0 0 ${WIDTH} ${height}`, role: "img", "aria-label": title },
      ...rows,
      s("line", { class: "zero", x1: zero, x2: zero, y1: 0, y2: height - 4 }),
    ),
    title,
    headers,
    cells,
    { numeric: headers.slice(1).map((_, j) => j + 1) },
  );
  if (className) figure.classList.add(className);
  return figure;
}

/**
 * @param {Bar} bar
 * @param {number} i
 * @param {{zero: number, scale: number, show: (value: number) => string}} how
 */
function row({ name, value, note }, i, { zero, scale, show }) {
  const y = i * ROW + 4;
  const length = Math.max(Math.abs(value) * scale, 0.75);
  const short = name.length > LETTERS ? `${name.slice(0, LETTERS - 1).trimEnd()}…` : name;
  return s(
    "g",
    { class: value < 0 ? "less" : "more" },
    s("title", {}, `${note ?? name}: ${show(value)}`),
    s("rect", { class: "hit", x: 0, y: y - 2, width: WIDTH, height: ROW - 2 }),
    s("text", { class: "name", x: NAMES - 4, y: y + 12 }, short),
    s("rect", {
      class: "bar",
      x: value < 0 ? zero - length : zero,
      y,
      width: length,
      height: ROW - 8,
      rx: 2,
    }),
    s("text", { class: "value", x: WIDTH, y: y + 12 }, show(value)),
  );
}

/**
 * One bar divided into shares of a whole.
 *
 * @param {string} title
 * @param {{name: string, share: number, text: string}[]} parts shares that sum to one
 */
export function shareBar(title, parts) {
  let from = 0;
  const pieces = parts.map(({ share }, i) => {
    const piece = s("rect", {
      class: `part-${i}`,
      x: from * WIDTH,
      y: 0,
      width: Math.max(share * WIDTH - 1, 0),
      height: 12,
    });
    from += share;
    return piece;
  });
  return h(
    "figure",
    { class: "shares" },
    s("svg", { viewBox: `0 0 ${WIDTH} 12`, role: "img", "aria-label": title }, ...pieces),
    h(
      "figcaption",
      { class: "legend small" },
      ...parts.map(({ name, text }, i) =>
        h(
          "span",
          null,
          h("span", { class: `key part-${i}`, "aria-hidden": "true" }),
          `${name} ${text}`,
        ),
      ),
    ),
  );
}
