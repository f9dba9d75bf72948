// What differs between two versions of the data, in words.

import { count } from "./format.js";

const NAMED = 5; // securities that are named before "and more"

/**
 * Return a line for each way in which two versions differ.
 *
 * @param {Record<string, any>} differing as the job of a refresh and the comparison of snapshots say it
 * @returns {string[]}
 */
export function changes(differing) {
  const { days_added: days, days_removed: lost, values_changed: values } = differing;
  const { securities_added: added, securities_gone: gone } = differing;
  const found = sum(differing.findings_new);
  const solved = sum(differing.findings_gone);
  return [
    days > 0 && `${plural(days, "day")} added`,
    lost > 0 && `${plural(lost, "day")} gone`,
    added.length > 0 && `${plural(added.length, "security", "securities")} new: ${named(added)}`,
    gone.length > 0 && `${plural(gone.length, "security", "securities")} gone: ${named(gone)}`,
    values > 0 && `${plural(values, "value")} changed on days that were there before`,
    (found > 0 || solved > 0) && `${plural(found, "finding")} new, ${count(solved)} gone`,
  ].filter((line) => typeof line === "string");
}

/** @param {Record<string, number>} counts by severity */
const sum = (counts) => Object.values(counts).reduce((total, number) => total + number, 0);

/**
 * @param {number} number
 * @param {string} one
 * @param {string} [many]
 */
export const plural = (number, one, many = `${one}s`) =>
  `${count(number)} ${number === 1 ? one : many}`;

/** @param {string[]} names */
function named(names) {
  const shown = names.slice(0, NAMED).join(", ");
  return names.length > NAMED ? `${shown} and ${count(names.length - NAMED)} more` : shown;
}
