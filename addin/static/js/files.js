// Files that a button made: fetched with the user's key, offered below the message of the pane.

import { headers } from "./session.js";

const KEPT = "/api/v1/reports/";
const ID = "offer";

/** @type {string} address of the file that is offered now; its memory is freed with the next one */
let address = "";

/**
 * @param {string} id
 * @returns {Promise<Blob>}
 * @throws {Error} with what to tell the user
 */
export async function fetchFile(id) {
  let response;
  try {
    response = await fetch(KEPT + encodeURIComponent(id), { headers: headers() });
  } catch {
    throw new Error("The Tilt server does not answer. Check that it runs, then try again.");
  }
  if (response.ok) return response.blob();
  const said = await response.json().catch(() => ({})); // a proxy between us answers in HTML
  throw new Error(said.detail ?? `The server refused it (${response.status}). Try again.`);
}

/**
 * Show what can be done with a file: save it, or open it as a new workbook where Excel can.
 *
 * @param {string} name
 * @param {Blob} blob
 */
export function offerFile(name, blob) {
  const shown = document.getElementById(ID) ?? document.createElement("p");
  shown.id = ID;
  shown.className = "notice";
  if (address) URL.revokeObjectURL(address);
  const actions = fileActions(name, blob);
  address = actions[0].href;
  shown.replaceChildren(...actions.flatMap((action) => [action, " "]));
  document.getElementById("message")?.after(shown);
}

/**
 * A link that saves a file and, for a workbook where Excel can, a button that opens it.
 *
 * @param {string} name
 * @param {Blob} blob
 * @returns {[HTMLAnchorElement, ...HTMLButtonElement[]]}
 */
export function fileActions(name, blob) {
  const link = document.createElement("a");
  const href = URL.createObjectURL(blob);
  Object.assign(link, { href, download: name, textContent: `Save ${name}` });
  const opens = Office.context.requirements.isSetSupported("ExcelApi", "1.8");
  if (!name.endsWith(".xlsx") || !opens) return [link];
  const open = document.createElement("button");
  Object.assign(open, { type: "button", textContent: "Open in Excel" });
  open.addEventListener("click", async () => Excel.createWorkbook(await base64(blob)));
  return [link, open];
}

/**
 * @param {Blob} blob
 * @returns {Promise<string>}
 */
function base64(blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result).replace(/^.*?,/, ""));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });
}
