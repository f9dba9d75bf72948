// The Data tab: what data the numbers come from, how good it is, a fresh copy of it.

import { at, fillSegments, h } from "./dom.js";
import { forgetChoices, universeQuery } from "./book.js";
import { count, moment } from "./format.js";
import { Canceled, follow } from "./jobs.js";
import { clearProblem, showProblem } from "./problems.js";
import { ask, records } from "./server.js";
import { settings } from "./settings.js";
import { recalculate } from "./workbook.js";

const PAGE = 6;
const SEVERITIES = /** @type {const} */ (["error", "warning", "info"]);
/** @type {Record<string, string>} */
const PLURALS = { error: "Errors", warning: "Warnings", info: "Info" };

let severity = "";
let shownFindings = 0;
let snapshot = "";

/** @param {() => Promise<void>} reload shows everything anew after a refresh */
export function startData(reload) {
  at("refresh").addEventListener("click", () => refresh(reload));
  at("more-findings").addEventListener("click", () => showFindings());
  at("recalculate").addEventListener("click", async () => {
    await recalculate();
    at("recalculate").hidden = true;
  });
  settings.watch(["universe"], () => loadData());
}

export async function loadData() {
  const list = at("status");
  list.setAttribute("aria-busy", "true");
  try {
    const data = await ask(`data${universeQuery()}`);
    snapshot = data.snapshot;
    showData(data);
    showCounts(data.findings);
    clearProblem("data-problem");
    shownFindings = 0;
    await showFindings();
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
  at("bias").textContent = data.survivorship;
}

/** @param {any} error */
function showWithoutData(error) {
  const empty = error.status === 404 && !at("status").hasChildNodes();
  if (empty) at("as-of").textContent = "No data yet: press Refresh to load the sample.";
  else if (error.status !== 401) showProblem("data-problem", "The data could not be shown.", error);
}

// --- refresh ------------------------------------------------------------------------------------

/** @param {() => Promise<void>} reload */
async function refresh(reload) {
  const button = /** @type {HTMLButtonElement} */ (at("refresh"));
  const before = snapshot;
  button.disabled = true;
  clearProblem("data-problem");
  try {
    const { universe } = settings.now;
    const job = await ask("data/refresh", { method: "POST", body: universe ? { universe } : {} });
    const result = await follow("refresh-job", job);
    forgetChoices();
    await reload();
    const isNew = result.snapshot !== before;
    at("recalculate").hidden = !isNew;
    at("refresh-job").replaceChildren(
      note(isNew ? "New data is here." : "Nothing has changed since the last refresh."),
    );
  } catch (error) {
    if (error instanceof Canceled) {
      at("refresh-job").replaceChildren(note("Canceled. The data is as it was."));
    } else {
      showProblem("data-problem", "The data was not refreshed; it is as it was.", error);
    }
  } finally {
    button.disabled = false;
    button.focus();
  }
}

/** @param {string} text */
const note = (text) => h("p", { class: "done", role: "status" }, text);

// --- quality ------------------------------------------------------------------------------------

/** @param {Record<string, number>} counts */
function showCounts(counts) {
  const all = SEVERITIES.reduce((sum, name) => sum + counts[name], 0);
  const options = [
    { value: "", text: `All ${count(all)}` },
    ...SEVERITIES.map((name) => ({ value: name, text: `${PLURALS[name]} ${count(counts[name])}` })),
  ];
  fillSegments(at("severity"), options, severity, (value) => {
    severity = value;
    shownFindings = 0;
    showFindings().catch((error) =>
      showProblem("data-problem", "The findings could not be shown.", error),
    );
  });
}

/** Show the next page of findings, the first one in place of what was shown. */
async function showFindings() {
  const query = new URLSearchParams({ limit: String(PAGE), offset: String(shownFindings) });
  if (severity) query.set("severity", severity);
  if (settings.now.universe) query.set("universe", settings.now.universe);
  const { total, findings } = await ask(`quality?${query}`);
  const lines = records(findings).map(finding);
  if (shownFindings === 0) at("findings").replaceChildren(...lines);
  else at("findings").append(...lines);
  shownFindings += lines.length;
  at("quality-count").textContent = total
    ? `${count(shownFindings)} of ${count(total)} shown, the newest first`
    : "No findings.";
  at("more-findings").hidden = shownFindings >= total;
}

/** @param {Record<string, any>} finding */
function finding({ date, ticker, check, severity: level, detail, action }) {
  return h(
    "li",
    null,
    h(
      "p",
      { class: "split" },
      h("strong", null, ticker || "All"),
      h("span", { class: "quiet small" }, date),
    ),
    h(
      "p",
      null,
      h("span", { class: `tag ${level}` }, level),
      ` ${check.replaceAll("_", " ")}: ${detail} `,
      h("span", { class: "quiet" }, action),
    ),
  );
}

// --- server -------------------------------------------------------------------------------------

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
