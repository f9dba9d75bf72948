import assert from "node:assert/strict";
import { test } from "node:test";

import { makeHost, onSheet, put, read, shownAt } from "./hosts.mjs";

test("a formula calls its function with matrices, and its result stands in the cell", async () => {
  const { host, Excel, calls } = makeHost();
  await put(Excel, "A1:A2", [[2], [3]]);
  await put(Excel, "B1", "=TILT.ADD(A1, A2)");
  await host.calculator.whenSettled();
  assert.equal(shownAt(host, 0, 1).value, 5);
  assert.deepEqual(calls, [["ADD", [[2]], [[3]]]]);
  assert.deepEqual(await read(Excel, "B1", "formulas"), [["=TILT.ADD(A1, A2)"]]);
});

test("a range that begins lower down is read to its last filled row", async () => {
  const { host, Excel, calls } = makeHost();
  await put(Excel, "A2:A4", [[2], [3], [4]]);
  await put(Excel, "C1:C2", [["=TILT.TOTAL(A2:A4)"], ["=TILT.TOTAL(A2:A9)"]]);
  await host.calculator.whenSettled();
  assert.deepEqual(calls, [
    ["TOTAL", [[2], [3], [4]]],
    ["TOTAL", [[2], [3], [4]]],
  ]);
});

test("a formula is calculated again when what it reads changes, and only then", async () => {
  const { host, Excel, calls } = makeHost();
  await put(Excel, "A1:A2", [[2], [3]]);
  await put(Excel, "B1:B2", [["=TILT.TOTAL(A1:A2)"], ["=TILT.ADD(B1,1)"]]);
  await host.calculator.whenSettled();
  calls.length = 0;
  await put(Excel, "D9", 1);
  await host.calculator.whenSettled();
  assert.deepEqual(calls, []);
  await put(Excel, "A1", 10);
  await host.calculator.whenSettled();
  assert.equal(shownAt(host, 1, 1).value, 14);
  assert.deepEqual(
    calls.map(([name]) => name),
    ["TOTAL", "ADD"],
  );
});

test("a result spills, is read by others, and shrinks again", async () => {
  const { host, Excel } = makeHost();
  await put(Excel, "A1", 3);
  await put(Excel, "C1:D1", [["=TILT.GRID(A1,2)", ""]]);
  await put(Excel, "F1", "=TILT.TOTAL(C1:D3)");
  await host.calculator.whenSettled();
  assert.deepEqual(await read(Excel, "C1:D4"), [
    [0, 1],
    [10, 11],
    [20, 21],
    ["", ""],
  ]);
  assert.equal(shownAt(host, 0, 5).value, 63);
  await put(Excel, "A1", 1);
  await host.calculator.whenSettled();
  assert.deepEqual(await read(Excel, "C1:D2"), [
    [0, 1],
    ["", ""],
  ]);
  assert.equal(shownAt(host, 0, 5).value, 1);
});

test("a spilled range is read by its first cell, however large it is now", async () => {
  const { host, Excel } = makeHost();
  await put(Excel, "A1", 2);
  await put(Excel, "C1", "=TILT.GRID(A1,2)");
  await put(Excel, "F1:F3", [["=TILT.TOTAL(C1#)"], ["=TILT.TOTAL($C$1#)"], ["=TILT.TOTAL(A1#)"]]);
  await host.calculator.whenSettled();
  assert.equal(shownAt(host, 0, 5).value, 22);
  assert.equal(shownAt(host, 1, 5).value, 22);
  assert.equal(shownAt(host, 2, 5).value, "#REF!", "nothing spills from there");
  await put(Excel, "A1", 3);
  await host.calculator.whenSettled();
  assert.equal(shownAt(host, 0, 5).value, 63);
});

test("a spill that is in the way of something shows #SPILL! and spares it", async () => {
  const { host, Excel } = makeHost();
  await put(Excel, "D2", "mine");
  await put(Excel, "C1", "=TILT.GRID(2,2)");
  await host.calculator.whenSettled();
  assert.equal(shownAt(host, 0, 2).value, "#SPILL!");
  assert.equal(shownAt(host, 1, 3).value, "mine");
});

