import assert from "node:assert/strict";
import { test } from "node:test";

import { BATCH_ROUTE, CALL_ROUTE, CallBatcher } from "../../../addin/static/js/calls.js";

const URL = `https://tilt.example${CALL_ROUTE}`;
const BASE = { client: "Office.js", version: "1", runtime: "1.4" };

/** A server that answers a call with its arguments, and remembers what it was sent. */
function makeServer(answer = (call) => ({ result: call.args })) {
  const posts = [];
  const post = async (url, body) => {
    posts.push({ url, body });
    const data = url.endsWith(BATCH_ROUTE)
      ? { results: body.calls.map(answer) }
      : answer({ ...body });
    return { data, status: 200, statusText: "OK" };
  };
  return { post, posts };
}

const makeBatcher = (options) =>
  new CallBatcher({
    failure: (cell, message) => `${cell} ${message}`,
    retries: [1, 1],
    ...options,
  });

const body = (name, ...args) => ({
  ...BASE,
  func_name: name,
  args,
  caller_address: "[Book]Sheet1!A1",
});

const resultOf = async (promise) => (await promise).data.result;

test("the calls of a tick become one POST and each gets its own answer", async () => {
  const { post, posts } = makeServer();
  const batcher = makeBatcher({ post });
  const results = await Promise.all(
    [1, 2, 3].map((n) => resultOf(batcher.call(URL, body("f", n)))),
  );
  assert.deepEqual(results, [[1], [2], [3]]);
  assert.equal(posts.length, 1);
  assert.equal(posts[0].url, `https://tilt.example${BATCH_ROUTE}`);
});

test("what all calls share is sent once, and the calling cell not at all", async () => {
  const { post, posts } = makeServer();
  const batcher = makeBatcher({ post });
  await Promise.all([1, 2].map((n) => batcher.call(URL, body("f", n))));
  assert.deepEqual(posts[0].body.calls, [
    { func_name: "f", args: [1] },
    { func_name: "f", args: [2] },
  ]);
  for (const [name, value] of Object.entries(BASE)) assert.equal(posts[0].body.base[name], value);
});

test("a call that differs in a shared member keeps its own", async () => {
  const { post, posts } = makeServer();
  const batcher = makeBatcher({ post });
  const other = { ...body("f", 2), runtime: "1.1" };
  await Promise.all([batcher.call(URL, body("f", 1)), batcher.call(URL, other)]);
  assert.deepEqual(posts[0].body.calls[1], { func_name: "f", args: [2], runtime: "1.1" });
});

test("a thousand calls fit in two POSTs of five hundred", async () => {
  const { post, posts } = makeServer();
  const batcher = makeBatcher({ post });
  const calls = Array.from({ length: 1000 }, (_, n) => resultOf(batcher.call(URL, body("f", n))));
  const results = await Promise.all(calls);
  assert.deepEqual(
    posts.map((p) => p.body.calls.length),
    [500, 500],
  );
  assert.ok(results.every((result, n) => result[0] === n));
});

test("identical calls are sent once and all are answered, also while the first is on its way", async () => {
  let release;
  const gate = new Promise((resolve) => (release = resolve));
  const { post, posts } = makeServer();
  const slow = async (...args) => {
    await gate;
    return post(...args);
  };
  const batcher = makeBatcher({ post: slow });
  const first = [batcher.call(URL, body("f", 7)), batcher.call(URL, body("f", 7))];
  await new Promise((resolve) => setTimeout(resolve, 20));
  const later = batcher.call(URL, body("f", 7));
  release();
  const results = await Promise.all([...first, later].map(resultOf));
  assert.deepEqual(results, [[7], [7], [7]]);
  assert.equal(posts.length, 1);
  assert.equal(posts[0].body.calls.length, 1);
});

test("an answer is forgotten once given, so that a recalculation asks again", async () => {
  const { post, posts } = makeServer();
  const batcher = makeBatcher({ post });
  await batcher.call(URL, body("f", 1));
  await batcher.call(URL, body("f", 1));
  assert.equal(posts.length, 2);
});

