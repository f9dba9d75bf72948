"""Requests to Yahoo: yfinance's own HTTP path, over a session of manners.

yfinance takes a session of the caller's; ours is that session. It waits between requests, backs
off when Yahoo asks for it, gives up on a slow answer, and can send everything to another address.
yfinance hides errors, and remembers cookies and time zones in files of the user's profile; while
:func:`yfinance_over` lasts it raises, and remembers nothing.
"""

import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from curl_cffi import requests
from yfinance import cache
from yfinance.config import YfConfig
from yfinance.data import YfData

from tilt.errors import BusyError

TRY_AGAIN = frozenset({429, 500, 502, 503, 504})
DATA_PATHS = ("/v7/", "/v8/", "/v10/", "/ws/")  # the others are for a cookie, which is optional


_ALONE = threading.Lock()  # yfinance has one session for the whole process


@dataclass(frozen=True)
class Pace:
    """How politely Yahoo is asked.

    pause   : seconds between two requests; there is never more than one at a time
    timeout : seconds until an answer counts as slow
    waits   : seconds before each further try when Yahoo refuses and does not say how long
    longest : seconds; told to wait for longer, the fetch stops and can be continued later
    """

    pause: float = 0.25
    timeout: float = 20.0
    waits: tuple[float, ...] = (5.0, 20.0, 60.0)
    longest: float = 120.0
    sleep: Callable[[float], None] = time.sleep


def unheard(header: str | None) -> None:
    """Do nothing about a refusal."""


class PoliteSession(requests.Session[requests.Response]):
    """The session that yfinance uses.

    Parameters
    ----------
    base_url : scheme and host that every request goes to, whatever host yfinance names; empty:
        Yahoo's own hosts
    on_refusal : told the ``Retry-After`` of a refusal that ends the session

    Attributes
    ----------
    last_status : of the last answer
    failed : status of the last answer that stayed bad however often it was tried; 0 if none
    """

    def __init__(
        self,
        pace: Pace,
        *,
        base_url: str = "",
        on_refusal: Callable[[str | None], None] = unheard,
    ) -> None:
        super().__init__(impersonate="chrome")  # as yfinance does; Yahoo refuses other clients
        self.pace = pace
        self.last_status = 0
        self.failed = 0
        self._base = urlsplit(base_url)
        self._on_refusal = on_refusal
        self._refused = False
        self._next = 0.0

    def request(  # type: ignore[override]
        self, method: requests.session.HttpMethod, url: str, **options: object
    ) -> requests.Response:
        """Send one request, again where that may help.

        Raises
        ------
        BusyError
            If Yahoo keeps refusing, or cannot be reached.
        """
        if self._refused:
            raise BusyError(REFUSED)
        asked = urlsplit(url)
        if self._base.netloc:
            asked = asked._replace(scheme=self._base.scheme, netloc=self._base.netloc)
        if not asked.path.startswith(DATA_PATHS):
            return self._send(method, asked.geturl(), options)
        waits = iter(self.pace.waits)
        while True:
            response = self._send_twice(method, asked.geturl(), options)
            if response.status_code not in TRY_AGAIN:
                return response
            told, usual = retry_after(response.headers.get("Retry-After")), next(waits, None)
            wait = usual if told is None else told
            if usual is None or wait is None or wait > self.pace.longest:
                break
            self.pace.sleep(wait)
        self.failed = response.status_code
        self._refused = self.failed == 429
        if self._refused:
            self._on_refusal(response.headers.get("Retry-After"))
            raise BusyError(REFUSED)
        return response

    def _send_twice(
        self, method: requests.session.HttpMethod, url: str, options: dict[str, object]
    ) -> requests.Response:
        """Send a request, once more if the answer is slow."""
        try:
            return self._send(method, url, options)
        except requests.exceptions.Timeout:
            return self._send(method, url, options)
        except requests.exceptions.ConnectionError as error:
            reason = str(error).partition(". See ")[0]  # the rest advertises curl's manual
            raise BusyError(f"Yahoo cannot be reached: {reason}.") from None

    def _send(
        self, method: requests.session.HttpMethod, url: str, options: dict[str, object]
    ) -> requests.Response:
        early = self._next - time.monotonic()
        if early > 0:
            self.pace.sleep(early)
        self._next = time.monotonic() + self.pace.pause
        given = {**options, "timeout": self.pace.timeout}
        response = super().request(method, url, **given)  # type: ignore[arg-type]
        self.last_status = response.status_code
        return response


REFUSED = "Yahoo refuses more requests for now (429 Too Many Requests)."


def retry_after(header: str | None) -> float | None:
    """Return the seconds that a ``Retry-After`` header asks for; None if it does not say."""
    if header is None:
        return None
    if header.strip().isdigit():
        return float(header)
    try:
        then = parsedate_to_datetime(header)
    except ValueError:
        return None
    return max(0.0, (then.replace(tzinfo=then.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


class _Zones(dict[str, str]):
    """Time zones of names, as yfinance keeps them, in memory."""

    def lookup(self, ticker: str) -> str | None:
        return self.get(ticker)

    def store(self, ticker: str, zone: str) -> None:
        self[ticker] = zone


class _Cookies(dict[str, object]):
    """Cookies, as yfinance keeps them, in memory."""

    def lookup(self, strategy: str) -> dict[str, object] | None:
        return {"cookie": self[strategy]} if strategy in self else None

    def store(self, strategy: str, cookie: object) -> None:
        self[strategy] = cookie


@contextmanager
def yfinance_over(session: PoliteSession) -> Iterator[None]:
    """Let yfinance use ``session``, raise its errors and write no files; then as it was before."""
    with _ALONE:
        hidden = YfConfig.debug.hide_exceptions
        zones, cookies = cache.get_tz_cache, cache.get_cookie_cache
        YfConfig.debug.hide_exceptions = False
        ours = _Zones(), _Cookies()
        cache.get_tz_cache, cache.get_cookie_cache = (lambda: ours[0]), (lambda: ours[1])
        shared = YfData()
        shared.__init__(session)
        try:
            with warnings.catch_warnings():  # of pandas, about how yfinance uses it
                warnings.filterwarnings("ignore", category=Warning, module="yfinance")
                yield
        finally:
            shared.__init__()
            shared.cache_get.cache_clear()
            cache.get_tz_cache, cache.get_cookie_cache = zones, cookies
            YfConfig.debug.hide_exceptions = hidden
            session.close()
