// A chart with its numbers as a table, for those who do not see it.

import { h, tableOf } from "./dom.js";

/**
 * @param {Element} drawing an image with a text alternative
 * @param {string} title what the numbers are, in a sentence
 * @param {string[]} headers
 * @param {import("./dom.js").Child[][]} rows
 * @param {{numeric?: number[]}} [options] numeric: columns of numbers
 * @returns {HTMLElement}
 */
export function chartFigure(drawing, title, headers, rows, { numeric = [1] } = {}) {
  return h(
    "figure",
    { class: "chart" },
    drawing,
    h(
      "details",
      null,
      h("summary", null, "As a table"),
      tableOf(title, headers, rows, { numeric }),
    ),
  );
}
