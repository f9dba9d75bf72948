import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { LiveCells } from "../../../addin/static/js/live.js";

globalThis.window = { location: { origin: "https://tilt.example" } };

beforeEach(() => mock.timers.enable({ apis: ["setTimeout", "setInterval"] }));
afterEach(() => mock.timers.reset());

const settle = async () => {
  for (let i = 0; i < 10; i += 1) await Promise.resolve();
};

/** A server with prices, a user, and cells that remember what they were told. */
function makeSheet(options = {}) {
  const sheet = { asked: [], status: 200, user: "anna", price: 10, paused: false };
  sheet.live = new LiveCells({
    post: async (_url, { tickers }) => {
      sheet.asked.push(tickers);
      if (sheet.status !== 200)
        throw Object.assign(new Error(), {
          response: { status: sheet.status, data: { retry_after: sheet.told } },
        });
      if (sheet.gate) await sheet.gate;
      const quote = {
        price: sheet.price,
        time: "2026-03-02T12:00:00+00:00",
        age: 0,
        ...sheet.more,
      };
      return {
        status: 200,
        data: { quotes: Object.fromEntries(tickers.map((t) => [t, quote])), again: 60 },
      };
    },
    error: (cell, message) => `${cell} ${message}`,
    owner: () => sheet.user,
    isPaused: () => sheet.paused,
    ...options,
  });
  sheet.cell = (...args) => {
    const told = [];
    const invocation = { setResult: (result) => told.push(result) };
    sheet.live.start(...args.map((a) => (a === null ? null : [[a]])), invocation);
    return { told, invocation };
  };
  sheet.pass = async (milliseconds) => {
    mock.timers.tick(milliseconds);
    await settle();
  };
  return sheet;
}

test("all cells are one request, and each ticker is asked for once", async () => {
  const sheet = makeSheet();
  const cells = [
    ["AAPL", null],
    ["AAPL", "time"],
    ["MSFT", "price"],
  ].map((a) => sheet.cell(...a));
  await sheet.pass(20);
  assert.deepEqual(sheet.asked, [["AAPL", "MSFT"]]);
  assert.deepEqual(
    cells.map(({ told }) => told),
    [[[[10]]], [[[46083.5]]], [[[10]]]],
  );
});

test("the change on the day is a number, and what a source does not give is said", async () => {
  const sheet = makeSheet();
  sheet.more = { change: -0.01, currency: null };
  const change = sheet.cell("AAPL", "change");
  const currency = sheet.cell("AAPL", "currency");
  await sheet.pass(20);
  assert.deepEqual(change.told, [[[-0.01]]]);
  assert.deepEqual(currency.told, ["#N/A The source of live prices does not give this field."]);
});

test("a cell is told again only when its value changed", async () => {
  const sheet = makeSheet();
  const { told } = sheet.cell("AAPL", null);
  await sheet.pass(20);
  await sheet.pass(60_000);
  assert.equal(sheet.asked.length, 2);
  sheet.price = 11;
  await sheet.pass(60_000);
  assert.deepEqual(told, [[[10]], [[11]]]);
});

test("the last price stays when the server is away, and it is asked for less often", async () => {
  const sheet = makeSheet();
  const { told } = sheet.cell("AAPL", null);
  await sheet.pass(20);
  sheet.status = 0;
  await sheet.pass(60_000);
  await sheet.pass(2000);
  await sheet.pass(2000);
  assert.equal(sheet.asked.length, 3);
  assert.deepEqual(told, [[[10]]]);
  sheet.status = 200;
  sheet.price = 12;
  await sheet.pass(5000);
  assert.deepEqual(told.at(-1), [[12]]);
});

test("a server that says when to come back is not asked before, unless somebody else asks", async () => {
  const sheet = makeSheet();
  sheet.cell("AAPL", null);
  sheet.status = 429;
  sheet.told = 30;
  await sheet.pass(20);
  sheet.live.soon();
  sheet.cell("MSFT", null);
  await sheet.pass(29_000);
  assert.equal(sheet.asked.length, 1);
  sheet.status = 200;
  await sheet.pass(7100);
  assert.equal(sheet.asked.length, 2);
  sheet.status = 503;
  await sheet.pass(60_000);
  assert.equal(sheet.asked.length, 3);
  sheet.user = "ben";
  sheet.live.soon();
  await sheet.pass(20);
  assert.equal(sheet.asked.length, 4);
});

test("a cell that never had a price says that the server is away", async () => {
  const sheet = makeSheet();
  sheet.status = 0;
  const { told } = sheet.cell("AAPL", null);
  await sheet.pass(20);
  assert.match(told[0], /^#N\/A The Tilt server does not answer\./);
});

test("who is not signed in is shown nothing, also not what was there before", async () => {
  const sheet = makeSheet();
  const { told } = sheet.cell("AAPL", null);
  await sheet.pass(20);
  sheet.status = 401;
  await sheet.pass(60_000);
  assert.equal(told.at(-1), "#N/A Not signed in: open the Tilt pane.");
});

test("an answer for one user is not shown to the next", async () => {
  const sheet = makeSheet();
  let open;
  sheet.gate = new Promise((resolve) => (open = resolve));
  const { told } = sheet.cell("AAPL", null);
  await sheet.pass(20);
  sheet.user = "ben";
  open();
  await settle();
  assert.deepEqual(told, []);
  await sheet.pass(20);
  assert.equal(sheet.asked.length, 2);
  assert.deepEqual(told, [[[10]]]);
});

test("a deleted cell is neither told nor asked for", async () => {
  const sheet = makeSheet();
  const { told, invocation } = sheet.cell("AAPL", null);
  invocation.onCanceled();
  await sheet.pass(60_000);
  assert.deepEqual(sheet.asked, []);
  assert.deepEqual(told, []);
});

test("a paused sheet asks for no prices", async () => {
  const sheet = makeSheet();
  sheet.paused = true;
  const { told } = sheet.cell("AAPL", null);
  await sheet.pass(60_000);
  assert.deepEqual(sheet.asked, []);
  sheet.paused = false;
  sheet.live.soon();
  await sheet.pass(20);
  assert.deepEqual(told, [[[10]]]);
});

test("a field that is not known names those that are", () => {
  const { told } = makeSheet().cell("AAPL", "volume");
  assert.deepEqual(told, [
    "#VALUE! field must be one of price, time, age, change, currency; got 'volume'.",
  ]);
});
