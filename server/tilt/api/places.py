"""Where a job of the server does its work: the same data, user and manner of reading numbers."""

from dataclasses import dataclass
from functools import lru_cache
from typing import cast

from tilt.api.seen import SeenStore
from tilt.api.state import USER, Memo, State, enter
from tilt.data.derive import data_snapshot
from tilt.data.live import Board, LastClose
from tilt.data.store import Store
from tilt.frames import Panel
from tilt.jobs import Jobs
from tilt.portfolio.cells import DECIMAL_SIGN
from tilt.risk.model import RiskModel
from tilt.settings import Settings, read_settings

_MODELS: Memo[RiskModel] = Memo(128)  # of a worker: its next backtest decides on the same dates


@dataclass(frozen=True)
class Place:
    """What a worker process must know to read as the server that asked would.

    It holds no password: a worker opens the store by the settings of its own environment.

    snapshot : of the data, for whatever universe the job asks for
    universe : empty for the default one
    decimal  : the sign that numbers written as text have
    user     : for whom the job works
    """

    data_url: str
    default_universe: str
    snapshot: str
    universe: str
    decimal: str
    user: str

    @staticmethod
    def of(state: State, panel: Panel, universe: str | None = None) -> "Place":
        """Return the place of the request that is being answered.

        Parameters
        ----------
        panel : a universe of the snapshot
        universe : the one that the job reads, if not the default one
        """
        settings = state.settings
        return Place(
            settings.data_url,
            settings.default_universe,
            data_snapshot(panel.snapshot),
            universe or "",
            DECIMAL_SIGN.get(),
            USER.get() or "local",
        )

    def open(self) -> tuple[State, Panel]:
        """Return the state of a server and the universe at the snapshot, in a worker process."""
        DECIMAL_SIGN.set(self.decimal)
        state = _state(self.data_url, self.default_universe)
        enter(state, self.user)
        return state, state.store.panel(self.universe or None, self.snapshot)


@lru_cache(maxsize=1)
def _store(data_url: str, default_universe: str) -> Store:
    return Store.open(_settings(data_url, default_universe))


def _settings(data_url: str, default_universe: str) -> Settings:
    changed = {"data_url": data_url, "default_universe": default_universe}
    return read_settings().model_copy(update=changed)


def _state(data_url: str, default_universe: str) -> State:
    """Return a state over a store that the process keeps open."""
    store = _store(data_url, default_universe)
    settings = _settings(data_url, default_universe)
    board = Board(LastClose(store), seconds=settings.live_seconds)
    no_jobs = cast("Jobs", None)  # a job asks for no job
    return State(settings, SeenStore(store), {}, no_jobs, board, models=_MODELS)
