import assert from "node:assert/strict";
import { test } from "node:test";

import { AnswerCache } from "../../../addin/static/js/cache.js";
import { CALL_ROUTE, CallBatcher } from "../../../addin/static/js/calls.js";
import { covers, parseAddress } from "../../../addin/static/js/covers.js";

const URL = `https://tilt.example${CALL_ROUTE}`;
const RANGE = Array.from({ length: 40 }, (_, i) => [`T${i}`, i / 40]);

const RUNNING = { error: "40 %", status: 503, cell: "#N/A", job: { id: "j" }, cacheable: false };

/** A server with an edition, which answers a call with its arguments. */
function makeServer(answer = (call) => ({ result: call.args })) {
  const server = { edition: "e1", posts: [], away: false };
  server.post = async (url, body) => {
    server.posts.push({ url, body });
    if (server.away) throw new Error("Network error");
    const results = body.calls.map(answer);
    return { data: { edition: server.edition, results }, status: 200, statusText: "OK" };
  };
  return server;
}

const makeBatcher = (options) =>
  new CallBatcher({
    failure: (cell, message) => `${cell} ${message}`,
    retries: [1],
    looks: [1],
    ...options,
  });

const body = (name, args, address = "[Book]Sheet1!A1") => ({
  func_name: name,
  args,
  runtime: "1.4",
  caller_address: address,
});

const ask = async (batcher, name, args, options) => {
  const { data } = await batcher.call(URL, body(name, args), options);
  return data.result;
};

test("the same call over the same data is answered without a request", async () => {
  const server = makeServer();
  const batcher = makeBatcher({ post: server.post });
  const first = await ask(batcher, "f", [RANGE, 1]);
  const again = await ask(batcher, "f", [structuredClone(RANGE), 1]);
  assert.deepEqual(again, first);
  assert.equal(server.posts.length, 1);
});

test("an answer from other data makes every answer kept before it old", async () => {
  const server = makeServer();
  let news = 0;
  const batcher = makeBatcher({ post: server.post, onEdition: () => (news += 1) });
  await ask(batcher, "f", [1]);
  server.edition = "e2";
  await ask(batcher, "f", [2]);
  assert.equal(news, 1);
  await ask(batcher, "f", [1]);
  assert.equal(server.posts.length, 3);
  await ask(batcher, "f", [1]);
  await ask(batcher, "f", [2]);
  assert.equal(server.posts.length, 3);
});

test("an answer that was overtaken does not bring the old data back", async () => {
  const gates = [];
  const post = (_url, { calls }) =>
    new Promise((resolve) => {
      gates.push((edition) =>
        resolve({
          data: { edition, results: calls.map((c) => ({ result: c.args })) },
          status: 200,
        }),
      );
    });
  const batcher = makeBatcher({ post, maxCalls: 1 });
  const slow = ask(batcher, "f", [1]);
  const quick = ask(batcher, "f", [2]);
  gates[1]("e2");
  await quick;
  gates[0]("e1");
  await slow;
  assert.equal(batcher.cache.edition, "e2");
  ask(batcher, "f", [1]);
  assert.equal(gates.length, 3, "the overtaken answer is old and asked for again");
});

test("an answer that the server marks is not kept", async () => {
  const server = makeServer(() => ({ result: 1, cacheable: false }));
  const batcher = makeBatcher({ post: server.post });
  await ask(batcher, "status", []);
  await ask(batcher, "status", []);
  assert.equal(server.posts.length, 2);
});

test("an error that lies in the call is kept, with its words", async () => {
  const server = makeServer(() => ({ error: "Unknown ticker 'APPL'.", status: 404, cell: "#N/A" }));
  const batcher = makeBatcher({ post: server.post });
  assert.equal(await ask(batcher, "f", ["APPL"]), "#N/A Unknown ticker 'APPL'.");
  assert.equal(await ask(batcher, "f", ["APPL"]), "#N/A Unknown ticker 'APPL'.");
  assert.equal(server.posts.length, 1);
});

test("errors that may pass are never kept", async () => {
  for (const status of [401, 500, 503]) {
    let posts = 0;
    const post = async () => {
      posts += 1;
      throw Object.assign(new Error(), { response: { status, data: { detail: "No." } } });
    };
    const batcher = makeBatcher({ post, retries: [] });
    await ask(batcher, "f", [1]);
    await ask(batcher, "f", [1]);
    assert.equal(posts, 2, `status ${status}`);
  }
});

