// Names that are to stay as they are, to have a weight, or to go: kept as the options pin and exclude,
// which the server and the buttons of the ribbon know.

import { at, h, input } from "./dom.js";
import { percent, readBound } from "./format.js";
import { settings } from "./settings.js";

/** @typedef {{ticker: string, weight: number | null}} Pin null: as it is now */

/** @returns {Pin[]} */
export function pins() {
  return words("pin").map((word) => {
    const [ticker, weight] = word.split("=");
    return { ticker: ticker.trim(), weight: weight === undefined ? null : Number(weight) };
  });
}

/** @returns {string[]} */
export const excluded = () => words("exclude");

/** @param {string} option */
const words = (option) =>
  String(settings.now.options[option] ?? "")
    .split(",")
    .map((word) => word.trim())
    .filter(Boolean);

/**
 * Keep a name at a weight, or as it is; an exclusion of it ends.
 *
 * @param {string} ticker
 * @param {number | null} [weight]
 */
export function pin(ticker, weight = null) {
  set(
    [...pins().filter((one) => one.ticker !== ticker), { ticker, weight }],
    excluded().filter((name) => name !== ticker),
  );
}

/** @param {string} ticker that is not to be held */
export function exclude(ticker) {
  set(
    pins().filter((one) => one.ticker !== ticker),
    [...excluded().filter((name) => name !== ticker), ticker],
  );
}

/** @param {string} ticker */
export function release(ticker) {
  set(
    pins().filter((one) => one.ticker !== ticker),
    excluded().filter((name) => name !== ticker),
  );
}

/**
 * @param {Pin[]} kept
 * @param {string[]} out
 */
function set(kept, out) {
  const options = { ...settings.now.options };
  delete options.pin;
  delete options.exclude;
  const text = kept.map(({ ticker, weight }) => (weight === null ? ticker : `${ticker}=${weight}`));
  if (text.length > 0) options.pin = text.join(",");
  if (out.length > 0) options.exclude = out.join(",");
  settings.set({ options });
}

/** Let names be pinned and excluded by typing; show them whenever they change. */
export function startPins() {
  at("pin-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const ticker = input("pin-ticker").value.trim().toUpperCase();
    const weight = readBound(input("pin-weight").value, true);
    const wrong = typeof weight === "string";
    input("pin-weight").setAttribute("aria-invalid", String(wrong));
    if (!ticker || wrong) {
      (ticker ? input("pin-weight") : input("pin-ticker")).focus();
      return;
    }
    pin(ticker, weight);
    input("pin-ticker").value = "";
    input("pin-weight").value = "";
    input("pin-ticker").focus();
  });
  settings.watch(["options"], showPins);
}

export function showPins() {
  const lines = [
    ...pins().map(({ ticker, weight }) => ({
      ticker,
      words: weight === null ? `${ticker} stays as it is` : `${ticker} at ${percent(weight)}`,
    })),
    ...excluded().map((ticker) => ({ ticker, words: `${ticker} is not to be held` })),
  ];
  at("pins").replaceChildren(
    ...lines.map(({ ticker, words: said }) =>
      h(
        "li",
        null,
        h("span", { class: "grow" }, said),
        h(
          "button",
          {
            type: "button",
            class: "icon",
            "aria-label": `No longer: ${said}`,
            click: () => {
              release(ticker);
              input("pin-ticker").focus();
            },
          },
          "×",
        ),
      ),
    ),
  );
  const details = /** @type {HTMLDetailsElement} */ (at("pins-part"));
  at("pins-count").textContent = lines.length > 0 ? `: ${lines.length}` : "";
  if (lines.length > 0) details.open = true;
}
