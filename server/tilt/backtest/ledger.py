"""The book through time: positions drift, cash earns, trades are filled at the close and paid.

``keep_books`` and ``keep_given_books`` run from fill to fill on arrays; ``keep_books_daily`` goes
day by day, in the words of the conventions, and gives the same to 1e-12. Values are in units of the
capital at the start.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate, repeat
from operator import mul
from typing import TypeAlias

import numpy as np

from tilt.backtest.costs import Array, Costs, borrow_fee, charge
from tilt.backtest.execution import AS_WANTED, Execution
from tilt.backtest.market import ByDay, Market, Rows
from tilt.backtest.trades import Fill, Trades, sale_of_ended, trades_of
from tilt.errors import ArgumentError

Decide: TypeAlias = Callable[[int, Array], Array]
"""From the row of a decision and the weights held then to target weights over all assets.

The row counts from the first fill, so the first decision has a negative one when it is filled later
than it is made.
"""
Asked: TypeAlias = Callable[[int], Array]
"""From the row of a decision to target weights that do not depend on the book."""
PAGE = 64  # fills that room is made for where nobody knows how many there will be


@dataclass(frozen=True, eq=False)
class Ledger:
    """Every day's positions and cash at the close, after the day's trades.

    positions : dates × assets; cash : by date
    charged   : dates × (linear, spread, impact, borrow)
    turnover  : by date, one-way, cash included, as a fraction of that day's capital
    fills     : the rebalances, in order of time
    sales     : of names that ended, in order of time
    targets   : by row of the fill, the weights asked for
    unfilled  : by row of the fill, target weight that could not be bought for want of a price
    market, costs : the book was kept in and by
    """

    positions: Array
    cash: Array
    charged: Array
    turnover: Array
    fills: tuple[Fill, ...]
    sales: tuple[Trades, ...]
    targets: dict[int, Array]
    unfilled: dict[int, Array]
    market: Market
    costs: Costs

    @cached_property
    def nav(self) -> Array:
        return np.asarray(self.cash + self.positions.sum(axis=1))

    @cached_property
    def trades(self) -> tuple[Trades, ...]:
        """Every trade, in order of time; on a day that has both, sales of ended names first."""
        found, growth, slope = list(self.sales), ByDay(self.market), self.market.slope
        everybody = np.arange(self.positions.shape[1])
        for fill in self.fills:
            held = np.zeros(len(everybody))
            if fill.row:  # the same product from which the position came, so the same number
                held = self.positions[fill.row - 1] * growth[fill.row]
            steep = None if slope is None else slope[fill.row]
            found.append(trades_of(fill, held, self.costs, steep, everybody))
        return tuple(sorted(found, key=lambda t: (t.row, -t.reason)))


@dataclass(eq=False)
class _Book:
    """The pages that a simulator writes."""

    market: Market
    costs: Costs
    execution: Execution
    room: int  # fills that room is made for at once: large pieces of memory come cheaper
    growth: ByDay = field(init=False)
    positions: Array = field(init=False)
    cash: list[float] = field(init=False)
    charged: Array = field(init=False)
    turnover: list[float] = field(init=False)
    as_wanted: bool = field(init=False)
    fee: float = field(init=False)  # of a day on shorts
    each: Array = field(init=False)  # one for each name, to sum by
    stops: frozenset[int] = field(init=False)  # the rows at which a name ends
    page: Array = field(init=False)  # fills × names
    used: int = 0  # fills of the page
    fills: list[Fill] = field(default_factory=list)
    sales: list[Trades] = field(default_factory=list)
    targets: dict[int, Array] = field(default_factory=dict)
    unfilled: dict[int, Array] = field(default_factory=dict)

    def __post_init__(self) -> None:
        days, names = self.market.returns.shape
        self.growth = ByDay(self.market)
        self.as_wanted = self.execution == AS_WANTED
        self.fee = borrow_fee(self.costs)
        self.stops = frozenset(self.market.ended.tolist())
        self.each = np.ones(names)
        self.positions = np.zeros((days, names))
        self.cash = [1.0] + [0.0] * (days - 1)
        self.charged = np.zeros((days, 4))
        self.turnover = [0.0] * days
        self.page = np.empty((self.room, names))

    def weights(self, row: int) -> Array:
        """Return the weights held at a close; nothing before the first."""
        if row < 0:
            return np.zeros(self.positions.shape[1])
        return np.asarray(self.positions[row] / self.worth(row))

    def worth(self, row: int) -> float:
        """Return the capital at a close."""
        nav = self.cash[row] + float(self.positions[row].dot(self.each))
        if nav <= 0:
            raise ArgumentError(
                f"The book has lost all its capital by {self.market.dates[row]:%Y-%m-%d}. "
                "Lower its leverage or choose a shorter window."
            )
        return nav

    def fill(self, row: int, decided: int, target: Array) -> None:
        """Trade to the target at a close; what has no price stays as it is."""
        nav, held, trade = self.worth(row), self.positions[row], self._record()
        np.multiply(target, nav, out=trade)
        np.subtract(trade, held, out=trade)
        if not self.market.whole[row]:
            priced = self.market.priced[row]
            trade[~priced] = 0.0
            missed = np.where(priced, 0.0, target - held / nav)
            if missed.any():
                self.unfilled[row] = missed
        if not self.as_wanted:
            trade[:] = self._done(row, trade, held, nav)
        slope = None if self.market.slope is None else self.market.slope[row]
        moved, paid = charge(trade, self.costs, slope)
        np.add(held, trade, out=held)
        bought = float(trade.dot(self.each))
        self.cash[row] -= bought + sum(paid)
        for kind, amount in enumerate(paid):
            self.charged[row, kind] += amount
        self.turnover[row] += (moved + abs(bought)) / 2.0 / nav
        self.targets[row] = target
        self.fills.append(Fill(row, decided, trade, nav))

    def _record(self) -> Array:
        """Return room for the trades of a fill, by name."""
        if self.used == self.room:
            self.page, self.used = np.empty_like(self.page), 0
        self.used += 1
        trades: Array = self.page[self.used - 1]
        return trades

    def _done(self, row: int, wanted: Array, held: Array, nav: float) -> Array:
        """Return what of the wanted trades is done, in units of the capital at the start."""
        share = None
        if self.execution.whole_shares:
            share = self.market.close[row] / self.costs.capital
        return self.execution.done(wanted, held, share, nav)

    def sell_ended(self, row: int, asset: Rows, worth: Array) -> None:
        """Record that names without further prices went to cash at their last price."""
        nav = self.cash[row] + float(self.positions[row].sum())
        self.sales.append(sale_of_ended(row, asset, worth, nav))
        self.turnover[row] += float(np.abs(worth).sum()) / nav

    def close(self) -> Ledger:
        """Return the ledger."""
        return Ledger(
            self.positions,
            np.array(self.cash),
            self.charged,
            np.array(self.turnover),
            tuple(self.fills),
            tuple(self.sales),
            self.targets,
            self.unfilled,
            self.market,
            self.costs,
        )


def keep_books(
    market: Market,
    decisions: list[int],
    decide: Decide,
    *,
    lag: int,
    cash_rate: float,
    costs: Costs,
    execution: Execution = AS_WANTED,
) -> Ledger:
    """Return the ledger of decisions made at known rows, computed from fill to fill.

    Parameters
    ----------
    decisions : rows at whose close the strategy is asked, ascending; each is filled ``lag`` rows
        later, the first at row 0
    cash_rate : per day; negative cash pays it
    """
    book = _Book(market, costs, execution, len(decisions))
    return _kept(book, decisions, lambda row: decide(row, book.weights(row)), lag, cash_rate)


def keep_given_books(
    market: Market,
    decisions: list[int],
    asked: Asked,
    *,
    lag: int,
    cash_rate: float,
    costs: Costs,
    execution: Execution = AS_WANTED,
) -> Ledger:
    """Return the ledger of ``keep_books`` for targets that do not depend on the book.

    The weights held at each decision, which nobody asks for, are not worked out.
    """
    book = _Book(market, costs, execution, len(decisions))
    return _kept(book, decisions, asked, lag, cash_rate)


def _kept(book: _Book, decisions: list[int], asked: Asked, lag: int, cash_rate: float) -> Ledger:
    days = book.market.days
    fills = [d + lag for d in decisions if d + lag < days]
    for decided, row, end in zip(decisions, fills, [*fills[1:], days - 1], strict=False):
        book.fill(row, decided, asked(decided))
        _drift(book, row, end, cash_rate)
    return book.close()


def _drift(book: _Book, row: int, end: int, cash_rate: float) -> None:
    """Carry the book from the close of ``row`` to that of ``end`` without a trade."""
    if end <= row:
        return
    if end == row + 1:
        _live_a_day(book, end, cash_rate)
        return
    held: Rows | slice = slice(None)
    growths: Iterable[Array] = book.growth.days(row + 1, end + 1)
    path = book.positions[row + 1 : end + 1]
    # It is faster to take those alone that are held, where they are few.
    few = 2 * np.count_nonzero(book.positions[row]) <= len(book.each)
    if few:
        held = np.flatnonzero(book.positions[row])
        growths = book.market.growth_of(slice(row + 1, end + 1), held)
        path = np.empty((end - row, len(held)))
    before = book.positions[row, held]
    for growth, after in zip(growths, path, strict=True):
        before = np.multiply(before, growth, after)
    flows = [0.0] * (end - row)
    sales: list[tuple[int, Rows, Array]] = []
    for stop in sorted(stop for stop in book.stops if row < stop <= end):
        day = stop - row - 1
        gone = np.flatnonzero((book.market.ended[held] == stop) & (path[day] != 0.0))
        worth = path[day, gone].copy()
        flows[day] += float(worth.sum())
        path[day:, gone] = 0.0
        if len(gone):
            sales.append((stop, held[gone] if isinstance(held, np.ndarray) else gone, worth))
    if book.fee:
        before = np.vstack([book.positions[row, held], path[:-1]])
        short = book.fee * -np.minimum(before, 0.0).sum(axis=1)
        flows = (np.array(flows) - short).tolist()
        book.charged[row + 1 : end + 1, 3] += short
    book.cash[row + 1 : end + 1] = _earning(book.cash[row], 1.0 + cash_rate, flows)
    if few:
        book.positions[row + 1 : end + 1, held] = path
    for stop, asset, worth in sales:
        book.sell_ended(stop, asset, worth)


def _earning(cash: float, growth: float, flows: list[float]) -> list[float]:
    """Return cash by day, from that of the day before: what it grows to, and what flows in."""
    if not any(flows):
        return list(accumulate(repeat(growth, len(flows)), mul, initial=cash))[1:]
    days = accumulate(flows, lambda last, flow: flow + growth * last, initial=cash)
    return list(days)[1:]


def keep_books_daily(
    market: Market,
    is_due: Callable[[int, Array, Array | None], bool],
    decide: Decide,
    *,
    lag: int,
    cash_rate: float,
    costs: Costs,
    execution: Execution = AS_WANTED,
) -> Ledger:
    """Return the ledger of decisions that may depend on the book, day by day.

    Parameters
    ----------
    is_due : from a row, the weights held and the last target (None while a fill is pending) to
        whether to decide at its close
    """
    book = _Book(market, costs, execution, PAGE)
    pending: dict[int, tuple[int, Array]] = {}  # row of the fill -> decision and target
    target: Array | None = None
    if lag:
        pending[0] = (-lag, decide(-lag, book.weights(-1)))
    for row in range(market.days):
        if row:
            _live_a_day(book, row, cash_rate)
        if row in pending:
            decided, target = pending.pop(row)
            book.fill(row, decided, target)
        opening = lag == 0 and row == 0
        if opening or is_due(row, book.weights(row), None if pending else target):
            asked = decide(row, book.weights(row))
            if lag:
                pending[row + lag] = (row, asked)
            else:
                target = asked
                book.fill(row, row, asked)
    return book.close()


def _live_a_day(book: _Book, row: int, cash_rate: float) -> None:
    """Let a day pass: interest on cash, the fee on shorts, returns, and sales of ended names."""
    before = book.positions[row - 1]
    values = np.multiply(before, book.growth[row], out=book.positions[row])
    cash = book.cash[row - 1] * (1.0 + cash_rate)
    if book.fee:
        fee = book.fee * float(-before[before < 0].sum())
        cash -= fee
        book.charged[row, 3] += fee
    book.cash[row] = cash
    if row in book.stops:
        gone = np.flatnonzero((book.market.ended == row) & (values != 0.0))
        worth = values[gone].copy()
        values[gone] = 0.0
        book.cash[row] += float(worth.sum())
        if len(gone):
            book.sell_ended(row, gone, worth)
