// The connection as the pane shows it, signing in and out, and what one may.

import { connection } from "../connection.js";
import { isSignedIn, signIn, signOut, useTokens } from "../session.js";
import { Tokens } from "../tokens.js";
import { at, input } from "./dom.js";
import { ask } from "./server.js";
import { recalculate } from "./workbook.js";

/** Where the bundle with Microsoft's library lies; it is loaded only where it is needed. */
const ENTRA = "/static/workbench/dist/entra.js";

/** @type {Record<import("../connection.js").State, string>} */
const STATES = {
  connecting: "Connecting",
  online: "Connected",
  busy: "Server busy",
  offline: "Server away",
  "signed-out": "Not signed in",
};

/** @type {Tokens | null} */
let tokens = null;

/** @param {() => Promise<void>} reload asks the server for everything again */
export function startAccount(reload) {
  connection.addEventListener("change", () => onConnection(reload));
  at("sign-in").addEventListener("submit", (event) => onSignIn(event, reload));
  at("sign-in-microsoft").addEventListener("click", () => onMicrosoft(reload));
  at("sign-out").addEventListener("click", async () => {
    signOut();
    await ask("status").catch(() => {}); // the connection says how it went
    showConnection();
  });
  at("rights").addEventListener("toggle", showRights);
}

/** @param {() => Promise<void>} reload */
async function onConnection(reload) {
  if (connection.state === "signed-out" && (await signedInByOffice())) {
    await begin(reload);
    return;
  }
  showConnection();
}

function showConnection() {
  const { state } = connection;
  const shown = at("connection");
  shown.dataset.state = state;
  shown.textContent = STATES[state];
  at("sign-in").hidden = state !== "signed-out";
  at("sign-out").hidden = !isSignedIn();
  at("rights").hidden = !isSignedIn();
  const first = at("by-account").hidden ? "key" : "sign-in-microsoft";
  if (state === "signed-out" && document.hasFocus()) at(first).focus(); // never out of the grid
}

/**
 * Ask once how one signs in here, and be signed in where Office knows the user already.
 *
 * @returns {Promise<boolean>} whether there is a token now that was not there before
 */
async function signedInByOffice() {
  const before = tokens?.token;
  if (!tokens) {
    const ways = await ask("sign-in", { open: true }).catch(() => null);
    if (!ways?.entra) return false;
    at("by-account").hidden = false;
    at("by-key").hidden = !ways.keys;
    input("key").required = ways.keys;
    const { openApp } = await import(ENTRA);
    tokens = new Tokens({ app: await openApp(ways.entra), scope: ways.entra.scope });
    useTokens(tokens);
  }
  return (await tokens.renew()) && tokens.token !== before;
}

/** @param {() => Promise<void>} reload */
async function onMicrosoft(reload) {
  const done = await tokens?.ask();
  if (done) await begin(reload);
  else at("sign-in-error").textContent = "Microsoft did not sign you in. Try again.";
}

/**
 * @param {Event} event
 * @param {() => Promise<void>} reload
 */
async function onSignIn(event, reload) {
  event.preventDefault();
  const field = input("key");
  signIn(field.value.trim(), { remember: input("remember").checked });
  if (await begin(reload)) field.value = "";
}

/**
 * Show whether the server knows us now, and have everything anew if it does.
 *
 * @param {() => Promise<void>} reload
 * @returns {Promise<boolean>}
 */
async function begin(reload) {
  // not by the connection's state: an answer to a request without the key may come in between
  const status = await ask("status").then(
    () => 200,
    (error) => error.status,
  );
  if (status === 401) signOut();
  at("sign-in-error").textContent = status === 401 ? refusal() : "";
  showConnection();
  if (status !== 200) return false;
  await reload();
  await recalculate(); // the cells that failed for want of a key
  return true;
}

function refusal() {
  const byKey = input("key").value !== "";
  return byKey ? "The server does not know this key." : "The server does not take this account.";
}

/** Show who one is and what one may, asked for when it is opened. */
async function showRights() {
  if (!(/** @type {HTMLDetailsElement} */ (at("rights")).open)) return;
  const me = await ask("me").catch(() => null);
  if (!me) return;
  at("rights-who").textContent = me.name;
  const roles = me.roles.join(", ");
  at("rights-roles").textContent = roles
    ? `Role: ${roles}. You may ${me.verbs.join(", ")} what was granted to you.`
    : "You have no role yet: an administrator gives you one.";
  const rows = me.objects.map((/** @type {any} */ { name, kind, verbs }) =>
    row([name, kind, verbs.join(", ")]),
  );
  at("rights-objects")
    .querySelector("tbody")
    ?.replaceChildren(...rows);
}

/** @param {string[]} texts */
function row(texts) {
  const line = document.createElement("tr");
  for (const text of texts)
    line.append(Object.assign(document.createElement("td"), { textContent: text }));
  return line;
}
