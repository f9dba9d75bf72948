"""Yahoo Finance through yfinance, for a list of names.

Nothing is asked of Yahoo unless this source is named. One name after the other is asked for, and
each answer lies in the data folder under the day it is of: a fetch that is stopped, refused or
killed goes on where it was, and the same refresh on the same day asks nothing. A name that Yahoo
does not have, or does not answer for, becomes a finding; the others are delivered.
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
from pydantic import TypeAdapter
from yfinance.utils import is_isin

from tilt.data.findings import Finding, noted
from tilt.data.schema import KEY_FIGURES
from tilt.data.sources.delivery import (
    Delivery,
    Progress,
    Source,
    Vendor,
    check_tables,
    quiet,
)
from tilt.data.sources.kept import Kept
from tilt.data.sources.names import first_day, read_names, today
from tilt.data.sources.published import as_published
from tilt.data.sources.yahoo_ask import Answer, ask
from tilt.data.sources.yahoo_tables import same_currency, tables
from tilt.data.sources.yahoo_web import Pace, PoliteSession, yfinance_over
from tilt.errors import ArgumentError, BusyError, DataError, cut
from tilt.settings import Settings

PREFIX = "yahoo:"
SLOW_IN_A_ROW = 3
ENDED = 10  # days without a price
DESCRIPTION = "Yahoo Finance, fetched through yfinance; sectors and industries as Yahoo has them"
SURVIVORSHIP = (
    "Survivorship bias: the names were chosen when the data was fetched and count as members in "
    "the past as well; Yahoo drops most of the companies that were delisted."
)
_TICKER = re.compile(r"[A-Z0-9^][A-Z0-9.^=-]{0,19}")
_CLASS = re.compile(r"[./ ]([ABC])$")  # BRK.B; a suffix of an exchange is another letter
_ANSWER = TypeAdapter(Answer)


@dataclass(frozen=True)
class Yahoo:
    """A list of names at Yahoo.

    tickers  : as they are to be known; class B of Berkshire may be BRK.B, BRK/B or BRK-B
    folder   : where answers are kept until the next day's
    asked    : what the user named, for the record
    universe : the name cells will know the universe by
    start    : first day; January 1, ten years before ``day``, if None
    day      : last day of the data, for which every exchange has closed
    base_url : another address to send every request to, such as a stand-in; empty: Yahoo's own
    """

    tickers: tuple[str, ...]
    folder: Path
    asked: str
    universe: str = "YAHOO"
    start: pd.Timestamp | None = None
    day: pd.Timestamp = field(default_factory=today)
    base_url: str = ""
    pace: Pace = field(default_factory=Pace)

    @property
    def name(self) -> str:
        return f"{PREFIX}{self.asked}"

    @property
    def first(self) -> pd.Timestamp:
        return first_day(self.start, self.day)

    def fetch(self, progress: Progress = quiet) -> Delivery:
        """Return what Yahoo has of the names; what it does not is in the findings.

        Raises
        ------
        BusyError
            If Yahoo cannot be reached, or refuses; what has come is kept for the next try.
        DataError
            If it has prices for none of the names.
        """
        return self._delivered(self._answers(progress, anew=True), {})

    def fetch_since(self, held: Mapping[str, pd.DataFrame], progress: Progress = quiet) -> Delivery:
        """Return what :meth:`fetch` would, asking for the last days of names asked for before.

        Past lists of key figures stay as they were published. Names not asked for before are asked
        for in full.
        """
        return self._delivered(self._answers(progress, anew=False), held)

    def _delivered(
        self, answers: Mapping[str, Answer], held: Mapping[str, pd.DataFrame]
    ) -> Delivery:
        findings = [f for t, a in answers.items() for f in _gaps(t, a, self.day)]
        priced = {
            t: a for t, a in answers.items() if a.days and a.days[0] <= f"{self.day:%Y-%m-%d}"
        }
        if not priced:
            raise DataError(
                f"Yahoo has no prices for any of the {len(answers)} names. {findings[0].ticker}: "
                f"{findings[0].detail} Check the tickers; Yahoo writes BRK-B and SAP.DE."
            )
        currency = Counter(a.currency for a in priced.values()).most_common(1)[0][0]
        findings += [
            _foreign(t, a, currency, self.day) for t, a in priced.items() if a.currency != currency
        ]
        kept = {t: a for t, a in priced.items() if a.currency == currency}
        findings += [f for t, a in kept.items() for f in _remarks(t, a, self.day)]
        checked = check_tables(as_published(tables(kept, self.day), held))
        findings += _caps(checked[KEY_FIGURES.name], len(kept), self.day)
        return Delivery(
            source=self.name,
            universe=self.universe,
            description=f"{DESCRIPTION}; prices in {currency or 'an unknown currency'}",
            tables=checked,
            survivorship=SURVIVORSHIP,
            findings=tuple(findings),
        )

    @property
    def _kept(self) -> Kept[Answer]:
        return Kept(self.folder, self.day, self.first, _ANSWER)

    def _answers(self, progress: Progress, *, anew: bool) -> dict[str, Answer]:
        """Return an answer for every name: those of the folder, then Yahoo's."""
        kept = self._kept
        answers = {t: known for t in self.tickers if (known := kept.read(t)) is not None}
        missing = [t for t in self.tickers if t not in answers]
        if missing:
            self._ask(missing, answers, progress, anew=anew)
        kept.forget_others()
        return {t: answers[t] for t in self.tickers}

    def _ask(
        self, missing: list[str], answers: dict[str, Answer], progress: Progress, *, anew: bool
    ) -> None:
        session = PoliteSession(self.pace, base_url=self.base_url)
        slow = 0
        with yfinance_over(session):
            for ticker in missing:
                progress(len(answers) / len(self.tickers))
                before = None if anew else self._kept.before(ticker)
                try:
                    answer = ask(symbol(ticker), self.first, self.day, session, before=before)
                except BusyError as error:
                    raise BusyError(f"{error} {self._so_far(len(answers))}") from None
                answers[ticker] = answer
                if answer.final:
                    self._kept.write(ticker, answer)
                slow = slow + 1 if not (answer.final or answer.days) else 0
                if slow == SLOW_IN_A_ROW < len(self.tickers):
                    reason = answer.gaps["prices"].reason
                    raise BusyError(
                        f"Yahoo failed for {slow} names in a row, last for {ticker}: {reason}. "
                        f"{self._so_far(len(answers) - slow)}"
                    )
        progress(1.0)

    def _so_far(self, done: int) -> str:
        return (
            f"{done} of {len(self.tickers)} names are here and are kept; nothing was changed. "
            "Refresh again in an hour: it goes on from there."
        )


