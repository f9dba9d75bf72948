"""Live prices: asked upstream once for everybody, and kept when upstream is away."""

import datetime as dt
import math
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

import pandas as pd

from tilt.data.quote import Quote
from tilt.data.store import Store
from tilt.errors import TiltError, one_of
from tilt.settings import Settings

GAP = 1.0  # seconds between two requests of a process to an upstream that is another's
RETRY_SECONDS = 30.0  # before the first new try of an upstream that fails; then twice as long


class Quotes(Protocol):
    """Where live prices come from."""

    def last(self, tickers: Sequence[str]) -> Mapping[str, Quote]:
        """Return the last price of each ticker that has one, in one request upstream.

        Raises
        ------
        TiltError
            If upstream does not answer.
        """


class LastClose:
    """The last close of the store: what stands in where no live source is set."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def last(self, tickers: Sequence[str]) -> Mapping[str, Quote]:
        """Return the last close of each ticker of the default universe.

        The change is the return of the day, dividends included.
        """
        panel = self._store.panel()
        closes = panel.close.ffill().iloc[-1]
        at = dt.datetime.combine(panel.as_of.date(), dt.time(), tzinfo=dt.UTC)
        known = closes[closes.notna()]
        places = known.index.get_indexer(pd.Index(tickers))
        prices = known.to_numpy(dtype=float)
        changes = panel.returns.iloc[-1].reindex(known.index).to_numpy(dtype=float)
        return {
            t: Quote(float(prices[i]), at, float(changes[i]))
            for t, i in zip(tickers, places, strict=True)
            if i >= 0
        }


def _yahoo(settings: Settings) -> Quotes:
    from tilt.data.sources.yahoo_quotes import YahooQuotes  # what it asks with is large

    return YahooQuotes(base_url=settings.yahoo_url)


SOURCES: Mapping[str, Callable[[Settings, Store], Quotes]] = MappingProxyType(
    {
        "close": lambda _, store: LastClose(store),
        "yahoo": lambda settings, _: _yahoo(settings),
    }
)


def open_quotes(settings: Settings, store: Store) -> Quotes:
    """Return the live source that the settings name."""
    return SOURCES[one_of("live_source", settings.live_source, SOURCES)](settings, store)


@dataclass(frozen=True)
class Shown:
    """A quote as it is shown: how many seconds ago the upstream last confirmed it."""

    quote: Quote
    age: float


class Board:
    """The last quote of every ticker that somebody asked for.

    Everybody is answered from here: upstream is asked once for all tickers that are due, however
    many ask. While it is asked, and when it fails, the last quotes are shown and grow old; an
    upstream that fails is asked less and less often, at last every ``seconds``.

    Each process has a board of its own, so upstream is asked for a ticker at most once in
    ``seconds`` by each, and for anything at all at most once in ``gap``.

    Parameters
    ----------
    seconds : how long a quote is kept before upstream is asked again
    gap : seconds between two requests; who asks for a new ticker meanwhile waits so long
    now : seconds, of a clock that only rises
    pause : waits so many seconds
    """

    def __init__(
        self,
        quotes: Quotes,
        *,
        seconds: float,
        gap: float = 0.0,
        now: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._quotes = quotes
        self._seconds = seconds
        self._gap = gap
        self._now = now
        self._pause = pause
        self._not_before = -math.inf  # when upstream may be asked again
        self._asking = threading.Lock()  # held while upstream is asked
        self._lock = threading.Lock()  # of all below
        self._asked: dict[str, float] = {}  # when somebody last wanted it
        self._next: dict[str, float] = {}  # when upstream is next asked for it
        self._known: dict[str, tuple[Quote, float]] = {}
        self._failures = 0
        self._problem: TiltError | None = None

    def last(self, tickers: Iterable[str]) -> dict[str, Shown]:
        """Return the last quote of each ticker that ever had one.

        Who comes while upstream is asked is shown what is known, and waits if nothing is.

        Raises
        ------
        TiltError
            If upstream does not answer, and there is no quote from before for any of them.
        """
        wanted = list(dict.fromkeys(tickers))
        with self._lock:
            now = self._now()
            self._asked.update(dict.fromkeys(wanted, now))
            due = bool(self._due(wanted, now))
            shown = all(t in self._known for t in wanted)
            due = due and not (shown and now < self._not_before)
        if due and self._asking.acquire(blocking=not shown):
            try:
                self._ask(wanted)
            finally:
                self._asking.release()
        with self._lock:
            now = self._now()
            found = {
                t: Shown(quote, now - at)
                for t in wanted
                for quote, at in ([self._known[t]] if t in self._known else [])
            }
            if wanted and not found and self._problem is not None:
                raise self._problem
            return found

    def due(self) -> float:
        """Return the seconds until a quote may be another."""
        with self._lock:
            wanted = (at for t, at in self._next.items() if t in self._asked)
            return max(0.0, min(wanted, default=0.0) - self._now())

    def _due(self, tickers: Iterable[str], now: float) -> list[str]:
        return [t for t in tickers if self._next.get(t, -math.inf) <= now]

    def _ask(self, wanted: list[str]) -> None:
        """Ask upstream for all that is due and still wanted by somebody."""
        with self._lock:
            now = self._now()
            if not self._due(wanted, now):  # another asked while this one waited
                return
        if now < self._not_before:
            self._pause(self._not_before - now)
        with self._lock:
            now = self._now()
            self._asked = {t: at for t, at in self._asked.items() if now - at <= 2 * self._seconds}
            self._next = {t: at for t, at in self._next.items() if t in self._asked or at > now}
            self._known = {t: known for t, known in self._known.items() if t in self._next}
            due = self._due(self._asked, now)
        try:
            found, problem = self._quotes.last(due), None
        except TiltError as error:
            found, problem = {}, error
        with self._lock:
            now = self._now()
            self._not_before = now + self._gap
            self._problem = problem
            self._failures = 0 if problem is None else self._failures + 1
            wait = self._seconds
            if problem is not None:
                doubled = min(self._failures - 1, 20)
                wait = min(self._seconds, RETRY_SECONDS * 2.0**doubled)
            self._known.update({t: (quote, now) for t, quote in found.items()})
            self._next.update(dict.fromkeys(due, now + wait))


def open_board(settings: Settings, store: Store) -> Board:
    """Return the board over the live source that the settings name."""
    gap = 0.0 if settings.live_source == "close" else GAP  # the store is nobody else's
    return Board(open_quotes(settings, store), seconds=settings.live_seconds, gap=gap)
