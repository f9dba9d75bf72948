"""What Yahoo says of one name: asked for in full, or for the days that are new."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeVar

import pandas as pd
import yfinance as yf
from curl_cffi import requests
from yfinance.exceptions import YFException, YFPricesMissingError, YFTzMissingError

from tilt.data.sources.kept import Gap
from tilt.data.sources.yahoo_web import PoliteSession

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
