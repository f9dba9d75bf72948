// Numbers as people read and type them. Inside, a fraction is a fraction: 0.05 is 5 %.

const MINUS = "\u2212";
const NARROW = "\u202f"; // between a number and its sign of per cent

/**
 * @param {number | null | undefined} value
 * @param {number} [digits]
 */
export function percent(value, digits = 2) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  return `${fixed(100 * value, digits)}${NARROW}%`;
}

/**
 * @param {number | null | undefined} value
 * @param {number} [digits]
 */
export function signedPercent(value, digits = 2) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  return (Number((100 * value).toFixed(digits)) > 0 ? "+" : "") + percent(value, digits);
}

/**
 * @param {number | null | undefined} value
 * @param {number} [digits]
 */
export function decimal(value, digits = 2) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  return fixed(value, digits);
}

/**
 * @param {number} value
 * @param {number} digits
 */
function fixed(value, digits) {
  const text = Math.abs(value).toLocaleString("en-US", {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  const zero = Number(text.replaceAll(",", "")) === 0;
  return value < 0 && !zero ? MINUS + text : text;
}

/** @param {number} value */
export const count = (value) => value.toLocaleString("en-US");

/** @param {number} seconds */
export function duration(seconds) {
  const whole = Math.floor(seconds);
  return whole < 60
    ? `${whole} s`
    : `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
}

/** @param {string} iso a moment as the server writes it */
export function moment(iso) {
  return new Date(iso).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
}

/**
 * A bound of a rule as its field shows it: at most four digits, in per cent where the rule is.
 *
 * @param {number | string | null} value
 * @param {boolean} inPercent
 */
export function boundText(value, inPercent) {
  if (value === null || value === "") return "";
  if (typeof value === "string") return value; // what the sheet holds and nobody could read
  const scaled = Number((inPercent ? 100 * value : value).toPrecision(6));
  return inPercent ? `${scaled} %` : String(scaled);
}

/**
 * What somebody typed as a bound. In a field in per cent 5, 5 % and 0.05 are the same, as in a cell
 * of Excel that is formatted in per cent: a bare number below one is taken as a fraction.
 *
 * @param {string} text
 * @param {boolean} inPercent
 * @returns {number | string | null} null for nothing; the text itself when it is no number
 */
export function readBound(text, inPercent) {
  const typed = text
    .trim()
    .replace(/[\u2212\u2013]/g, "-")
    .replace(/\s/g, "");
  if (!typed) return null;
  const signed = typed.endsWith("%");
  const body = (signed ? typed.slice(0, -1) : typed).replace(/^([+-]?\d*),(\d+)$/, "$1.$2");
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(body)) return text.trim();
  const value = Number(body);
  if (!inPercent) return signed ? value / 100 : value;
  const isFraction = !signed && Math.abs(value) < 1;
  return isFraction ? value : Number((value / 100).toPrecision(12));
}