test("a batch is cut where its cells are too many", async () => {
  const { post, posts } = makeServer(() => ({ result: 0 }));
  const batcher = makeBatcher({ post, maxCells: 10 });
  const range = Array.from({ length: 4 }, () => [1]);
  await Promise.all([1, 2, 3].map((n) => batcher.call(URL, body("f", range, n))));
  assert.deepEqual(
    posts.map((p) => p.body.calls.length),
    [2, 1],
  );
});

test("credentials are never mixed in one POST", async () => {
  const { post, posts } = makeServer();
  const batcher = makeBatcher({ post });
  const as = (token) => ({ headers: { Authorization: token } });
  await Promise.all([
    batcher.call(URL, body("f", 1), as("Bearer a")),
    batcher.call(URL, body("f", 1), as("Bearer b")),
  ]);
  assert.equal(posts.length, 2);
});

test("one failed call keeps its code and words, and spares its neighbours", async () => {
  const { post } = makeServer((call) =>
    call.args[0] === 2
      ? { error: "Unknown ticker 'APPL'.", status: 404, cell: "#N/A" }
      : { result: call.args },
  );
  const batcher = makeBatcher({ post });
  const results = await Promise.all(
    [1, 2, 3].map((n) => resultOf(batcher.call(URL, body("f", n)))),
  );
  assert.deepEqual(results, [[1], "#N/A Unknown ticker 'APPL'.", [3]]);
});

test("only a busy server is asked again, and only for the calls it was busy for", async () => {
  const seen = { 1: 0, 2: 0 };
  const { post, posts } = makeServer((call) => {
    seen[call.args[0]] += 1;
    return call.args[0] === 2 && seen[2] < 3
      ? { error: "busy", status: 503, cell: "#N/A" }
      : { result: call.args };
  });
  const batcher = makeBatcher({ post });
  const results = await Promise.all([1, 2].map((n) => resultOf(batcher.call(URL, body("f", n)))));
  assert.deepEqual(results, [[1], [2]]);
  assert.deepEqual(seen, { 1: 1, 2: 3 });
  assert.equal(posts.length, 3);
});

test("a server that stays busy is given up with its words", async () => {
  const { post, posts } = makeServer(() => ({ error: "Busy.", status: 503, cell: "#N/A" }));
  const batcher = makeBatcher({ post });
  assert.equal(await resultOf(batcher.call(URL, body("f", 1))), "#N/A Busy.");
  assert.equal(posts.length, 3);
});

const refuse = (status, data) => async () => {
  throw Object.assign(new Error(), { response: { status, data, statusText: "" } });
};

test("a refusal of the whole request reaches every call, and is not repeated", async () => {
  let posts = 0;
  const no = refuse(401, { detail: "Not signed in: open the Tilt pane.", cell: "#N/A" });
  const statuses = [];
  const batcher = makeBatcher({
    post: () => ((posts += 1), no()),
    onReply: (status) => statuses.push(status),
  });
  const results = await Promise.all([1, 2].map((n) => resultOf(batcher.call(URL, body("f", n)))));
  assert.deepEqual(results, Array(2).fill("#N/A Not signed in: open the Tilt pane."));
  assert.equal(posts, 1);
  assert.deepEqual(statuses, [401]);
});

test("a request that was one too many in a minute is asked again like a busy server's", async () => {
  let posts = 0;
  const much = refuse(429, { detail: "More than 3 requests in a minute.", cell: "#N/A" });
  const post = async () =>
    (posts += 1) < 3 ? much() : { data: { results: [{ result: [[7]] }] }, status: 200 };
  const batcher = makeBatcher({ post });
  assert.deepEqual(await resultOf(batcher.call(URL, body("f", 1))), [[7]]);
  assert.equal(posts, 3);
});

test("a server that says when to come back is not asked before", async (t) => {
  for (const status of [429, 503]) {
    let posts = 0;
    const much = refuse(status, { detail: "Later.", cell: "#N/A", retry_after: 7 });
    const post = async () =>
      (posts += 1) < 2 ? much() : { data: { results: [{ result: [[7]] }] }, status: 200 };
    const batcher = makeBatcher({ post, longFunctions: () => ["f"] }); // sent without gathering
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const asked = resultOf(batcher.call(URL, body("f", 1)));
    const pass = async (milliseconds) => {
      t.mock.timers.tick(milliseconds);
      for (let i = 0; i < 20; i += 1) await Promise.resolve();
    };
    await pass(0);
    await pass(6990);
    assert.equal(posts, 1);
    await pass(1500);
    assert.equal(posts, 2);
    assert.deepEqual(await asked, [[7]]);
    t.mock.timers.reset();
  }
});

