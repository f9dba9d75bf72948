// Charts of the active sheet, drawn as SVG from the same cells: lines, areas and columns.

import { chartBlock } from "./books.js";

const SPACE = "http://www.w3.org/2000/svg";
const HEIGHT = 172;
const MARGIN = { left: 52, right: 12, top: 8, bottom: 24 };
const TICKS = 4;
const MOST_POINTS = 2000;
const DAY = 86_400_000;
const EPOCH = Date.UTC(1899, 11, 30);

/**
 * @typedef {{labels: any[], series: {name: string, values: (number | null)[]}[]}} Data
 */

/**
 * @param {string} name
 * @param {Record<string, string | number>} attributes
 * @param {(Node | string)[]} children
 */
function svg(name, attributes, ...children) {
  const made = document.createElementNS(SPACE, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  made.append(...children);
  return made;
}

/**
 * What a chart draws: headers in the first row, labels in their column.
 *
 * @param {any} chart
 * @returns {Data}
 */
export function chartData(chart) {
  const { row, column, rows, columns } = chartBlock(chart);
  const { grid } = chart.source.sheet;
  const at = (/** @type {number} */ i, /** @type {number} */ j) =>
    grid.get(row + i, column + j).value;
  const heads = Array.from({ length: columns }, (_, j) => String(at(0, j)));
  const headed = rows > 1 && !heads.every((head) => head !== "" && Number.isFinite(Number(head)));
  const first = headed ? 1 : 0;
  const total = (/** @type {any} */ label) => /^(total|market|specific)$/i.test(String(label));
  const taken = Array.from({ length: Math.min(rows, MOST_POINTS) - first }, (_, i) => i + first);
  const number = (/** @type {any} */ value) => (typeof value === "number" ? value : null);
  const numeric = (/** @type {number} */ j) => taken.some((i) => number(at(i, j)) !== null);
  const wanted = chart.series
    ? chart.series.map((/** @type {string} */ name) => heads.indexOf(name))
    : heads.map((_, j) => j).filter((j) => j > 0 && numeric(j));
  const alone = !chart.series && wanted.length === 0 && numeric(0);
  const labelled = Math.max(0, heads.indexOf(chart.labels));
  const kept =
    kindOf(chart) === "bar" && chart.labels ? taken.filter((i) => !total(at(i, labelled))) : taken;
  return {
    labels: kept.map((i) => (alone ? i : at(i, labelled))),
    series: (alone ? [0] : wanted.filter((/** @type {number} */ j) => j >= 0)).map(
      (/** @type {number} */ j) => ({
        name: headed ? heads[j] : `Series ${j + 1}`,
        values: kept.map((i) => number(at(i, j))),
      }),
    ),
  };
}

/** @param {any} chart */
function kindOf({ chartType = "" }) {
  if (/area/i.test(chartType)) return "area";
  return /line|scatter/i.test(chartType) ? "line" : "bar";
}

/**
 * @param {number} value
 * @param {string} format Excel's
 */
function shown(value, format) {
  const digits = /\.(0+)/.exec(format)?.[1].length ?? 0;
  if (format.includes("%")) return `${(100 * value).toFixed(digits)}%`;
  return format === "General" ? String(Number(value.toPrecision(4))) : value.toFixed(digits);
}

/** @param {any} label */
function named(label) {
  const date = typeof label === "number" && label > 20_000 && label < 80_000;
  return date ? new Date(EPOCH + label * DAY).toISOString().slice(0, 10) : String(label);
}

/**
 * Round numbers around a span.
 *
 * @param {number} low
 * @param {number} high
 */
export function ticks(low, high) {
  const span = high - low || Math.abs(high) || 1;
  const raw = span / TICKS;
  const size = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((k) => k * size).find((k) => k >= raw) ?? raw;
  const first = Math.floor(low / step + 1e-9);
  const last = Math.ceil(high / step - 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
}

/**
 * @param {any} chart
 * @param {number} width in pixels
 * @returns {HTMLElement} a figure with its caption; a table says the same to screen readers
 */
export function drawChart(chart, width) {
  const figure = document.createElement("figure");
  const caption = document.createElement("figcaption");
  const title = chart.title?.text || chart.name;
  caption.append(title);
  figure.append(caption);
  const data = chartData(chart);
  const values = data.series.flatMap((s) => s.values).filter((v) => v !== null);
  if (values.length === 0) {
    const none = document.createElement("p");
    none.textContent = "No numbers yet";
    figure.append(none);
    return figure;
  }
  const kind = kindOf(chart);
  const zero = kind !== "line";
  const lines = ticks(
    Math.min(...values, ...(zero ? [0] : [])),
    Math.max(...values, ...(zero ? [0] : [])),
  );
  const [low, high] = [lines[0], lines[lines.length - 1]];
  const inner = {
    width: width - MARGIN.left - MARGIN.right,
    height: HEIGHT - MARGIN.top - MARGIN.bottom,
  };
  const y = (/** @type {number} */ v) => MARGIN.top + (inner.height * (high - v)) / (high - low);
  const count = data.labels.length;
  const slot = inner.width / Math.max(1, kind === "bar" ? count : count - 1);
  const x = (/** @type {number} */ i) => MARGIN.left + slot * (kind === "bar" ? i + 0.5 : i);
  const drawing = svg("svg", {
    viewBox: `0 0 ${width} ${HEIGHT}`,
    width,
    height: HEIGHT,
    role: "img",
    "aria-label": title,
  });
  drawing.append(
    ...axis(lines, y, chart.numberFormat ?? "General", width),
    ...foot(data.labels, x, kind),
  );
  data.series.forEach(({ values: own }, k) => {
    if (kind === "bar")
      drawing.append(...bars(own, k, data.series.length, x, y, slot, data.labels, chart));
    else drawing.append(...curve(own, k, x, y, kind));
  });
  figure.append(drawing);
  if (data.series.length > 1) caption.append(legend(data.series.map((s) => s.name)));
  return figure;
}

/** @param {string[]} names */
function legend(names) {
  const list = document.createElement("span");
  list.className = "legend";
  names.forEach((name, k) => {
    const item = document.createElement("span");
    item.className = `series${k % 4}`;
    item.textContent = name.replaceAll("_", " ");
    list.append(item);
  });
  return list;
}

/**
 * @param {number[]} lines
 * @param {(value: number) => number} y
 * @param {string} format
 * @param {number} width
 */
function axis(lines, y, format, width) {
  return lines.flatMap((value) => [
    svg("line", {
      class: Math.abs(value) < 1e-12 ? "nought" : "rule",
      x1: MARGIN.left,
      x2: width - MARGIN.right,
      y1: y(value),
      y2: y(value),
    }),
    svg("text", { x: MARGIN.left - 6, y: y(value) + 4, class: "left" }, shown(value, format)),
  ]);
}

/**
 * @param {any[]} labels
 * @param {(index: number) => number} x
 * @param {string} kind
 */
function foot(labels, x, kind) {
  const most = kind === "bar" ? 7 : 6;
  const step = Math.max(1, Math.ceil(labels.length / most));
  return labels.flatMap((label, i) => {
    if (i % step !== 0) return [];
    const text = named(label);
    const short = text.length > 11 ? `${text.slice(0, 10)}…` : text;
    return [svg("text", { x: x(i), y: HEIGHT - 6, class: "foot", "text-anchor": "middle" }, short)];
  });
}

/**
 * @param {(number | null)[]} values
 * @param {number} k
 * @param {(index: number) => number} x
 * @param {(value: number) => number} y
 * @param {string} kind
 */
function curve(values, k, x, y, kind) {
  const points = values.flatMap((v, i) =>
    v === null ? [] : [`${x(i).toFixed(1)},${y(v).toFixed(1)}`],
  );
  const line = svg("polyline", { class: `curve series${k % 4}`, points: points.join(" ") });
  if (kind !== "area" || points.length === 0) return [line];
  const [first, last] = [points[0].split(",")[0], points[points.length - 1].split(",")[0]];
  const nought = y(0).toFixed(1);
  const around = `${first},${nought} ${points.join(" ")} ${last},${nought}`;
  return [svg("polygon", { class: `fill series${k % 4}`, points: around }), line];
}

/**
 * @param {(number | null)[]} values
 * @param {number} k
 * @param {number} of
 * @param {(index: number) => number} x
 * @param {(value: number) => number} y
 * @param {number} slot
 * @param {any[]} labels
 * @param {any} chart
 */
function bars(values, k, of, x, y, slot, labels, chart) {
  const width = Math.min(36, (slot * 0.7) / of);
  return values.flatMap((v, i) => {
    if (v === null) return [];
    const [top, bottom] = [y(Math.max(v, 0)), y(Math.min(v, 0))];
    const left = x(i) + (k - of / 2) * width;
    const told = `${named(labels[i])}: ${shown(v, chart.numberFormat ?? "General")}`;
    const box = { x: left, y: top, width, height: Math.max(0.5, bottom - top) };
    return [svg("rect", { class: `bar series${k % 4}`, ...box }, svg("title", {}, told))];
  });
}
