// Several lines through time over one scale, told apart by dash as well as by color, with a legend
// and their numbers at the ends of the months as a table.

import { h, s } from "./dom.js";
import { chartFigure } from "./figure.js";

const WIDTH = 292;
const HEIGHT = 150;
const LEFT = 46; // room for the numbers beside
const TOP = 8;
const BOTTOM = 18; // room for the dates below
const MOST_ROWS = 72;

/** @typedef {{name: string, values: (number | null)[]}} Line */

/**
 * @param {object} options
 * @param {string} options.title what the lines are, in a sentence
 * @param {string[]} options.dates
 * @param {Line[]} options.lines each with a value for every date, null where it has none
 * @param {(value: number | null) => string} options.show
 * @returns {HTMLElement}
 */
export function linesChart({ title, dates, lines, show }) {
  const values = lines.flatMap((line) => line.values.filter((value) => value !== null));
  const low = Math.min(0, ...values);
  const high = Math.max(0, ...values);
  const room = { x: WIDTH - LEFT - 4, y: HEIGHT - TOP - BOTTOM };
  const x = (/** @type {number} */ i) => LEFT + (room.x * i) / Math.max(dates.length - 1, 1);
  const y = (/** @type {number} */ value) => TOP + (room.y * (high - value)) / (high - low || 1);
  const marks = [...new Set([low, 0, high])].filter(
    (value) => value === 0 || Math.abs(y(value) - y(0)) > 14,
  );
  const path = (/** @type {Line} */ line) =>
    line.values
      .map((value, i) => (value === null ? "" : `${x(i).toFixed(1)},${y(value).toFixed(1)}`))
      .filter(Boolean)
      .join(" ");
  const drawing = s(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": title },
    ...marks.flatMap((value) => [
      s("line", {
        class: value === 0 ? "zero" : "grid",
        x1: LEFT,
        x2: WIDTH - 4,
        y1: y(value),
        y2: y(value),
      }),
      s("text", { class: "value", x: LEFT - 4, y: y(value) + 4 }, show(value)),
    ]),
    ...lines.map((line, i) => s("polyline", { class: `line line-${i + 1}`, points: path(line) })),
    s("text", { class: "quiet", x: LEFT, y: HEIGHT - 4 }, dates[0]),
    s("text", { class: "value", x: WIDTH - 4, y: HEIGHT - 4 }, dates[dates.length - 1]),
  );
  const rows = dates
    .map((date, i) => [date, ...lines.map((line) => show(line.values[i]))])
    .reverse()
    .slice(0, MOST_ROWS);
  const numeric = lines.map((_, i) => i + 1);
  const names = ["Date", ...lines.map(({ name }) => name)];
  const figure = chartFigure(drawing, title, names, rows, { numeric });
  figure.prepend(legend(lines));
  return figure;
}

/** @param {Line[]} lines */
function legend(lines) {
  const sample = (/** @type {number} */ i) =>
    s(
      "svg",
      { viewBox: "0 0 24 8", width: 24, height: 8, "aria-hidden": "true" },
      s("polyline", { class: `line line-${i + 1}`, points: "0,4 24,4" }),
    );
  return h(
    "ul",
    { class: "legend" },
    ...lines.map(({ name }, i) => h("li", null, sample(i), ` ${name}`)),
  );
}