def symbol(ticker: str) -> str:
    """Return how Yahoo writes a ticker."""
    return _CLASS.sub(r"-\1", ticker).replace("/", "-")


def read_yahoo(name: str, data_path: Path, *, base_url: str = "") -> Yahoo:
    """Return the source that a name such as ``yahoo:AAPL,MSFT`` or ``yahoo:list.txt`` means.

    Parameters
    ----------
    name : the prefix, then what :func:`tilt.data.sources.names.read_names` reads
    data_path : the data folder

    Raises
    ------
    ArgumentError
        If there is no such file, a ticker cannot be one, or the day is no date.
    """
    asked = read_names(name.strip()[len(PREFIX) :], data_path, prefix="yahoo")
    for ticker in asked.names:
        if not _TICKER.fullmatch(symbol(ticker)) or is_isin(ticker):
            raise ArgumentError(f"'{cut(ticker)}' is no ticker. Yahoo writes AAPL, BRK-B, SAP.DE.")
    return Yahoo(
        tickers=asked.names,
        folder=data_path / "yahoo",
        asked=asked.text,
        universe=asked.universe or "YAHOO",
        start=asked.start,
        base_url=base_url,
    )


def _gaps(ticker: str, answer: Answer, day: pd.Timestamp) -> list[Finding]:
    """Return a finding for each part that Yahoo did not give."""
    gaps = dict(answer.gaps)
    if "prices" in gaps:
        known = "not_at_yahoo" if gaps["prices"].final else "not_fetched"
        words = _GAPS[known].format(gaps["prices"].reason)
        return [noted(day, known, words, ticker=ticker, severity="error")]
    return [
        noted(day, f"no_{part}", _GAPS[part].format(gap.reason), ticker=ticker)
        for part, gap in gaps.items()
    ]


