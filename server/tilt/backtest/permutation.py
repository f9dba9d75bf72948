"""Whether it matters which name has which weight: the same weights, dealt out at random.

At every fill the strategy's weights are permuted among the names that it could have held then. The
random books have as many names, the same weights, the same days and the same cash; what they lack
is the ranking. Both sides are without costs, as a random book trades more.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.random import SeedSequence
from numpy.typing import NDArray

from tilt.backtest.costs import DAYS, Array, Costs
from tilt.backtest.ledger import keep_given_books
from tilt.backtest.market import Market, window
from tilt.backtest.result import BacktestResult
from tilt.frames import Panel
from tilt.portfolio.bootstrap import QUANTILES, measures_of
from tilt.portfolio.measures import per_period

FREE = Costs(cost_bps=0.0)
DRAWS, SIZE = 200, 10  # unless asked for; of one seed
JUDGED = ("cagr", "sharpe", "information_ratio", "max_drawdown")


@dataclass(frozen=True, eq=False)
class Dealt:
    """What a strategy held at each fill, and what it could have held.

    first, last : trading days: of the first fill, and the last one
    fills       : rows of the fills, counted from the first
    targets     : fills × assets, fractions of capital
    eligible    : fills × assets, members with a price at the fill, and what was held
    benchmark   : returns by day after the first, or None
    risk_free   : a year; cash earns it
    """

    first: pd.Timestamp
    last: pd.Timestamp
    fills: tuple[int, ...]
    targets: Array
    eligible: NDArray[np.bool_]
    benchmark: Array | None
    risk_free: float


def dealt_by(result: BacktestResult, panel: Panel) -> Dealt:
    """Return what a backtest held over a panel."""
    market = result.market
    fills = sorted(result.ledger.targets)
    targets = np.array([result.ledger.targets[row] for row in fills])
    rows = panel.dates.get_indexer(market.dates[np.array(fills)])
    member = panel.member.to_numpy(dtype=bool)[np.maximum(rows - 1, 0)]  # at the close before
    eligible = (member & market.priced[fills]) | (targets != 0.0)
    benchmark = None
    if result.benchmark is not None:
        benchmark = np.asarray(result.benchmark, dtype=np.float64)[1:]
    first, last = market.dates[0], market.dates[-1]
    return Dealt(first, last, tuple(fills), targets, eligible, benchmark, result.risk_free)


def deal(
    panel: Panel,
    dealt: Dealt,
    some: Sequence[tuple[SeedSequence, int]],
    progress: Callable[[float], None] = lambda _: None,
) -> Array:
    """Return the measures of ``JUDGED`` of random books, draws × measures."""
    market = _window(panel, dealt).for_many_books()
    total, done = sum(count for _, count in some), 0
    found = []
    for seed, count in some:
        rng = np.random.default_rng(seed)
        for _ in range(count):
            progress(done / total)
            found.append(_measured(market, dealt, _permuted(rng, dealt)))
            done += 1
    return np.array(found)


def permutation_table(panel: Panel, dealt: Dealt, drawn: Array) -> pd.DataFrame:
    """Return measure, observed, p05 to p95 of the random books, p_value.

    ``p_value`` is the share of books, the strategy's own among them, that do as well as it does
    (Davison, Hinkley 1997, section 4.3).
    """
    seen = _measured(_window(panel, dealt), dealt, dealt.targets)
    known = np.isfinite(seen)
    table = pd.DataFrame({"measure": list(JUDGED), "observed": seen})
    for name, share in QUANTILES.items():
        table[name] = np.quantile(drawn, share, axis=0)
    table["p_value"] = (1 + (drawn >= seen).sum(axis=0)) / (1 + len(drawn))
    return table[known].reset_index(drop=True)


def _window(panel: Panel, dealt: Dealt) -> Market:
    rows = panel.dates.get_indexer(pd.DatetimeIndex([dealt.first, dealt.last]))
    return window(panel, int(rows[0]), int(rows[1]))


def _permuted(rng: np.random.Generator, dealt: Dealt) -> Array:
    """Return the targets with each fill's weights permuted among what was eligible."""
    targets = dealt.targets.copy()
    for row, could in enumerate(dealt.eligible):
        names = np.flatnonzero(could)
        targets[row, names] = targets[row, rng.permutation(names)]
    return targets


def _measured(market: Market, dealt: Dealt, targets: Array) -> list[float]:
    """Return ``JUDGED`` of a book that holds some targets, without costs."""
    place = {fill: row for row, fill in enumerate(dealt.fills)}
    daily = per_period(dealt.risk_free, DAYS)
    ledger = keep_given_books(
        market,
        list(dealt.fills),
        lambda row: np.asarray(targets[place[row]]),
        lag=0,
        cash_rate=daily,
        costs=FREE,
    )
    r = ledger.nav[1:] / ledger.nav[:-1] - 1.0
    b = None if dealt.benchmark is None else dealt.benchmark[None]
    found = measures_of(r[None], b, daily, DAYS)
    return [float(found[name][0]) if name in found else float("nan") for name in JUDGED]
