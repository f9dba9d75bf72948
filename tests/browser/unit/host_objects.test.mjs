import assert from "node:assert/strict";
import { test } from "node:test";

import { makeHost, onSheet, put, read, shownAt } from "./hosts.mjs";

test("a property that was not loaded throws, and one that was loaded does not", async () => {
  const { Excel } = makeHost();
  await onSheet(Excel, async (sheet, context) => {
    const range = sheet.getRange("A1");
    assert.throws(() => range.values, { code: "PropertyNotLoaded" });
    range.load("address");
    assert.throws(() => range.address, { code: "PropertyNotLoaded" });
    await context.sync();
    assert.equal(range.address, "Sheet1!A1");
    assert.throws(() => range.values, { code: "PropertyNotLoaded" });
  });
});

test("a member that is not there throws by its name", async () => {
  const { Excel, host } = makeHost();
  await onSheet(Excel, (sheet) => {
    assert.throws(() => sheet.calculateEverything, { message: /Worksheet\.calculateEverything/ });
    assert.throws(() => (sheet.colour = "red"), { message: /setting Worksheet\.colour/ });
  });
  assert.throws(() => Excel.Undefined, { message: /Excel\.Undefined/ });
  assert.throws(() => host.office().context.mailbox, { message: /Office\.context\.mailbox/ });
});

test("loading what a type does not have is an error of the sync", async () => {
  const { Excel } = makeHost();
  await assert.rejects(
    onSheet(Excel, async (sheet, context) => {
      sheet.load("colour");
      await context.sync();
    }),
    { code: "InvalidArgument", message: "Worksheet has no 'colour' to load." },
  );
});

test("nothing happens before the sync, and nothing after an error in it", async () => {
  const { Excel, host } = makeHost();
  await assert.rejects(
    onSheet(Excel, async (sheet, context) => {
      sheet.getRange("A1").values = 1;
      assert.equal(shownAt(host, 0, 0).value, "");
      sheet.getRange("B1:B2").values = [[1, 2]];
      sheet.getRange("C1").values = 3;
      await context.sync();
    }),
    { code: "InvalidArgument", message: "The input has 1 × 2 cells, the range 2 × 1." },
  );
  assert.equal(shownAt(host, 0, 0).value, 1);
  assert.equal(shownAt(host, 0, 2).value, "");
});

test("a ragged input is refused", async () => {
  const { Excel } = makeHost();
  await assert.rejects(put(Excel, "A1:B2", [[1, 2], [3]]), { code: "InvalidArgument" });
});

test("an item that is missing is an error, or a null object where that was asked for", async () => {
  const { Excel } = makeHost();
  await assert.rejects(
    Excel.run((context) => {
      context.workbook.worksheets.getItem("Nowhere").activate();
    }),
    { code: "ItemNotFound" },
  );
  await Excel.run(async (context) => {
    const missing = context.workbook.worksheets.getItemOrNullObject("Nowhere");
    assert.throws(() => missing.isNullObject, { code: "PropertyNotLoaded" });
    await context.sync();
    assert.equal(missing.isNullObject, true);
    const there = context.workbook.worksheets.getItemOrNullObject("sheet1");
    await context.sync();
    assert.equal(there.isNullObject, false);
  });
});

test("a collection's items are those of the moment it was loaded", async () => {
  const { Excel } = makeHost();
  await Excel.run(async (context) => {
    const sheets = context.workbook.worksheets.load("items/name");
    assert.throws(() => sheets.items, { code: "PropertyNotLoaded" });
    await context.sync();
    sheets.add("Second");
    await context.sync();
    assert.deepEqual(
      sheets.items.map((s) => s.name),
      ["Sheet1"],
    );
    sheets.load("name");
    await context.sync();
    assert.deepEqual(
      sheets.items.map((s) => s.name),
      ["Sheet1", "Second"],
    );
  });
});

for (const [name, code] of [
  ["", "InvalidArgument"],
  ["a/b", "InvalidArgument"],
  ["x".repeat(32), "InvalidArgument"],
  ["SHEET1", "ItemAlreadyExists"],
]) {
  test(`a sheet cannot be named '${name}'`, async () => {
    const { Excel } = makeHost();
    await assert.rejects(
      Excel.run((context) => void context.workbook.worksheets.add(name)),
      { code },
    );
  });
}

test("the last visible sheet cannot be deleted", async () => {
  const { Excel } = makeHost();
  await assert.rejects(
    onSheet(Excel, (sheet) => sheet.delete()),
    { code: "InvalidOperation" },
  );
});

