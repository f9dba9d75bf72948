// An answer in a sheet of its own, as the button of the ribbon writes it.

import { percent } from "./format.js";
import { records } from "./server.js";
import { OUTPUT, inExcel, writeSheet } from "./workbook.js";

const SAID = ["tracking_error", "volatility", "turnover"];

/**
 * @param {Record<string, any>} result
 * @param {Record<string, any>} context
 * @param {{sheet: string, prefix: string}} [where] prefix of the names of the tables
 * @returns {Promise<string>} the sheet's name
 */
export async function writeSolution(result, context, where = { sheet: OUTPUT, prefix: "Tilt" }) {
  if (!(await inExcel())) throw new Error("The pane is not open in Excel.");
  const rows = (/** @type {any} */ { columns, data }) => [columns, ...data];
  const words = records(result.summary)
    .filter(({ measure }) => SAID.includes(measure))
    .map(({ measure, before, after }) => {
      const from = measure === "turnover" ? "" : `${percent(before)} to `;
      return `${measure.replaceAll("_", " ")} ${from}${percent(after)}`;
    });
  const source = `${context.universe}, snapshot ${context.snapshot}, run ${result.run_id}`;
  const lines = [
    `Optimal weights: ${result.objective}`,
    words.join("; "),
    `As of ${context.date}, ${source}`,
    [...context.notes, ...result.messages].join(" "),
  ];
  const name = (/** @type {string} */ table) => `${where.prefix}${table}`;
  await writeSheet(where.sheet, lines, [
    { name: name("Summary"), rows: rows(result.summary) },
    {
      name: name("Trades"),
      rows: rows(result.trades),
      percent: ["current", "optimal", "trade"],
    },
    {
      name: name("Weights"),
      rows: rows(result.weights),
      percent: ["weight", "benchmark", "active", "current"],
    },
    { name: name("Limits"), rows: rows(result.constraints) },
  ]);
  return where.sheet;
}