test("a job is asked for again by a client that was told to wait, and is not given up", async () => {
  const answers = [
    { error: "40 %", status: 503, cell: "#N/A", job: { id: "j" } },
    { error: "Busy.", status: 503, cell: "#N/A" },
    { result: [[7]] },
  ];
  const follows = [];
  const post = async (_url, { follow }) => {
    follows.push(follow);
    return { data: { results: [answers.shift()] }, status: 200, statusText: "OK" };
  };
  const batcher = makeBatcher({ post, looks: [1] });
  assert.deepEqual(await resultOf(batcher.call(URL, body("f", 1))), [[7]]);
  assert.deepEqual(follows, [undefined, "j", "j"]);
});

for (const [what, post] of [
  ["no answer at all", async () => Promise.reject(new Error("Network error"))],
  ["a proxy that finds no server", refuse(502, "<html>")],
]) {
  test(`${what} is #N/A and says that the server is away`, async () => {
    const batcher = makeBatcher({ post });
    const shown = await resultOf(batcher.call(URL, body("f", 1)));
    assert.match(shown, /^#N\/A The Tilt server does not answer\./);
  });
}

test("a POST that never ends is given up at the deadline", async () => {
  const batcher = makeBatcher({ post: () => new Promise(() => {}), deadline: 20 });
  assert.match(await resultOf(batcher.call(URL, body("f", 1))), /^#N\/A The Tilt server/);
});

test("an answer with too few results settles every call with an error", async () => {
  const batcher = makeBatcher({
    post: async () => ({ data: { results: [{ result: 1 }] }, status: 200, statusText: "OK" }),
  });
  const results = await Promise.all([1, 2].map((n) => resultOf(batcher.call(URL, body("f", n)))));
  assert.ok(results.every((r) => r.startsWith("#VALUE! The Tilt server gave an answer")));
});

test("a result that is null is an answer", async () => {
  const { post } = makeServer(() => ({ result: null }));
  assert.equal(await resultOf(makeBatcher({ post }).call(URL, body("f", 1))), null);
});

test("a long function goes alone, so that it holds no other's answer", async () => {
  const { post, posts } = makeServer();
  const batcher = makeBatcher({ post, longFunctions: () => ["backtest"] });
  const results = await Promise.all(
    ["f", "backtest", "g"].map((name) => resultOf(batcher.call(URL, body(name, 1)))),
  );
  assert.deepEqual(results, [[1], [1], [1]]);
  assert.deepEqual(posts.map((p) => p.body.calls.map((call) => call.func_name)).sort(), [
    ["backtest"],
    ["f", "g"],
  ]);
});

test("calls that keep coming are sent before the last one came", async () => {
  const { post, posts } = makeServer();
  const batcher = makeBatcher({ post, quiet: 5, patience: 30 });
  const calls = [];
  for (let n = 0; n < 40; n += 1) {
    calls.push(batcher.call(URL, body("f", n)));
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  assert.ok(posts.length >= 1);
  await Promise.all(calls);
  assert.ok(posts.length < 20);
});

test("a whole column goes out as far as there is anything in it", async () => {
  const { post, posts } = makeServer();
  const batcher = makeBatcher({ post });
  const column = Array.from({ length: 1_048_576 }, (_, i) => (i < 3 ? [`T${i}`, i] : ["", ""]));
  await batcher.call(URL, body("f", column, [[""]], "x"));
  const held = [["T0", 0], ["T1", 1], ["T2", 2]]; // prettier-ignore
  assert.deepEqual(posts[0].body.calls[0].args, [held, [[""]], "x"]);
});

test("blank cells that arrive as noughts are blank, a column of noughts is not", async () => {
  const { post, posts } = makeServer();
  const batcher = makeBatcher({ post });
  const twoColumns = [["T0", 0], [0, 0], [0, 0]]; // prettier-ignore
  await batcher.call(URL, body("f", twoColumns, [[1], [0], [0]], [[1], [false], [null]]));
  assert.deepEqual(posts[0].body.calls[0].args, [[["T0", 0]], [[1], [0], [0]], [[1], [false]]]);
});
