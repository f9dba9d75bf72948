// The strip below the grid with the charts of the active sheet.

import { drawChart } from "./charts.js";

const EVENTS = ["opened", "activated", "shown", "calculated", "edited", "charts"];
const QUIET = 120;
const GAPS = 30; // pixels around and between charts

/**
 * @param {HTMLElement} panel
 * @param {import("./grid/store.js").UniverStore} store
 */
export function startCharts(panel, store) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(() => draw(panel, store), QUIET);
  };
  for (const event of EVENTS) store.addEventListener(event, soon);
  window.addEventListener("resize", soon);
}

/**
 * @param {HTMLElement} panel
 * @param {import("./grid/store.js").UniverStore} store
 */
function draw(panel, store) {
  const { charts } = store.active;
  panel.hidden = charts.length === 0;
  const width = Math.min(740, Math.max(360, (panel.clientWidth - GAPS) / charts.length - GAPS));
  panel.replaceChildren(
    ...charts.map((chart) => {
      const figure = drawChart(chart, Math.floor(width));
      figure.append(removal(chart, store));
      return figure;
    }),
  );
}

/**
 * @param {any} chart
 * @param {import("./grid/store.js").UniverStore} store
 */
function removal(chart, store) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "×";
  button.setAttribute("aria-label", `Remove the chart ${chart.title?.text || chart.name}`);
  button.addEventListener("click", () => {
    const sheet = store.sheets.find(({ charts }) => charts.includes(chart));
    sheet?.charts.splice(sheet.charts.indexOf(chart), 1);
    store.dispatchEvent(new Event("charts"));
  });
  return button;
}

/**
 * Draw the selected cells; a single cell stands for what its formula spills, or for its table.
 *
 * @param {import("./grid/store.js").UniverStore} store
 * @returns {string} what is wrong with the selection, or empty
 */
export function chartSelection(store) {
  const { sheet, block } = store.selection;
  const grid = /** @type {any} */ (sheet.grid);
  const single = block.rows * block.columns === 1;
  const table = sheet.tables.find(({ block: own }) => inside(block, own))?.block;
  const source = (single && (grid.spill(block.row, block.column) ?? table)) || block;
  const numbers = [...grid.entries(source)].filter(([, , cell]) => typeof cell.value === "number");
  if (numbers.length < 2) return "Select cells with numbers, their headers and labels, first.";
  const dates = numbers.some(([, column, cell]) => column === source.column && cell.value > 20_000);
  const number = sheet.charts.length + 1;
  sheet.charts.push({
    id: `chart${number}`,
    name: `Chart ${number}`,
    chartType: dates || source.rows > 40 ? "Line" : "ColumnClustered",
    source: { sheet, block: source },
    seriesBy: "Columns",
    title: { text: store.address(sheet, source), visible: true },
    legend: { position: "Bottom", visible: true },
  });
  store.dispatchEvent(new Event("charts"));
  return "";
}

/**
 * @param {import("./host/addresses.js").Block} a
 * @param {import("./host/addresses.js").Block} b
 */
function inside(a, b) {
  return (
    a.row >= b.row &&
    a.row < b.row + b.rows &&
    a.column >= b.column &&
    a.column < b.column + b.columns
  );
}
