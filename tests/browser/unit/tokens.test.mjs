import assert from "node:assert/strict";
import { test } from "node:test";

import { headers, useTokens } from "../../../addin/static/js/session.js";
import { Tokens } from "../../../addin/static/js/tokens.js";

const HOUR = 3_600_000;

/** Microsoft's library as far as it is used, and a clock that the test moves. */
function stand() {
  const it = { now: 0, silent: 0, popups: 0, away: false, timers: [] };
  const grant = () => ({
    accessToken: `token ${it.silent}.${it.popups}`,
    expiresOn: new Date(it.now + HOUR),
    account: "anna",
  });
  const app = {
    async acquireTokenSilent(request) {
      it.silent += 1;
      it.asked = request;
      await Promise.resolve();
      if (it.away) throw Object.assign(new Error("secret detail"), { errorCode: "no_network" });
      return grant();
    },
    async acquireTokenPopup() {
      it.popups += 1;
      return grant();
    },
  };
  const later = (work, ms) => it.timers.push({ work, ms });
  it.tokens = new Tokens({ app, scope: "api://tilt/access", now: () => it.now, later });
  return it;
}

test("a token is asked for once by many, and for our scope", async () => {
  const it = stand();
  const done = await Promise.all([it.tokens.renew(), it.tokens.renew(), it.tokens.renew()]);
  assert.deepEqual(done, [true, true, true]);
  assert.equal(it.silent, 1);
  assert.deepEqual(it.asked.scopes, ["api://tilt/access"]);
});

test("a token is renewed five minutes before it ends, for the same account", async () => {
  const it = stand();
  await it.tokens.renew();
  assert.equal(it.timers.at(-1).ms, HOUR - 5 * 60_000);
  assert.equal(await it.tokens.fresh(), "token 1.0");
  it.now = HOUR - 60_000;
  assert.equal(await it.tokens.fresh(), "token 2.0");
  assert.equal(it.asked.account, "anna");
});

test("while Microsoft is away a token is good until its end, and not a moment longer", async () => {
  const it = stand();
  await it.tokens.renew();
  it.away = true;
  it.now = HOUR - 1;
  assert.equal(await it.tokens.fresh(), "token 1.0");
  it.now = HOUR;
  assert.equal(await it.tokens.fresh(), "");
});

test("every request carries the token, and none after signing out", async () => {
  const it = stand();
  useTokens(it.tokens);
  assert.equal(headers().Authorization, undefined);
  assert.equal(await it.tokens.ask(), true);
  assert.equal(headers().Authorization, "Bearer token 0.1");
  it.tokens.forget();
  assert.equal(headers().Authorization, undefined);
});

test("who signed out is not signed in again in silence, nor by what was asked before", async () => {
  const it = stand();
  const asked = it.tokens.renew();
  it.tokens.forget();
  assert.equal(await asked, false);
  assert.equal(await it.tokens.renew(), false);
  assert.equal(it.tokens.token, "");
  assert.equal(await it.tokens.ask(), true);
  assert.equal(it.tokens.token, "token 1.1");
});
