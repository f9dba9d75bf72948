import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { connection } from "../../../addin/static/js/connection.js";
import { signIn, signOut } from "../../../addin/static/js/session.js";

beforeEach(() => {
  signOut();
  connection.asking()(200);
});

test("an answer to who we were before says nothing", () => {
  signIn("a key", { remember: false });
  const early = connection.asking();
  signOut();
  connection.asking()(401);
  early(200);
  assert.equal(connection.state, "signed-out");
});

test("a refusal of who we were before does not sign out who has come", () => {
  const early = connection.asking();
  signIn("a key", { remember: false });
  connection.asking()(200);
  early(401);
  assert.equal(connection.state, "online");
  assert.equal(connection.needsSignIn, false);
});

test("a server that is away or busy keeps the form open for who is to sign in", () => {
  connection.asking()(401);
  for (const [status, state] of [
    [503, "busy"],
    [429, "busy"],
    [0, "offline"],
    [502, "offline"],
  ]) {
    connection.asking()(status);
    assert.deepEqual([connection.state, connection.needsSignIn], [state, true]);
  }
  connection.asking()(200);
  assert.deepEqual([connection.state, connection.needsSignIn], ["online", false]);
});

test("who leaves is asked to sign in whatever the server says", () => {
  signIn("a key", { remember: false });
  connection.asking()(200);
  signOut();
  connection.leave();
  connection.asking()(503);
  assert.equal(connection.needsSignIn, true);
});
