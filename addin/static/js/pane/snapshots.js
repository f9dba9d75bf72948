// The versions of the data: which there are, which is the current one, and what two of them differ in.

import { changes } from "./changes.js";
import { at, fillSelect, h, select, tableOf } from "./dom.js";
import { count, moment } from "./format.js";
import { part } from "./part.js";
import { showProblem } from "./problems.js";

import { ask, records } from "./server.js";
import { settings } from "./settings.js";

const PAGE = 8;

/** @type {Record<string, any>[]} */
let known = [];

/** @returns {import("./part.js").Part} */
export function snapshotsPart() {
  at("more-snapshots").addEventListener("click", () => next(new AbortController().signal));
  at("compare-form").addEventListener("submit", compare);
  return part("snapshots", "The snapshots could not be listed.", async (signal) => {
    known = [];
    at("compared").replaceChildren();
    await next(signal);
  });
}

/** @param {AbortSignal} signal */
async function next(signal) {
  const query = new URLSearchParams({ limit: String(PAGE), offset: String(known.length) });
  if (settings.now.universe) query.set("universe", settings.now.universe);
  const { total, snapshots } = await ask(`snapshots?${query}`, { signal });
  known = [...known, ...records(snapshots)];
  at("snapshot-list").replaceChildren(...known.map(item));
  at("more-snapshots").hidden = known.length >= total;
  const options = known.map(({ id, as_of: asOf, current }) => ({
    value: id,
    text: `${asOf}, ${id}${current ? " (current)" : ""}`,
  }));
  at("compare-form").hidden = known.length < 2;
  if (known.length < 2) return;
  fillSelect(select("compare-before"), options, select("compare-before").value || known[1].id);
  fillSelect(select("compare-after"), options, select("compare-after").value || known[0].id);
}

/** @param {Record<string, any>} snapshot */
function item({ id, as_of: asOf, created, securities, source, current }) {
  return h(
    "li",
    null,
    h(
      "p",
      { class: "split" },
      h("span", null, h("strong", null, asOf), " ", h("code", null, id)),
      current && h("span", { class: "tag fixed" }, "current"),
    ),
    h(
      "p",
      { class: "quiet small" },
      `Written ${moment(created)}; ${count(securities)} securities from ${source}`,
    ),
  );
}

/** @param {Event} event */
async function compare(event) {
  event.preventDefault();
  const before = select("compare-before").value;
  const after = select("compare-after").value;
  const box = at("compared");
  box.replaceChildren(h("p", { class: "quiet small" }, "Comparing"));
  try {
    const query = new URLSearchParams({ before, after });
    const found = await ask(`snapshots/compare?${query}`);
    box.replaceChildren(...compared(found));
  } catch (error) {
    box.replaceChildren();
    showProblem("snapshots-problem", "The snapshots were not compared.", error);
  }
}

/** @param {Record<string, any>} found */
function compared(found) {
  const values = records(found.values);
  const lines = changes(found);
  if (lines.length === 0) return [h("p", { class: "small" }, "They hold the same.")];
  return [
    h("ul", { class: "plain-list small" }, ...lines.map((line) => h("li", null, line))),
    ...(values.length === 0
      ? []
      : [
          tableOf(
            "Values that differ, by field",
            ["Field", "Changed", "New", "Gone"],
            values.map((row) => [
              row.field.replaceAll("_", " "),
              count(row.changed),
              count(row.appeared),
              count(row.vanished),
            ]),
            { numeric: [1, 2, 3] },
          ),
        ]),
  ];
}
