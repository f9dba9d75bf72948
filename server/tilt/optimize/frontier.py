"""The efficient frontier: the least risk for each return, all rules kept."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from types import MappingProxyType

import numpy as np
import pandas as pd

from tilt.errors import ArgumentError, NoSolutionError, one_of
from tilt.frames import listed
from tilt.optimize.case import Case
from tilt.optimize.check import turnover
from tilt.optimize.conflict import explain_conflict
from tilt.optimize.constraints import Rule
from tilt.optimize.methods import find
from tilt.optimize.nearby import near
from tilt.optimize.posing import open_case
from tilt.optimize.problem import Problem
from tilt.optimize.route import Found, clean
from tilt.optimize.terms import Array

VIEWS: Mapping[str, str] = MappingProxyType(
    {
        "frontier": "a row per point: risk, return, ratio, turnover, names, entering, leaving",
        "weights": "ticker, name and a column of weights per point",
        "corners": "who enters and leaves at which point",
    }
)
POINTS, FEWEST, MOST = 20, 3, 100
TARGET = "expected return"  # a factor without risk, so that a return can be asked for as a rule
HELD = 1e-6  # a smaller weight is no position
INSIDE = 1e-6  # of the range of returns: how far the last point stays from the very largest
COLUMNS = ["risk", "return", "ratio", "turnover", "names", "entering", "leaving"]
CORNERS = ["point", "risk", "return", "ticker", "change", "weight"]


@dataclass(frozen=True, eq=False)
class Frontier:
    """Portfolios from the least risk to the largest return, equally spaced in return.

    table     : risk, return, ratio, turnover, names, entering, leaving; a row per point
    weights   : ticker, name, and a column for each point, named by its number
    corners   : point, risk, return, ticker, change (enters or leaves), weight
    risk_name, return_name : what the axes show
    holdings, benchmark : risk and return of those; None without a benchmark
    refusal   : why there is no frontier; empty where there is one
    """

    table: pd.DataFrame
    weights: pd.DataFrame
    corners: pd.DataFrame
    risk_name: str
    return_name: str
    holdings: tuple[float, float]
    benchmark: tuple[float, float] | None
    messages: tuple[str, ...]
    refusal: str = ""

    def view(self, name: str = "frontier") -> pd.DataFrame:
        """Return one of ``VIEWS``."""
        view = one_of("view", name, VIEWS)
        return {"frontier": self.table, "weights": self.weights, "corners": self.corners}[view]

    def require(self) -> "Frontier":
        """Return the frontier itself.

        Raises
        ------
        NoSolutionError
            If there is none; its first 120 characters say why.
        """
        if self.refusal:
            raise NoSolutionError(self.refusal)
        return self


def whole_points(points: float) -> int:
    """Return how many points are asked for, as a whole number.

    Raises
    ------
    ArgumentError
        If it is none, or too few or too many.
    """
    if not FEWEST <= points <= MOST or points != int(points):
        raise ArgumentError(f"points must be a whole number, {FEWEST} to {MOST}; got {points:g}.")
    return int(points)


def _silent(fraction: float, stage: str) -> None:
    """Tell nobody."""


def trace_frontier(
    problem: Problem,
    *,
    points: int = POINTS,
    progress: Callable[[float, str], None] = _silent,
) -> Frontier:
    """Return the frontier of a problem.

    Parameters
    ----------
    problem : ``min_te`` asks for tracking error against active return, ``min_risk`` for volatility
        against return; for any other objective a benchmark decides
    points : how many, 3 to 100
    progress : told the fraction done and the stage

    Raises
    ------
    ArgumentError
        If there are too few or too many points, or no alpha.

    References
    ----------
    Markowitz (1959), Portfolio Selection, chapter 8.
    """
    whole_points(points)
    case = open_case(problem)
    if np.ptp(case.alpha) == 0:
        raise ArgumentError(
            "A frontier needs alpha: a range of ticker and expected yearly return, or a factor."
        )
    relative = case.objective == "min_te" or (
        case.objective != "min_risk" and case.benchmark is not None
    )
    asked = replace(case, objective="min_te" if relative else "min_risk")
    trace = _Trace(asked, relative)
    least = find(asked)
    if least.status not in ("optimal", "optimal_inaccurate"):
        conflict = explain_conflict(asked)
        said = "No solution: the rules cannot be kept." if conflict is None else conflict.headline()
        return trace.nowhere(said)
    most = find(replace(asked, objective="max_return"))
    if most.status == "unbounded":
        return trace.nowhere(
            "No solution: nothing limits the return. Add a weight min and max or a gross rule."
        )
    if most.status not in ("optimal", "optimal_inaccurate"):
        return trace.nowhere("No solution: the portfolio of largest return was not found.")
    found: list[Array] = []
    for weights in _points(asked, least, most, points):
        found.append(weights)
        progress(len(found) / points, f"point {len(found)} of {points}")
    missing = "" if len(found) in (1, points) else f"{points - len(found)} points were not found."
    return trace.table(found, missing)


def _points(case: Case, least: Found, most: Found, points: int) -> Iterator[Array]:
    """Return the weights of each point, from the least risk on."""
    low, high = (float(case.alpha @ found.weights) for found in (least, most))
    yield least.weights
    if high - low <= HELD * max(abs(high), HELD):
        return
    targets = np.linspace(low, high - INSIDE * (high - low), points)
    asked = _with_target(case, float(targets[0]))
    nearby = near(asked, least)
    for before, target in pairwise(targets):
        rule = asked.rules[-1]
        moved = nearby and nearby.moved(rule, "min", "", before - target)
        if moved is not None:
            nearby = moved
            yield clean(moved.weights)
            continue
        again = _with_target(case, float(target))
        found = find(again)
        if found.status not in ("optimal", "optimal_inaccurate"):
            continue
        asked, nearby = again, near(again, found)
        yield found.weights


def _with_target(case: Case, target: float) -> Case:
    """Return a case that must earn ``target``: alpha as a factor of no risk, and a rule on it."""
    model = case.model
    n, k = model.exposures.shape
    wide = np.zeros((k + 1, k + 1))
    wide[:k, :k] = model.covariance
    root = np.zeros((k + 1, model.root.shape[1] + 1))
    root[:k, :-1] = model.root
    unnamed = np.full(k - len(case.factors), "", dtype=object)
    return replace(
        case,
        model=replace(
            model,
            exposures=np.hstack([model.exposures, case.alpha.reshape(n, 1)]),
            covariance=wide,
            root=root,
        ),
        factors=np.concatenate([case.factors, unnamed, np.array([TARGET], dtype=object)]),
        rules=(*case.rules, Rule("factor", TARGET, target)),
    )


@dataclass(frozen=True, eq=False)
class _Trace:
    """What the points of a frontier are measured by."""

    case: Case
    relative: bool

    def at(self, weights: Array) -> tuple[float, float]:
        """Return risk and return of a portfolio."""
        case = self.case
        earned = weights - case.center if self.relative else weights
        return case.headline(weights), float(case.alpha @ earned)

    def _frontier(
        self,
        table: pd.DataFrame,
        weights: pd.DataFrame,
        corners: pd.DataFrame,
        *,
        refusal: str = "",
        missing: str = "",
    ) -> Frontier:
        case = self.case
        return Frontier(
            table=table,
            weights=weights,
            corners=corners,
            risk_name="tracking error" if self.relative else "volatility",
            return_name="active return" if self.relative else "expected return",
            holdings=self.at(case.current),
            benchmark=None if case.benchmark is None else self.at(case.benchmark),
            messages=(*case.messages, *([missing] if missing else [])),
            refusal=refusal,
        )

    def nowhere(self, refusal: str) -> Frontier:
        table, weights, corners = (
            pd.DataFrame(columns=columns) for columns in (COLUMNS, ["ticker", "name"], CORNERS)
        )
        return self._frontier(table, weights, corners, refusal=refusal)

    def table(self, points: list[Array], missing: str) -> Frontier:
        case = self.case
        rows: list[tuple[object, ...]] = []
        corners: list[tuple[object, ...]] = []
        held = np.zeros(len(case.assets), dtype=int)
        for number, weights in enumerate(points, start=1):
            risk, earned = self.at(weights)
            now = np.where(np.abs(weights) > HELD, np.sign(weights), 0).astype(int)
            enters, leaves = (now != held) & (now != 0), (now != held) & (now == 0)
            if number == 1:
                enters, leaves = np.zeros_like(enters), np.zeros_like(leaves)
            excess = earned - (0.0 if self.relative else case.options.risk_free)
            ratio = excess / risk if risk > HELD else np.nan
            names = int((now != 0).sum())
            changed = [_names(case.assets[at]) for at in (enters, leaves)]
            rows.append((risk, earned, ratio, turnover(case.current, weights), names, *changed))
            for change, at in (("enters", enters), ("leaves", leaves)):
                corners += [
                    (number, risk, earned, str(case.assets[i]), change, float(weights[i]))
                    for i in np.flatnonzero(at)
                ]
            held = now
        return self._frontier(
            pd.DataFrame(rows, columns=COLUMNS),
            self._weights(points),
            pd.DataFrame(corners, columns=CORNERS),
            missing=missing,
        )

    def _weights(self, points: list[Array]) -> pd.DataFrame:
        case = self.case
        every = np.array(points).T
        shown = np.flatnonzero(np.abs(every).max(axis=1) > HELD)
        order = shown[np.argsort(-np.abs(every[shown]).max(axis=1), kind="stable")]
        named = case.problem.securities
        tickers = pd.Index(case.assets[order])
        names = named["name"].reindex(tickers).fillna("") if "name" in named.columns else tickers
        table = pd.DataFrame(every[order], columns=[str(n + 1) for n in range(len(points))])
        table.insert(0, "ticker", case.assets[order])
        table.insert(1, "name", names.to_numpy())
        return table


def _names(tickers: Array) -> str:
    return listed([str(t) for t in tickers]) if len(tickers) else ""
