// What contributes to the tracking error, before and after the trades.

import { at, fillSegments, h, tableOf } from "./dom.js";
import { percent, signedPercent } from "./format.js";
import { records } from "./server.js";

const SHOWN = 10;
const BY = [
  { value: "factor", text: "Factor" },
  { value: "sector", text: "Sector" },
  { value: "position", text: "Position" },
];

let by = "factor";

/**
 * @param {string} box id of the element to show them in
 * @param {Record<string, any>} before the risk of the portfolio as it is
 * @param {Record<string, any>} after that of the optimal weights
 */
export function showContributions(box, before, after) {
  const title = h("h3", { id: `${box}-title` }, "What contributes, before and after");
  const choice = h("div", {
    id: `${box}-by`,
    class: "segments",
    role: "radiogroup",
    "aria-labelledby": title.id,
  });
  const table = h("div", null);
  const draw = () => table.replaceChildren(contributionTable(before, after));
  at(box).replaceChildren(title, choice, table);
  fillSegments(choice, BY, by, (chosen) => {
    by = chosen;
    draw();
  });
  draw();
}

/**
 * @param {Record<string, any>} before
 * @param {Record<string, any>} after
 */
function contributionTable(before, after) {
  const [earlier, later] = [contributions(before), contributions(after)];
  const names = [...new Set([...Object.keys(earlier), ...Object.keys(later)])];
  const size = (/** @type {string} */ name) =>
    Math.max(Math.abs(earlier[name] ?? 0), Math.abs(later[name] ?? 0));
  const sorted = names.sort((a, b) => size(b) - size(a));
  const rest = sorted.slice(SHOWN);
  const sum = (/** @type {Record<string, number>} */ all, /** @type {string[]} */ of) =>
    of.reduce((total, name) => total + (all[name] ?? 0), 0);
  const line = (/** @type {string} */ name, /** @type {string[]} */ of) => [
    name,
    signedPercent(sum(earlier, of)),
    signedPercent(sum(later, of)),
  ];
  const rows = sorted.slice(0, SHOWN).map((name) => line(name, [name]));
  if (rest.length > 0) rows.push(line(`${rest.length} others`, rest));
  const total = [
    "Tracking error",
    percent(before.measures.tracking_error),
    percent(after.measures.tracking_error),
  ];
  return tableOf(
    `Contributions to the tracking error by ${by}, before and after`,
    [by.charAt(0).toUpperCase() + by.slice(1), "Before", "After"],
    rows,
    { numeric: [1, 2], footer: [total] },
  );
}

/**
 * @param {Record<string, any>} risk
 * @returns {Record<string, number>} by name, without the total
 */
function contributions({ tables }) {
  const table = tables[by]; // there is none for a portfolio that is its benchmark
  if (!table) return {};
  return Object.fromEntries(
    records(table)
      .slice(0, -1)
      .map(({ name, ctr }) => [name, ctr]),
  );
}