test("what is written is taken as if it were typed", async () => {
  const { Excel } = makeHost();
  await put(Excel, "A1:H1", [
    ["12", "5%", "true", "2024-01-31", "'007", "AAPL", "#N/A", "1/31/2024"],
  ]);
  assert.deepEqual(await read(Excel, "A1:H1"), [
    [12, 0.05, true, 45322, "007", "AAPL", "#N/A", 45322],
  ]);
  assert.equal((await read(Excel, "D1", "numberFormat"))[0][0], "m/d/yyyy");
});

test("text stays text in a cell formatted as text, and null leaves a cell as it is", async () => {
  const { Excel } = makeHost();
  await onSheet(Excel, (sheet) => {
    sheet.getRange("A1:B1").numberFormat = [["@"]];
    sheet.getRange("A1:B1").values = [["12", "x"]];
    sheet.getRange("A1:B1").values = [[null, "y"]];
  });
  assert.deepEqual(await read(Excel, "A1:B1"), [["12", "y"]]);
});

test("a table has names for its columns and a row below them", async () => {
  const { Excel } = makeHost();
  await put(Excel, "B2:C2", [["ticker", ""]]);
  await onSheet(Excel, async (sheet, context) => {
    const table = sheet.tables.add("B2:C2", true);
    table.name = "TiltHoldings";
    table.columns.load("items/name");
    const body = table.getDataBodyRange().load("address");
    await context.sync();
    assert.deepEqual(
      table.columns.items.map((c) => c.name),
      ["ticker", "Column2"],
    );
    assert.equal(body.address, "Sheet1!B3:C3");
  });
});

test("tables neither overlap nor share a name", async () => {
  const { Excel } = makeHost();
  const add = (address, name) =>
    onSheet(Excel, (sheet) => {
      sheet.tables.add(address, true).name = name;
    });
  await add("A1:B3", "Holdings");
  await assert.rejects(add("B3:C4", "Other"), { message: "A table cannot overlap another one." });
  await assert.rejects(add("E1:F3", "HOLDINGS"), {
    message: "There is a table 'HOLDINGS' already.",
  });
  await assert.rejects(add("H1:I3", "A1"), { message: "'A1' is no name for a table." });
});

test("the region around a cell ends at blank rows and columns", async () => {
  const { Excel } = makeHost();
  await put(Excel, "B2:C3", [
    [1, 2],
    [3, 4],
  ]);
  await put(Excel, "B5", 9);
  await onSheet(Excel, async (sheet, context) => {
    const region = sheet.getRange("C3").getSurroundingRegion().load("address");
    const used = sheet.getUsedRange().load("address");
    await context.sync();
    assert.equal(region.address, "Sheet1!B2:C3");
    assert.equal(used.address, "Sheet1!B2:C5");
  });
});

test("a format that differs between cells reads as null", async () => {
  const { Excel } = makeHost();
  await onSheet(Excel, async (sheet, context) => {
    sheet.getRange("A1").format.font.bold = true;
    const [one, both] = [sheet.getRange("A1"), sheet.getRange("A1:A2")];
    one.load("format/font/bold");
    both.load("format/font/bold");
    await context.sync();
    assert.equal(one.format.font.bold, true);
    assert.equal(both.format.font.bold, null);
  });
});

test("a button runs what was associated with it, and a button without a script is an error", async () => {
  const { host } = makeHost();
  let ran = 0;
  host.office().actions.associate("optimize", (event) => {
    ran += 1;
    event.completed();
  });
  await host.press("optimize");
  assert.equal(ran, 1);
  assert.throws(() => host.press("nothing"), { code: "ItemNotFound" });
});

test("an event's handler hears until it is removed", async () => {
  const { Excel } = makeHost();
  const heard = [];
  let subscription;
  await onSheet(Excel, (sheet) => {
    subscription = sheet.onChanged.add((event) => heard.push(event.address));
  });
  await put(Excel, "B2:B3", 1);
  await Excel.run(subscription.context, async (context) => {
    subscription.remove();
    await context.sync();
  });
  await put(Excel, "C1", 1);
  assert.deepEqual(heard, ["B2:B3"]);
});

test("a protected sheet refuses to be written to", async () => {
  const { Excel } = makeHost();
  await onSheet(Excel, (sheet) => sheet.protection.protect());
  await assert.rejects(put(Excel, "A1", 1), { code: "AccessDenied" });
});
