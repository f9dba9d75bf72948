"""Rows C and D: daily regressions through time, and what a factor was worth."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from bench.measuring import Row, Target, measured
from bench.peers import beside
from tilt.factors.evaluate import information_coefficients, quantile_returns
from tilt.factors.groups import Groups
from tilt.factors.regression import cross_sections

PEER_DAYS = 10  # of a peer that would take minutes
ALPHALENS_DAYS = 126


def regressions(
    days: int = 2520, n: int = 3000, industries: int = 60, styles: int = 10
) -> Iterator[Row]:
    """Daily weighted regressions on industries and styles, in either precision."""
    rng = np.random.default_rng(9)
    names = np.array([f"I{i:02d}" for i in range(industries)])[np.arange(n) % industries]
    returns = rng.normal(0, 0.02, (days, n))
    scores = rng.standard_normal((days, n, styles), dtype=np.float32)
    caps = rng.lognormal(sigma=1.0, size=(days, n))
    groups = Groups.of(pd.Series(names))
    inside = np.ones((days, n), dtype=bool)
    labels = tuple(f"S{i}" for i in range(styles))
    some = slice(0, days, -(-days // PEER_DAYS))
    peers = beside(
        "regressions",
        ("statsmodels", "toraniko", "lstsq"),
        {
            "returns": returns[some],
            "scores": scores[some],
            "caps": caps[some],
            "dummies": (names[:, None] == np.unique(names)).astype(float),
            "days": days,
        },
    )
    what = f"regressions, {days} days x {n} names x {industries + styles} factors"
    aim = Target(0.5, 0.2, "statsmodels", 305.0)
    for precise, said in ((np.float32, "single"), (np.float64, "double")):
        x = scores.astype(precise)
        seconds, extra = measured(
            lambda x=x: cross_sections(returns, x, caps, inside, groups, labels), 3
        )
        yield Row(
            f"{what}, with HC1 t-values, {said} precision",
            seconds,
            peers=peers if precise is np.float32 else (),
            target=aim if precise is np.float32 else None,
            megabytes=extra,
        )


def evaluations(days: int = 2520, n: int = 3000) -> Iterator[Row]:
    """Information coefficients, deciles and turnover of a factor."""
    rng = np.random.default_rng(12)
    scores, forward = rng.normal(size=(days, n)), rng.normal(0, 0.02, (days, n))
    dates = pd.bdate_range("2010-01-04", periods=days)

    def ours() -> None:
        information_coefficients(scores, forward)
        quantile_returns(scores, forward, dates, quantiles=10)

    some = slice(0, ALPHALENS_DAYS)
    seconds, extra = measured(ours, 3)
    yield Row(
        f"rank IC, deciles and turnover, {days} days x {n} names",
        seconds,
        peers=beside(
            "evaluation",
            ("alphalens",),
            {"scores": scores[some], "forward": forward[some], "days": days},
        ),
        target=Target(1.0, 0.5, "alphalens-reloaded", 27.0),
        megabytes=extra,
    )
