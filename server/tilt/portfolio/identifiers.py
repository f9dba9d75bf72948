"""Which ticker an identifier means, and which one a misspelt identifier probably meant."""

import datetime as dt
import re
from bisect import bisect_left
from dataclasses import dataclass
from functools import cached_property
from itertools import takewhile
from weakref import WeakKeyDictionary

import pandas as pd

from tilt.calendar import EXCEL_EPOCH
from tilt.frames import Panel, Weights
from tilt.portfolio.cells import Problem, is_error, shown
from tilt.portfolio.matching import matcher_of
from tilt.portfolio.spelling import edits, fold, shortened

CASH_NAMES = frozenset(
    [
        "cash",
        "usd",
        "$cash",
        "$",
        "cash usd",
        "usd cash",
        "us dollar",
        "us dollars",
        "cash & equivalents",
        "cash and equivalents",
        "cash & cash equivalents",
        "cash and cash equivalents",
        "cash equivalents",
        "cash balance",
    ]
)
_TOTAL = re.compile(
    r"^((grand |sub ?|portfolio |fund )?totals?|sum|summe|gesamt|somme|totale)$"
    r"|^(grand )?total (portfolio|fund|equity|equities|(net )?assets|holdings|nav|value|weight)$"
)
_CASH_STARTS = tuple({name[0] for name in CASH_NAMES})
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_TEXT_DATE = re.compile(
    r"^(\d{1,2})[-/. ]([A-Z]{3})[A-Z]*\.?([-/. ]\d{2,4})?$|^([A-Z]{3})[A-Z]*[-/. ](\d{1,4})$"
)
_FIRST_SERIAL, _LAST_SERIAL = 32_874, 73_051  # 1990 to 2099
_LONGEST = 40  # characters of an identifier; beyond it no ticker is looked for
SURE = 0.9  # confidence of a match that holdings and lists of tickers take without asking
_FARTHEST = 2  # letters off, for a suggestion


@dataclass(frozen=True)
class Match:
    """The ticker that an identifier means; ``note`` says what was changed to find it."""

    ticker: str
    note: str = ""


