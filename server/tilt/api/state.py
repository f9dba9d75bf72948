"""What a running server holds, and how a cell function reaches it: ``current()``."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Generic, TypeVar, cast

import pandas as pd

import tilt
from tilt.api import permission
from tilt.api.cells import Cell
from tilt.api.held import bytes_of
from tilt.api.leaving import Leaving
from tilt.data.live import Board
from tilt.data.store import Store, unknown_universe
from tilt.errors import one_of
from tilt.frames import Panel
from tilt.jobs import Jobs
from tilt.jobs.program import program_id
from tilt.monitoring import Durations
from tilt.portfolio.holdings import Holdings
from tilt.refresh.estimates import kept_model
from tilt.risk.estimators import ESTIMATORS
from tilt.risk.model import FACTOR, RiskModel, estimate_model
from tilt.risk.returns_model import LOOKBACK, as_model
from tilt.security import people
from tilt.security.deciding import LOCAL, NOBODY, Thing, Who
from tilt.settings import Settings, addin_path
from tilt.stopping import AbandonedError, look

T = TypeVar("T")
MODELS = (FACTOR, *ESTIMATORS)
RESULT_BYTES = 2**26  # of the results that are kept in memory
USER: ContextVar[str] = ContextVar("user", default="local")


class Memo(Generic[T]):
    """The latest results by key; who asks for one that is being computed waits for it.

    Parameters
    ----------
    most : results; the one asked for last stays, whatever the bounds
    most_bytes : of them all, about; None for results that are small
    """

    def __init__(self, most: int, *, most_bytes: int | None = None) -> None:
        self.most = most
        self._most_bytes = most_bytes
        self._bytes: dict[object, int] = {}
        self._lock = threading.Lock()
        self._results: OrderedDict[object, Future[T]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._results)

    def get(self, key: object, compute: Callable[[], T]) -> T:
        """Return the result of ``key``, computed once; a failure is not kept."""
        while True:
            look()
            try:
                return self._get(key, compute)
            except AbandonedError:
                look()  # it is ours that was stopped; or that of another, whom we waited for

    def _get(self, key: object, compute: Callable[[], T]) -> T:
        with self._lock:
            known = self._results.get(key)
            mine: Future[T] = known or Future()
            self._results[key] = mine
            self._results.move_to_end(key)
            while len(self._results) > self.most:
                self._forget_oldest()
        if known is None:
            try:
                result = compute()
                self._weigh(key, result)
                mine.set_result(result)
            except BaseException as error:
                with self._lock:
                    self._results.pop(key, None)
                mine.set_exception(error)
                raise
        return mine.result()

    def _weigh(self, key: object, result: T) -> None:
        """Note how large a result is, and let go of the oldest while they are too large."""
        if self._most_bytes is None:
            return
        taken = bytes_of(result)
        with self._lock:
            if key not in self._results:
                return
            self._bytes[key] = taken
            self._results.move_to_end(key)
            while len(self._results) > 1 and sum(self._bytes.values()) > self._most_bytes:
                self._forget_oldest()

    def _forget_oldest(self) -> None:
        key, _ = self._results.popitem(last=False)
        self._bytes.pop(key, None)


@dataclass(frozen=True, eq=False)
class State:
    """One server's settings, store and results.

    cells   : the functions of the sheet, by name
    jobs    : work that may take over two seconds
    live    : the last prices that somebody asked for
    pending : how many calls are being computed or wait for it
    leaving : whether the server was told to end
    holdings : ranges of holdings as read
    results : solutions and backtests by the id of their inputs; another view of the same problem
        does not solve again
    recorded : runs that are on record, by owner and id; fewer than the catalog keeps
    """

    settings: Settings
    store: Store
    cells: Mapping[str, Cell]
    jobs: Jobs
    live: Board
    pending: Callable[[], int] = lambda: 0
    leaving: Leaving = field(default_factory=Leaving)
    durations: Durations = field(default_factory=Durations)
    models: Memo[RiskModel] = field(default_factory=lambda: Memo(32))
    holdings: Memo[Holdings] = field(default_factory=lambda: Memo(2048))
    results: Memo[object] = field(default_factory=lambda: Memo(64, most_bytes=RESULT_BYTES))
    recorded: Memo[str] = field(default_factory=lambda: Memo(1024))

    def panel(self, universe: str | None) -> Panel:
        """Return a universe of the latest snapshot; None is the default universe.

        A request sees one snapshot from its beginning to its end; each use of it is asked for, as
        one cell of a batch may read a universe and another one trade in it.
        """
        look()
        seen = _SEEN.get(None)
        if seen is None:
            return self.store.panel(universe)
        if universe not in seen:
            return seen.setdefault(universe, self.store.panel(universe))
        panel = seen[universe]
        permission.require(
            permission.verb_now(),
            Thing("universe", panel.universe),
            lambda: unknown_universe(panel.universe, self.store.universe_names()),
        )
        return panel

    def edition(self) -> str:
        """Return an id of the data, saved portfolios and program behind the answers."""
        return f"{self.program()}-{self.store.edition()}"

    def program(self) -> str:
        """Return an id of the program behind the answers."""
        return f"{tilt.__version__}-{program_id(addin_path() / 'custom_functions')}"

    def model(
        self,
        panel: Panel,
        date: pd.Timestamp,
        horizon: str = "short",
        estimator: str = "",
        lookback: int = LOOKBACK,
    ) -> RiskModel:
        """Return the risk model of a universe on a date, estimated once per snapshot.

        The factor model of the last date at the short horizon comes with the snapshot.

        Parameters
        ----------
        estimator : one of `MODELS`; empty for the factor model where the universe has one, else
            ledoit_wolf
        lookback : days of returns of an estimator that is not the factor model
        """
        has = panel.factor_history is not None
        name = one_of("estimator", estimator or (FACTOR if has else "ledoit_wolf"), MODELS)

        def made() -> RiskModel:
            if name != FACTOR:
                past = panel.returns.loc[:date].tail(lookback)
                return as_model(
                    past.loc[:, panel.close.loc[date].notna()],
                    name,
                    universe=panel.universe,
                    snapshot=panel.snapshot,
                    sectors=panel.securities["sector"],
                )
            kept = kept_model(self.store, panel, date) if horizon == "short" else None
            return kept or estimate_model(
                panel.factors,
                date,
                universe=panel.universe,
                snapshot=panel.snapshot,
                horizon=horizon,
            )

        memory = horizon if name == FACTOR else lookback
        return self.models.get((panel.universe, panel.snapshot, date, name, memory), made)

    def once(self, key: object, compute: Callable[[], T]) -> T:
        """Return what ``compute`` returned the first time it was asked under ``key``.

        What was kept for somebody is given to nobody who may less, or other things.
        """

        def collected() -> tuple[T, frozenset[Thing]]:
            with permission.apart() as looked_at:
                result = compute()
            return result, frozenset(looked_at)

        own = (permission.who().sight, key)
        found, looked_at = cast("tuple[T, frozenset[Thing]]", self.results.get(own, collected))
        permission.touch(looked_at)
        return found


_CURRENT: ContextVar[State] = ContextVar("state")
_SEEN: ContextVar[dict[str | None, Panel]] = ContextVar("panels")


def enter(
    state: State, user: str, who: Who | None = None, touched: set[Thing] | None = None
) -> None:
    """Make ``state`` what ``current()`` returns in this request, for ``user``.

    Parameters
    ----------
    who : the user, if they have signed in to this request; else they are looked up
    touched : is filled with what they look at
    """
    _CURRENT.set(state)
    _SEEN.set({})
    USER.set(user)
    permission.let_in(known(state, user) if who is None else who, touched)


def known(state: State, user: str) -> Who:
    """Return a user with what they may; with authentication off the only one may everything."""
    if state.settings.auth == "off" and user in ("", LOCAL.id):
        return LOCAL
    return people.who_is(state.store.catalog, user) if user else NOBODY


def pin(panel: Panel) -> None:
    """Make this request see a snapshot that need not be the latest, as the default universe too."""
    _SEEN.set({None: panel, panel.universe: panel})


def current() -> State:
    """Return the state of the server that answers this request."""
    return _CURRENT.get()
