// What the charts of the pane make of their numbers.

import assert from "node:assert/strict";
import { test } from "node:test";

import { short } from "../../../addin/static/js/pane/growth_chart.js";
import { monthEnds } from "../../../addin/static/js/pane/line_chart.js";

const point = (date, value) => ({ date, value });

test("the table beside a line has the last day of each month, the newest first", () => {
  const points = [
    point("2016-12-30", 1),
    point("2017-01-03", 2),
    point("2017-01-31", 3),
    point("2017-02-01", 4),
  ];
  assert.deepEqual(
    monthEnds(points).map(({ value }) => value),
    [4, 3, 1],
  );
  assert.deepEqual(monthEnds([]), []);
});

test("a table of a line is no longer than six years of months", () => {
  const points = Array.from({ length: 120 }, (_, i) =>
    point(`${2000 + Math.floor(i / 12)}-${String((i % 12) + 1).padStart(2, "0")}-01`, i),
  );
  const rows = monthEnds(points);
  assert.equal(rows.length, 72);
  assert.equal(rows[0].value, 119);
});

test("a measure of any size is shown in few digits", () => {
  assert.deepEqual([0.1234, -1.5, 23.46, 406.2, null].map(short), [
    "0.12",
    "\u22121.50",
    "23.5",
    "406",
    "–",
  ]);
});
