// Ranges as far as there is anything in them: a whole column has a million rows, and few are filled.

/**
 * A range without the blank rows at its end, by the rule of the server (tilt.api.values).
 *
 * @param {any} arg of a call: a value, or rows of cells
 */
export function withoutBlankEnd(arg) {
  if (!Array.isArray(arg) || !Array.isArray(arg.at(-1)) || !isVoid(arg.at(-1))) return arg;
  let end = arg.length;
  while (end > 1 && isVoid(arg[end - 1])) end -= 1;
  return arg.slice(0, end);
}

/** @param {any[]} row blank; two noughts and more are how Excel may send blank cells */
function isVoid(row) {
  if (row.every((value) => value === "" || value === null)) return true;
  return row.length > 1 && row.every((value) => value === "" || value === null || value === 0);
}
