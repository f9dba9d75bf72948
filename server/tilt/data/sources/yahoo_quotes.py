"""Last prices from Yahoo: one request for all names that are due.

This asks on a connection of its own, not through yfinance, which has one session for the whole
process: a refresh that fetches years of prices for an hour must not hold up the cells.
"""

import datetime as dt
import json
import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence

from curl_cffi import requests

from tilt.data.quote import Quote
from tilt.data.sources.yahoo import symbol
from tilt.data.sources.yahoo_web import Pace, PoliteSession, retry_after
from tilt.errors import BusyError

COOKIE = "https://fc.yahoo.com/"
CRUMB = "https://query1.finance.yahoo.com/v1/test/getcrumb"
QUOTES = "https://query1.finance.yahoo.com/v7/finance/quote"
FIELDS = "regularMarketPrice,regularMarketTime,regularMarketChangePercent,currency"
MOST = 400  # names in one request: its address stays within 8 kB
PACE = Pace(pause=0.0, timeout=8.0, waits=(), longest=0.0)  # the board decides when to try again
WAIT = 60.0  # seconds after a refusal that does not say how long it lasts
LONGEST_CRUMB = 64


class YahooQuotes:
    """Last prices of Yahoo.

    Parameters
    ----------
    base_url : another address to send every request to; empty: Yahoo's own
    now : seconds, of a clock that only rises
    """

    def __init__(
        self,
        *,
        base_url: str = "",
        pace: Pace = PACE,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._base_url = base_url
        self._pace = pace
        self._now = now
        self._lock = threading.Lock()
        self._session: PoliteSession | None = None
        self._crumb = ""
        self._not_before = -math.inf

    def last(self, tickers: Sequence[str]) -> Mapping[str, Quote]:
        """Return the last price of each ticker that has one, in one request for ``MOST`` names.

        Raises
        ------
        BusyError
            If Yahoo cannot be reached, refuses, is slow, or what it says cannot be read. After a
            refusal it is not asked before the time it names.
        """
        with self._lock:
            early = self._not_before - self._now()
            if early > 0:
                raise BusyError(f"Yahoo refused, and is not asked for another {early:.0f} seconds.")
            found: dict[str, Quote] = {}
            for first in range(0, len(tickers), MOST):
                found |= self._some(tickers[first : first + MOST])
            return found

    def _some(self, tickers: Sequence[str]) -> dict[str, Quote]:
        by_symbol = {symbol(t): t for t in tickers}
        response = self._ask(",".join(by_symbol))
        if response.status_code in {401, 403}:  # the crumb has grown old
            self._forget()
            response = self._ask(",".join(by_symbol))
        if response.status_code != 200:
            raise BusyError(f"Yahoo answered {response.status_code} for the last prices.")
        read = (_quote(row) for row in _rows(response.content))
        return {by_symbol[name]: quote for name, quote in read if quote and name in by_symbol}

    def _ask(self, symbols: str) -> requests.Response:
        """Send the one request, with the cookie and the crumb that Yahoo wants."""
        try:
            session = self._signed()
            params = {"symbols": symbols, "fields": FIELDS, "crumb": self._crumb}
            response = session.get(QUOTES, params=params)
        except requests.exceptions.Timeout:
            self._forget()
            raise BusyError(
                f"Yahoo gave no answer within {self._pace.timeout:g} seconds."
            ) from None
        except requests.exceptions.RequestException as error:
            self._forget()
            raise BusyError(f"Yahoo cannot be reached ({type(error).__name__}).") from None
        return response

    def _signed(self) -> PoliteSession:
        if self._session is None:
            self._session = PoliteSession(
                self._pace, base_url=self._base_url, on_refusal=self._refused
            )
        if not self._crumb:
            self._session.get(COOKIE)
            answer = self._session.get(CRUMB)
            if answer.status_code == 429:
                self._refused(answer.headers.get("Retry-After"))
                raise BusyError("Yahoo refuses more requests for now (429 Too Many Requests).")
            crumb = answer.text.strip()
            if answer.status_code != 200 or not 0 < len(crumb) <= LONGEST_CRUMB or "<" in crumb:
                raise BusyError(f"Yahoo gave no key for the last prices ({answer.status_code}).")
            self._crumb = crumb
        return self._session

    def _refused(self, header: str | None) -> None:
        told = retry_after(header)
        self._not_before = self._now() + (WAIT if told is None else told)
        self._forget()

    def _forget(self) -> None:
        """Begin with a new cookie next time."""
        if self._session is not None:
            self._session.close()
        self._session = None
        self._crumb = ""


def _rows(content: bytes) -> list[dict[str, object]]:
    try:
        rows = json.loads(content)["quoteResponse"]["result"]
    except (ValueError, KeyError, TypeError):
        raise BusyError("What Yahoo answered for the last prices cannot be read.") from None
    if not isinstance(rows, list):
        raise BusyError("What Yahoo answered for the last prices cannot be read.")
    return [row for row in rows if isinstance(row, dict)]


def _quote(row: Mapping[str, object]) -> tuple[str, Quote | None]:
    """Return the name of a row and its quote; None where a price or its time is no number."""
    price, at = _number(row.get("regularMarketPrice")), _number(row.get("regularMarketTime"))
    name = str(row.get("symbol"))
    if not price > 0 or not 0 < at < 1e11:
        return name, None
    return name, Quote(
        price=price,
        time=dt.datetime.fromtimestamp(at, dt.UTC),
        change=_number(row.get("regularMarketChangePercent")) / 100,
        currency=str(row.get("currency") or ""),
    )


def _number(value: object) -> float:
    given = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if given and math.isfinite(value) else math.nan  # type: ignore[arg-type]
