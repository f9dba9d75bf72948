// What lines through time are drawn in: a scale that holds nought, its marks, and the first and last
// date below.

import { s } from "./dom.js";

const WIDTH = 292;
const LEFT = 46; // room for the numbers beside
const TOP = 8;
const BOTTOM = 18; // room for the dates below
const APART = 14; // of a mark from that of nought, or their numbers overlap

/**
 * @param {object} options
 * @param {string} options.title what is drawn, in a sentence
 * @param {number} options.height
 * @param {string[]} options.dates
 * @param {number[]} options.values all that are to be seen
 * @param {(value: number) => string} options.show
 */
export function timeFrame({ title, height, dates, values, show }) {
  const low = Math.min(0, ...values);
  const high = Math.max(0, ...values);
  const room = { x: WIDTH - LEFT - 4, y: height - TOP - BOTTOM };
  const last = dates.length - 1;
  const x = (/** @type {number} */ i) => LEFT + (room.x * i) / Math.max(last, 1);
  const y = (/** @type {number} */ value) => TOP + (room.y * (high - value)) / (high - low || 1);
  const marks = [...new Set([low, 0, high])].filter(
    (value) => value === 0 || Math.abs(y(value) - y(0)) > APART,
  );
  return {
    /**
     * A point of a line, as ``points`` has it.
     *
     * @param {number} i of the dates
     * @param {number} value
     */
    point: (i, value) => `${x(i).toFixed(1)},${y(value).toFixed(1)}`,
    /** @param {Element[]} lines */
    drawing: (...lines) =>
      s(
        "svg",
        { viewBox: `0 0 ${WIDTH} ${height}`, role: "img", "aria-label": title },
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
        ...lines,
        s("text", { class: "quiet", x: LEFT, y: height - 4 }, dates[0]),
        s("text", { class: "value", x: WIDTH - 4, y: height - 4 }, dates[last]),
      ),
  };
}
