"""The book through time: positions drift, cash earns, trades are filled at the close and paid.

``keep_books`` runs from fill to fill on arrays; ``keep_books_daily`` goes day by day, in the words
of the conventions, and gives the same to 1e-12. Values are in units of the capital at the start.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import accumulate
from typing import TypeAlias

import numpy as np

from tilt.backtest.costs import Array, Costs, borrow_fee, charge
from tilt.backtest.execution import AS_WANTED, Execution
from tilt.backtest.market import Market, Rows
from tilt.errors import ArgumentError

Decide: TypeAlias = Callable[[int, Array], Array]
"""From the row of a decision and the weights held then to target weights over all assets.

The row counts from the first fill, so the first decision has a negative one when it is filled later
than it is made.
"""
REBALANCE, DELISTED = 0, 1


@dataclass(frozen=True, eq=False)
class Trades:
    """Trades of one close, by position of the asset; fractions of the capital at the start."""

    row: int
    decided: int
    asset: Rows
    before: Array  # value held before
    trade: Array  # value bought, negative sold
    cost: Array
    nav: float  # before the costs
    reason: int


@dataclass(frozen=True, eq=False)
class Ledger:
    """Every day's positions and cash at the close, after the day's trades.

    positions : dates × assets; cash : by date
    charged   : dates × (linear, spread, impact, borrow)
    turnover  : by date, one-way, cash included, as a fraction of that day's capital
    trades    : in order of time
    targets   : by row of the fill, the weights asked for
    unfilled  : by row of the fill, target weight that could not be bought for want of a price
    """

    positions: Array
    cash: Array
    charged: Array
    turnover: Array
    trades: tuple[Trades, ...]
    targets: dict[int, Array]
    unfilled: dict[int, Array]

    @property
    def nav(self) -> Array:
        return np.asarray(self.cash + self.positions.sum(axis=1))


@dataclass(eq=False)
class _Book:
    """The pages that a simulator writes."""

    market: Market
    costs: Costs
    execution: Execution = AS_WANTED
    positions: Array = field(init=False)
    cash: Array = field(init=False)
    charged: Array = field(init=False)
    turnover: Array = field(init=False)
    everybody: Rows = field(init=False)
    stops: Rows = field(init=False)  # the rows at which a name ends
    trades: list[Trades] = field(default_factory=list)
    targets: dict[int, Array] = field(default_factory=dict)
    unfilled: dict[int, Array] = field(default_factory=dict)

    def __post_init__(self) -> None:
        days, names = self.market.growth.shape
        self.everybody = np.arange(names)
        self.stops = np.unique(self.market.ended)
        self.positions = np.zeros((days, names))
        self.cash = np.zeros(days)
        self.cash[0] = 1.0
        self.charged = np.zeros((days, 4))
        self.turnover = np.zeros(days)

    def weights(self, row: int) -> Array:
        """Return the weights held at a close; nothing before the first."""
        if row < 0:
            return np.zeros(self.positions.shape[1])
        return np.asarray(self.positions[row] / self.worth(row))

    def worth(self, row: int) -> float:
        """Return the capital at a close."""
        nav = float(self.cash[row] + self.positions[row].sum())
        if nav <= 0:
            raise ArgumentError(
                f"The book has lost all its capital by {self.market.dates[row]:%Y-%m-%d}. "
                "Lower its leverage or choose a shorter window."
            )
        return nav

    def fill(self, row: int, decided: int, target: Array) -> None:
        """Trade to the target at a close; what has no price stays as it is."""
        nav = self.worth(row)
        held = self.positions[row].copy()
        priced = self.market.priced[row]
        everything = bool(priced.all())
        wanted = target * nav
        wanted -= held
        if not everything:
            wanted = np.where(priced, wanted, 0.0)
        trade = self._done(row, wanted, held, nav)
        slope = None if self.market.slope is None else self.market.slope[row]
        cost = charge(trade, self.costs, slope)
        self.positions[row] += trade
        bought, paid = trade.sum(), cost.sum(axis=1)
        self.cash[row] -= bought + paid.sum()
        self.charged[row, : len(paid)] += paid
        self.turnover[row] += (np.abs(trade).sum() + abs(bought)) / 2.0 / nav
        self.targets[row] = target
        if not everything:
            missed = np.where(priced, 0.0, target - held / nav)
            if missed.any():
                self.unfilled[row] = missed
        charged = cost.sum(axis=0) if len(cost) > 1 else cost[0]
        asset = self.everybody
        if np.count_nonzero(trade) < len(trade):
            asset = np.flatnonzero(trade)
            held, trade, charged = held[asset], trade[asset], charged[asset]
        self.trades.append(Trades(row, decided, asset, held, trade, charged, nav, REBALANCE))

    def _done(self, row: int, wanted: Array, held: Array, nav: float) -> Array:
        """Return what of the wanted trades is done, in units of the capital at the start."""
        share = None
        if self.execution.whole_shares:
            share = self.market.close[row] / self.costs.capital
        return self.execution.done(wanted, held, share, nav)

    def sell_delisted(self, row: int, asset: Rows, worth: Array) -> None:
        """Record that names without further prices went to cash at their last price."""
        nav = float(self.cash[row] + self.positions[row].sum())
        free = np.zeros(len(asset))
        self.trades.append(Trades(row, row, asset, worth, -worth, free, nav, DELISTED))
        self.turnover[row] += np.abs(worth).sum() / nav

    def close(self) -> Ledger:
        """Return the ledger."""
        self.trades.sort(key=lambda t: (t.row, -t.reason))
        return Ledger(
            self.positions,
            self.cash,
            self.charged,
            self.turnover,
            tuple(self.trades),
            self.targets,
            self.unfilled,
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
    book = _Book(market, costs, execution)
    fills = [d + lag for d in decisions if d + lag < market.days]
    for at, row in enumerate(fills):
        decided = decisions[at]
        target = decide(decided, book.weights(decided))
        book.fill(row, decided, target)
        end = fills[at + 1] if at + 1 < len(fills) else market.days - 1
        _drift(book, row, end, cash_rate)
    return book.close()


def _drift(book: _Book, row: int, end: int, cash_rate: float) -> None:
    """Carry the book from the close of ``row`` to that of ``end`` without a trade."""
    if end <= row:
        return
    names = book.everybody
    held: Rows | slice = slice(None)
    path = book.positions[row + 1 : end + 1]
    if 2 * np.count_nonzero(book.positions[row]) <= len(names):  # else it is faster to take all
        names = held = np.flatnonzero(book.positions[row])
        path = np.empty((end - row, len(names)))
    growth = book.market.growth[row + 1 : end + 1, held]
    path[0] = growth[0]
    for day in range(1, len(path)):
        np.multiply(path[day - 1], growth[day], out=path[day])
    path *= book.positions[row, held]
    flows = np.zeros(end - row)
    sales: list[tuple[int, Rows, Array]] = []
    for stop in book.stops[(book.stops > row) & (book.stops <= end)].tolist():
        day = stop - row - 1
        gone = np.flatnonzero((book.market.ended[held] == stop) & (path[day] != 0.0))
        worth = path[day, gone].copy()
        flows[day] += worth.sum()
        path[day:, gone] = 0.0
        if len(gone):
            sales.append((stop, names[gone], worth))
    fee = borrow_fee(book.costs)
    if fee:
        before = np.vstack([book.positions[row, held], path[:-1]])
        short = fee * -np.minimum(before, 0.0).sum(axis=1)
        flows -= short
        book.charged[row + 1 : end + 1, 3] += short
    grown = 1.0 + cash_rate
    start = grown * book.cash[row]
    if end == row + 1:
        book.cash[end] = start + flows[0]
    else:
        days = accumulate(
            flows[1:], lambda cash, flow: flow + grown * cash, initial=start + flows[0]
        )
        book.cash[row + 1 : end + 1] = list(days)
    if len(names) < len(book.everybody):
        book.positions[row + 1 : end + 1, held] = path
    for stop, asset, worth in sales:
        book.sell_delisted(stop, asset, worth)


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
    book = _Book(market, costs, execution)
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
    fee = borrow_fee(book.costs) * float(-before[before < 0].sum())
    cash = book.cash[row - 1] * (1.0 + cash_rate) - fee
    values = before * book.market.growth[row]
    gone = np.flatnonzero((book.market.ended == row) & (values != 0.0))
    worth = values[gone].copy()
    values[gone] = 0.0
    book.positions[row] = values
    book.cash[row] = cash + worth.sum()
    book.charged[row, 3] += fee
    if len(gone):
        book.sell_delisted(row, gone, worth)