class Tickers:
    """The tickers of a universe, to be found however people write them."""

    def __init__(self, panel: Panel, date: pd.Timestamp) -> None:
        self._matcher = matcher_of(panel)
        self._names = _names_of(panel)
        self._panel = panel
        self._date = date
        self._hints: dict[str, str] = {}

    @cached_property
    def _size(self) -> dict[str, float]:
        row = int(self._panel.dates.searchsorted(self._date, side="right")) - 1
        caps: Weights = self._panel.market_cap.iloc[max(row, 0)]
        return {str(t): float(c) for t, c in caps.dropna().items()}

    @property
    def every(self) -> frozenset[object]:
        """The tickers, spelled as the universe spells them."""
        return self._matcher.every

    def find(self, text: str) -> Match | None:
        """Return the ticker that ``text`` spells, codes or meant before, or None.

        Nothing that rests on likeness: see :meth:`tilt.portfolio.matching.Matcher.ticker`.
        """
        found = self._matcher.ticker(text)
        if found is None or found.confidence < SURE:
            return None
        return Match(found.ticker, found.note)

    def suggest(self, text: str) -> str:
        """Return `` Did you mean 'x'?`` for the likeliest ticker, or an empty text.

        One letter off comes first, then a company's name, then two letters off.
        """
        hint = self._hints.get(text)
        if hint is None:
            hint = self.nearest(text, most=1)
            named = "" if hint else self._by_name(text)
            hint = hint or (_meant(named) if named else self.nearest(text, most=_FARTHEST))
            self._hints[text] = hint
        return hint

    def nearest(self, text: str, *, most: int) -> str:
        """Return `` Did you mean 'x'?`` for the nearest ticker within ``most`` changes of a letter.

        Among equally near ones the same first letter and length win, then the larger company.
        """
        plain = fold(text[: _LONGEST + 1])
        most = min(most, 1) if len(plain) <= 3 else most
        near = [
            (
                d,
                not fold(t).startswith(plain[:1]),
                len(t) != len(plain),
                -self._size.get(t, 0.0),
                t,
            )
            for t in self._names.alike(plain, most)
            if abs(len(t) - len(plain)) <= most
            and (d := edits(plain, fold(t))) <= min(most, len(plain) - 1)
        ]
        return _meant(min(near)[-1]) if near else ""

    def _by_name(self, text: str) -> str:
        word = text.strip().casefold()
        if not 4 <= len(word) <= _LONGEST:
            return ""
        companies = self._names.companies
        first = bisect_left(companies, (word, ""))
        starts = [t for name, t in takewhile(lambda c: c[0].startswith(word), companies[first:])]
        return max(starts, key=lambda t: self._size.get(t, 0.0), default="")

    def read(self, cell: object) -> str | Problem:
        """Return the text of an identifier's cell that is not blank, or why it is none."""
        if isinstance(cell, bool):
            word = shown(cell)
            if self.find(word):  # Excel takes the ticker TRUE for a logical value
                return word
            return Problem(
                f"ticker is the logical value {word}",
                f"If the ticker is {word}, type it with a leading apostrophe: '{word}.",
            )
        if isinstance(cell, dt.date):
            return self._a_date(cell, shown(cell))
        if isinstance(cell, int | float):
            return self._a_number(float(cell))
        if is_error(cell):
            return Problem(f"ticker is {shown(cell)}", "Mend the cell it comes from.")
        text = str(cell).strip().removeprefix("'").strip()
        match = _TEXT_DATE.match(text.upper()) if len(text) <= _LONGEST else None
        if match and not self.find(text):
            month = match[2] or match[4]
            if month in _MONTHS:
                day = pd.Timestamp(2000, _MONTHS.index(month) + 1, 1)
                return self._a_date(day, f"{shown(cell)}, which looks like a date")
        return text

    def _a_number(self, cell: float) -> str | Problem:
        text = f"{cell:.0f}" if cell.is_integer() and abs(cell) < 1e15 else ""
        if text and self.find(text):  # 8306 is a ticker in Tokyo
            return text
        if _FIRST_SERIAL <= cell <= _LAST_SERIAL:
            day = EXCEL_EPOCH + pd.Timedelta(days=int(cell))
            return self._a_date(day, f"{cell:g}, the date {day:%Y-%m-%d}")
        return Problem(
            f"ticker is the number {shown(cell)}", "Put tickers in this column, for example AAPL."
        )

    def _a_date(self, day: dt.date, words: str) -> Problem:
        month = _MONTHS[day.month - 1]
        spelt = [t for t in self._matcher.in_order if t.startswith(month)]
        meant = spelt[0] if spelt else month
        return Problem(
            f"ticker is {words}",
            f"If you meant {meant}, type it with a leading apostrophe: '{meant}. "
            "Excel turns some tickers into dates.",
        )


class _Names:
    """The tickers and companies of one panel, arranged for looking up; made once per panel."""

    def __init__(self, panel: Panel) -> None:
        self._in_order = matcher_of(panel).in_order
        self._securities = panel.securities.reindex(panel.assets)

    @cached_property
    def companies(self) -> list[tuple[str, str]]:
        """Company's name without case, and its ticker, in the order of the names."""
        names = self._securities["name"].astype(str).str.casefold()
        return sorted((str(name), str(ticker)) for ticker, name in names.items())

    @cached_property
    def _shortened(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for ticker in self._in_order:
            for short in shortened(fold(ticker), _FARTHEST):
                found.setdefault(short, []).append(ticker)
        return found

    def alike(self, text: str, most: int) -> list[str]:
        """Return every ticker that is at most ``most`` changes of a letter away, and some others.

        Two words that are k changes apart have a letter sequence in common that each of them
        becomes by leaving out at most k letters.
        """
        if len(text) > max(map(len, self._in_order), default=0) + most:
            return []
        shorts = shortened(text, most)
        return sorted({t for short in shorts for t in self._shortened.get(short, ())})


_KNOWN: WeakKeyDictionary[Panel, _Names] = WeakKeyDictionary()


def _names_of(panel: Panel) -> _Names:
    names = _KNOWN.get(panel)
    if names is None:
        names = _KNOWN[panel] = _Names(panel)
    return names


def _meant(ticker: str) -> str:
    return f" Did you mean '{ticker}'?"


def is_cash(text: str) -> bool:
    """Return whether an identifier means cash."""
    if len(text) > _LONGEST or not text[:1].casefold().startswith(_CASH_STARTS):
        return False
    return " ".join(re.sub(r"[_\-]", " ", text.casefold()).split()) in CASH_NAMES


def is_total(text: str) -> bool:
    """Return whether a row's label says that it is the total of others."""
    if len(text) > _LONGEST:
        return False
    return bool(_TOTAL.match(" ".join(text.casefold().replace("-", " ").strip(" :").split())))