test("answers are not kept for another user", async () => {
  const server = makeServer();
  const batcher = makeBatcher({ post: server.post });
  const as = (token) => ({ headers: { Authorization: token } });
  await ask(batcher, "f", [1], as("Bearer a"));
  await ask(batcher, "f", [1], as("Bearer b"));
  await ask(batcher, "f", [1], as("Bearer a"));
  assert.equal(server.posts.length, 3);
  assert.equal(batcher.cache.size, 1);
});

test("a server that is away leaves the last good value, and none for other inputs", async () => {
  const server = makeServer();
  const told = [];
  const batcher = makeBatcher({ post: server.post, onAnswer: (_, kind) => told.push(kind) });
  const good = await ask(batcher, "f", [1]);
  server.edition = "e2";
  await ask(batcher, "g", [1]); // makes the first answer old
  server.away = true;
  assert.deepEqual(await ask(batcher, "f", [1]), good);
  assert.match(await ask(batcher, "f", [2]), /^#N\/A The Tilt server does not answer\./);
  assert.deepEqual(told, ["good", "good", "old", "missing"]);
});

test("a paused sheet asks for nothing", async () => {
  const server = makeServer();
  const batcher = makeBatcher({ post: server.post });
  const good = await ask(batcher, "f", [1]);
  batcher.paused = true;
  server.edition = "e2";
  batcher.cache.note("e2", Infinity);
  assert.deepEqual(await ask(batcher, "f", [1]), good);
  assert.match(await ask(batcher, "f", [2]), /^#N\/A Tilt is paused/);
  assert.equal(server.posts.length, 1);
});

test("a cell that is to be made anew is asked for again, once, and others are not", async () => {
  const server = makeServer();
  let least = 0;
  const batcher = makeBatcher({
    post: server.post,
    generationOf: (address) => (address.endsWith("!A1") ? least : 0),
  });
  const at = (address) => batcher.call(URL, body("f", [address], address));
  for (const address of ["S!A1", "S!B2"]) await at(address);
  least = 1;
  for (const address of ["S!A1", "S!B2", "S!A1"]) await at(address);
  assert.equal(server.posts.length, 3);
});

test("a range that several calls have is sent once", async () => {
  const server = makeServer((call) => ({ result: call.args }));
  const batcher = makeBatcher({ post: server.post });
  const measures = Array.from({ length: 300 }, (_, i) => `m${i}`);
  await Promise.all(measures.map((m) => ask(batcher, "risk", [structuredClone(RANGE), m])));
  assert.equal(server.posts.length, 1);
  const { shared, calls } = server.posts[0].body;
  assert.deepEqual(shared, [RANGE]);
  assert.deepEqual(
    calls.map((call) => call.args),
    measures.map((m) => [{ $ref: 0 }, m]),
  );
});

test("a range that one call has stays where it is", async () => {
  const server = makeServer();
  const batcher = makeBatcher({ post: server.post });
  const other = RANGE.map(([ticker, weight]) => [ticker, weight / 2]);
  await Promise.all([ask(batcher, "risk", [RANGE]), ask(batcher, "risk", [other])]);
  assert.equal(server.posts[0].body.shared, undefined);
  assert.deepEqual(
    server.posts[0].body.calls.map((call) => call.args),
    [[RANGE], [other]],
  );
});

test("a shared range counts once against the cells of a POST", async () => {
  const server = makeServer(() => ({ result: 0 }));
  const batcher = makeBatcher({ post: server.post, maxCells: 200 });
  await Promise.all(Array.from({ length: 50 }, (_, i) => ask(batcher, "risk", [RANGE, i])));
  assert.equal(server.posts.length, 1);
});

test("a job is asked for until it is done", async () => {
  let looks = 0;
  const server = makeServer(() => ((looks += 1) < 4 ? RUNNING : { result: [[7]] }));
  const batcher = makeBatcher({ post: server.post, longFunctions: () => ["backtest"] });
  assert.deepEqual(await ask(batcher, "backtest", [1]), [[7]]);
  assert.equal(looks, 4);
  assert.deepEqual(await ask(batcher, "backtest", [1]), [[7]]);
  assert.equal(looks, 4, "its result is kept");
});

/** A batcher whose cells wait for no job, and a promise of what came late. */
function impatient(answer) {
  const server = makeServer(answer);
  let batcher;
  const late = new Promise((resolve) => {
    batcher = makeBatcher({ post: server.post, jobPatience: 0, onLate: resolve });
  });
  return { server, batcher, late };
}

test("a job that takes long says how far it is, and its result is there once it has ended", async () => {
  let done = false;
  const { server, batcher, late } = impatient(() => (done ? { result: 7 } : RUNNING));
  assert.equal(await ask(batcher, "backtest", [1]), "#N/A 40 %");
  assert.equal(await ask(batcher, "backtest", [1]), "#N/A 40 %", "said again at once");
  done = true;
  await late;
  const posts = server.posts.length;
  assert.equal(await ask(batcher, "backtest", [1]), 7);
  assert.equal(server.posts.length, posts, "its result was kept");
});

test("a cell keeps its last good value while a job takes long over newer data", async () => {
  let answer = { result: 7 };
  const { server, batcher, late } = impatient(() => answer);
  assert.equal(await ask(batcher, "backtest", [1]), 7);
  server.edition = "e2";
  batcher.cache.note("e2", Infinity);
  answer = RUNNING;
  assert.equal(await ask(batcher, "backtest", [1]), 7);
  answer = { result: 8 };
  await late;
  assert.equal(await ask(batcher, "backtest", [1]), 8);
});

test("a job that fails late says why and is not started anew by calculating", async () => {
  let answer = RUNNING;
  const { server, batcher, late } = impatient(() => answer);
  assert.equal(await ask(batcher, "backtest", [1]), "#N/A 40 %");
  answer = { error: "It was canceled.", status: 422, cell: "#N/A", cacheable: false };
  await late;
  const posts = server.posts.length;
  assert.equal(await ask(batcher, "backtest", [1]), "#N/A It was canceled.");
  assert.equal(server.posts.length, posts);
});

test("a job is no longer followed when its cell asks for something else", async () => {
  const asked = [];
  const { batcher } = impatient(({ args }) => {
    asked.push(args[0]);
    return args[0] === 1 || asked.length < 8 ? RUNNING : { result: 9 };
  });
  await ask(batcher, "backtest", [1]);
  await ask(batcher, "backtest", [2]);
  const followed = asked.filter((arg) => arg === 1).length;
  while (asked.length < 8) await new Promise((resolve) => setTimeout(resolve, 0));
  assert.ok(asked.filter((arg) => arg === 1).length <= followed + 1, "at most what was on its way");
});

test("a failed job's words reach the cell", async () => {
  let looks = 0;
  const failed = { error: "It was canceled.", status: 422, cell: "#N/A", cacheable: false };
  const server = makeServer(() => ((looks += 1) < 3 ? RUNNING : failed));
  const batcher = makeBatcher({ post: server.post });
  assert.equal(await ask(batcher, "backtest", [1]), "#N/A It was canceled.");
});

test("the cache is bounded in answers and in bytes", () => {
  const cache = new AnswerCache({ maxEntries: 3, maxBytes: 20_000 });
  cache.note("e", 1);
  for (let i = 0; i < 10; i += 1) {
    cache.keep(`k${i}`, { result: i }, "e", 0);
    cache.get("k0"); // used, so not the first to go
  }
  assert.equal(cache.size, 3);
  assert.deepEqual(cache.get("k0"), { result: 0 });
  for (let i = 0; i < 10; i += 1) cache.keep(`l${i}`, { result: "x".repeat(2000) }, "e", 0);
  assert.ok(cache.bytes <= 20_000);
  assert.ok(cache.size >= 1);
});

test("ranges beyond the bound are forgotten with their answers, not mixed up", () => {
  const cache = new AnswerCache({ maxBytes: 20_000 });
  const range = (seed) => Array.from({ length: 200 }, (_, i) => [seed * 1000 + i]);
  const keys = Array.from({ length: 30 }, (_, seed) => cache.describe("", "f", [range(seed)]).key);
  assert.equal(new Set(keys).size, 30);
  assert.notEqual(cache.describe("", "f", [range(0)]).key, keys[0]);
  assert.equal(cache.describe("", "f", [range(29)]).key, keys[29]);
});

test("an area covers the cells in it, however the sheet is written", () => {
  const block = { row: 1, column: 1, rows: 2, columns: 2 };
  const cell = parseAddress("[Book1.xlsx]'Bob''s sheet'!$C$3");
  assert.deepEqual(cell, { sheet: "Bob's sheet", row: 2, column: 2 });
  assert.ok(covers({ sheet: "Bob's sheet", block }, cell));
  assert.ok(covers({ sheet: "Bob's sheet", block: null }, cell));
  assert.ok(!covers({ sheet: "Other", block }, cell));
  assert.ok(!covers({ sheet: "Bob's sheet", block }, parseAddress("Bob's sheet!D3")));
  assert.equal(parseAddress("Sheet1!AA10").column, 26);
  assert.ok(covers(null, parseAddress("")));
});
