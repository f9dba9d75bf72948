// The Performance tab: why the portfolio did what it did, and what a strategy would have done.

import { loadAttribution, startAttribution } from "./attribution_part.js";
import { loadBacktest, startBacktest } from "./backtest_part.js";
import { showProblem } from "./problems.js";
import { startRuns } from "./runs_part.js";

export function startPerformance() {
  startAttribution();
  startBacktest();
  startRuns();
}

export async function loadPerformance() {
  try {
    await loadBacktest();
  } catch (error) {
    showProblem("test-problem", "The strategies could not be listed.", error);
  }
  await loadAttribution();
}
