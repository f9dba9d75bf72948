"""What a report leaves behind: the runs whose ids it shows, and a note of what it held."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import pandas as pd

from tilt.backtest.result import BacktestResult
from tilt.data import packs
from tilt.data.packs import Pack, Whose
from tilt.data.store import Store
from tilt.frames import content_id
from tilt.optimize.constraints import Grid
from tilt.optimize.frontier import Frontier
from tilt.optimize.problem import Problem
from tilt.optimize.solve import Solution


@dataclass(frozen=True)
class BacktestAsked:
    """A backtest of a report as the cell ``BACKTEST`` would be asked for it.

    start, end : None for the first and the last possible day
    rules      : limits as typed in a sheet; empty for none
    options    : of the cell, by name
    """

    strategy: str
    start: pd.Timestamp | None = None
    end: pd.Timestamp | None = None
    rebalance: str = ""
    rules: Grid = field(default_factory=list)
    options: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class ExplainedAsked:
    """An attribution of a report as the cell ``ATTRIBUTION`` would be asked for it.

    holdings   : cells: a saved portfolio's name, a run id, or tickers and weights
    start, end : closes: the returns after ``start`` until ``end`` are explained; None for all
                 days of a run
    """

    holdings: Grid
    start: pd.Timestamp | None
    end: pd.Timestamp | None
    method: str
    by: str = ""
    link: str = ""
    long_short: bool = False


class Record:
    """Keeps what a report computed for all of its portfolios; leaves nothing behind.

    A server's own leaves every run where ``TRACE`` finds it.
    """

    def __init__(self) -> None:
        self._tested: dict[str, BacktestResult] = {}
        self._runs: dict[str, None] = {}
        self.tests: dict[str, BacktestAsked] = {}  # by run id
        self.explanations: dict[str, ExplainedAsked] = {}  # by method, of the present portfolio

    @property
    def runs(self) -> tuple[str, ...]:
        """Return the ids of the runs on record since ``begin``."""
        return tuple(self._runs)

    def begin(self) -> None:
        """Begin another portfolio: its runs are counted from here."""
        self._runs.clear()
        self.explanations.clear()

    def note(self, run: str) -> str:
        """Count a run as one of the present portfolio's; return its id."""
        if run:
            self._runs[run] = None
        return run

    def solution(self, found: Solution) -> None:
        """Leave an optimization on record."""
        self.note(found.run_id)

    def frontier(self, problem: Problem, points: int, found: Frontier) -> str:
        """Leave an efficient frontier on record; return its run id, empty if there is none."""
        return ""

    def backtest(self, asked: BacktestAsked, found: BacktestResult) -> None:
        """Leave a backtest on record."""
        self.note(found.run_id)

    def explained(self, asked: ExplainedAsked, table: pd.DataFrame) -> str:
        """Leave an attribution on record; return its run id, empty if there is none.

        Parameters
        ----------
        table : as the report shows it; one that the cell does not give is not recorded
        """
        self.explanations[asked.method] = asked
        return ""

    def tested(
        self, asked: BacktestAsked, over: object, run: Callable[[], BacktestResult]
    ) -> BacktestResult:
        """Return a backtest, run once for all portfolios of a report that share it.

        Parameters
        ----------
        over : the data that it is over, by content
        """
        key = content_id(over, repr(asked))
        if key not in self._tested:
            self._tested[key] = run()
        self.tests[self._tested[key].run_id] = asked
        self.backtest(asked, self._tested[key])
        return self._tested[key]

    def last(self, whose: Whose, kind: str, universe: str, date: pd.Timestamp) -> Pack | None:
        """Return the report before a date that was made last; None if none is on record."""
        return None

    def last_of_day(
        self, whose: Whose, kind: str, universe: str, date: pd.Timestamp
    ) -> Pack | None:
        """Return the report of a date that was made last; None if none is on record."""
        return None

    def made(self, pack: Pack) -> str:
        """Leave a note of what a report held; return its id, empty if none is left."""
        return ""


class PackRecord(Record):
    """Notes in a store's catalog what reports held, for their owner."""

    def __init__(self, store: Store, owner: str) -> None:
        super().__init__()
        self._store = store
        self._owner = owner

    def last(self, whose: Whose, kind: str, universe: str, date: pd.Timestamp) -> Pack | None:
        return packs.last(self._store.catalog, self._mine(whose), kind, universe, before=date)

    def last_of_day(
        self, whose: Whose, kind: str, universe: str, date: pd.Timestamp
    ) -> Pack | None:
        return packs.last_of_day(self._store.catalog, self._mine(whose), kind, universe, date)

    def made(self, pack: Pack) -> str:
        return packs.record(self._store.catalog, replace(pack, whose=self._mine(pack.whose)))

    def _mine(self, whose: Whose) -> Whose:
        return replace(whose, owner=self._owner)
