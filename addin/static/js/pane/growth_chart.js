// Measures on their growth charts: for each a band from the lowest to the highest it has ever been,
// where it stands now, and what it was over three years.

import { s } from "./dom.js";
import { decimal, percent } from "./format.js";
import { chartFigure } from "./figure.js";

const WIDTH = 292;
const ROW = 22;
const NAMES = 104;
const VALUES = 84;
const LETTERS = 15;

/**
 * @typedef {object} Measured
 * @property {string} measure
 * @property {number | null} value over a year
 * @property {number | null} three_year
 * @property {number | null} percentile the share of its own past that is not above it
 * @property {number | null} rank among the factors of its group
 * @property {string} meaning
 */

/**
 * @param {object} options
 * @param {string} options.title
 * @param {Measured[]} options.rows
 * @returns {HTMLElement}
 */
export function growthChart({ title, rows }) {
  const head = s(
    "g",
    {},
    s("text", { class: "quiet", x: NAMES + 2, y: 12 }, "lowest"),
    s("text", { class: "value", x: WIDTH - VALUES - 4, y: 12 }, "highest"),
    s("text", { class: "value", x: WIDTH, y: 12 }, "1 y / 3 y"),
  );
  const drawing = s(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${(rows.length + 1) * ROW}`, role: "img", "aria-label": title },
    head,
    ...rows.map((row, i) => band(row, (i + 1) * ROW)),
  );
  return chartFigure(
    drawing,
    title,
    ["Measure", "Year", "3 years", "Percentile", "Rank"],
    rows.map(({ measure, value, three_year: three, percentile, rank }) => [
      words(measure),
      short(value),
      short(three),
      percent(percentile, 0),
      rank ?? "–",
    ]),
    { numeric: [1, 2, 3, 4] },
  );
}

/**
 * @param {Measured} row
 * @param {number} y
 */
function band({ measure, value, three_year: three, percentile, meaning }, y) {
  const left = NAMES + 4;
  const room = WIDTH - NAMES - VALUES - 10;
  const name = words(measure);
  const known = percentile !== null;
  return s(
    "g",
    {},
    s("title", {}, `${name}: ${meaning}. ${short(value)}, percentile ${percent(percentile, 0)}`),
    s("rect", { class: "hit", x: 0, y: y - 4, width: WIDTH, height: ROW - 2 }),
    s(
      "text",
      { class: "name", x: NAMES - 4, y: y + 11 },
      name.length > LETTERS ? `${name.slice(0, LETTERS - 1)}…` : name,
    ),
    s("rect", { class: "band", x: left, y: y + 3, width: room, height: 8, rx: 4 }),
    // the middle half of its past
    s("rect", { class: "middle", x: left + room / 4, y: y + 3, width: room / 2, height: 8 }),
    known && s("circle", { class: "now", cx: left + room * percentile, cy: y + 7, r: 5 }),
    s("text", { class: "value", x: WIDTH, y: y + 11 }, `${short(value)} / ${short(three)}`),
  );
}

/** @param {string} measure */
export const words = (measure) => measure.replaceAll("_", " ");

/** @param {number | null} value of any size, in at most four digits */
export function short(value) {
  if (value === null) return "–";
  const size = Math.abs(value);
  return decimal(value, size >= 100 ? 0 : size >= 10 ? 1 : 2);
}
