// The portfolio in question: which one, against what, and its cells. Shared by the tabs.

import { fillSelect } from "./dom.js";
import { ask } from "./server.js";
import { settings } from "./settings.js";
import { HOLDINGS, readTable } from "./workbook.js";

const TABLE = " table"; // no portfolio's name begins with a space

/** @type {Record<string, any> | null} what the server lets choose from, of the universe in use */
let known = null;

/** @returns {Promise<Record<string, any>>} what may be chosen, asked for once per universe */
export async function choices() {
  known ??= await ask(`choices${universeQuery()}`);
  return /** @type {Record<string, any>} */ (known);
}

export function forgetChoices() {
  known = null;
}

/** The universe as a query, empty for the default one. */
export function universeQuery() {
  const { universe } = settings.now;
  return universe ? `?universe=${encodeURIComponent(universe)}` : "";
}

/** Fill the lists of portfolios and benchmarks of every tab. */
export async function fillBookLists() {
  const [offered, table] = await Promise.all([choices(), readTable(HOLDINGS)]);
  const saved = offered.portfolios.map((/** @type {string} */ name) => ({
    value: name,
    text: name,
  }));
  const tables = table ? [{ value: TABLE, text: "In the sheet" }] : [];
  const options = [...tables, ...saved];
  const chosen = options.some(({ value }) => value === settings.now.portfolio)
    ? settings.now.portfolio
    : (options[0]?.value ?? "");
  const none = { value: "", text: "None yet: see Portfolio" };
  for (const list of lists("portfolio")) {
    fillSelect(list, options.length > 0 ? options : [none], chosen);
  }
  const benchmarks = [
    { value: "", text: offered.universe },
    { value: "NONE", text: "Nothing" },
    ...saved,
  ];
  for (const list of lists("benchmark")) fillSelect(list, benchmarks, settings.now.benchmark);
}

/** @param {string} kind */
const lists = (kind) =>
  /** @type {HTMLSelectElement[]} */ ([...document.querySelectorAll(`select.${kind}`)]);

/** Let every list of portfolios and benchmarks change the workbook's choice. */
export function startBookLists() {
  for (const list of lists("portfolio")) {
    list.addEventListener("change", () => settings.set({ portfolio: list.value }));
  }
  for (const list of lists("benchmark")) {
    list.addEventListener("change", () => settings.set({ benchmark: list.value }));
  }
  settings.watch(["portfolio", "benchmark"], () => {
    for (const list of lists("portfolio")) list.value = chosenPortfolio();
    for (const list of lists("benchmark")) list.value = settings.now.benchmark;
  });
}

/** The value chosen in the lists. */
function chosenPortfolio() {
  const first = lists("portfolio")[0];
  const offered = [...first.options].some(({ value }) => value === settings.now.portfolio);
  return offered ? settings.now.portfolio : first.value;
}

/** What the portfolio is called in a sentence. */
export function portfolioName() {
  const chosen = chosenPortfolio();
  return chosen === TABLE ? "The portfolio in the sheet" : chosen;
}

/** How a formula names the portfolio; benchmark and universe as chosen. */
export function bookReferences() {
  const chosen = chosenPortfolio();
  const holdings = chosen === TABLE ? HOLDINGS : `"${chosen.replaceAll('"', '""')}"`;
  const { benchmark, universe } = settings.now;
  return { holdings, benchmark, universe };
}

/**
 * The portfolio as the server takes it.
 *
 * @returns {Promise<Record<string, any> | null>} null where there is none yet
 */
export async function bookBody() {
  const chosen = chosenPortfolio();
  if (!chosen) return null;
  const holdings = chosen === TABLE ? await readTable(HOLDINGS) : chosen;
  if (!holdings) return null;
  const { benchmark, universe } = settings.now;
  return {
    holdings,
    ...(benchmark ? { benchmark } : {}),
    ...(universe ? { universe } : {}),
  };
}
