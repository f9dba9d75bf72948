"""What a backtest is compared with."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tilt.backtest.costs import Array, Costs
from tilt.backtest.ledger import keep_given_books
from tilt.backtest.market import Market, window
from tilt.backtest.strategy import check_held
from tilt.errors import ArgumentError, UnknownNameError, one_of
from tilt.frames import Panel, Weights

KINDS = ("universe", "index", "none")


@dataclass(frozen=True, eq=False)
class Benchmark:
    """Returns of a benchmark over the window, zero on the day of the first fill; and what it is."""

    returns: "pd.Series[float] | None"
    words: str


def compare_with(
    benchmark: "str | Weights | Panel",
    panel: Panel,
    *,
    first: int,
    decisions: list[int],
    lag: int,
    cash_rate: float,
    market: Market,
) -> Benchmark:
    """Return the benchmark's returns.

    Parameters
    ----------
    benchmark : ``universe``, ``index``, ``none``, another universe, or weights, rebalanced whenever
        the strategy may be, without costs
    cash_rate : per day, of what the weights leave in cash
    """
    last = first + market.days - 1
    if isinstance(benchmark, Panel):
        return _another(benchmark, market.dates)
    if not isinstance(benchmark, str):
        check_held(benchmark, panel, "the benchmark")
        target = np.asarray(benchmark.reindex(panel.assets).fillna(0.0), dtype=np.float64)
        free = window(panel, first, last)
        ledger = keep_given_books(
            free,
            decisions,
            lambda _row: target,
            lag=lag,
            cash_rate=cash_rate,
            costs=Costs(cost_bps=0.0),
        )
        returns = np.diff(ledger.nav, prepend=1.0) / np.concatenate([[1.0], ledger.nav[:-1]])
        words = "given weights, rebalanced with the strategy, without costs"
        return Benchmark(pd.Series(returns, index=market.dates), words)
    kind = one_of("benchmark", benchmark, KINDS)
    if kind == "none":
        return Benchmark(None, "none")
    if kind == "index":
        return Benchmark(_index(panel, market.dates), "published index level, without dividends")
    return Benchmark(universe_returns(panel, first, last), _cap_weighted(panel))


def _cap_weighted(panel: Panel) -> str:
    return f"cap-weighted '{panel.universe}', weights of the day before, dividends reinvested"


def _another(universe: Panel, dates: pd.DatetimeIndex) -> Benchmark:
    """Return what another universe earned on the days of the window."""
    rows = universe.dates.get_indexer(dates)
    if not np.array_equal(rows, np.arange(rows[0], rows[0] + len(rows))) or rows[0] < 0:
        missing = dates[rows < 0]
        day = f" ({missing[0]:%Y-%m-%d}, for one)" if len(missing) else ""
        raise UnknownNameError(
            f"'{universe.universe}' has not the trading days of the backtest{day}, so it is no "
            "benchmark for it. Choose other dates or another benchmark."
        )
    return Benchmark(
        universe_returns(universe, int(rows[0]), int(rows[-1])), _cap_weighted(universe)
    )


def universe_returns(panel: Panel, first: int, last: int) -> "pd.Series[float]":
    """Return the daily return of the cap-weighted universe; zero at the first row.

    The weights of a day are the members' caps at the close before it, over the names with a return.
    """
    weights = universe_weights(panel, first, last)
    returns = panel.returns.iloc[first + 1 : last + 1].to_numpy(dtype=np.float64)
    daily = np.where(weights != 0.0, weights * returns, 0.0).sum(axis=1)
    return pd.Series(np.concatenate([[0.0], daily]), index=panel.dates[first : last + 1])


def universe_weights(panel: Panel, first: int, last: int) -> Array:
    """Return the cap-weighted universe at the start of each day after ``first``, days × assets.

    Raises
    ------
    UnknownNameError
        If no member has a market cap and a return on a day.
    """
    rows = slice(first, last)
    caps = panel.weighted_by.iloc[rows].to_numpy(dtype=np.float64)
    caps = np.where(panel.member.iloc[rows].to_numpy(dtype=bool), caps, np.nan)
    returns = panel.returns.iloc[first + 1 : last + 1].to_numpy(dtype=np.float64)
    used = np.isfinite(caps) & np.isfinite(returns)
    caps = np.where(used, caps, 0.0)
    total = caps.sum(axis=1)
    if (total <= 0).any():
        bad = panel.dates[first + int(np.flatnonzero(total <= 0)[0])]
        raise UnknownNameError(
            f"'{panel.universe}' has no market caps on {bad:%Y-%m-%d}, so its cap-weighted "
            "benchmark is not known then. Choose a later start or benchmark NONE."
        )
    weights: Array = caps / total[:, None]
    return weights


def _index(panel: Panel, dates: pd.DatetimeIndex) -> "pd.Series[float]":
    if panel.index_level.empty:
        raise ArgumentError(
            f"'{panel.universe}' has no published index level. Use its cap-weighted portfolio."
        )
    level = panel.index_level.reindex(dates)
    if level.isna().any():
        bad = dates[level.isna().to_numpy()][0]
        raise UnknownNameError(f"The index has no level on {bad:%Y-%m-%d}. Choose other dates.")
    return level.pct_change().fillna(0.0)
