"""One name's data from Yahoo, over yfinance's own HTTP path and a session of manners.

yfinance takes a session of the caller's; ours is that session. It waits between requests, backs
off when Yahoo asks for it, gives up on a slow answer, and can send everything to another address.
yfinance hides errors, and remembers cookies and time zones in files of the user's profile; while
:func:`yfinance_over` lasts it raises, and remembers nothing.
"""

import math
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar
from urllib.parse import urlsplit

import pandas as pd
import yfinance as yf
from curl_cffi import requests
from yfinance import cache
from yfinance.config import YfConfig
from yfinance.data import YfData
from yfinance.exceptions import YFException, YFPricesMissingError, YFTzMissingError

from tilt.data.sources.kept import Gap
from tilt.errors import BusyError

TRY_AGAIN = frozenset({429, 500, 502, 503, 504})
DATA_PATHS = ("/v7/", "/v8/", "/v10/", "/ws/")  # the others are for a cookie, which is optional
PROFILE = ("longName", "shortName", "sector", "industry", "sharesOutstanding", "financialCurrency")
COLUMNS = {
    "close": "Close",
    "volume": "Volume",
    "dividend": "Dividends",
    "split": "Stock Splits",
}
# what yfinance lets out where an answer is JSON of another shape than it expects
MISSHAPEN = (KeyError, IndexError, TypeError, AttributeError, ValueError)
OVERLAP = 14  # days asked for again, to notice a past that was changed
LASTS = 7  # days that statements, shares and profiles are not asked for again
SAME = 1e-6

Part = TypeVar("Part")

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


@dataclass(frozen=True)
class Answer:
    """What Yahoo says of one name on one day, unchanged; days are ISO texts.

    days       : trading days
    prices     : close, volume, dividend, split (0 if none) of these days, all in today's shares
    shares     : outstanding, by day
    statements : items of yfinance, by last day of the fiscal year
    profile    : name, sector, industry, today's shares, currency of the statements
    gaps       : by part, why it is missing
    asked      : day on which all but the prices was asked for
    restated   : how prices differ from those of an earlier answer, in words
    """

    symbol: str
    currency: str = ""
    days: list[str] = field(default_factory=list)
    prices: dict[str, list[float | None]] = field(default_factory=dict)
    shares: dict[str, float] = field(default_factory=dict)
    statements: dict[str, dict[str, float]] = field(default_factory=dict)
    profile: dict[str, str | float] = field(default_factory=dict)
    gaps: dict[str, Gap] = field(default_factory=dict)
    asked: str = ""
    restated: str = ""

    @property
    def final(self) -> bool:
        """Whether asking again on the same day would give the same."""
        return all(gap.final for gap in self.gaps.values())


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


def ask(
    symbol: str,
    start: pd.Timestamp,
    day: pd.Timestamp,
    session: PoliteSession,
    *,
    before: Answer | None = None,
) -> Answer:
    """Return all that Yahoo has of one name; what it lacks is a gap.

    Parameters
    ----------
    start : first day
    day : the day it is asked on
    before : an earlier answer with the same first day: only the days after it are asked for, and
        ``OVERLAP`` before, to notice a change; and what is not a price if it is older than
        ``LASTS`` days

    Raises
    ------
    BusyError
        If Yahoo keeps refusing, or cannot be reached.
    """
    ticker = yf.Ticker(symbol, session=session)
    asking = _Asking(session)
    joined, restated = (None, "")
    if before is not None and before.days:
        since = pd.Timestamp(before.days[-1]) - pd.Timedelta(days=OVERLAP)
        recent = asking.part("prices", lambda: _prices(ticker, max(since, start)), _NOTHING)
        joined, restated = join(before, *recent)
    asking.gaps.pop("prices", None)  # what was asked for in part is now asked for in full
    days, prices = joined or asking.part("prices", lambda: _prices(ticker, start), _NOTHING)
    gaps = asking.gaps
    if not days:
        return Answer(symbol, gaps=gaps or {"prices": Gap("no prices", final=True)})
    given = Answer(
        symbol=symbol,
        currency=str(ticker.history_metadata.get("currency") or ""),
        days=days,
        prices=prices,
        restated=restated,
    )
    if before is not None and _lasts(before, day):
        return replace(
            given,
            shares=before.shares,
            statements=before.statements,
            profile=before.profile,
            gaps={**before.gaps, **gaps},
            asked=before.asked,
        )
    return replace(
        given,
        shares=asking.part("shares", lambda: _shares(ticker, start), {}),
        statements=asking.part("statements", lambda: _statements(ticker), {}),
        profile=asking.part("profile", lambda: _profile(ticker), {}),
        gaps=gaps,
        asked=f"{day:%Y-%m-%d}",
    )


