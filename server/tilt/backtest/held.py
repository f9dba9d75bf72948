"""Books that were held, day by day: from weights by date, a universe, or a backtest."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from tilt.backtest.benchmark import universe_returns, universe_weights
from tilt.backtest.costs import DAYS, Costs
from tilt.backtest.events import events
from tilt.backtest.ledger import Ledger, keep_given_books
from tilt.backtest.market import Market, window
from tilt.backtest.result import BacktestResult
from tilt.errors import DataError
from tilt.frames import Panel, Weights, listed
from tilt.portfolio.measures import per_period
from tilt.portfolio.track import Track

FREE = Costs(cost_bps=0.0)


def track_of_weights(
    panel: Panel,
    given: Mapping[pd.Timestamp, Weights],
    first: pd.Timestamp,
    last: pd.Timestamp,
    *,
    cash_rate: float = 0.0,
    notes: tuple[str, ...] = (),
) -> Track:
    """Return the track of weights that were held from their dates' closes on, without costs.

    Parameters
    ----------
    given : weights by trading day; each drifts until the next one. Those before ``first`` drift
        from their own date, so that the book at ``first`` is the one that was held then
    first, last : trading days: the close before the first return, and the last return
    cash_rate : a year, as a decimal

    Raises
    ------
    DataError
        If the first weights are of a later day than ``first``, or there is no day to explain.
    """
    days = sorted(given)
    if days[0] > first:
        raise DataError(
            f"The holdings begin on {days[0]:%Y-%m-%d}, after {first:%Y-%m-%d}. "
            "Choose a later start."
        )
    begin = max(day for day in days if day <= first)
    used = [day for day in days if begin <= day < last]
    rows = panel.dates.get_indexer(pd.DatetimeIndex([begin, last]))
    if rows[1] <= rows[0]:
        raise DataError(
            f"There is no return between {first:%Y-%m-%d} and {last:%Y-%m-%d}. "
            "Choose an earlier start or a later end."
        )
    market = window(panel, int(rows[0]), int(rows[1]))
    decisions = (panel.dates.get_indexer(pd.DatetimeIndex(used)) - rows[0]).tolist()
    targets = {
        row: np.asarray(given[day].reindex(panel.assets).fillna(0.0), dtype=np.float64)
        for row, day in zip(decisions, used, strict=True)
    }
    daily = per_period(cash_rate, DAYS)
    ledger = keep_given_books(
        market, decisions, lambda row: targets[row], lag=0, cash_rate=daily, costs=FREE
    )
    words = "held and drifting" if len(used) == 1 else f"held, of {len(used)} dates"
    found = _track(market, ledger, daily, words, (*notes, *_said(market, ledger)))
    return found if begin == first else found.between(first, last)


def track_of_universe(panel: Panel, first: pd.Timestamp, last: pd.Timestamp) -> Track:
    """Return the track of a universe by market cap, weights of the day before."""
    begin, end = panel.dates.get_indexer(pd.DatetimeIndex([first, last])).tolist()
    weights = universe_weights(panel, begin, end)
    dates = panel.dates[begin + 1 : end + 1]
    held = (weights != 0.0).any(axis=0)
    returns = np.nan_to_num(panel.returns.iloc[begin + 1 : end + 1].to_numpy(dtype=np.float64))
    return Track(
        pd.DataFrame(weights[:, held], dates, panel.assets[held]),
        pd.DataFrame(returns[:, held], dates, panel.assets[held]),
        universe_returns(panel, begin, end).iloc[1:],
        words=f"cap-weighted '{panel.universe}'",
    )


def track_of_backtest(result: BacktestResult) -> Track:
    """Return the track of a backtest: what it held each day, and what it earned after costs.

    The day of the first fill is no day of it; the costs of that fill count with the first day.
    """
    rate, notes = per_period(result.risk_free, DAYS), _said(result.market, result.ledger)
    found = _track(result.market, result.ledger, rate, result.strategy, notes)
    return replace(found, earned=result.returns.rename(None))


def track_of_benchmark(result: BacktestResult, panel: Panel, weights: Weights) -> Track:
    """Return the track of weights that are rebalanced whenever the backtest's strategy trades."""
    market = result.market
    target = np.asarray(weights.reindex(panel.assets).fillna(0.0), dtype=np.float64)
    fills = sorted(result.ledger.targets)
    rate = per_period(result.risk_free, DAYS)
    ledger = keep_given_books(market, fills, lambda _row: target, lag=0, cash_rate=rate, costs=FREE)
    words = "given weights, rebalanced with the strategy, without costs"
    return _track(market, ledger, rate, words, ())


def _track(
    market: Market, ledger: Ledger, cash_rate: float, words: str, notes: tuple[str, ...]
) -> Track:
    nav = ledger.nav
    held = (ledger.positions[:-1] != 0.0).any(axis=0)
    dates, assets = market.dates[1:], market.assets[held]
    return Track(
        pd.DataFrame(ledger.positions[:-1, held] / nav[:-1, None], dates, assets),
        pd.DataFrame(market.growth_of(slice(1, None), held) - 1.0, dates, assets),
        pd.Series(nav[1:] / nav[:-1] - 1.0, index=dates),
        cash_rate,
        words,
        notes,
    )


def _said(market: Market, ledger: Ledger) -> tuple[str, ...]:
    """Return a sentence for each thing that had to be dealt with on the way."""
    found = events(market, ledger)
    notes = []
    if found.holes:
        notes.append(f"{found.holes} missing returns of {listed(found.holed)} count as zero.")
    notes += [
        f"{listed(names)} has no price from {day:%Y-%m-%d} on and is cash from then, at its last "
        "price."
        for day, names in found.delisted
    ]
    if found.unfilled:
        notes.append(f"{listed(found.unpriced)} had no price at a rebalance; left in cash.")
    return tuple(notes)
