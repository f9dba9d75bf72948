"""Rows B and F: equal risk contributions, worst days, and the risk of many portfolios."""

from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import version

import numpy as np
import pandas as pd
from scipy.optimize import minimize

from bench.measuring import Peer, Row, Target, measured, median_seconds
from bench.optimum import market
from bench.peers import beside
from tilt.optimize.constraints import Rule
from tilt.optimize.parity import meet_budgets
from tilt.optimize.posing import open_case
from tilt.optimize.solve import Problem, solve
from tilt.optimize.terms import Factors
from tilt.risk.measures import risk_shares

PEER = "scipy L-BFGS"


def parities() -> Iterator[Row]:
    """Equal risk contributions: the weights alone, and a whole problem to a checked solution."""
    sizes = (
        (500, 31, 8, Target(0.003, 0.0005, "skfolio", 0.637), ("skfolio", "riskfolio")),
        (3000, 60, 9, Target(0.010, 0.003), ()),
    )
    for n, sectors, styles, aim, names in sizes:
        model, securities = market(n, sectors, styles)
        problem = Problem("risk_parity", model, securities, pd.Series(dtype=float))
        factors = open_case(problem).model
        equal = np.full(n, 1 / n)
        by_scipy = median_seconds(lambda f=factors, b=equal: _by_scipy(f, b), 1)
        peer = Peer(PEER, by_scipy, note=f"{version('scipy')}, the same function in logarithms")
        what = f"equal risk contribution, {n} names, {1 + sectors + styles} factors"
        others = beside("parity", names, arrays_of(factors)) if names else ()
        weights, extra = measured(lambda f=factors, b=equal: meet_budgets(f, b))
        yield Row(
            f"{what}: weights, to 1e-11",
            weights,
            peers=(peer, *others),
            target=aim,
            megabytes=extra,
        )
        yield Row(f"{what}: to a checked solution", median_seconds(lambda p=problem: solve(p)))


def arrays_of(model: Factors) -> dict[str, np.ndarray]:
    """Return a risk model for a peer."""
    return {
        "exposures": model.exposures,
        "covariance": model.covariance,
        "specific": model.specific,
    }


def _by_scipy(model: Factors, budgets: np.ndarray) -> None:
    def spinu(z: np.ndarray) -> tuple[float, np.ndarray]:
        x = np.exp(z)
        pull = x * model.apply(x)
        return pull.sum() / 2 - budgets @ z, pull - budgets

    start = np.log(budgets) - np.log(model.volatility(budgets))
    minimize(spinu, start, jac=True, method="L-BFGS-B", options={"ftol": 1e-16, "gtol": 1e-10})


def worst_days(n: int = 500, days: int = 750) -> Iterator[Row]:
    """Least CVaR over past days, within a name cap."""
    model, securities = market(n, 31, 8)
    rng = np.random.default_rng(14)
    common = rng.normal(0, 0.01, (days, 1)) * rng.uniform(0.5, 1.5, n)
    scenarios = common + 0.012 * rng.standard_t(4, (days, n))
    problem = Problem(
        objective="min_cvar",
        model=model,
        securities=securities,
        current=pd.Series(dtype=float),
        rules=(Rule("weight", "*", None, 0.05),),
        scenarios=pd.DataFrame(scenarios, columns=model.assets),
    )
    peer = replace(problem, options={"solver": "cvxpy"})
    yield Row(
        f"least mean loss of the worst days, {n} names, {days} days",
        median_seconds(lambda: solve(problem), 3),
        "our own route through cvxpy",
        median_seconds(lambda: solve(peer), runs=1),
    )


def risks(n: int = 3000, portfolios: int = 1000) -> Iterator[Row]:
    """Tracking error and each name's share of it, of one portfolio and of many."""
    model, _ = market(n, 60, 9)
    rng = np.random.default_rng(10)
    weights = pd.DataFrame(rng.dirichlet(np.ones(n), portfolios).T, index=model.assets)
    benchmark = pd.Series(1 / n, model.assets)
    dense = model.covariance(model.assets).to_numpy()
    for some, aim in (
        (weights.iloc[:, :1], Target(2e-4, 6e-5, "numpy, full matrix", 0.004)),
        (weights, Target(0.045, 0.02, "numpy, full matrix", 0.311)),
    ):
        active = some.to_numpy() - benchmark.to_numpy()[:, None]
        seconds, extra = measured(lambda s=some: risk_shares(model, s, benchmark), 11)

        def full(a: np.ndarray = active) -> None:
            pull = dense @ a
            variance = np.einsum("np,np->p", a, pull)
            np.sqrt(variance), a * pull / variance

        how_many = "1 portfolio" if some.shape[1] == 1 else f"{some.shape[1]:,} portfolios"
        yield Row(
            f"tracking error and share of each of {n} names, {how_many}",
            seconds,
            "numpy, full matrix",
            median_seconds(full),
            target=aim,
            megabytes=extra,
        )
