// The connection as the pane shows it, signing in and out, and what one may.

import { connection } from "../connection.js";
import { credential, signIn, signOut, useTokens } from "../session.js";
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

/** @type {Promise<Tokens | null> | null} Microsoft's account, once it is known whether one signs in by it */
let account = null;

/** @param {() => Promise<void>} reload asks the server for everything again */
export function startAccount(reload) {
  connection.addEventListener("change", () => onConnection(reload));
  at("sign-in").addEventListener("submit", (event) => onSignIn(event, reload));
  at("sign-in-microsoft").addEventListener("click", () => onMicrosoft(reload));
  at("sign-out").addEventListener("click", async () => {
    signOut();
    connection.leave();
    await ask("status").catch(() => {}); // a server that lets anybody in says so to the connection
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
  at("sign-in").hidden = !connection.needsSignIn;
  at("sign-out").hidden = !credential();
  at("rights").hidden = !credential();
  const first = at("by-account").hidden ? "key" : "sign-in-microsoft";
  if (state === "signed-out" && document.hasFocus()) at(first).focus(); // never out of the grid
}

/**
 * Be signed in where Office knows the user already.
 *
 * @returns {Promise<boolean>} whether there is a token now that was not there before
 */
async function signedInByOffice() {
  const before = credential();
  const tokens = await opened();
  return Boolean(await tokens?.renew()) && credential() !== before;
}

/** Microsoft's account, null where one does not sign in by it. */
async function opened() {
  account ??= openAccount();
  try {
    return await account;
  } catch (error) {
    console.warn("Tilt: whether one signs in by Microsoft is asked again later.", error.name);
    account = null;
    return null;
  }
}

async function openAccount() {
  const ways = await ask("sign-in", { open: true });
  if (!ways?.entra) return null;
  at("by-account").hidden = false;
  at("by-key").hidden = !ways.keys;
  input("key").required = ways.keys;
  const { openApp } = await import(ENTRA);
  const tokens = new Tokens({ app: await openApp(ways.entra), scope: ways.entra.scope });
  useTokens(tokens);
  return tokens;
}

/** @param {() => Promise<void>} reload */
async function onMicrosoft(reload) {
  const tokens = await opened();
  if (await tokens?.ask()) await begin(reload);
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
  // not by the connection's state: a server that is busy or away has not refused a key
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
  try {
    showMe(await ask("me"));
  } catch (error) {
    at("rights-roles").textContent = error.message;
    at("rights-objects").hidden = true;
  }
}

/** @param {{name: string, roles: string[], verbs: string[], objects: any[]}} me */
function showMe({ name, roles, verbs, objects }) {
  at("rights-who").textContent = name;
  at("rights-roles").textContent =
    roles.length > 0
      ? `Role: ${roles.join(", ")}. You may ${verbs.join(", ")} what was granted to you.`
      : "You have no role yet: an administrator gives you one.";
  at("rights-objects").hidden = objects.length === 0;
  const rows = objects.map((object) => row([object.name, object.kind, object.verbs.join(", ")]));
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
