// A line through time, with its numbers at the ends of the months as a table.

import { s } from "./dom.js";
import { chartFigure } from "./figure.js";
import { timeFrame } from "./time_frame.js";

const HEIGHT = 132;
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
  const dates = points.map(({ date }) => date);
  const frame = timeFrame({ title, height: HEIGHT, dates, values, show });
  const line = values.map((value, i) => frame.point(i, value)).join(" ");
  const drawing = frame.drawing(s("polyline", { class: "line", points: line }));
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
