"""Which ticker an identifier means, and which one a misspelt identifier probably meant."""

import datetime as dt
import re
from bisect import bisect_left
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import takewhile
from unicodedata import normalize
from weakref import WeakKeyDictionary

import pandas as pd

from tilt.calendar import EXCEL_EPOCH
from tilt.frames import Panel, Weights
from tilt.portfolio.cells import Problem, clean, is_error, shown

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
# How terminals name the exchange: AAPL US Equity, AAPL UW, AAPL.O, AAPL-US, NASDAQ:AAPL. Letters
# that are share classes too (A, B, K, P) are not among them.
_AFTER = re.compile(r"^(.+)\.(?:US|USA|UN|UQ|UW|UA|UR|UP|UF|UV|O|OQ|N)(?:\.EQUITY)?$")
_BEFORE = re.compile(r"^(?:US|NASDAQ|NAS|XNAS|NYSE|NYS|XNYS|NYSEARCA|AMEX|BATS)\.?:(.+)$")
_TEXT_DATE = re.compile(
    r"^(\d{1,2})[-/. ]([A-Z]{3})[A-Z]*\.?([-/. ]\d{2,4})?$|^([A-Z]{3})[A-Z]*[-/. ](\d{1,4})$"
)
_FIRST_SERIAL, _LAST_SERIAL = 32_874, 73_051  # 1990 to 2099
_LONGEST = 40  # characters of an identifier; beyond it no ticker is looked for
_FARTHEST = 2  # letters off, for a suggestion


@dataclass(frozen=True)
class Match:
    """The ticker that an identifier means; ``note`` says what was changed to find it."""

    ticker: str
    note: str = ""


class Tickers:
    """The tickers of a universe, to be found however people write them."""

    def __init__(self, panel: Panel, date: pd.Timestamp) -> None:
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
        return self._names.every

    def find(self, text: str) -> Match | None:
        """Return the ticker that ``text`` spells, or None."""
        if text in self._names.every:
            return Match(text)
        if len(text) > _LONGEST:
            return None
        plain = _fold(text)
        after, before = _AFTER.match(plain), _BEFORE.match(plain)
        for candidate in (plain, after[1] if after else "", before[1] if before else ""):
            found = self._names.by_fold.get(candidate)
            if found:
                return Match(found, f"{shown(text)} read as {found}")
        return None

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
        plain = _fold(text[: _LONGEST + 1])
        most = min(most, 1) if len(plain) <= 3 else most
        near = [
            (
                d,
                not _fold(t).startswith(plain[:1]),
                len(t) != len(plain),
                -self._size.get(t, 0.0),
                t,
            )
            for t in self._names.alike(plain, most)
            if abs(len(t) - len(plain)) <= most
            and (d := edits(plain, _fold(t))) <= min(most, len(plain) - 1)
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
        spelt = [t for t in self._names.in_order if t.startswith(month)]
        meant = spelt[0] if spelt else month
        return Problem(
            f"ticker is {words}",
            f"If you meant {meant}, type it with a leading apostrophe: '{meant}. "
            "Excel turns some tickers into dates.",
        )


class _Names:
    """The tickers and companies of one panel, arranged for looking up; made once per panel."""

    def __init__(self, panel: Panel) -> None:
        self.in_order = sorted(str(t) for t in panel.assets)
        self.every: frozenset[object] = frozenset(self.in_order)
        self.by_fold = {_fold(str(t)): str(t) for t in reversed(panel.assets.to_list())}
        self._securities = panel.securities.reindex(panel.assets)

    @cached_property
    def companies(self) -> list[tuple[str, str]]:
        """Company's name without case, and its ticker, in the order of the names."""
        names = self._securities["name"].astype(str).str.casefold()
        return sorted((str(name), str(ticker)) for ticker, name in names.items())

    @cached_property
    def _shortened(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for ticker in self.in_order:
            for short in _shortened(_fold(ticker), _FARTHEST):
                found.setdefault(short, []).append(ticker)
        return found

    def alike(self, text: str, most: int) -> list[str]:
        """Return every ticker that is at most ``most`` changes of a letter away, and some others.

        Two words that are k changes apart have a letter sequence in common that each of them
        becomes by leaving out at most k letters.
        """
        if len(text) > max(map(len, self.in_order), default=0) + most:
            return []
        shorts = _shortened(text, most)
        return sorted({t for short in shorts for t in self._shortened.get(short, ())})


_KNOWN: WeakKeyDictionary[Panel, _Names] = WeakKeyDictionary()


def _names_of(panel: Panel) -> _Names:
    names = _KNOWN.get(panel)
    if names is None:
        names = _KNOWN[panel] = _Names(panel)
    return names


def _shortened(word: str, most: int) -> set[str]:
    """Return a word with up to ``most`` of its letters left out."""
    found = last = {word}
    for _ in range(most):
        last = {w[:i] + w[i + 1 :] for w in last for i in range(len(w))}
        found = found | last
    return found


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


def edits(a: str, b: str) -> int:
    """Return the fewest insertions, deletions, changes and swaps of neighbors from a to b.

    References
    ----------
    Optimal string alignment distance; Boytsov (2011), section 2.2.
    """
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        above, row = row, [i]
        for j, y in enumerate(b, 1):
            cost = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before = above
    return row[-1]


@lru_cache(8192)
def _fold(text: str) -> str:
    """Return a ticker without case and with one sign between root and class: BRK/B is BRK.B."""
    return re.sub(r"[\s./\-_]+", ".", normalize("NFKC", clean(text)).strip().upper())
