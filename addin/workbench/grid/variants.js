// Values between Univer's calculation and the host.

import {
  ArrayValueObject,
  BooleanValueObject,
  ErrorValueObject,
  NumberValueObject,
  StringValueObject,
} from "@univerjs/preset-sheets-core";

import { fromResult, isError, toArgument } from "../host/values.js";

export const WAITING = "#GETTING_DATA";
const WHOLE_COLUMN = 1000;

/** @param {any[][] | null} arg */
export const waits = (arg) => arg !== null && arg.some((row) => row.includes(WAITING));

/**
 * @param {any} variant
 * @returns {any[][] | null} as Excel hands it to a custom function
 */
export function fromVariant(variant) {
  if (!variant.isArray()) return variant.isNull() ? null : [[fromScalar(variant)]];
  const columns = variant.getColumnCount();
  const rows = Array.from({ length: variant.getRowCount() }, (_, i) =>
    Array.from({ length: columns }, (__, j) => fromScalar(variant.get(i, j))),
  );
  if (rows.length < WHOLE_COLUMN) return rows;
  // A whole column is read as far as there is anything in it.
  const filled = rows.findLastIndex((row) => row.some((value) => value !== "")) + 1;
  return rows.slice(0, Math.max(1, filled));
}

/** @param {any} value */
function fromScalar(value) {
  if (!value || value.isNull()) return "";
  if (!value.isError()) return value.getValue();
  const code = value.getErrorType();
  return code === WAITING ? WAITING : toArgument(isError(code) ? code : "#VALUE!");
}

/** @param {any[][]} result of a custom function */
export function toVariant(result) {
  if (result.length === 1 && result[0].length === 1) return toScalar(result[0][0]);
  return ArrayValueObject.create({
    calculateValueList: result.map((row) => row.map(toScalar)),
    rowCount: result.length,
    columnCount: result[0].length,
    unitId: "",
    sheetId: "",
    row: -1,
    column: -1,
  });
}

/**
 * @param {any} item
 * @returns {any}
 */
function toScalar(item) {
  const { value, format } = fromResult(item);
  if (typeof value === "number") {
    const number = NumberValueObject.create(value);
    if (format) number.setPattern(format);
    return number;
  }
  if (typeof value === "boolean") return BooleanValueObject.create(value);
  if (isError(value)) return ErrorValueObject.create(/** @type {any} */ (value));
  return StringValueObject.create(value); // a blank would show as a nought
}
