import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { connection } from "../../../addin/static/js/connection.js";
import { signIn, signOut } from "../../../addin/static/js/session.js";

/** Have a request answered; 0 is no answer. */
function answered(status, options) {
  const reply = async () => {
    if (status === 0) throw new TypeError("no answer");
    return { status };
  };
  return connection.watch(reply, options).catch(() => {});
}

/** Make a request whose answer comes when it is told. */
function held() {
  let come;
  const reply = new Promise((resolve) => (come = resolve));
  const done = connection.watch(() => reply);
  return (status) => {
    come({ status });
    return done;
  };
}

beforeEach(async () => {
  signOut();
  await answered(200);
});

test("an answer to who we were before says nothing", async () => {
  signIn("a key", { remember: false });
  const early = held();
  signOut();
  await answered(401);
  await early(200);
  assert.equal(connection.state, "signed-out");
});

test("a refusal of who we were before does not sign out who has come", async () => {
  const early = held();
  signIn("a key", { remember: false });
  await answered(200);
  await early(401);
  assert.equal(connection.state, "online");
  assert.equal(connection.needsSignIn, false);
});

test("a server that is away or busy keeps the form open for who is to sign in", async () => {
  await answered(401);
  for (const [status, state] of [
    [503, "busy"],
    [429, "busy"],
    [0, "offline"],
    [502, "offline"],
  ]) {
    await answered(status);
    assert.deepEqual([connection.state, connection.needsSignIn], [state, true]);
  }
  await answered(200);
  assert.deepEqual([connection.state, connection.needsSignIn], ["online", false]);
});

test("who leaves is asked to sign in whatever the server says", async () => {
  signIn("a key", { remember: false });
  await answered(200);
  signOut();
  connection.leave();
  await answered(503);
  assert.equal(connection.needsSignIn, true);
});

test("what anybody gets tells that the server is back, and nothing of us", async () => {
  await answered(401);
  await answered(200, { open: true });
  assert.deepEqual([connection.state, connection.needsSignIn], ["signed-out", true]);
  await answered(0, { open: true });
  assert.deepEqual([connection.state, connection.needsSignIn], ["offline", true]);
  await answered(200, { open: true });
  assert.deepEqual([connection.state, connection.needsSignIn], ["signed-out", true]);
  await answered(200);
  await answered(503);
  await answered(200, { open: true });
  assert.deepEqual([connection.state, connection.needsSignIn], ["online", false]);
  await answered(401, { open: true });
  assert.deepEqual([connection.state, connection.needsSignIn], ["online", false]);
});

test("a request that we gave up says nothing of the server", async () => {
  const abort = async () => {
    throw new DOMException("given up", "AbortError");
  };
  await assert.rejects(connection.watch(abort), { name: "AbortError" });
  assert.equal(connection.state, "online");
});
