// A line through time, with its numbers at the ends of the months as a table.

import { s } from "./dom.js";
import { chartFigure } from "./figure.js";

const WIDTH = 292;
const HEIGHT = 132;
const LEFT = 46; // room for the numbers beside
const TOP = 8;
const BOTTOM = 18; // room for the dates below
const MOST_ROWS = 72; // months of a table that one can still read

/** @typedef {{date: string, value: number}} Point */

/**
 * @param {object} options
 * @param {string} options.title what the line is, in a sentence
 * @param {string} options.column what the numbers are called
 * @param {Point[]} options.points by date, at least one
 * @param {(value: number) => string} options.show
 * @returns {HTMLElement}
 */
export function lineChart({ title, column, points, show }) {
  const values = points.map(({ value }) => value);
  const low = Math.min(0, ...values);
  const high = Math.max(0, ...values);
  const room = { x: WIDTH - LEFT - 4, y: HEIGHT - TOP - BOTTOM };
  const x = (/** @type {number} */ i) => LEFT + (room.x * i) / Math.max(points.length - 1, 1);
  const y = (/** @type {number} */ value) => TOP + (room.y * (high - value)) / (high - low || 1);
  const line = values.map((value, i) => `${x(i).toFixed(1)},${y(value).toFixed(1)}`).join(" ");
  const marks = [...new Set([low, 0, high])].filter(
    (value) => value === 0 || Math.abs(y(value) - y(0)) > 14,
  );
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
    s("polyline", { class: "line", points: line }),
    s("text", { class: "quiet", x: LEFT, y: HEIGHT - 4 }, points[0].date),
    s("text", { class: "value", x: WIDTH - 4, y: HEIGHT - 4 }, points[points.length - 1].date),
  );
  const rows = monthEnds(points).map(({ date, value }) => [date, show(value)]);
  return chartFigure(drawing, title, ["Date", column], rows);
}

/**
 * The last point of each month, the newest first; no more than one can read.
 *
 * @param {Point[]} points
 */
export function monthEnds(points) {
  const month = (/** @type {Point} */ point) => point.date.slice(0, 7);
  return points
    .filter((point, i) => i === points.length - 1 || month(points[i + 1]) !== month(point))
    .reverse()
    .slice(0, MOST_ROWS);
}
