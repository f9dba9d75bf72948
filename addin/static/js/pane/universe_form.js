// The form of a universe of one's own: by rule or by list, with its members counted as it is filled.

import { choices } from "./book.js";
import { at, fillSegments, fillSelect, h, input, select } from "./dom.js";
import { count } from "./format.js";
import { clearProblem, showProblem } from "./problems.js";
import { ask, records, ServerError } from "./server.js";

const TYPING = 400; // milliseconds without a change before the members are counted
const NUMBERS = ["top", "min_history", "min_price", "min_adv", "cap"];
const KINDS = [
  { value: "rule", text: "By rule" },
  { value: "list", text: "By list" },
];

let kind = "rule";
/** @type {string | null} the universe that is edited, null for a new one */
let editing = null;
/** @type {Record<string, any>} what its rule says that this form has no field for */
let more = {};
/** @type {AbortController | null} */
let asking = null;

/** @param {(words: string) => Promise<void>} changed called when one was saved */
export function startForm(changed) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let due;
  at("universe-form").addEventListener("input", () => {
    clearTimeout(due);
    due = setTimeout(preview, TYPING);
  });
  at("universe-form").addEventListener("submit", (event) => save(event, changed));
  at("cancel-universe").addEventListener("click", () => {
    at("universe-form").hidden = true;
    at("new-universe").focus();
  });
}

/** @param {string | null} name of the universe to edit */
export async function openForm(name) {
  try {
    const { universes } = await ask("universes?limit=1000");
    const known = name === null ? null : await ask(`universes/${encodeURIComponent(name)}`);
    const bases = records(universes).filter((universe) => universe.kind === "base");
    const { members } = await choices();
    fill(name, known, bases, members.sector);
  } catch (error) {
    showProblem("universes-problem", "The universe could not be opened.", error);
    return;
  }
  clearProblem("universes-problem");
  clearProblem("rule-problem");
  at("universe-form").hidden = false;
  at("universe-form-title").focus();
  await preview();
}

/**
 * @param {string | null} name
 * @param {Record<string, any> | null} known
 * @param {Record<string, any>[]} bases universes it may be chosen from
 * @param {string[]} sectors
 */
function fill(name, known, bases, sectors) {
  const rule = known?.rule ?? {};
  editing = name;
  kind = rule.tickers?.length > 0 ? "list" : "rule";
  at("universe-form-title").textContent = name === null ? "New universe" : `Edit ${name}`;
  input("rule-name").value = name ?? "";
  input("rule-name").readOnly = name !== null;
  input("rule-description").value = known?.description ?? "";
  const parents = bases.map((universe) => ({ value: universe.name, text: universe.name }));
  fillSelect(select("rule-parent"), parents, known?.parent ?? at("status").dataset.universe ?? "");
  for (const field of NUMBERS) input(`rule-${field}`).value = rule[field] ?? "";
  input("rule-exclude").value = (rule.exclude ?? []).join(", ");
  /** @type {HTMLTextAreaElement} */ (at("rule-tickers")).value = (rule.tickers ?? []).join(", ");
  select("rule-rebalance").value = rule.rebalance ?? "M";
  select("rule-weighting").value = rule.weighting ?? "cap";
  const chosen = new Set(rule.sector ?? []);
  at("rule-sectors").replaceChildren(
    ...sectors.map((sector) =>
      h(
        "label",
        { class: "check" },
        h("input", { type: "checkbox", value: sector, checked: chosen.has(sector) }),
        sector,
      ),
    ),
  );
  const shown = [...NUMBERS, "exclude", "tickers", "rebalance", "weighting", "sector"];
  more = Object.fromEntries(Object.entries(rule).filter(([field]) => !shown.includes(field)));
  fillSegments(at("rule-kind"), KINDS, kind, (value) => {
    kind = value;
    showKind();
    preview();
  });
  showKind();
}

function showKind() {
  at("by-rule").hidden = kind !== "rule";
  at("by-list").hidden = kind !== "list";
}

/** What the form says, as the server takes it; numbers it cannot read go as they are typed. */
function body() {
  const { value: tickers } = /** @type {HTMLTextAreaElement} */ (at("rule-tickers"));
  const boxes = [...at("rule-sectors").querySelectorAll("input")];
  const byRule = {
    ...Object.fromEntries(
      ["top", "min_history", "min_price", "min_adv"].map((field) => [field, numberAt(field)]),
    ),
    sector: boxes.filter(({ checked }) => checked).map((box) => box.value),
    exclude: listed(input("rule-exclude").value),
  };
  /** @type {Record<string, any>} */
  const rule = {
    ...more,
    ...(kind === "rule" ? byRule : { tickers: listed(tickers) }),
    cap: numberAt("cap"),
    rebalance: select("rule-rebalance").value,
    weighting: select("rule-weighting").value,
  };
  const given = Object.entries(rule).filter(([, value]) => value !== null && value.length !== 0);
  return {
    parent: select("rule-parent").value,
    description: input("rule-description").value.trim(),
    rule: Object.fromEntries(given),
  };
}

/** @param {string} field */
function numberAt(field) {
  const typed = input(`rule-${field}`).value.replaceAll(/[\s,]/g, "");
  if (!typed) return null;
  const share = typed.endsWith("%");
  const value = Number(share ? typed.slice(0, -1) : typed);
  if (Number.isNaN(value)) return typed; // the server says what is wrong with it
  return share ? value / 100 : value;
}

/** @param {string} text tickers by comma, semicolon, space or line */
const listed = (text) => text.split(/[\s,;]+/).filter(Boolean);

/** Count the members as the form stands. */
async function preview() {
  if (at("universe-form").hidden) return;
  asking?.abort();
  const mine = new AbortController();
  asking = mine;
  const shown = at("rule-count");
  shown.textContent = "Counting the members";
  shown.dataset.state = "";
  try {
    const { count: number, of } = await ask("universes/preview", {
      method: "POST",
      body: body(),
      signal: mine.signal,
    });
    shown.textContent = `${count(number)} members now${of ? ` of ${count(of)}` : ""}`;
    shown.dataset.state = number > 0 ? "kept" : "broken";
  } catch (error) {
    if (error.name === "AbortError") return;
    shown.dataset.state = "wrong";
    shown.textContent = error instanceof ServerError ? error.message : String(error);
  }
}

/**
 * @param {Event} event
 * @param {(words: string) => Promise<void>} changed
 */
async function save(event, changed) {
  event.preventDefault();
  const name = editing ?? input("rule-name").value.trim();
  try {
    await ask(`universes/${encodeURIComponent(name)}`, { method: "PUT", body: body() });
  } catch (error) {
    showProblem("rule-problem", `${name} was not saved.`, error);
    return;
  }
  clearProblem("rule-problem");
  at("universe-form").hidden = true;
  await changed(`${name} is saved. In a cell: =TILT.MEMBERS("${name}")`);
  at("new-universe").focus();
}
