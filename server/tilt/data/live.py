"""Live prices: asked upstream once for everybody, and kept when upstream is away."""

import datetime as dt
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

import pandas as pd

from tilt.data.store import Store
from tilt.errors import TiltError, one_of

RETRY_SECONDS = 30.0  # at most between two tries of an upstream that fails


@dataclass(frozen=True)
class Quote:
    """The last price of a security.

    price : in the currency of its listing
    time  : when it was made, UTC
    """

    price: float
    time: dt.datetime


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
        """Return the last close of each ticker of the default universe."""
        panel = self._store.panel()
        closes = panel.close.ffill().iloc[-1]
        at = dt.datetime.combine(panel.as_of.date(), dt.time(), tzinfo=dt.UTC)
        known = closes[closes.notna()]
        places = known.index.get_indexer(pd.Index(tickers))
        prices = known.to_numpy(dtype=float)
        return {
            t: Quote(float(prices[i]), at) for t, i in zip(tickers, places, strict=True) if i >= 0
        }


SOURCES: Mapping[str, Callable[[Store], Quotes]] = MappingProxyType({"close": LastClose})


def open_quotes(source: str, store: Store) -> Quotes:
    """Return the live source of a name."""
    return SOURCES[one_of("live_source", source, SOURCES)](store)


@dataclass(frozen=True)
class Shown:
    """A quote as it is shown: how many seconds ago the upstream last confirmed it."""

    quote: Quote
    age: float


class Board:
    """The last quote of every ticker that somebody asked for.

    Everybody is answered from here: upstream is asked once for all tickers that are due, however
    many ask. When it fails, the last quotes stay and grow old.

    Parameters
    ----------
    seconds : how long a quote is kept before upstream is asked again
    now : seconds, of a clock that only rises
    """

    def __init__(
        self, quotes: Quotes, *, seconds: float, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._quotes = quotes
        self._seconds = seconds
        self._now = now
        self._lock = threading.Lock()
        self._asked: dict[str, float] = {}  # when somebody last wanted it
        self._tried: dict[str, float] = {}  # when upstream is next asked for it
        self._known: dict[str, tuple[Quote, float]] = {}
        self._problem: TiltError | None = None

    def last(self, tickers: Iterable[str]) -> dict[str, Shown]:
        """Return the last quote of each ticker that ever had one.

        Raises
        ------
        TiltError
            If upstream does not answer, and there is no quote from before for any of them.
        """
        wanted = list(dict.fromkeys(tickers))
        with self._lock:  # who comes while upstream is asked waits for its answer
            now = self._now()
            self._asked.update(dict.fromkeys(wanted, now))
            if any(self._tried.get(t, -float("inf")) <= now for t in wanted):
                self._ask(now)
            found = {t: Shown(q, now - at) for t in wanted for q, at in self._of(t)}
            if wanted and not found and self._problem is not None:
                raise self._problem
            return found

    def due(self) -> float:
        """Return the seconds until a quote may be another."""
        with self._lock:
            return max(0.0, min(self._tried.values(), default=0.0) - self._now())

    def _of(self, ticker: str) -> list[tuple[Quote, float]]:
        return [self._known[ticker]] if ticker in self._known else []

    def _ask(self, now: float) -> None:
        """Ask upstream for all that is due and still wanted by somebody."""
        self._asked = {t: at for t, at in self._asked.items() if now - at <= 2 * self._seconds}
        self._tried = {t: at for t, at in self._tried.items() if t in self._asked}
        due = [t for t in self._asked if self._tried.get(t, -float("inf")) <= now]
        try:
            found = self._quotes.last(due)
        except TiltError as error:
            self._problem = error
            wait = min(self._seconds, RETRY_SECONDS)
        else:
            self._problem = None
            wait = self._seconds
            self._known.update({t: (quote, now) for t, quote in found.items()})
        self._tried.update(dict.fromkeys(due, now + wait))
