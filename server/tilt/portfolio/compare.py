"""Two portfolios side by side, a portfolio before and after a trade, and one on a page."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from tilt.errors import ArgumentError, UnknownNameError, did_you_mean, one_of
from tilt.frames import Weights
from tilt.risk.measures import MEASURES, exposure_table, risk_measure_many
from tilt.risk.model import CASH, RiskModel

VIEWS = ("position", "sector", "factor", "risk")
FUNDING = ("cash", "prorata")
SIDE_BY_SIDE = (
    "volatility", "tracking_error", "beta", "factor_volatility", "specific_volatility", "factor_te",
    "specific_te", "r_squared", "var95", "cvar95", "active_share", "effective_n", "names",
)  # fmt: skip
NO_SECTOR = "No sector"
TOP = 10
ROUNDING = 1e-12


def compare(
    model: RiskModel,
    a: Weights,
    b: Weights,
    *,
    by: str = "position",
    sectors: "pd.Series[str] | None" = None,
    benchmark: "Weights | None" = None,
) -> pd.DataFrame:
    """Put two portfolios side by side.

    Parameters
    ----------
    a, b : by ticker, fractions of capital; what is missing to one is cash
    by : "position", "sector", "factor" (exposures) or "risk" (forecast measures, a year)
    sectors : by ticker; the model's where None
    benchmark : of the measures against one; without it they are absolute

    Returns
    -------
    name, a, b, difference (a - b), positions and sectors largest difference first. The last rows:
    ``active_share`` (half the sum of absolute differences, cash counted), ``overlap`` (the sum of
    what both hold of each name, for long-only portfolios 1 - active share) and ``turnover`` (one
    way, to get from a to b), each in the column ``difference``.

    Raises
    ------
    ArgumentError
        If ``by`` is unknown.
    """
    view = one_of("by", by, VIEWS)
    pair = _with_cash(a, b)
    if view == "position":
        rows = _largest_first(pair)
    elif view == "sector":
        known = model.sector if sectors is None else sectors
        names = known.reindex(pair.index).fillna("").replace("", NO_SECTOR)
        rows = _largest_first(pair.groupby(names.mask(pair.index == CASH, CASH)).sum())
    elif view == "factor":
        exposures = [
            exposure_table(model, w, None).set_index("factor")["portfolio"] for w in (a, b)
        ]
        rows = pd.DataFrame({"a": exposures[0], "b": exposures[1]})
    else:
        rows = _measures(model, pair.drop(index=CASH), benchmark)
    table = rows.rename_axis("name").reset_index()
    table["difference"] = table["a"] - table["b"]
    return pd.concat([table, _distances(pair)], ignore_index=True)


def what_if(
    model: RiskModel,
    holdings: Weights,
    trades: Mapping[str, float],
    benchmark: "Weights | None",
    *,
    fund: str = "cash",
) -> pd.DataFrame:
    """Return a portfolio's figures before and after trades.

    Parameters
    ----------
    holdings : by ticker, fractions of capital
    trades : by ticker, change of weight: 0.01 buys one per cent of the capital
    fund : "cash" pays from and into cash; "prorata" scales all positions that are not traded so
        that the sum stays as it was

    Returns
    -------
    measure, before, after, change: forecast risk, concentration, cash, one-way turnover, then the
    exposures to the styles (active where there is a benchmark)

    Raises
    ------
    ArgumentError
        If there is no trade, ``fund`` is unknown, or nothing is left to scale.
    UnknownNameError
        If a ticker has no risk data.
    """
    after = traded(model, holdings, trades, fund=fund)
    pair = _with_cash(holdings, after)
    rows = _measures(model, pair.drop(index=CASH), benchmark)
    rows.loc["cash"] = pair.loc[CASH]
    rows.loc["turnover"] = [0.0, float(pair.diff(axis=1)["b"].abs().sum() / 2)]
    column = "portfolio" if benchmark is None else "active"
    styles = model.groups.index[model.groups == "style"]
    for name, weights in (("a", holdings), ("b", after)):
        scores = exposure_table(model, weights, benchmark).set_index("factor")[column]
        for style in styles:
            rows.loc[str(style), name] = scores[style]
    table = rows.rename_axis("measure").reset_index()
    table = table.rename(columns={"a": "before", "b": "after"})
    table["change"] = table["after"] - table["before"]
    return table


def traded(
    model: RiskModel, holdings: Weights, trades: Mapping[str, float], *, fund: str = "cash"
) -> Weights:
    """Return what is held after trades; a position traded to nothing is gone."""
    how = one_of("option fund", fund, FUNDING)
    if not any(trades.values()):
        raise ArgumentError("There is no trade. Give tickers and the change of their weights.")
    for ticker in trades:
        if ticker not in model.assets:
            raise UnknownNameError(
                f"trades: '{ticker}' has no risk data on {model.date:%Y-%m-%d}."
                f"{did_you_mean(ticker, model.assets)}"
            )
    change = pd.Series(dict(trades), dtype=float)
    invested = holdings.drop(index=CASH) if CASH in holdings.index else holdings
    if how == "prorata":
        rest = invested.drop(index=invested.index.intersection(change.index))
        if abs(rest.sum()) <= ROUNDING:
            raise ArgumentError("Every position is traded, so none is left to pay: use fund=cash.")
        invested = invested.copy()
        invested[rest.index] = rest * (1 - change.sum() / rest.sum())
    after = invested.add(change, fill_value=0.0)
    after = after.reindex([*invested.index, *change.index.difference(invested.index, sort=False)])
    return after[after.abs() > ROUNDING]


def summary(
    model: RiskModel,
    holdings: Weights,
    benchmark: "Weights | None",
    *,
    caps: "pd.Series[float]",
    adv: "pd.Series[float]",
) -> pd.DataFrame:
    """Return a portfolio on a page.

    Parameters
    ----------
    holdings, benchmark : by ticker, fractions of capital
    caps : market cap by ticker, in the currency of the prices; NaN where not known
    adv : average daily dollar volume by ticker

    Returns
    -------
    measure, portfolio, benchmark, active (portfolio - benchmark): concentration, size, forecast
    risk of a year, then the exposure to each style. NaN where a figure has no meaning, as the
    tracking error of a benchmark against itself, or all of ``benchmark`` where there is none.
    """
    columns = {"portfolio": _page(model, holdings, benchmark, caps, adv)}
    if benchmark is None:
        columns["benchmark"] = pd.Series(np.nan, index=columns["portfolio"].index)
    else:
        columns["benchmark"] = _page(model, benchmark, benchmark, caps, adv)
        columns["benchmark"][["tracking_error", "factor_te", "specific_te", "active_share"]] = (
            np.nan
        )
    table = pd.DataFrame(columns).rename_axis("measure").reset_index()
    table["active"] = table["portfolio"] - table["benchmark"]
    return table


def _page(
    model: RiskModel,
    weights: Weights,
    benchmark: "Weights | None",
    caps: "pd.Series[float]",
    adv: "pd.Series[float]",
) -> "pd.Series[float]":
    invested = weights.drop(index=CASH) if CASH in weights.index else weights
    measures = _measures(model, invested.to_frame("a"), benchmark)["a"]
    styles = exposure_table(model, weights, benchmark).set_index("factor")["portfolio"]
    page = {
        "names": measures["names"],
        "effective_n": measures["effective_n"],
        "top_10": float(invested.nlargest(TOP).sum()),
        "largest": float(invested.max()) if len(invested) else np.nan,
        "cash": 1.0 - float(invested.sum()),
        "gross": float(invested.abs().sum()),
        "weighted_market_cap": _weighted_mean(invested, caps),
        "weighted_adv": _weighted_mean(invested, adv),
        **measures.drop(["names", "effective_n"]).to_dict(),
        **styles[model.groups.reindex(styles.index).isin(["market", "style"])].to_dict(),
    }
    return pd.Series(page, dtype=float)


def _weighted_mean(weights: Weights, figures: "pd.Series[float]") -> float:
    known = figures.reindex(weights.index).to_numpy(dtype=float)
    size = np.where(np.isnan(known), 0.0, weights.abs().to_numpy(dtype=float))
    return float((size * np.nan_to_num(known)).sum() / size.sum()) if size.sum() else np.nan


def _measures(model: RiskModel, weights: pd.DataFrame, benchmark: "Weights | None") -> pd.DataFrame:
    """Return measures × portfolios; a ratio without a denominator is NaN."""
    wanted = [m for m in SIDE_BY_SIDE if m in MEASURES]
    found = {m: risk_measure_many(model, weights, benchmark, m) for m in wanted}
    return pd.DataFrame(found).T


def _with_cash(a: Weights, b: Weights) -> pd.DataFrame:
    """Return ticker × (a, b), zero where not held, and a row for what is missing to one."""
    held = [w.drop(index=CASH) if CASH in w.index else w for w in (a, b)]
    names = list(dict.fromkeys([*held[0].index, *held[1].index]))
    pair = pd.DataFrame({"a": held[0].reindex(names), "b": held[1].reindex(names)}).fillna(0.0)
    pair.loc[CASH] = 1.0 - pair.sum()
    return pair


def _largest_first(pair: pd.DataFrame) -> pd.DataFrame:
    shown = pair[(pair.abs() > ROUNDING).any(axis=1)]
    away = (shown["a"] - shown["b"]).abs()
    return shown.loc[away.sort_values(ascending=False, kind="stable").index]


def _distances(pair: pd.DataFrame) -> pd.DataFrame:
    half = float((pair["a"] - pair["b"]).abs().sum() / 2)
    same_side = np.sign(pair["a"]) == np.sign(pair["b"])
    overlap = float(pair.abs().min(axis=1)[same_side].sum())
    return pd.DataFrame(
        {
            "name": ["active_share", "overlap", "turnover"],
            "a": np.nan,
            "b": np.nan,
            "difference": [half, overlap, half],
        }
    )
