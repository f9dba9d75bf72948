// Formats of cells: the host's words on one side, Univer's on the other.

const HORIZONTAL = ["General", "Left", "Center", "Right"];
const VERTICAL = ["", "Top", "Center", "Bottom"];
const WRAPPED = 3;
const CLIPPED = 2;

/**
 * @param {Record<string, any>} format as the host keeps it
 * @returns {Record<string, any>} Univer's style; null takes a part away
 */
export function toStyle(format) {
  /** @type {Record<string, any>} */
  const style = {};
  const put = (/** @type {string} */ key, /** @type {(value: any) => any} */ make) => {
    if (!(key in format)) return undefined;
    const value = format[key];
    return value === undefined || value === null ? null : make(value);
  };
  const parts = {
    n: put("numberFormat", (pattern) => (pattern === "General" ? null : { pattern })),
    bl: put("bold", Number),
    it: put("italic", Number),
    fs: put("size", Number),
    ff: put("font", String),
    cl: put("fontColor", (rgb) => ({ rgb })),
    bg: put("fill", (rgb) => ({ rgb })),
    tb: put("wrapText", (wrap) => (wrap ? WRAPPED : CLIPPED)),
    ht: put("horizontalAlignment", (at) => Math.max(0, HORIZONTAL.indexOf(at)) || null),
    vt: put("verticalAlignment", (at) => Math.max(0, VERTICAL.indexOf(at)) || null),
  };
  for (const [key, value] of Object.entries(parts)) if (value !== undefined) style[key] = value;
  return style;
}

/**
 * @param {any} style Univer's, of the cell
 * @param {any} shown the cell with the value, whose own number format a spilled result brings
 * @returns {Record<string, any>}
 */
export function fromStyle(style, shown) {
  const pattern = style?.n?.pattern ?? shown?.s?.n?.pattern;
  /** @type {Record<string, any>} */
  const format = {
    numberFormat: pattern,
    bold: style?.bl ? true : undefined,
    italic: style?.it ? true : undefined,
    size: style?.fs,
    font: style?.ff,
    fontColor: style?.cl?.rgb,
    fill: style?.bg?.rgb,
    wrapText: style?.tb === WRAPPED ? true : undefined,
    horizontalAlignment: style?.ht ? HORIZONTAL[style.ht] : undefined,
    verticalAlignment: style?.vt ? VERTICAL[style.vt] : undefined,
  };
  for (const key of Object.keys(format)) if (format[key] === undefined) delete format[key];
  return format;
}
