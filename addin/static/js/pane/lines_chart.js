// Several lines through time over one scale, told apart by dash as well as by color, with a legend
// and their numbers at the ends of the months as a table.

import { h, s } from "./dom.js";
import { chartFigure } from "./figure.js";
import { timeFrame } from "./time_frame.js";

const HEIGHT = 150;
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
  const frame = timeFrame({ title, height: HEIGHT, dates, values, show });
  const path = (/** @type {Line} */ line) =>
    line.values
      .map((value, i) => (value === null ? "" : frame.point(i, value)))
      .filter(Boolean)
      .join(" ");
  const drawing = frame.drawing(
    ...lines.map((line, i) => s("polyline", { class: `line line-${i + 1}`, points: path(line) })),
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
