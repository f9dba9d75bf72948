// What the add-in's page does beyond what xlwings does: calls in batches, Excel's own errors, the
// client's name on every request, the ribbon's buttons and the pane.
//
// The page loads this after the shipped scripts module and before the functions' code, so that the
// first call already goes through here (templates/base.html).

import { startPane } from "./pane/index.js";
import { associateButtons, tiltSay } from "./ribbon.js";
import { getAuth, headers } from "./session.js";
import { startSheet } from "./sheet.js";

/** Ask Excel once what the shipped code asks before every call, so that a thousand calls do not. */
async function warmUp() {
  const { host } = await Office.onReady();
  if (host !== Office.HostType.Excel) return; // the page in a plain browser
  await Promise.all([
    globalThis.getWorkbookName(),
    globalThis.xlwings.getCultureInfoName(),
    globalThis.xlwings.getDateFormat(),
  ]);
}

globalThis.getAuth = getAuth;
globalThis.tilt = startSheet(globalThis.xwRequest, headers);
associateButtons();
globalThis.xlwings.registerCallback(tiltSay);
window.addEventListener("load", warmUp);
startPane();
