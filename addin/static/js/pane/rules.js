// The rules of a portfolio as the pane keeps them, and as a table of cells holds them.

export const HEADER = ["rule", "who", "min", "max", "relative", "priority"];

/**
 * @typedef {object} Rule
 * @property {string} rule
 * @property {string} who
 * @property {number | string | null} min a text is what a cell holds that is no number
 * @property {number | string | null} max
 * @property {boolean} relative
 * @property {string | number} priority "hard", or what a unit of violation costs
 *
 * @typedef {object} Kind
 * @property {string} name
 * @property {string} description
 * @property {string} members what `who` names: a key of the server's lists; empty: the portfolio
 * @property {boolean} percent
 * @property {boolean} [integer] a count
 * @property {boolean} max_only
 * @property {boolean} [min_only]
 * @property {boolean} relative
 */

/** @type {Rule[]} what a new workbook begins with */
export const EXAMPLE = [
  { rule: "weight", who: "*", min: 0, max: 0.05, relative: false, priority: "hard" },
  { rule: "sector", who: "*", min: -0.03, max: 0.03, relative: true, priority: "hard" },
  { rule: "turnover", who: "", min: null, max: 0.2, relative: false, priority: "hard" },
];

const YES = ["yes", "y", "true", "1"];

/**
 * @param {any[][]} grid with or without a header
 * @returns {Rule[]}
 */
export function fromGrid(grid) {
  const [first = [], ...rest] = grid;
  const words = first.map((cell) => text(cell).toLowerCase());
  const hasHeader = words.includes("rule");
  const place = (/** @type {string} */ name) =>
    hasHeader ? words.indexOf(name) : HEADER.indexOf(name);
  return (hasHeader ? rest : grid)
    .filter((row) => row.some((cell) => text(cell) !== ""))
    .map((row) => {
      const cell = (/** @type {string} */ name) => row[place(name)] ?? null;
      return {
        rule: text(cell("rule")).toLowerCase().replaceAll(" ", "_"),
        who: text(cell("who")),
        min: bound(cell("min")),
        max: bound(cell("max")),
        relative: YES.includes(text(cell("relative")).toLowerCase()),
        priority:
          typeof cell("priority") === "number"
            ? cell("priority")
            : text(cell("priority")) || "hard",
      };
    });
}

/**
 * @param {Rule[]} rules
 * @returns {any[][]} with a header; a blank cell is null
 */
export function toGrid(rules) {
  const lines = rules.map(({ rule, who, min, max, relative, priority }) => [
    rule,
    who || null,
    min,
    max,
    relative ? "yes" : "no",
    priority,
  ]);
  return [HEADER, ...lines];
}

/**
 * The rules with those that say nothing yet as blank rows: their places keep the row numbers.
 *
 * @param {Rule[]} rules
 */
export function toCheck(rules) {
  const [header, ...lines] = toGrid(rules);
  const blank = HEADER.map(() => null);
  return [header, ...lines.map((line, i) => (isOpen(rules[i]) ? blank : line))];
}

/** @param {Rule} rule that bounds nothing yet */
export const isOpen = ({ min, max }) => min === null && max === null;

/**
 * Move one bound, as a repair says.
 *
 * @param {Rule[]} rules
 * @param {{rule: string, who: string, relative: boolean, side: "min" | "max", to: number}} change
 * @returns {Rule[] | null} null where no rule of the table is meant
 */
export function changed(rules, { rule, who, relative, side, to }) {
  const fold = (/** @type {string} */ name) => (name === "*" ? "" : name.toLowerCase());
  const meant = rules.findIndex(
    (r) => r.rule === rule && fold(r.who) === fold(who) && r.relative === relative,
  );
  if (meant < 0) return null;
  return rules.map((r, i) => (i === meant ? { ...r, [side]: to } : r));
}

/** @param {any} cell */
const text = (cell) => (cell === null || cell === undefined ? "" : String(cell).trim());

/** @param {any} cell */
function bound(cell) {
  if (typeof cell === "number") return cell;
  return text(cell) || null;
}