_GAPS = {
    "not_at_yahoo": "It has no prices at Yahoo: {}. | It is not in the universe.",
    "not_fetched": "Its prices did not come: {}. | Not in the universe. Refresh to ask again.",
    "shares": "Its past shares outstanding did not come: {}. | It has no past market caps.",
    "statements": "Its annual statements did not come: {}. | Figures made from them are missing.",
    "profile": "Its name, sector and industry did not come: {}. | It is not classified.",
}


def _foreign(ticker: str, answer: Answer, currency: str, day: pd.Timestamp) -> Finding:
    words = (
        f"Its prices are in {answer.currency or 'an unknown currency'}, most others in {currency}. "
        "| Left out: caps in several currencies do not add up."
    )
    return noted(day, "other_currency", words, ticker=ticker, severity="error")


def _remarks(ticker: str, answer: Answer, day: pd.Timestamp) -> list[Finding]:
    """Return what should be known about a name that is delivered."""
    last = pd.Timestamp(max(answer.days))
    notes: dict[str, str] = {}
    if (day - last).days > ENDED:
        notes["prices_end"] = f"Its last price is of {last:%Y-%m-%d}. | Kept until then."
    if answer.restated:
        notes["restated"] = (
            f"Yahoo has other prices than before: {answer.restated}. "
            "| Kept as Yahoo has them now, asked for anew; earlier snapshots keep the old ones."
        )
    if not same_currency(answer):
        notes["statement_currency"] = (
            f"Its statements are in {answer.profile['financialCurrency']}, its prices in "
            f"{answer.currency}. | No book value, earnings or sales against its price."
        )
    if "profile" not in answer.gaps and not answer.profile.get("sector"):
        notes["no_sector"] = "Yahoo has no sector for it. | It is not classified."
    if not answer.shares and "shares" not in answer.gaps:
        today = "sharesOutstanding" in answer.profile
        had = "It has a cap on the last day only." if today else "It has no market cap."
        notes["no_past_shares"] = f"Yahoo has no past shares outstanding for it. | {had}"
    return [noted(day, check, words, ticker=ticker) for check, words in notes.items()]


def _caps(figures: pd.DataFrame, names: int, day: pd.Timestamp) -> list[Finding]:
    """Return from when on there are market caps."""
    if figures.empty:
        return []
    first = figures.groupby("symbol")["date"].min()
    words = (
        f"Yahoo counts the shares of {len(first)} of {names} names, of half of these from "
        f"{first.sort_values().iloc[(len(first) - 1) // 2]:%Y-%m} on. | No caps before the count."
    )
    return [noted(day, "caps_begin", words, severity="info")]


def open_yahoo(asked: str, settings: Settings) -> Source:
    """Return the source of a list of names at Yahoo: see :func:`read_yahoo`."""
    return read_yahoo(f"{PREFIX}{asked}", settings.data_path, base_url=settings.yahoo_url)


VENDOR = Vendor(
    title="Yahoo Finance",
    kind="vendor",
    gives=("prices", "key_figures", "statements", "securities"),
    example="yahoo:AAPL,MSFT",
    open=open_yahoo,
)
