"""An answer as tables: its trades, its weights, and what they come to before and after."""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from tilt.frames import Weights
from tilt.optimize.case import Case
from tilt.optimize.explain import Priced
from tilt.optimize.trades import LEAST_TRADE, reasons
from tilt.risk.measures import risk_measure


def trades_table(case: Case, weights: Weights, priced: list[Priced]) -> pd.DataFrame:
    """Return ticker, name, current, optimal, trade, reason, the largest first; cash at the end."""
    after = weights.to_numpy()
    trade = after - case.current
    why = reasons(case, after, priced)
    order = sorted(why, key=lambda i: (-abs(trade[i]), str(case.assets[i])))
    tickers = weights.index[order]
    table = pd.DataFrame(
        {
            "ticker": tickers.to_numpy(),
            "name": _names(case, tickers),
            "current": case.current[order],
            "optimal": after[order],
            "trade": trade[order],
            "reason": [why[i] for i in order],
        }
    )
    cash = -float(trade.sum())
    if abs(cash) <= LEAST_TRADE:
        return table
    held = 1 - float(case.current.sum())
    row = ["CASH", "Cash", held, held + cash, cash, "Changes with the sum of the weights."]
    return pd.concat([table, pd.DataFrame([row], columns=table.columns)], ignore_index=True)


def weights_table(case: Case, weights: Weights, reason: Callable[[int], str]) -> pd.DataFrame:
    """Return ticker, name, weight, benchmark, active, current, reason of what is or was held.

    ``reason`` says of an asset, by its number, why it is held as much as it is.
    """
    after = weights.to_numpy()
    table = pd.DataFrame(
        {
            "ticker": weights.index.to_numpy(),
            "name": _names(case, weights.index),
            "weight": after,
            "benchmark": case.center,
            "active": after - case.center,
            "current": case.current,
        }
    )
    shown = table[(table["weight"] != 0) | (table["current"] != 0)]
    shown = shown.assign(reason=[reason(at) for at in shown.index])
    return shown.sort_values(["weight", "ticker"], ascending=[False, True], ignore_index=True)


def summary_table(case: Case, after: Mapping[str, float] | None) -> pd.DataFrame:
    """Return measure, before, after; without an answer nothing is known of after."""
    before = figures(case, pd.Series(case.current, case.problem.model.exposures.index))
    known = dict.fromkeys(before, np.nan) if after is None else after
    rows = [(name, before[name], known[name]) for name in before]
    return pd.DataFrame(rows, columns=["measure", "before", "after"])


def beside_unpinned(table: pd.DataFrame, unpinned: Mapping[str, float]) -> pd.DataFrame:
    """Return a summary with the figures of the answer without pins and exclusions."""
    return table.assign(unpinned=[unpinned.get(name, np.nan) for name in table["measure"]])


def figures(case: Case, weights: Weights) -> dict[str, float]:
    """Return what some weights come to, by measure."""
    problem, w = case.problem, weights.to_numpy(dtype=float)
    measures = ["volatility"]
    if case.benchmark is not None and np.any(case.benchmark):
        measures = ["tracking_error", "volatility", "beta", "active_share"]
    found = {m: risk_measure(problem.model, weights, problem.benchmark, m) for m in measures}
    trade = w - case.current
    found["turnover"] = float((np.abs(trade).sum() + abs(trade.sum())) / 2)
    found["names"] = float((w != 0).sum())
    found["largest_weight"] = float(w.max(initial=0.0))
    found["cash"] = 1.0 - float(w.sum())
    if problem.alpha is not None:
        found["expected_return"] = float(case.alpha @ w)
    return found


def _names(case: Case, tickers: "pd.Index[str]") -> list[str]:
    securities = case.problem.securities
    if "name" not in securities.columns:
        return [str(t) for t in tickers]
    return [str(n) for n in securities["name"].reindex(tickers).fillna("")]
