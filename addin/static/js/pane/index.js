// The task pane: its tabs, each in a module of its own, over one connection and one workbook.

import { ribbon } from "../ribbon.js";
import { startAccount } from "./account.js";
import { choices, fillBookLists, forgetChoices, startBookLists } from "./book.js";
import { startCalculation } from "./calculation.js";
import { loadData, startData } from "./data_tab.js";
import { loadDocumentation, startDocumentation } from "./documentation_tab.js";
import { at } from "./dom.js";
import { loadFactors, startFactors } from "./factors_tab.js";
import { loadOptimize, startOptimize } from "./optimize_tab.js";
import { loadPerformance, startPerformance } from "./performance_tab.js";
import { loadPortfolio, startPortfolio } from "./portfolio_tab.js";
import { showProblem } from "./problems.js";
import { loadPure, startPure } from "./pure_tab.js";
import { loadReports, startReports } from "./reports_tab.js";
import { loadRisk, startRisk } from "./risk_tab.js";
import { ServerError } from "./server.js";
import { settings } from "./settings.js";
import { showSettings, startSettings } from "./settings_card.js";
import { onShow, openTab, showTab, startTabs } from "./tabs.js";
import { loadTracking, startTracking } from "./tracking_tab.js";
import { HOLDINGS, watchTable } from "./workbook.js";
import { showWelcome, startWelcome } from "./welcome.js";

/** @type {Record<string, () => Promise<void>>} what shows a tab with what is known now */
const LOAD = {
  factors: loadFactors,
  optimize: loadOptimize,
  pure: loadPure,
  tracking: loadTracking,
  risk: loadRisk,
  performance: loadPerformance,
  portfolio: loadPortfolio,
  reports: loadReports,
};

export async function startPane() {
  ribbon.addEventListener("tab", (event) => showTab(/** @type {CustomEvent} */ (event).detail.tab));
  ribbon.addEventListener("message", (event) => {
    const { kind, text } = /** @type {CustomEvent} */ (event).detail;
    say(kind, text);
  });
  startTabs();
  startAccount(reload);
  startCalculation();
  startDocumentation();
  await settings.load();
  startBookLists();
  startSettings();
  startData(reload);
  startFactors();
  startOptimize();
  startPure();
  startTracking();
  startPortfolio();
  startRisk();
  startPerformance();
  startReports();
  startWelcome(async () => {
    await reload();
    showTab("risk");
  });
  for (const [name, load] of Object.entries(LOAD)) onShow(name, () => withLists(load));
  settings.watch(["universe"], () => {
    forgetChoices();
    reload();
  });
  await reload();
}

/** Ask the server and the workbook for everything again. */
async function reload() {
  await loadData();
  try {
    await Promise.all([loadDocumentation(), choices()]);
    await fillBookLists();
    await showSettings();
    await showWelcome();
  } catch (error) {
    // what keeps the data away is said already
    if (!(error instanceof ServerError))
      showProblem("data-problem", "The pane is not whole.", error);
    return;
  }
  await LOAD[openTab()]?.();
}

/** @param {() => Promise<void>} load */
async function withLists(load) {
  try {
    await fillBookLists();
    await watchTable(HOLDINGS, holdingsChanged);
  } catch (error) {
    showProblem("data-problem", "The portfolios could not be listed.", error);
  }
  await load();
}

/** @type {ReturnType<typeof setTimeout> | undefined} */
let due;

/** The sheet with the holdings was edited: what is shown of them is shown anew. */
function holdingsChanged() {
  clearTimeout(due);
  due = setTimeout(() => {
    if (["optimize", "tracking", "risk", "performance"].includes(openTab())) LOAD[openTab()]();
  }, 400);
}

/**
 * @param {string} kind progress, done or error
 * @param {string} text
 */
function say(kind, text) {
  const message = at("message");
  message.hidden = !text;
  message.dataset.kind = kind;
  message.textContent = text;
}
