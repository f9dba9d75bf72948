// Numbers whose sign matters: a negative one is signed and red.

import { h } from "./dom.js";

/**
 * @param {number | null} value
 * @param {(value: number | null) => string} show
 */
export const toned = (value, show) =>
  h("span", { class: value !== null && value < 0 && "negative" }, show(value));
