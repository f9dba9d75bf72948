// Bounds as people type them, and rules on their way between cells and the pane.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  boundText,
  percent,
  readBound,
  signedPercent,
} from "../../../addin/static/js/pane/format.js";
import {
  changed,
  EXAMPLE,
  fromGrid,
  toCheck,
  toGrid,
} from "../../../addin/static/js/pane/rules.js";

test("in a field in per cent 5, 5 %, 5% and 0.05 are the same, as in Excel", () => {
  for (const text of ["5", "5 %", "5%", "0.05", " 5,0 % ", ".05", "+5"]) {
    assert.equal(readBound(text, true), 0.05, text);
  }
  assert.equal(readBound("0.4 %", true), 0.004);
  assert.equal(readBound("\u22123%", true), -0.03);
  assert.equal(readBound("1", true), 0.01);
});

test("in a field that is not in per cent a number is itself", () => {
  assert.equal(readBound("0.5", false), 0.5);
  assert.equal(readBound("-1", false), -1);
});

test("nothing is no bound, and what is no number stays as it was typed", () => {
  assert.equal(readBound("  ", true), null);
  assert.equal(readBound("much", true), "much");
  assert.equal(readBound("1,234.5", true), "1,234.5");
});

test("a bound shown is read back as the same number", () => {
  for (const value of [0.05, 0, -0.03, 0.0211, 0.8201, 1, 0.123456]) {
    assert.equal(readBound(boundText(value, true), true), value);
  }
  assert.equal(readBound(boundText(1.25, false), false), 1.25);
});

test("a small negative number does not show as minus zero", () => {
  assert.equal(percent(-0.000001), "0.00\u202f%");
  assert.equal(signedPercent(0.000001), "0.00\u202f%");
  assert.equal(signedPercent(0.0123), "+1.23\u202f%");
  assert.equal(percent(null), "–");
});

test("rules come back from cells as they went there", () => {
  assert.deepEqual(fromGrid(toGrid(EXAMPLE)), EXAMPLE);
});

test("a header may put the columns in another order, and may be left out", () => {
  const cells = [
    ["Max", "Rule", "Who"],
    [0.05, "Weight", "*"],
  ];
  const [rule] = fromGrid(cells);
  assert.deepEqual([rule.rule, rule.who, rule.min, rule.max], ["weight", "*", null, 0.05]);
  assert.deepEqual(fromGrid([["turnover", null, null, 0.2]]), [EXAMPLE[2]]);
});

test("a cell that is no number stays, so that the server can say so", () => {
  assert.equal(fromGrid([["weight", "*", null, "#REF!"]])[0].max, "#REF!");
});

test("a rule without a bound is a blank row for the check, and keeps the others' numbers", () => {
  const open = { ...EXAMPLE[0], min: null, max: null };
  const rows = toCheck([open, EXAMPLE[2]]);
  assert.ok(rows[1].every((cell) => cell === null));
  assert.equal(rows[2][0], "turnover");
});

test("a repair moves one bound of the rule it means and of no other", () => {
  const change = { rule: "sector", who: "*", relative: true, side: "max", to: 0.04 };
  const repaired = changed(EXAMPLE, change);
  assert.equal(repaired[1].max, 0.04);
  assert.deepEqual([repaired[0], repaired[2]], [EXAMPLE[0], EXAMPLE[2]]);
  assert.equal(changed(EXAMPLE, { ...change, relative: false }), null);
  assert.equal(changed(EXAMPLE, { ...change, rule: "budget" }), null);
});
