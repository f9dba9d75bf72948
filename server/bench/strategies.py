"""Row E: strategies through time, and an optimization every month."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pandas as pd

from bench.measuring import Row, Target, measured
from bench.optimum import SIZES, inputs_of, standing_problem
from bench.peers import beside
from tilt.backtest.costs import Costs
from tilt.backtest.run import backtest
from tilt.backtest.strategy import DatedWeights
from tilt.frames import Panel
from tilt.optimize.problem import Problem
from tilt.optimize.through_time import solve_through_time

DAYS = 2520
MONTHS, SOME = 120, 6  # months of a walk-forward, and of a slow peer's
COST = 0.001
KEPT = 0.8  # of the logarithm of a name's size, from month to month
NOTHING: Mapping[str, pd.DataFrame] = MappingProxyType({})


def strategies() -> Iterator[Row]:
    """Target weights through ten years: monthly of 500 names, daily of 3,000."""
    cases = (
        (500, 21, "monthly", ("bt", "vectorbt"), Target(0.020, 0.010, "vectorbt", 0.79)),
        (3000, 1, "daily", ("vectorbt",), Target(0.120, 0.060, "vectorbt", 17.7)),
    )
    for n, every, said, names, aim in cases:
        panel = made_up(n, DAYS)
        rows = np.arange(0, DAYS - 1, every)
        shares = np.random.default_rng(15).dirichlet(np.ones(n), len(rows))
        given = DatedWeights(pd.DataFrame(shares, panel.dates[rows], panel.assets))
        seconds, extra = measured(
            lambda p=panel, g=given: backtest(
                p, g, benchmark="none", costs=Costs(1e4 * COST), rebalance="D", lag=1
            ),
            3,
        )
        yield Row(
            f"backtest, {said} targets, {n} names, {DAYS} days, with costs and every trade",
            seconds,
            peers=beside(
                "strategies",
                names,
                {
                    "close": panel.close.to_numpy(),
                    "rows": rows + 1,
                    "targets": shares,
                    "cost": COST,
                },
            ),
            target=aim,
            megabytes=extra,
        )
    yield from _walk_forward()


def made_up(n: int, days: int) -> Panel:
    """Return a universe of random walks, seeded."""
    rng = np.random.default_rng(16)
    dates = pd.bdate_range("2010-01-04", periods=days).as_unit("us")
    assets = pd.Index([f"N{i:04d}" for i in range(n)], dtype="str")
    returns = pd.DataFrame(rng.normal(0.0003, 0.015, (days, n)).clip(-0.5, 0.5), dates, assets)
    close = 50 * (1 + returns).cumprod()
    ones = pd.DataFrame(1e9, dates, assets)
    securities = pd.DataFrame(
        {"name": assets, "sector": "All", "industry": "All"}, index=assets, dtype="str"
    )
    return Panel(
        universe="BENCH",
        snapshot="bench",
        securities=securities,
        close=close,
        returns=returns,
        volume=ones,
        market_cap=close * 1e8,
        member=pd.DataFrame(data=True, index=dates, columns=assets),
        fundamentals=NOTHING,
        index_level=pd.Series(dtype=float),
        factor_history=None,
        survivorship="made up",
    )


def _walk_forward() -> Iterator[Row]:
    problems = _months()
    dates = list(problems)
    never = pd.DataFrame(0.0, dates, next(iter(problems.values())).model.assets)
    seconds, extra = measured(lambda: solve_through_time(dates, problems.__getitem__, never), 1)
    arrays = [inputs_of(problem) for problem in problems.values()]
    yield Row(
        f"walk-forward, {MONTHS} monthly optimizations of least tracking error, 500 names",
        seconds,
        peers=beside(
            "walk_forward",
            ("cvxpy", "cvxportfolio", "skfolio"),
            {
                **arrays[0],
                "covariances": np.array([a["covariance"] for a in arrays]),
                "centers": np.array([a["center"] for a in arrays]),
                "some": SOME,
            },
        ),
        target=Target(0.9, 0.3, "cvxpy", 2.8),
        megabytes=extra,
    )


def _months() -> dict[pd.Timestamp, Problem]:
    """Return the standing problem month after month: risk and benchmark move, nothing else."""
    first = standing_problem(*SIZES[0])
    rng = np.random.default_rng(17)
    found = {}
    model, size = first.model, rng.normal(size=len(first.benchmark))
    for date in pd.bdate_range("2006-01-31", periods=MONTHS, freq="BME"):
        scale = np.exp(rng.normal(0, 0.05, len(model.factor_cov)))
        cov = model.factor_cov * np.outer(scale, scale)
        model = replace(model, date=date, factor_cov=cov)
        # The sizes move so much that the turnover binds month after month.
        size = KEPT * size + np.sqrt(1 - KEPT**2) * rng.normal(size=len(size))
        weights = pd.Series(np.exp(size) / np.exp(size).sum(), model.assets)
        found[pd.Timestamp(date)] = replace(first, model=model, benchmark=weights)
    return found
