// What the pane says of a run that was computed again.

import assert from "node:assert/strict";
import { test } from "node:test";

import { verdict } from "../../../addin/static/js/pane/run_trace.js";

const columns = ["table", "rows", "numbers", "equal"];
const tables = (/** @type {boolean} */ same) => ({
  columns,
  data: [
    ["question", 1, 0, true],
    ["weights", 40, 1200, true],
    ["trades", 12, 36, same],
    ["all", 52, 1236, same],
  ],
});

test("equal numbers are counted", () => {
  assert.equal(
    verdict({ equal: true, tables: tables(true) }),
    "Computed again: all 1,236 numbers are equal.",
  );
});

test("a table that differs is named, and no other", () => {
  assert.equal(
    verdict({ equal: false, tables: tables(false) }),
    "Computed again: trades differs from what was recorded.",
  );
});
