// Numbers whose sign matters: a negative one is signed and red.

import { h } from "./dom.js";

/**
 * @param {number | null} value
 * @param {(value: number | null) => string} show
 */
export function toned(value, show) {
  const text = show(value);
  return h("span", { class: text.startsWith("\u2212") && "negative" }, text);
}
