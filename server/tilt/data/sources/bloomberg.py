"""Bloomberg, for a list of names, where blpapi or xbbg is installed and a Terminal is signed in.

Names are asked for in batches. Each answer lies in the data folder under its day, as Yahoo's do: a
fetch that is stopped or reaches a limit goes on where it was.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import pandas as pd
from pydantic import TypeAdapter

from tilt.data.findings import Finding, noted
from tilt.data.sources import bloomberg_tables as tabled
from tilt.data.sources.bloomberg_answers import Asking, batches, known_as
from tilt.data.sources.bloomberg_tables import Answer
from tilt.data.sources.bloomberg_terminal import Courtesy, Terminal
from tilt.data.sources.bloomberg_xbbg import XbbgTerminal
from tilt.data.sources.delivery import (
    Delivery,
    Missing,
    Progress,
    Vendor,
    check_tables,
    quiet,
)
from tilt.data.sources.kept import Kept
from tilt.data.sources.names import first_day, read_names, today
from tilt.data.sources.published import as_published
from tilt.errors import BusyError, DataError
from tilt.settings import Settings

PREFIX = "bloomberg:"
MINOR = re.compile(r"[A-Z]{2}[a-z]")  # GBp: pence
DESCRIPTION = "Bloomberg; GICS sectors and industries of today"
SURVIVORSHIP = (
    "Survivorship bias: the names were chosen when the data was fetched and count as members in "
    "the past as well."
)
_ANSWER = TypeAdapter(Answer)
Connect = Callable[[], "Terminal | XbbgTerminal"]


@dataclass(frozen=True)
class Bloomberg:
    """A list of names at Bloomberg.

    tickers  : as they are to be known: AAPL or VOD LN; without an exchange it is US
    folder   : where answers are kept until the next day's
    asked    : what the user named, for the record
    connect  : opens a session
    universe : the name cells will know the universe by
    start    : first day; January 1, ten years before ``day``, if None
    day      : last day of the data
    """

    tickers: tuple[str, ...]
    folder: Path
    asked: str
    connect: Connect
    universe: str = "BLOOMBERG"
    start: pd.Timestamp | None = None
    day: pd.Timestamp = field(default_factory=today)

    @property
    def name(self) -> str:
        return f"{PREFIX}{self.asked}"

    @property
    def first(self) -> pd.Timestamp:
        return first_day(self.start, self.day)

    def fetch(self, progress: Progress = quiet) -> Delivery:
        """Return what Bloomberg has of the names; what it does not is in the findings.

        Raises
        ------
        BusyError
            If it does not answer, or a limit is reached; what has come is kept for the next try.
        DataError
            If it has prices for none of the names.
        """
        return self._delivered(self._answers(progress, anew=True), {})

    def fetch_since(self, held: Mapping[str, pd.DataFrame], progress: Progress = quiet) -> Delivery:
        """Return what :meth:`fetch` would, asking for the last days of names asked for before."""
        return self._delivered(self._answers(progress, anew=False), held)

    @property
    def _kept(self) -> Kept[Answer]:
        return Kept(self.folder, self.day, self.first, _ANSWER)

    def _answers(self, progress: Progress, *, anew: bool) -> dict[str, Answer]:
        kept = self._kept
        answers = {t: known for t in self.tickers if (known := kept.read(t)) is not None}
        missing = [t for t in self.tickers if t not in answers]
        before = {} if anew else {t: a for t in missing if (a := kept.before(t)) and a.history}
        if missing:
            with self.connect() as terminal:
                asking = Asking(terminal, self.first, self.day)
                for some in batches(missing, set(before)):
                    progress(len(answers) / len(self.tickers))
                    try:
                        found = asking.answers(some, before)
                    except BusyError as error:
                        done = f"{len(answers)} of {len(self.tickers)} names are here and are kept"
                        raise BusyError(
                            f"{error} {done}; nothing was changed. Refresh again later: it goes on "
                            "from there."
                        ) from None
                    for ticker, answer in found.items():
                        kept.write(ticker, answer)
                    answers |= found
        progress(1.0)
        kept.forget_others()
        return {t: answers[t] for t in self.tickers}

    def _delivered(
        self, answers: Mapping[str, Answer], held: Mapping[str, pd.DataFrame]
    ) -> Delivery:
        findings = [f for t, a in answers.items() for f in _gaps(t, a, self.day)]
        priced = {t: a for t, a in answers.items() if any("PX_LAST" in r for r in a.history)}
        if not priced:
            raise DataError(
                f"Bloomberg has no prices for any of the {len(answers)} names. "
                f"{findings[0].ticker}: {findings[0].detail} Check them: AAPL, VOD LN."
            )
        currency = Counter(a.currency for a in priced.values()).most_common(1)[0][0]
        kept = {t: a for t, a in priced.items() if a.currency == currency}
        findings += [_foreign(t, priced[t], currency, self.day) for t in priced if t not in kept]
        if MINOR.fullmatch(currency):
            raise DataError(
                f"The prices are in {currency}, hundredths of the currency of the market caps. "
                "Such names cannot be fetched yet: ask for those of other currencies."
            )
        made, odd = tabled.tables(kept)
        findings += [f for t, a in kept.items() for f in _remarks(t, a, odd[t], self.day)]
        return Delivery(
            source=self.name,
            universe=self.universe,
            description=f"{DESCRIPTION}; prices in {currency or 'an unknown currency'}",
            tables=check_tables(as_published(made, held)),
            survivorship=SURVIVORSHIP,
            findings=tuple(findings),
        )


def _gaps(ticker: str, answer: Answer, day: pd.Timestamp) -> list[Finding]:
    if "prices" in answer.gaps:
        reason = answer.gaps["prices"].reason
        words = f"It has no prices at Bloomberg: {reason}. | Quarantined: not in the universe."
        return [noted(day, "not_at_bloomberg", words, ticker=ticker, severity="error")]
    return [
        noted(
            day,
            "no_field",
            f"Bloomberg gives no {part.removeprefix('field ')}: {gap.reason}. "
            "| Kept without it; what is made from it is missing.",
            ticker=ticker,
        )
        for part, gap in answer.gaps.items()
    ]


def _foreign(ticker: str, answer: Answer, currency: str, day: pd.Timestamp) -> Finding:
    words = (
        f"Its prices are in {answer.currency or 'an unknown currency'}, most others in {currency}. "
        "| Quarantined: caps in several currencies do not add up."
    )
    return noted(day, "other_currency", words, ticker=ticker, severity="error")


def _remarks(ticker: str, answer: Answer, odd: list[str], day: pd.Timestamp) -> list[Finding]:
    notes = [
        ("corporate_action", f"There is {words}. | Kept out of dividends and splits as it is.")
        for words in odd
    ]
    if answer.restated:
        words = f"Bloomberg has other prices than before: {answer.restated}."
        kept = "Kept as they are now; earlier snapshots keep the old."
        notes.append(("restated", f"{words} | {kept}"))
    if not answer.same_currency:
        theirs = answer.profile[tabled.STATEMENT_CURRENCY]
        words = f"Its statements are in {theirs}, its prices in {answer.currency}."
        kept = "Kept without book value, earnings or sales against its price."
        notes.append(("statement_currency", f"{words} | {kept}"))
    return [noted(day, check, words, ticker=ticker) for check, words in notes]


def module() -> ModuleType | None:
    """Return blpapi, else xbbg, else None."""
    for name in ("blpapi", "xbbg"):
        if find_spec(name) is not None:
            return import_module(name)
    return None


def missing(settings: Settings) -> Missing | None:  # noqa: ARG001 - as every vendor's
    """Return why Bloomberg cannot be used here; None if its package is installed."""
    try:
        found = module()
    except ImportError as error:  # blpapi without its C++ library
        return Missing(f"Its package does not load: {error}.", _CURE)
    return None if found else Missing("Neither blpapi nor xbbg is installed.", _CURE)


_CURE = "Install blpapi as WAPI <GO> in the Terminal says, or pip install xbbg."


def open_bloomberg(asked: str, settings: Settings) -> Bloomberg:
    """Return the source of a list of names at Bloomberg: see :func:`read_names`."""
    names = read_names(asked, settings.data_path, prefix="bloomberg")

    def connect() -> Terminal | XbbgTerminal:
        found = module()
        if found is None:
            raise DataError(f"Neither blpapi nor xbbg is installed. {_CURE}")
        where = settings.bloomberg_host, settings.bloomberg_port
        kind = Terminal if found.__name__ == "blpapi" else XbbgTerminal
        return kind(found, *where, courtesy=Courtesy())

    return Bloomberg(
        tickers=tuple(dict.fromkeys(known_as(name) for name in names.names)),
        folder=settings.data_path / "bloomberg",
        asked=names.text,
        connect=connect,
        universe=names.universe or "BLOOMBERG",
        start=names.start,
    )


VENDOR = Vendor(
    title="Bloomberg",
    kind="vendor",
    gives=("prices", "key_figures", "statements", "securities"),
    example="bloomberg:AAPL,VOD LN",
    open=open_bloomberg,
    missing=missing,
)
