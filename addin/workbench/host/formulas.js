// Formulas as the host reads them: custom functions over ranges and constants.
//
// =TILT.RISK(A1:B40, "beta",, "NONE") and functions within functions; operators and Excel's own
// functions are not here, and give #NAME?, because this is a stand-in for Excel's sheet, not for
// its calculation.

import { parseBlock, splitSheet } from "./addresses.js";
import { typed } from "./values.js";

/**
 * @typedef {import("./addresses.js").Block} Block
 * @typedef {{kind: "call", name: string, args: Node[]}} Call
 * @typedef {{kind: "range", sheet: string | null, block: Block, address: string,
 *   spilled: boolean}} Reference spilled: D8#, what the formula in D8 spills
 * @typedef {{kind: "constant", value: import("./values.js").Scalar}} Constant
 * @typedef {{kind: "nothing"}} Nothing an argument left out
 * @typedef {Call | Reference | Constant | Nothing} Node
 */

const TOKEN =
  /\s*(?:("(?:[^"]|"")*")|((?:'(?:[^']|'')+'|[A-Za-z_][\w.]*)!\$?[A-Za-z]{1,3}\$?\d+(?::\$?[A-Za-z]{1,3}\$?\d+|#)?|\$?[A-Za-z]{1,3}\$?\d+(?::\$?[A-Za-z]{1,3}\$?\d+|#)?(?![\w.(])|\$?[A-Za-z]{1,3}:\$?[A-Za-z]{1,3}(?![\w.(]))|([A-Za-z_][\w.]*)(?=\()|(-?\d+\.?\d*(?:[eE][+-]?\d+)?%?)|(TRUE|FALSE)|([(),]))/iy;

/**
 * @param {string} formula from the equals sign on
 * @returns {Node | null} null when it is none of ours
 */
export function parseFormula(formula) {
  const tokens = tokenize(formula.slice(1));
  if (!tokens) return null;
  const reader = { tokens, at: 0 };
  const node = readNode(reader);
  return node && reader.at === tokens.length ? node : null;
}

/** @typedef {{type: string, text: string}} Token */

/**
 * @param {string} text
 * @returns {Token[] | null}
 */
function tokenize(text) {
  /** @type {Token[]} */
  const tokens = [];
  const types = ["text", "range", "name", "number", "truth", "sign"];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.trimEnd().length) {
    const match = TOKEN.exec(text);
    if (!match) return null;
    const index = match.findIndex((part, i) => i > 0 && part !== undefined);
    tokens.push({ type: types[index - 1], text: match[index] });
  }
  return tokens;
}

/**
 * @param {{tokens: Token[], at: number}} reader
 * @returns {Node | null}
 */
function readNode(reader) {
  const token = reader.tokens[reader.at];
  if (!token) return null;
  reader.at += 1;
  if (token.type === "text") {
    return { kind: "constant", value: token.text.slice(1, -1).replaceAll('""', '"') };
  }
  if (token.type === "number" || token.type === "truth") {
    return { kind: "constant", value: typed(token.text).value };
  }
  if (token.type === "range") {
    const spilled = token.text.endsWith("#");
    const { sheet, cells } = splitSheet(spilled ? token.text.slice(0, -1) : token.text);
    return { kind: "range", sheet, block: parseBlock(cells), address: token.text, spilled };
  }
  if (token.type === "name") return readCall(reader, token.text.toUpperCase());
  return null;
}

/**
 * @param {{tokens: Token[], at: number}} reader
 * @param {string} name
 * @returns {Node | null}
 */
function readCall(reader, name) {
  const sign = () => {
    const token = reader.tokens[reader.at];
    return token?.type === "sign" ? token.text : "";
  };
  if (sign() !== "(") return null;
  reader.at += 1;
  /** @type {Node[]} */
  const args = [];
  if (sign() === ")") {
    reader.at += 1;
    return { kind: "call", name, args };
  }
  for (;;) {
    const omitted = sign() === "," || sign() === ")";
    const arg = omitted ? /** @type {Nothing} */ ({ kind: "nothing" }) : readNode(reader);
    if (!arg) return null;
    args.push(arg);
    const next = sign();
    reader.at += 1;
    if (next === ")") return { kind: "call", name, args };
    if (next !== ",") return null;
  }
}

/**
 * @param {Node} node
 * @returns {Reference[]} every range the formula reads
 */
export function references(node) {
  if (node.kind === "range") return [node];
  return node.kind === "call" ? node.args.flatMap(references) : [];
}
