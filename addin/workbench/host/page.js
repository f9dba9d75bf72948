// Puts a host into the page, as `window.host` for whoever drives it.

import { Host } from "./host.js";

/** What Excel would know from the manifest and the metadata it names. */
async function describe() {
  const [manifest, metadata] = await Promise.all([
    fetch("/manifest.xml").then((response) => response.text()),
    fetch("/xlwings/custom-functions-meta.json").then((response) => response.json()),
  ]);
  const parsed = new DOMParser().parseFromString(manifest.trim(), "application/xml");
  const strings = [...parsed.getElementsByTagName("bt:String")];
  const namespace = strings.find((s) => s.getAttribute("id") === "Functions.Namespace");
  return { namespace: namespace?.getAttribute("DefaultValue") ?? "", metadata };
}

const SETTINGS = "tilt-host.document-settings";

/** The document's settings stay with the tab: reloading the page opens the same document again. */
const keeper = {
  read: () => sessionStorage.getItem(SETTINGS),
  write: (/** @type {string} */ content) => sessionStorage.setItem(SETTINGS, content),
};

const page = /** @type {any} */ (window);
const host = new Host({ describe, keeper });
page.host = host;
page.Excel = host.excel();
page.CustomFunctions = host.customFunctions();
Object.assign(page.Office, host.office());
page.officeIsReady({ host: "Excel", platform: "PC" });
