// What Excel makes of a value that is written to a cell.

import { hostError } from "./errors.js";

/** @typedef {string | number | boolean} Scalar */
/** @typedef {{value: Scalar, formula: string, format?: string}} Content */

export const ERRORS = [
  "#N/A",
  "#VALUE!",
  "#DIV/0!",
  "#REF!",
  "#NAME?",
  "#NUM!",
  "#NULL!",
  "#SPILL!",
  "#BUSY!",
];

/** `errorType` of a cell value of type Error -> what the cell shows. */
/** @type {Record<string, string>} */
const ERROR_TYPES = {
  NotAvailable: "#N/A",
  Value: "#VALUE!",
  Div0: "#DIV/0!",
  Ref: "#REF!",
  Name: "#NAME?",
  Num: "#NUM!",
  Null: "#NULL!",
};

/** @param {unknown} value */
export function isError(value) {
  return typeof value === "string" && ERRORS.includes(value);
}

const EPOCH = Date.UTC(1899, 11, 30);

/**
 * @param {number} year
 * @param {number} month from 1
 * @param {number} day
 * @returns {number | null} Excel's number of the day, null when there is none
 */
function serial(year, month, day) {
  const time = Date.UTC(year, month - 1, day);
  const date = new Date(time);
  const real = date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  return real && year >= 1900 ? (time - EPOCH) / 86_400_000 : null;
}

/**
 * Text as if it were typed, in an Excel set to US English: "12" is a number, "2024-01-31" a date.
 *
 * @param {string} text
 * @returns {{value: Scalar, format?: string}}
 */
export function typed(text) {
  const trimmed = text.trim();
  if (/^(true|false)$/i.test(trimmed)) return { value: trimmed.toLowerCase() === "true" };
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(trimmed)) return { value: Number(trimmed) };
  if (/^[+-]?(\d+\.?\d*|\.\d+)%$/.test(trimmed)) {
    return { value: Number(trimmed.slice(0, -1)) / 100, format: "0.00%" };
  }
  const iso = /^(\d{4})-(\d{1,2})-(\d{1,2})$/.exec(trimmed);
  const american = /^(\d{1,2})\/(\d{1,2})\/(\d{4})$/.exec(trimmed);
  const day = iso
    ? serial(Number(iso[1]), Number(iso[2]), Number(iso[3]))
    : american && serial(Number(american[3]), Number(american[1]), Number(american[2]));
  if (day) return { value: day, format: "m/d/yyyy" };
  return { value: text };
}

/**
 * What a cell holds after `range.values` or `range.formulas` was set to `input`.
 *
 * @param {unknown} input
 * @param {string} format number format of the cell; "@" is text
 * @returns {Content}
 */
export function fromInput(input, format) {
  if (typeof input === "boolean") return { value: input, formula: "" };
  if (typeof input === "number") {
    if (!Number.isFinite(input)) throw hostError("InvalidArgument", `${input} is no cell value.`);
    return { value: input, formula: "" };
  }
  if (typeof input !== "string") {
    throw hostError("InvalidArgument", `${JSON.stringify(input)} is no cell value.`);
  }
  if (input.startsWith("'")) return { value: input.slice(1), formula: "" };
  if (input.startsWith("=") && input.length > 1) return { value: "", formula: input };
  if (format === "@" || input === "") return { value: input, formula: "" };
  return { formula: "", ...typed(input) };
}

/**
 * What a cell shows of one item of a custom function's result.
 *
 * @param {any} item
 * @returns {{value: Scalar, format?: string}}
 */
export function fromResult(item) {
  if (typeof item === "number") return { value: Number.isFinite(item) ? item : "#NUM!" };
  if (typeof item === "string" || typeof item === "boolean") return { value: item };
  if (item === null) return { value: "" };
  if (item?.type === "Error") return { value: ERROR_TYPES[item.errorType] ?? "#VALUE!" };
  if (item && "basicValue" in item) {
    return { ...fromResult(item.basicValue), format: item.numberFormat };
  }
  return { value: "#VALUE!" };
}

/**
 * A cell as a custom function with data types sees it: errors are objects, not text.
 *
 * @param {Scalar} value
 */
export function toArgument(value) {
  if (!isError(value)) return value;
  const errorType = Object.keys(ERROR_TYPES).find((type) => ERROR_TYPES[type] === value) ?? "Value";
  return { type: "Error", basicType: "Error", basicValue: value, errorType };
}

/**
 * The text a cell shows; only General is drawn here.
 *
 * @param {Scalar} value
 */
export function display(value) {
  return typeof value === "boolean" ? String(value).toUpperCase() : String(value);
}
