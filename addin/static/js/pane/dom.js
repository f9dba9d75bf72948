// Elements, made and found; the whole of the pane's rendering.

const SVG = "http://www.w3.org/2000/svg";

/** @typedef {Node | string | number | null | undefined | false} Child */

/**
 * @template {HTMLElement} [T=HTMLElement]
 * @param {string} id
 * @returns {T}
 */
export const at = (id) => /** @type {T} */ (document.getElementById(id));

/**
 * @param {string} id
 * @returns {HTMLInputElement}
 */
export const input = (id) => at(id);

/**
 * @param {string} id
 * @returns {HTMLSelectElement}
 */
export const select = (id) => at(id);

/**
 * Make an element. Text is always text: nothing is parsed as HTML.
 *
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, any> | null} [attributes] a function is a listener; true sets an attribute
 *   without a value; false, null and undefined leave it out
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, attributes, ...children) {
  const made = document.createElement(tag);
  dress(made, attributes ?? {});
  append(made, children);
  return made;
}

/**
 * @template {keyof SVGElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, any>} attributes
 * @param {...Child} children
 * @returns {SVGElementTagNameMap[K]}
 */
export function s(tag, attributes, ...children) {
  const made = document.createElementNS(SVG, tag);
  dress(made, attributes);
  append(made, children);
  return made;
}

/**
 * @param {Element} element
 * @param {Record<string, any>} attributes
 */
function dress(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (typeof value === "function") element.addEventListener(name, value);
    else if (name === "value") /** @type {HTMLInputElement} */ (element).value = value;
    else element.setAttribute(name, value === true ? "" : String(value));
  }
}

/**
 * @param {Element} element
 * @param {Child[]} children
 */
function append(element, children) {
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : String(child));
  }
}

/**
 * @param {HTMLSelectElement} list
 * @param {{value: string, text: string}[]} options
 * @param {string} chosen
 */
export function fillSelect(list, options, chosen) {
  const known = options.some(({ value }) => value === chosen);
  list.replaceChildren(
    ...options.map(({ value, text }) => h("option", { value, selected: value === chosen }, text)),
  );
  if (known) list.value = chosen;
}

/**
 * A choice of one among a few, as radio buttons that look like a switch.
 *
 * @param {HTMLElement} group an element with the role of a radio group
 * @param {{value: string, text: string}[]} options
 * @param {string} chosen
 * @param {(value: string) => void} onChoose
 */
export function fillSegments(group, options, chosen, onChoose) {
  group.replaceChildren(
    ...options.map(({ value, text }) =>
      h(
        "label",
        { class: "segment" },
        h("input", {
          type: "radio",
          name: group.id,
          value,
          checked: value === chosen,
          change: () => onChoose(value),
        }),
        h("span", null, text),
      ),
    ),
  );
}

/**
 * A table of text cells; numbers stand right.
 *
 * @param {string} caption for those who hear the page
 * @param {string[]} headers
 * @param {Child[][]} rows
 * @param {{numeric?: number[], footer?: Child[][], className?: string}} [options] numeric: columns
 */
export function tableOf(
  caption,
  headers,
  rows,
  { numeric = [], footer = [], className = "" } = {},
) {
  const side = (/** @type {number} */ j) => (numeric.includes(j) ? { class: "number" } : null);
  const line = (/** @type {Child[]} */ cells) =>
    h(
      "tr",
      null,
      ...cells.map((cell, j) =>
        j === 0 ? h("th", { scope: "row", ...side(j) }, cell) : h("td", side(j), cell),
      ),
    );
  return h(
    "table",
    { class: `plain-table ${className}` },
    h("caption", { class: "visually-hidden" }, caption),
    h(
      "thead",
      null,
      h("tr", null, ...headers.map((text, j) => h("th", { scope: "col", ...side(j) }, text))),
    ),
    h("tbody", null, ...rows.map(line)),
    footer.length > 0 && h("tfoot", null, ...footer.map(line)),
  );
}
