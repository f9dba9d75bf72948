"""Time the standing problems: least tracking error, its explanation, and an impossible one."""

from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import version

import numpy as np
import pandas as pd

from bench.measuring import Peer, Row, Target, measured, median_seconds
from bench.peers import beside
from tilt.optimize.conflict import explain_conflict
from tilt.optimize.constraints import Rule, parse_rules
from tilt.optimize.explain import step_rules
from tilt.optimize.limits import halves, lay_out
from tilt.optimize.native import solve_clarabel, solve_piqp
from tilt.optimize.posing import open_case
from tilt.optimize.program import build
from tilt.optimize.solve import Problem, Solution, solve
from tilt.risk.model import RiskModel

SIZES = ((500, 31, 8), (3000, 60, 9))
PEERS = ("cvxpy", "cvxportfolio", "pyportfolioopt")


def market(n: int, sectors: int, styles: int) -> tuple[RiskModel, pd.DataFrame]:
    """Return a random factor model of ``n`` assets, seeded, and its securities."""
    rng = np.random.default_rng(7)
    assets = [f"N{i:04d}" for i in range(n)]
    names = [f"Sector {i:02d}" for i in range(sectors)]
    sector = np.array(names)[np.arange(n) % sectors]
    exposures = np.hstack(
        [np.ones((n, 1)), (sector[:, None] == np.array(names)), rng.normal(size=(n, styles))]
    ).astype(float)
    factors = ["Market", *names, *(f"Style {i}" for i in range(styles))]
    deviation = np.array([0.010, *[0.005] * sectors, *[0.003] * styles])
    correlation = np.corrcoef(rng.normal(size=(4 * len(factors), len(factors))).T)
    model = RiskModel(
        universe="BENCH",
        snapshot="",
        date=pd.Timestamp("2016-06-30"),
        horizon="short",
        exposures=pd.DataFrame(exposures, assets, factors),
        factor_cov=pd.DataFrame(correlation * np.outer(deviation, deviation), factors, factors),
        specific_var=pd.Series(rng.uniform(0.008, 0.025, n) ** 2, assets),
        groups=pd.Series(["market", *["sector"] * sectors, *["style"] * styles], factors),
        notes=(),
    )
    securities = pd.DataFrame({"name": assets, "sector": sector, "industry": sector}, index=assets)
    return model, securities


def standing_problem(n: int, sectors: int, styles: int) -> Problem:
    """Return least tracking error within a name cap, sector and style bands and turnover.

    The holdings are far from the benchmark, so that the turnover binds, and many bands with it.
    """
    model, securities = market(n, sectors, styles)
    rng = np.random.default_rng(8)
    benchmark = pd.Series(rng.lognormal(sigma=1.0, size=n), model.assets)
    current = pd.Series(0.0, model.assets)
    current.iloc[rng.permutation(n)[: n // 4]] = 1.0
    grid: list[list[object]] = [
        ["weight", "*", 0, 0.05, "no"],
        ["sector", "*", -0.03, 0.03, "yes"],
        *(["factor", f"Style {i}", -0.2, 0.2, "yes"] for i in range(styles)),
        ["turnover", None, None, 0.2, "no"],
    ]
    rules = parse_rules(grid, securities=securities, factors=list(model.exposures.columns))
    return Problem(
        objective="min_te",
        model=model,
        securities=securities,
        current=current / current.sum(),
        benchmark=benchmark / benchmark.sum(),
        rules=rules,
    )


def inputs_of(problem: Problem) -> dict[str, np.ndarray | float | str]:
    """Return a standing problem as arrays, yearly, for a peer."""
    case = open_case(problem)
    kinds = problem.model.groups.to_numpy()
    banded = np.flatnonzero(kinds != "market")
    return {
        "exposures": case.model.exposures,
        "covariance": case.model.covariance,
        "specific": case.model.specific,
        "center": case.center,
        "current": case.current,
        "banded": banded,
        "band": np.where(kinds[banded] == "sector", 0.03, 0.2),
        "cap": 0.05,
        "turnover": 0.2,
    }


def optimum() -> Iterator[Row]:
    """Solve, price every binding rule one step looser and tighter, and explain a conflict."""
    targets = (
        (Target(0.012, 0.002, "PyPortfolioOpt", 0.371), Target(0.3, 0.1)),
        (Target(0.060, 0.008, "PyPortfolioOpt", 19.5), Target(2.0, 0.5)),
    )
    for (n, sectors, styles), (least, repaired) in zip(SIZES, targets, strict=True):
        problem = standing_problem(n, sectors, styles)
        what = f"least tracking error, {n} names, {1 + sectors + styles} factors"
        once, extra = measured(lambda p=problem: solve(p), 21)
        solution = solve(problem)
        others = beside("least_risk", PEERS, inputs_of(problem))
        yield Row(
            f"{what}, to a checked solution",
            once,
            peers=tuple(_compared(peer, solution) for peer in (*_natively(problem), *others)),
            target=least,
            megabytes=extra,
        )
        stepped = median_seconds(lambda s=solution: step_rules(s.case, s.found), 3)
        yield Row(f"{what}: its explanation", stepped, target=Target(10 * once))
        tight = (*problem.rules[:-1], Rule("turnover", "", None, 0.01))
        crossed = open_case(replace(problem, rules=(*tight, Rule("weight", "*", None, 0.9 / n))))
        found = median_seconds(lambda c=crossed: explain_conflict(c), 3)
        what = f"conflict and repairs, {n} names, {len(crossed.rules)} rules"
        yield Row(what, found, target=repaired)
        yield from _most_alpha(problem, Target((0.045, 0.32)[n > SIZES[0][0]], 3 * once))


def _natively(problem: Problem) -> Iterator[Peer]:
    """Time the solvers alone, on the program that is put together for them."""
    case = open_case(problem)
    layout = lay_out(case)
    program = build(layout, halves(layout, case.rules), case.goal)
    for name, package, work in (
        ("PIQP alone", "piqp", solve_piqp),
        ("Clarabel alone", "clarabel", solve_clarabel),
    ):
        weights = work(program).x[: layout.assets]
        seconds = median_seconds(lambda w=work: w(program))
        yield Peer(name, seconds, note=version(package), answer=tuple(weights.tolist()))


def _compared(peer: Peer, solution: Solution) -> Peer:
    """Return a peer with its objective beside ours, both from the weights alone.

    A peer may break rules by what its solver allows itself, and lie a little below ours by that.
    """
    if not peer.answer:
        return peer
    theirs = solution.case.headline(np.array(peer.answer))
    return replace(peer, answer=(), above=theirs / solution.objective - 1)


def _most_alpha(problem: Problem, target: Target) -> Iterator[Row]:
    n = len(problem.model.assets)
    alpha = pd.Series(np.random.default_rng(13).normal(0, 0.03, n), problem.model.assets)
    rules = (*problem.rules, Rule("tracking_error", "", None, 0.06))
    capped = replace(problem, objective="max_return", alpha=alpha, rules=rules)
    general = replace(capped, options={"solver": "cvxpy"})
    yield Row(
        f"largest alpha within a tracking error, {n} names",
        median_seconds(lambda: solve(capped), 3),
        "our own route through cvxpy",
        median_seconds(lambda: solve(general), 1),
        target=target,
    )