test("clearing a formula takes its spill with it", async () => {
  const { host, Excel } = makeHost();
  await put(Excel, "C1", "=TILT.GRID(2,2)");
  await host.calculator.whenSettled();
  await onSheet(Excel, (sheet) => sheet.getRange("C1").clear("Contents"));
  await host.calculator.whenSettled();
  assert.deepEqual(await read(Excel, "C1:D2"), [
    ["", ""],
    ["", ""],
  ]);
});

test("an error shows its code in the cell and its message on hover", async () => {
  const { host, Excel } = makeHost();
  await put(Excel, "A1", "=TILT.FAIL()");
  await host.calculator.whenSettled();
  assert.equal(shownAt(host, 0, 0).value, "#N/A");
  assert.equal(shownAt(host, 0, 0).error, "Nothing there.");
});

test("an error cell reaches a function as an error, not as text", async () => {
  const { host, Excel, calls } = makeHost();
  await put(Excel, "A1", "#REF!");
  await put(Excel, "B1", "=TILT.TOTAL(A1)");
  await host.calculator.whenSettled();
  assert.equal(calls[0][1][0][0].basicValue, "#REF!");
  assert.equal(calls[0][1][0][0].type, "Error");
});

for (const [formula, shown] of [
  ["=TILT.NOTHING(1)", "#NAME?"],
  ["=SUM(A1:A2)", "#NAME?"],
  ["=TILT.ADD(1)", "#VALUE!"],
  ["=TILT.ADD(1,2,3)", "#VALUE!"],
  ["=TILT.ADD(Elsewhere!A1,2)", "#REF!"],
  ["=TILT.PICK(A1:A2)", "#VALUE!"],
  ['=TILT.PICK("x")', "string"],
  ["=TILT.PICK(5)", "string"],
  ["=TILT.MAYBE(1)", "left out"],
  ["=TILT.MAYBE(1,)", "left out"],
  ["=TILT.MAYBE(1,2)", "given"],
  ["=TILT.WHERE(1)", "Sheet1!C3"],
  ["=TILT.ADD(TILT.ADD(1,2),-4)", -1],
  ["=tilt.add(1,2)", 3],
]) {
  test(`${formula} shows ${shown}`, async () => {
    const { host, Excel } = makeHost();
    await put(Excel, "C3", formula);
    await host.calculator.whenSettled();
    assert.equal(shownAt(host, 2, 2).value, shown);
  });
}

test("dates come with their format, and what is missing as #N/A", async () => {
  const { host, Excel } = makeHost();
  await put(Excel, "A1", "=TILT.DATE()");
  await host.calculator.whenSettled();
  assert.deepEqual(await read(Excel, "A1:B1"), [[45000, "#N/A"]]);
  assert.equal((await read(Excel, "A1", "numberFormat"))[0][0], "yyyy-mm-dd");
});

test("a stream keeps its cell current until the formula goes", async () => {
  const { host, Excel, streams } = makeHost();
  await put(Excel, "A1", '=TILT.LIVE("AAPL")');
  while (!streams.length) await new Promise((resolve) => setTimeout(resolve, 1));
  const [{ invocation }] = streams;
  let canceled = false;
  invocation.onCanceled = () => (canceled = true);
  invocation.setResult([[1]]);
  await host.calculator.whenSettled();
  assert.equal(shownAt(host, 0, 0).value, 1);
  invocation.setResult([[2]]);
  assert.equal(shownAt(host, 0, 0).value, 2);
  await put(Excel, "A1", "");
  assert.equal(canceled, true);
});

test("an answer that comes after the cell changed is dropped", async () => {
  const { host, Excel } = makeHost();
  let release;
  host.functions.associated.set("ADD", () => new Promise((resolve) => (release = resolve)));
  await put(Excel, "A1", "=TILT.ADD(1,2)");
  while (!release) await new Promise((resolve) => setTimeout(resolve, 1));
  await put(Excel, "A1", "typed over");
  release([[3]]);
  await new Promise((resolve) => setTimeout(resolve, 5)); // time for the late answer to arrive
  assert.equal(shownAt(host, 0, 0).value, "typed over");
});
