// What the optimizer's tabs read and write as text: views, ticks of an axis, what an answer says of a rule.

import assert from "node:assert/strict";
import { test } from "node:test";

import { ticks } from "../../../addin/static/js/pane/curve_chart.js";
import { formulaArguments, formulaOptions } from "../../../addin/static/js/pane/problem.js";
import { ruleAnswers } from "../../../addin/static/js/pane/rule_answers.js";
import { EXAMPLE } from "../../../addin/static/js/pane/rules.js";
import { readViews, viewsText } from "../../../addin/static/js/pane/views_table.js";

const HOW = {
  kindOf: () => ({ percent: true }),
  unit: { percent: true },
};

test("views come back from their text as they went there", () => {
  const views = [
    { name: "AAPL", over: "", view: 0.08, confidence: 0.6 },
    { name: "MSFT", over: "XOM", view: 0.02, confidence: null },
  ];
  assert.equal(viewsText(views), "AAPL=0.08@0.6, MSFT - XOM=0.02");
  assert.deepEqual(readViews(viewsText(views)), views);
});

test("a view without a name or a return is not sent", () => {
  assert.equal(viewsText([{ name: "", over: "", view: 0.1, confidence: null }]), "");
  assert.equal(viewsText([{ name: "AAPL", over: "", view: null, confidence: 0.5 }]), "");
  assert.deepEqual(readViews(""), []);
});

test("the marks of an axis are round, inside it, and neither many nor few", () => {
  for (const [low, high] of [
    [0.0123, 0.0457],
    [-0.2, 1.3],
    [0, 4e-4],
  ]) {
    const marks = ticks({ low, high });
    assert.ok(marks.length >= 2 && marks.length <= 6, String(marks));
    assert.ok(marks.every((mark) => mark >= low && mark <= high));
  }
});

test("a formula names the marked tables, and texts with their quotes doubled", () => {
  const body = { objective: "min_te", holdings: [["AAPL", 1]], alpha: "Momentum" };
  assert.deepEqual(formulaArguments(body, "TiltConstraints"), [
    '"min_te"',
    "TiltHoldings",
    "TiltConstraints",
    "",
    '"Momentum"',
  ]);
  const named = { objective: "min_te", holdings: 'My "best"', benchmark: "NONE" };
  assert.deepEqual(formulaArguments(named, "").slice(1), ['"My ""best"""', "", '"NONE"', ""]);
  assert.equal(formulaOptions({ long_short: true, cash: 0.02 }), '"long_short=yes;cash=0.02"');
  assert.equal(formulaOptions({}), "");
});

const constraints = (rows) => ({
  columns: [
    "rule",
    "who",
    "min",
    "max",
    "value",
    "slack",
    "status",
    "shadow_price",
    "gain_if_looser",
    "gain_if_tighter",
    "step",
    "relative",
    "note",
  ],
  data: rows,
});

test("a rule of all sectors is told by the sector that binds dearest", () => {
  const rows = [
    ["sector", "Energy", -0.03, 0.03, 0.03, 0, "binding", 1, 0.0002, -0.0003, 0.01, "yes", ""],
    ["sector", "Health", -0.03, 0.03, 0.03, 0, "binding", 2, 0.0004, -0.0005, 0.01, "yes", ""],
  ];
  const answers = ruleAnswers(EXAMPLE, { solved: true, constraints: constraints(rows) }, HOW);
  assert.deepEqual([...answers.keys()], [1]);
  assert.equal(answers.get(1).state, "priced");
  assert.match(answers.get(1).text, /^Binds \(Health\) at 3\.00.%; 1 % looser gains 0\.040.%/);
});

test("a rule with room says how much is left, and where", () => {
  const rows = [
    ["sector", "Energy", -0.03, 0.03, 0.01, 0.02, "slack", 0, null, null, 0.01, "yes", ""],
    ["sector", "Health", -0.03, 0.03, 0.02, 0.01, "slack", 0, null, null, 0.01, "yes", ""],
  ];
  const answers = ruleAnswers(EXAMPLE, { solved: true, constraints: constraints(rows) }, HOW);
  assert.match(answers.get(1).text, /^Free: 1\.00.% of room \(Health\)\.$/);
});

test("rules in conflict are told at their rows, and those nobody typed nowhere", () => {
  const result = {
    solved: false,
    conflict_rows: [
      { row: 2, side: "max" },
      { row: 0, side: "min" },
    ],
    conflict: ["each weight at most 0.1 %", "98 % invested"],
  };
  const answers = ruleAnswers(EXAMPLE, result, HOW);
  assert.deepEqual(
    [...answers.entries()],
    [[0, { text: "In conflict: max (each weight at most 0.1 %).", state: "conflict" }]],
  );
});
