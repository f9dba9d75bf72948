"""Rules as rows of numbers: what the native solvers and the search for conflicts work on.

The variables are ``x = [w, y, u, p, s, t]``: weights, factor exposures ``y = B'(w - center)``, buys
of the names that could be bought or sold, long parts of the names that could be held long or short,
``s ≥ |w - held|^1.5`` of the names whose trades move the market, and one-way turnover where it is
striven for. For a name that is not held and may not be short, its weight is its buy: most names
need no ``u``.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tilt.errors import ArgumentError
from tilt.optimize.case import Case
from tilt.optimize.constraints import DISCRETE, Rule, Side
from tilt.optimize.costs import Cost, Turnover
from tilt.optimize.sparse_rows import Rows, dense_rows, no_rows, one_each, stacked, sums_of
from tilt.optimize.terms import Array

FROZEN = 1e6  # times the capital: what a name without volume would trade of its volume
RISK_RULES = ("tracking_error", "volatility")
_SPLIT_RULES = ("gross", "long", "short")
AFTERWARDS = (*DISCRETE, "lot", "risk_share")  # rules that are no rows of a convex program


@dataclass(frozen=True, eq=False)
class Half:
    """One side of one rule: ``rows x ≤ bound``, or ``‖rows x + shift‖ ≤ bound``.

    names : what each row is about, for the messages
    at    : positions of the assets when the rows bound single weights, else empty
    shift : of a risk rule; None for linear rows
    """

    rule: Rule
    side: Side
    names: tuple[str, ...]
    rows: Rows
    bound: Array
    at: Array
    shift: Array | None = None

    @property
    def conic(self) -> bool:
        return self.shift is not None

    @property
    def shift_or_zero(self) -> Array:
        return np.zeros(self.rows.count) if self.shift is None else self.shift


@dataclass(frozen=True, eq=False)
class Layout:
    """Where each kind of variable stands in ``x``."""

    case: Case
    moving: Array  # positions of the assets with a buy variable
    split: Array  # positions of the assets with a long-part variable
    curved: Array  # positions of the assets with an impact variable
    turns: int  # one where turnover is striven for, else none

    @property
    def assets(self) -> int:
        return len(self.case.assets)

    @property
    def factors(self) -> int:
        return int(self.case.model.exposures.shape[1])  # those without a name too

    @cached_property
    def size(self) -> int:
        parts = len(self.moving) + len(self.split) + len(self.curved)
        return self.assets + self.factors + parts + self.turns

    @property
    def buys(self) -> Array:
        return self.assets + self.factors + np.arange(len(self.moving))

    @property
    def longs(self) -> Array:
        return self.assets + self.factors + len(self.moving) + np.arange(len(self.split))

    @property
    def impacts(self) -> Array:
        before = self.assets + self.factors + len(self.moving) + len(self.split)
        return before + np.arange(len(self.curved))

    @cached_property
    def fixed(self) -> Array:
        """Positions of the assets without a buy variable: their weights are their buys."""
        free = np.ones(self.assets, dtype=bool)
        free[self.moving] = False
        return np.flatnonzero(free)

    @cached_property
    def definitions(self) -> tuple[Rows, Array]:
        """``B'w - y = B'center`` as an equality."""
        n, k = self.assets, self.factors
        b = self.case.model.exposures
        rows = dense_rows(b.T, self.size).with_last(n + np.arange(k), -1.0, self.size)
        return rows, self.centered

    @cached_property
    def centered(self) -> Array:
        """The factor exposures of what risk is measured from."""
        return np.asarray(self.case.model.exposures.T @ self.case.center)

    @cached_property
    def parts(self) -> tuple[Rows, Array]:
        """``w - held ≤ u`` and ``w ≤ p``, as ``rows x ≤ bound``."""
        at = np.concatenate([self.moving, self.split]).astype(int)
        columns = np.concatenate([self.buys, self.longs]).astype(int)
        rows = one_each(at, 1.0, self.size).with_last(columns, -1.0, self.size)
        bound = np.concatenate([self.case.current[self.moving], np.zeros(len(self.split))])
        if not self.turns:
            return rows, bound
        both, offset = _turnover(self)
        both = both.with_last(self.size - 1, -1.0, self.size)
        return stacked([rows, both], self.size), np.concatenate([bound, -offset])

    @cached_property
    def cost(self) -> tuple[Rows, float]:
        """The expected cost as a row and an offset."""
        cost, fixed = self.case.cost, self.fixed
        row = self.row(
            [
                (self.buys, 2 * cost.half),  # |w - held| = 2 u - (w - held)
                (self.moving, -cost.half),
                (fixed, cost.half),
                (self.impacts, cost.slope[self.curved]),
                (self.longs, cost.borrow),
                (self.split, -cost.borrow),
            ]
        )
        return row, float(cost.half * self.case.current[self.moving].sum())

    def row(self, entries: Iterable[tuple[Array, Array | float]]) -> Rows:
        """Return one row from pairs of columns and coefficients."""
        dense = np.zeros(self.size)
        for columns, coefficients in entries:
            dense[columns] += coefficients
        at = np.flatnonzero(dense)
        return Rows(dense[at], at, np.array([0, len(at)]), self.size)


def without_rows(rules: Iterable[Rule]) -> list[Rule]:
    """Return the rules that a convex program says nothing of; round lots come after any solve."""
    return [rule for rule in rules if rule.rule in AFTERWARDS and rule.rule != "lot"]


def lay_out(case: Case) -> Layout:
    """Return the variables that the rules of a case need."""
    names = {rule.rule for rule in case.rules}
    shorts = case.options.long_short
    nowhere = np.zeros(0, dtype=int)
    terms = {type(term) for _, term in case.goal.others()}
    priced = "cost" in names or Cost in terms
    trading = priced or "turnover" in names or Turnover in terms
    fees = priced and case.cost.borrow > 0
    held = case.current != 0
    return Layout(
        case,
        moving=np.flatnonzero(held | shorts) if trading else nowhere,
        split=np.arange(len(case.assets))
        if shorts and (fees or names.intersection(_SPLIT_RULES))
        else nowhere,
        curved=np.flatnonzero(case.cost.slope > 0) if priced else nowhere,
        turns=int(Turnover in terms),
    )


def halves(layout: Layout, rules: Iterable[Rule]) -> list[Half]:
    """Return each side of each rule, in order."""
    found: list[Half] = []
    for rule in rules:
        if rule.rule in RISK_RULES:
            found.append(_risk(layout, rule))
            continue
        if rule.rule in AFTERWARDS:
            found += _without_rows(layout, rule)
            continue
        names, rows, offset, at = _expression(layout, rule)
        if rule.low is not None and not rule.kind.max_only:
            found.append(Half(rule, "min", names, -rows, offset - rule.low, at))
        if rule.high is not None:
            found.append(Half(rule, "max", names, rows, rule.high - offset, at))
    return found


def _without_rows(layout: Layout, rule: Rule) -> list[Half]:
    """Return the sides of a rule that a convex program does not know."""
    nothing = no_rows(layout.size)
    nowhere = np.zeros(0, dtype=int)
    sides: tuple[Side, ...] = ("min", "max")
    return [
        Half(rule, side, (), nothing, np.zeros(0), nowhere)
        for side in sides
        if rule.bound(side) is not None
    ]


def _risk(layout: Layout, rule: Rule) -> Half:
    case = layout.case
    n = layout.assets
    around = case.center if rule.rule == "tracking_error" else np.zeros(n)
    model = case.model
    own = one_each(np.arange(n), np.sqrt(model.specific), layout.size)
    rows = stacked([dense_rows(model.root.T, layout.size, n), own], layout.size)
    shift = np.concatenate(
        [
            model.root.T @ (model.exposures.T @ (case.center - around)),
            -np.sqrt(model.specific) * around,
        ]
    )
    bound = np.array([rule.high if rule.high is not None else np.inf])
    return Half(rule, "max", ("",), rows, bound, np.zeros(0, dtype=int), shift)


def _expression(layout: Layout, rule: Rule) -> tuple[tuple[str, ...], Rows, Array, Array]:
    """Return names, rows and offsets with ``value = rows x + offset``, and single positions."""
    case = layout.case
    nowhere = np.zeros(0, dtype=int)
    if rule.rule == "weight":
        at = case.members(rule)[0][1]
        offset = -case.center[at] if rule.relative else np.zeros(len(at))
        return tuple(case.assets[at]), one_each(at, 1.0, layout.size), offset, at
    if rule.column:
        groups = case.members(rule)
        rows = sums_of([at for _, at in groups], layout.size)
        offset = -rows.times(case.center) if rule.relative else np.zeros(len(groups))
        return tuple(name for name, _ in groups), rows, offset, nowhere
    if rule.rule == "factor":
        which = case.exposures_of(rule)
        rows = one_each(layout.assets + which, 1.0, layout.size)
        offset = np.zeros(len(which)) if rule.relative else layout.centered[which]
        return tuple(case.factors[which]), rows, offset, nowhere
    if rule.rule == "adv":
        return _participation(layout)
    rows, offset = _whole(layout, rule)
    return ("",) * rows.count, rows, offset, nowhere


def _whole(layout: Layout, rule: Rule) -> tuple[Rows, Array]:
    everything = np.arange(layout.assets)
    if rule.rule == "net":
        return layout.row([(everything, 1.0)]), np.zeros(1)
    if rule.rule == "turnover":
        return _turnover(layout)
    if rule.rule == "cost":
        row, offset = layout.cost
        return row, np.array([offset])
    if rule.rule == "beta":
        return _beta(layout, rule)
    if not len(layout.split):  # long only: the sum of weights is the long and the gross exposure
        scale = 0.0 if rule.rule == "short" else 1.0
        return layout.row([(everything, scale)]), np.zeros(1)
    longs, weights = {"gross": (2.0, -1.0), "long": (1.0, 0.0), "short": (1.0, -1.0)}[rule.rule]
    return layout.row([(layout.longs, longs), (everything, weights)]), np.zeros(1)


def _participation(layout: Layout) -> tuple[tuple[str, ...], Rows, Array, Array]:
    """Return buys and sells of each name as shares of its volume; without any it keeps its weight.

    A row for such a name is in units of capital, so that its numbers stay near one.
    """
    case = layout.case
    share = case.participation
    frozen = ~np.isfinite(share)
    scale = np.where(frozen, FROZEN, share)
    one_way = one_each(np.arange(layout.assets), scale, layout.size)
    offset = scale * case.current
    nowhere = np.zeros(0, dtype=int)
    rows = stacked([one_way, -one_way], layout.size)
    return tuple(case.assets) * 2, rows, np.concatenate([-offset, offset]), nowhere


def _turnover(layout: Layout) -> tuple[Rows, Array]:
    """Return buys and sells: with cash counted, one-way turnover is the larger of the two."""
    case = layout.case
    everything = np.arange(layout.assets)
    bought = [(layout.buys, 1.0), (layout.fixed, 1.0)]
    buys, sells = layout.row(bought), layout.row([*bought, (everything, -1.0)])
    return stacked([buys, sells], layout.size), np.array([0.0, case.current.sum()])


def _beta(layout: Layout, rule: Rule) -> tuple[Rows, Array]:
    case, n = layout.case, layout.assets
    model, b = case.model, case.center
    exposures = model.exposures.T @ b
    tilt = model.covariance @ exposures
    variance = float(b @ model.apply(b))
    if variance <= 0:
        raise ArgumentError(f"'{rule.words()}' needs a benchmark that has risk.")
    row = layout.row(
        [
            (np.arange(n), model.specific * b / variance),
            (n + np.arange(layout.factors), tilt / variance),
        ]
    )
    return row, np.array([tilt @ exposures / variance - (1.0 if rule.relative else 0.0)])