def _lasts(before: Answer, day: pd.Timestamp) -> bool:
    """Return whether all but the prices of an earlier answer need not be asked for again."""
    young = bool(before.asked) and (day - pd.Timestamp(before.asked)).days < LASTS
    return young and before.final


Prices = tuple[list[str], dict[str, list[float | None]]]
_NOTHING: Prices = ([], {})


@dataclass(frozen=True)
class _Asking:
    """One name being asked for: what fails is a gap."""

    session: PoliteSession
    gaps: dict[str, Gap] = field(default_factory=dict)

    def part(self, name: str, read: Callable[[], Part], nothing: Part) -> Part:
        self.session.failed = 0
        try:
            return read()
        except (YFException, requests.exceptions.RequestException, *MISSHAPEN) as error:
            self.gaps[name] = _gap(error, self.session)
        return nothing


def join(
    before: Answer, days: list[str], prices: dict[str, list[float | None]]
) -> tuple[Prices | None, str]:
    """Return the earlier days with the later ones behind them, and how they disagree, in words.

    Nothing is joined where they disagree or do not meet. A split since then changes the whole past
    at Yahoo and is no disagreement.
    """
    common = [d for d in days if d in set(before.days)]
    if not common:
        return None, ""
    then = {name: dict(zip(before.days, v, strict=True)) for name, v in before.prices.items()}
    now = {name: dict(zip(days, v, strict=True)) for name, v in prices.items()}
    splits = [s for d, s in now["split"].items() if d > before.days[-1] and s]
    changed = [
        f"{name} of {d} {now[name][d]:g} and not {then[name][d]:g}"
        for name in ("close", "dividend", "split")
        for d in common
        if not math.isclose(now[name][d] or 0.0, then[name][d] or 0.0, rel_tol=SAME)
    ]
    if splits or changed:
        return None, "" if splits else f"{changed[0]}; {len(changed)} changed"
    first = before.days.index(common[0])
    joined = {name: before.prices[name][:first] + prices[name] for name in COLUMNS}
    return (before.days[:first] + days, joined), ""


def _gap(error: Exception, session: PoliteSession) -> Gap:
    if isinstance(error, requests.exceptions.Timeout):
        return Gap(f"no answer within {session.pace.timeout:g} seconds", final=False)
    if session.failed:
        return Gap(f"Yahoo answered {session.failed}", final=False)
    # which of the two comes depends on how many unknown names yfinance has met before
    if isinstance(error, YFTzMissingError) or session.last_status == 404:
        return Gap("Yahoo does not know it", final=True)
    if isinstance(error, YFPricesMissingError):
        return Gap("there are none in this time", final=True)
    if isinstance(error, YFException):
        return Gap(str(error), final=True)
    return Gap(f"the answer cannot be read ({type(error).__name__})", final=False)


def _prices(ticker: yf.Ticker, start: pd.Timestamp) -> Prices:
    # to the present, whatever is asked for: Yahoo's prices are in today's shares, so every split
    # until today is needed to undo that
    table = ticker.history(start=f"{start:%Y-%m-%d}", interval="1d", auto_adjust=False)
    columns = {
        name: [None if pd.isna(v) else float(v) for v in table[column]]  # JSON has no NaN
        for name, column in COLUMNS.items()
        if not table.empty
    }
    return [f"{day:%Y-%m-%d}" for day in table.index], columns


def _shares(ticker: yf.Ticker, start: pd.Timestamp) -> dict[str, float]:
    year_before = start - pd.Timedelta(days=400)
    counts = ticker.get_shares_full(start=f"{year_before:%Y-%m-%d}")
    if counts is None:
        return {}
    return {f"{day:%Y-%m-%d}": float(count) for day, count in counts.dropna().items() if count > 0}


def _statements(ticker: yf.Ticker) -> dict[str, dict[str, float]]:
    result: dict[str, dict[str, float]] = {}
    for table in (
        ticker.get_income_stmt(freq="yearly"),
        ticker.get_balance_sheet(freq="yearly"),
        ticker.get_cash_flow(freq="yearly"),
    ):
        for end in table.columns:
            values = {str(k): float(v) for k, v in table[end].dropna().items()}
            result.setdefault(f"{end:%Y-%m-%d}", {}).update(values)
    return result


def _profile(ticker: yf.Ticker) -> dict[str, str | float]:
    info = ticker.get_info()
    known = {key: info[key] for key in PROFILE if info.get(key)}
    return {key: v if isinstance(v, str) else float(v) for key, v in known.items()}
