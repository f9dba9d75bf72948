// The connection as the pane shows it, signing in and out.

import { connection } from "../connection.js";
import { apiKey, signIn, signOut } from "../session.js";
import { at, input } from "./dom.js";
import { ask } from "./server.js";
import { recalculate } from "./workbook.js";

/** @type {Record<import("../connection.js").State, string>} */
const STATES = {
  connecting: "Connecting",
  online: "Connected",
  busy: "Server busy",
  offline: "Server away",
  "signed-out": "Not signed in",
};

/** @param {() => Promise<void>} reload asks the server for everything again */
export function startAccount(reload) {
  connection.addEventListener("change", showConnection);
  at("sign-in").addEventListener("submit", (event) => onSignIn(event, reload));
  at("sign-out").addEventListener("click", async () => {
    signOut();
    await ask("status").catch(() => {}); // the connection says how it went
    showConnection();
  });
}

function showConnection() {
  const { state } = connection;
  const shown = at("connection");
  shown.dataset.state = state;
  shown.textContent = STATES[state];
  at("sign-in").hidden = state !== "signed-out";
  at("sign-out").hidden = !apiKey();
  if (state === "signed-out" && document.hasFocus()) at("key").focus(); // never out of the grid
}

/**
 * @param {Event} event
 * @param {() => Promise<void>} reload
 */
async function onSignIn(event, reload) {
  event.preventDefault();
  const field = input("key");
  signIn(field.value.trim(), { remember: input("remember").checked });
  // not by the connection's state: an answer to a request without the key may come in between
  const status = await ask("status").then(
    () => 200,
    (error) => error.status,
  );
  if (status === 401) signOut();
  at("sign-in-error").textContent = status === 401 ? "The server does not know this key." : "";
  if (status !== 200) return;
  field.value = "";
  showConnection();
  await reload();
  await recalculate(); // the cells that failed for want of a key
}
