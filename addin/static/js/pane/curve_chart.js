// A curve through points, with other points beside it: one point is chosen by mouse, or by the arrow
// keys of the slider below, and read out. Both axes are fractions, shown in per cent. Its numbers stand
// below as a table.

import { h, s } from "./dom.js";
import { chartFigure } from "./figure.js";
import { percent } from "./format.js";

const WIDTH = 292;
const HEIGHT = 200;
const EDGE = { left: 46, right: 10, top: 24, bottom: 34 };

/**
 * @typedef {{x: number, y: number}} Point
 * @typedef {Point & {name: string}} Mark a point beside the curve, such as the portfolio
 *
 * @typedef {object} Curve
 * @property {string} title what the curve is, in a sentence
 * @property {string} xName
 * @property {string} yName
 * @property {Point[]} points from left to right, at least one
 * @property {Mark[]} marks
 * @property {string} sliderName
 * @property {number} chosen
 * @property {(index: number) => string} readout of a point, in words
 * @property {(index: number) => void} onChoose
 */

/**
 * @param {Curve} curve
 * @returns {HTMLElement}
 */
export function curveChart(curve) {
  const { points, marks, chosen, readout, onChoose } = curve;
  const place = scales([...points, ...marks]);
  const dot = s("circle", { class: "chosen", r: 5 });
  const drawing = draw(curve, place, dot);
  const words = h("p", { class: "readout", "aria-live": "off" });
  const slider = h("input", {
    type: "range",
    class: "points",
    min: 0,
    max: points.length - 1,
    step: 1,
    value: chosen,
    "aria-label": curve.sliderName,
    input: () => choose(Number(slider.value)),
  });
  const choose = (/** @type {number} */ index, first = false) => {
    slider.value = String(index);
    const said = readout(index);
    slider.setAttribute("aria-valuetext", said);
    words.textContent = said;
    dot.setAttribute("cx", String(place.x(points[index].x)));
    dot.setAttribute("cy", String(place.y(points[index].y)));
    if (!first) onChoose(index);
  };
  drawing.addEventListener("click", (event) => {
    const box = drawing.getBoundingClientRect();
    const at = {
      x: ((event.clientX - box.left) * WIDTH) / box.width,
      y: ((event.clientY - box.top) * HEIGHT) / box.height,
    };
    choose(nearest(points, place, at));
    slider.focus();
  });
  choose(chosen, true);
  const rows = points.map(({ x, y }, i) => [String(i + 1), percent(x), percent(y)]);
  const others = marks.map(({ name, x, y }) => [name, percent(x), percent(y)]);
  const figure = chartFigure(
    drawing,
    curve.title,
    ["Point", curve.xName, curve.yName],
    [...rows, ...others],
    { numeric: [1, 2] },
  );
  figure.firstElementChild?.after(slider, words);
  return figure;
}

/**
 * @param {Point[]} points
 * @param {{x: (v: number) => number, y: (v: number) => number}} place
 * @param {Point} at in the drawing
 */
function nearest(points, place, at) {
  const away = (/** @type {Point} */ { x, y }) => Math.hypot(place.x(x) - at.x, place.y(y) - at.y);
  let best = 0;
  for (const [i, point] of points.entries()) if (away(point) < away(points[best])) best = i;
  return best;
}

/** @param {Point[]} points */
function scales(points) {
  const span = (/** @type {number[]} */ values) => {
    const low = Math.min(...values);
    const high = Math.max(...values);
    const room = (high - low || Math.abs(high) || 1) * 0.06;
    return { low: low - room, high: high + room };
  };
  const x = span(points.map((point) => point.x));
  const y = span(points.map((point) => point.y));
  const wide = WIDTH - EDGE.left - EDGE.right;
  const tall = HEIGHT - EDGE.top - EDGE.bottom;
  return {
    x: (/** @type {number} */ v) => EDGE.left + (wide * (v - x.low)) / (x.high - x.low),
    y: (/** @type {number} */ v) => EDGE.top + (tall * (y.high - v)) / (y.high - y.low),
    ends: { x, y },
  };
}

/**
 * @param {Curve} curve
 * @param {ReturnType<typeof scales>} place
 * @param {SVGElement} dot
 */
function draw({ title, xName, yName, points, marks, readout }, place, dot) {
  const line = points.map((p) => `${place.x(p.x).toFixed(1)},${place.y(p.y).toFixed(1)}`).join(" ");
  const floor = HEIGHT - EDGE.bottom;
  const xs = marksOf(place.ends.x);
  const ys = marksOf(place.ends.y);
  return s(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": title, class: "curve" },
    ...ys.flatMap(({ v, text }) => [
      s("line", {
        class: "grid",
        x1: EDGE.left,
        x2: WIDTH - EDGE.right,
        y1: place.y(v),
        y2: place.y(v),
      }),
      s("text", { class: "value", x: EDGE.left - 4, y: place.y(v) + 4 }, text),
    ]),
    ...xs.map(({ v, text }) => s("text", { class: "center", x: place.x(v), y: floor + 14 }, text)),
    s("text", { class: "center axis", x: (WIDTH + EDGE.left) / 2, y: HEIGHT - 4 }, xName),
    s("text", { class: "axis", x: 0, y: 11 }, yName),
    s("polyline", { class: "line", points: line }),
    ...points.map((point, i) =>
      s(
        "g",
        {},
        s("title", {}, readout(i)),
        s("circle", { class: "point", r: 2.5, cx: place.x(point.x), cy: place.y(point.y) }),
        s("circle", { class: "hit", r: 9, cx: place.x(point.x), cy: place.y(point.y) }),
      ),
    ),
    ...marks.map((mark) =>
      beside(mark, place, `${mark.name}: ${percent(mark.x)}, ${percent(mark.y)}`),
    ),
    dot,
  );
}

/**
 * @param {Mark} mark
 * @param {ReturnType<typeof scales>} place
 * @param {string} words
 */
function beside({ name, x, y }, place, words) {
  const [cx, cy] = [place.x(x), place.y(y)];
  const left = cx > WIDTH * 0.6; // the name stands on the side where there is room
  const size = 4.5;
  return s(
    "g",
    { class: "mark" },
    s("title", {}, words),
    s("path", {
      d: `M${cx} ${cy - size} L${cx + size} ${cy} L${cx} ${cy + size} L${cx - size} ${cy} Z`,
    }),
    s("text", { class: left ? "name" : "", x: left ? cx - 8 : cx + 8, y: cy + 4 }, name),
  );
}

/**
 * The marks of an axis, with as many digits as tell them apart.
 *
 * @param {{low: number, high: number}} span
 */
function marksOf(span) {
  const values = ticks(span);
  const step = values.length > 1 ? values[1] - values[0] : span.high - span.low;
  const digits = Math.max(0, Math.ceil(-Math.log10(100 * step) - 1e-9));
  return values.map((v) => ({ v, text: percent(v, digits) }));
}

/**
 * Round numbers within a span, three to six of them.
 *
 * @param {{low: number, high: number}} span
 */
export function ticks({ low, high }) {
  const rough = (high - low) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough) ?? rough;
  const first = Math.ceil(low / step);
  const count = Math.floor(high / step) - first + 1;
  return Array.from({ length: Math.max(count, 0) }, (_, i) =>
    Number(((first + i) * step).toFixed(10)),
  );
}
