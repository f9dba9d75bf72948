// The Data tab: what data the numbers come from, how good it is, a fresh copy of it.

import { universeQuery } from "./book.js";
import { startDataFile } from "./data_file.js";
import { at, h } from "./dom.js";
import { fromTheStart, startFindings } from "./findings.js";
import { count, moment } from "./format.js";
import { clearProblem, showProblem } from "./problems.js";
import { runRefresh } from "./refresh.js";
import { ask } from "./server.js";
import { settings } from "./settings.js";
import { snapshotsPart } from "./snapshots.js";
import { sourcesPart } from "./sources.js";
import { universesPart } from "./universes.js";
import { recalculate } from "./workbook.js";

/** @type {import("./part.js").Part[]} the parts that open */
let parts = [];

/** @param {() => Promise<void>} reload shows everything anew after a refresh */
export function startData(reload) {
  const button = /** @type {HTMLButtonElement} */ (at("refresh"));
  button.addEventListener("click", () => {
    const { universe } = settings.now;
    runRefresh({
      button,
      box: "refresh-job",
      problem: "data-problem",
      path: "data/refresh",
      body: universe ? { universe } : {},
      reload,
    });
  });
  at("recalculate").addEventListener("click", async () => {
    await recalculate();
    at("recalculate").hidden = true;
  });
  startFindings();
  startDataFile(reload);
  parts = [sourcesPart(reload), universesPart(reload), snapshotsPart()];
}

export async function loadData() {
  const list = at("status");
  list.setAttribute("aria-busy", "true");
  if (!list.hasChildNodes()) at("as-of").textContent = "Loading";
  try {
    const data = await ask(`data${universeQuery()}`);
    showData(data);
    clearProblem("data-problem");
    // each part shows its own errors; none waits for another one
    await Promise.all([fromTheStart(), ...parts.map((part) => part.load())]);
  } catch (error) {
    showWithoutData(error); // what was shown stays
  } finally {
    list.setAttribute("aria-busy", "false");
  }
  await showServer();
}

/** @param {Record<string, any>} data */
function showData(data) {
  const years = `${data.first_date.slice(0, 4)}–${data.as_of.slice(0, 4)}`;
  at("as-of").replaceChildren("As of ", h("strong", null, data.as_of));
  const now = data.securities_now < data.securities ? `, ${count(data.securities_now)} now` : "";
  const items = [
    ["Universe", h("span", { title: data.description }, data.universe)],
    ["Coverage", `${count(data.securities)} securities${now}; ${count(data.days)} days, ${years}`],
    ["Factors", data.factors ? String(data.factors) : "none"],
    ["Source", data.source],
    ["Last refresh", moment(data.last_refresh)],
    ["Snapshot", h("code", null, data.snapshot)],
  ];
  at("status").replaceChildren(
    ...items.flatMap(([name, value]) => [h("dt", null, name), h("dd", null, value)]),
  );
  at("status").dataset.universe = data.universe;
  at("bias").textContent = data.survivorship;
}

/** @param {any} error */
function showWithoutData(error) {
  const empty = !at("status").hasChildNodes();
  if (empty) at("as-of").textContent = "";
  if (empty && error.status === 404) {
    at("as-of").textContent = "No data yet: press Refresh to load the sample.";
  } else if (error.status !== 401) {
    showProblem("data-problem", "The data could not be shown.", error);
  }
}

async function showServer() {
  let status;
  try {
    status = await ask("status");
  } catch {
    return; // the state beside the title says why
  }
  const names = ["version", "user", "pending jobs", "cache"];
  at("server-items").replaceChildren(
    ...names.flatMap((name) => [h("dt", null, name), h("dd", null, String(status[name]))]),
  );
}
