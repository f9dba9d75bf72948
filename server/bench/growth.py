"""How times grow with names, days, factors, cells and users, each with the slope it should have.

A time that grows as the size to the power p is a line of slope p in logarithms.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from bench.measuring import median_seconds
from bench.mixed import many_users
from bench.optimum import market, standing_problem
from bench.sheet import exposure_cells
from tilt.factors.evaluate import information_coefficients
from tilt.factors.groups import Groups
from tilt.factors.regression import cross_sections
from tilt.optimize.solve import solve
from tilt.risk.measures import risk_shares


@dataclass(frozen=True)
class Point:
    """A time at a size; ``promised`` is the slope that it has at most once sizes are large."""

    work: str
    axis: str
    size: int
    seconds: float
    promised: float


SERIES: tuple[tuple[str, str, float, Sequence[int]], ...] = (
    ("least tracking error", "names", 1.0, (500, 1000, 2000, 4000)),
    ("least tracking error", "factors", 2.0, (20, 40, 80, 160)),
    ("daily regressions", "names", 1.0, (500, 1000, 2000, 4000)),
    ("daily regressions", "days", 1.0, (63, 126, 252, 504)),
    ("rank IC", "names", 1.1, (500, 1000, 2000, 4000)),
    ("rank IC", "days", 1.0, (63, 126, 252, 504)),
    ("shares of risk", "names", 1.0, (500, 1000, 2000, 4000)),
    ("shares of risk", "portfolios", 1.0, (50, 100, 200, 400)),
    ("exposure cells", "cells", 1.0, (1000, 2000, 4000, 8000)),
    ("100 cells of each", "users", 1.0, (4, 8, 16, 32)),
)


def growth() -> Iterator[Point]:
    """Time each work at each of its sizes."""
    most = max(size for _, axis, _, sizes in SERIES if axis == "users" for size in sizes)
    with exposure_cells() as cells, many_users(most) as users:
        works: dict[tuple[str, str], Callable[[int], float]] = {
            ("least tracking error", "names"): lambda n: _optimum(n, 31, 8),
            ("least tracking error", "factors"): lambda k: _optimum(2000, k // 2, k - k // 2 - 1),
            ("daily regressions", "names"): lambda n: _regressions(126, n),
            ("daily regressions", "days"): lambda t: _regressions(t, 1000),
            ("rank IC", "names"): lambda n: _evaluation(126, n),
            ("rank IC", "days"): lambda t: _evaluation(t, 1000),
            ("shares of risk", "names"): lambda n: _risks(n, 100),
            ("shares of risk", "portfolios"): lambda p: _risks(2000, p),
            ("exposure cells", "cells"): cells,
            ("100 cells of each", "users"): users,
        }
        for work, axis, promised, sizes in SERIES:
            for size in sizes:
                seconds = works[work, axis](size)
                yield Point(work, axis, size, seconds, promised)


def _optimum(n: int, sectors: int, styles: int) -> float:
    problem = standing_problem(n, sectors, styles)
    bands = tuple(rule for rule in problem.rules if rule.rule != "turnover")
    free = replace(problem, rules=bands, current=problem.benchmark)
    return median_seconds(lambda: solve(free), 3)


def _regressions(days: int, n: int) -> float:
    rng = np.random.default_rng(9)
    names = pd.Series([f"I{i % 30:02d}" for i in range(n)])
    returns, caps = rng.normal(0, 0.02, (days, n)), rng.lognormal(size=(days, n))
    scores = rng.standard_normal((days, n, 10))
    inside, labels = np.ones((days, n), dtype=bool), tuple(f"S{i}" for i in range(10))
    groups = Groups.of(names)
    return median_seconds(lambda: cross_sections(returns, scores, caps, inside, groups, labels), 3)


def _evaluation(days: int, n: int) -> float:
    rng = np.random.default_rng(12)
    scores, forward = rng.normal(size=(days, n)), rng.normal(size=(days, n))
    return median_seconds(lambda: information_coefficients(scores, forward), 3)


def _risks(n: int, portfolios: int) -> float:
    model, _ = market(n, 60, 9)
    rng = np.random.default_rng(10)
    weights = pd.DataFrame(rng.dirichlet(np.ones(n), portfolios).T, index=model.assets)
    return median_seconds(lambda: risk_shares(model, weights, None), 3)
