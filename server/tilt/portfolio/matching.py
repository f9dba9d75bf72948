"""Which security an identifier means: tickers in any spelling, codes, former symbols, names.

The ways are tried from the surest to the least sure, and the first that fits one security decides.
Two securities that fit equally well are never chosen between: the answer then is none, with both in
the note. How sure a way is:

=============  ==========  ======================================================================
kind           confidence  the identifier is
=============  ==========  ======================================================================
ticker         1           a ticker as the universe spells it
isin, cusip,   1           a code with the right check digit
sedol, figi
spelling       0.98        a ticker in other case, with other signs or spaces, or without the sign
                           before its class
suffix         0.95        a ticker with the name of its exchange before or after it
cusip8         0.95        the first eight signs of a CUSIP
name           0.95        all words of one company's name, whatever their order and legal form
former         0.9         a symbol that a company had before; with ``asof``, had on that day
zeros          0.9         a CUSIP or SEDOL that lost its leading zeros
scientific     0.6         a CUSIP that Excel shows as a number with an exponent
similar_name   0.9 s       a name that is alike by s, see ``tilt.portfolio.company_names``
cash           1           a name for cash
none           0           none of them, or more than one
=============  ==========  ======================================================================

A name given beside the identifier that is unlike the company's halves the confidence.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType
from weakref import WeakKeyDictionary

import pandas as pd

from tilt.errors import cut
from tilt.frames import Panel, listed
from tilt.portfolio.cells import shown
from tilt.portfolio.codes import Codes, read_code
from tilt.portfolio.company_names import CompanyNames, read_name
from tilt.portfolio.former_symbols import former_symbols
from tilt.portfolio.spelling import at_exchange, fold, joined, without_exchange

CONFIDENCE: Mapping[str, float] = MappingProxyType(
    {
        "ticker": 1.0,
        "isin": 1.0,
        "cusip": 1.0,
        "sedol": 1.0,
        "figi": 1.0,
        "spelling": 0.98,
        "suffix": 0.95,
        "cusip8": 0.95,
        "name": 0.95,
        "former": 0.9,
        "zeros": 0.9,
        "scientific": 0.6,
    }
)
LONGEST_TICKER = 40  # characters of a text in which a ticker is looked for
SIMILAR = 0.9  # confidence of a similar name, per similarity
LEAST_SIMILAR = 0.45
UNLIKE = 0.25  # similarity below which a name is that of another company
TOO_NEAR = 0.05  # between the similarities of two names, for one to be chosen
SHOWN = 3
WORD = 5  # letters; one word of so many capitals is a ticker, not the beginning of a name


@dataclass(frozen=True)
class Matched:
    """What an identifier means.

    ticker     : of the universe, empty for none
    kind       : of the table above
    confidence : from 0 to 1
    note       : what was changed or assumed, or why there is none
    candidates : the tickers that fit equally well, where there is none for that reason
    """

    ticker: str
    kind: str
    confidence: float
    note: str = ""
    candidates: tuple[str, ...] = ()


def _sure(ticker: str, kind: str, note: str = "") -> Matched:
    return Matched(ticker, kind, CONFIDENCE[kind], note)


def _none(note: str, candidates: tuple[str, ...] = ()) -> Matched:
    return Matched("", "none", 0.0, note, candidates)


class Matcher:
    """The securities of a universe, arranged for looking up; made once per panel."""

    def __init__(self, panel: Panel) -> None:
        """Arrange the securities, their codes, names and former symbols."""
        self.in_order = sorted(str(t) for t in panel.assets)
        self.every: frozenset[object] = frozenset(self.in_order)
        self.securities = panel.securities.reindex(panel.assets)
        self.universe = panel.universe
        self._as_of = panel.as_of
        self._by_fold = {fold(str(t)): str(t) for t in reversed(panel.assets.to_list())}
        self._changes = former_symbols(panel.symbol_changes)
        last = panel.close.notna().to_numpy()[::-1].argmax(axis=0)
        self._last = dict(
            zip(map(str, panel.assets), panel.dates[len(panel.dates) - 1 - last], strict=True)
        )

    @cached_property
    def _by_joined(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for plain, ticker in self._by_fold.items():
            found.setdefault(joined(plain), []).append(ticker)
        return found

    @cached_property
    def _codes(self) -> Codes:
        return Codes(self.securities)

    @cached_property
    def names(self) -> CompanyNames:
        """The companies' names."""
        known = self.securities["name"].dropna()
        return CompanyNames({str(t): str(n) for t, n in known.items()})

    def ticker(self, text: str) -> Matched | None:
        """Return the security that a text names by a ticker, a code or a former symbol, or None.

        This is what a range of holdings accepts: nothing that rests on likeness.
        """
        if text in self.every:
            return _sure(text, "ticker")
        if len(text) > LONGEST_TICKER:
            return None
        plain = fold(text)
        found = self._spelled(plain) or self._coded(text) or self._former(plain)
        if found is None or found.kind == "none":
            return found
        return replace(found, note=found.note or f"{shown(text)} read as {found.ticker}")

    def match(self, text: str, *, name: str = "", asof: pd.Timestamp | None = None) -> Matched:
        """Return what an identifier means, by every way of the table above.

        Parameters
        ----------
        text : the identifier; empty where only the name is known
        name : the company's name beside it, if there is one
        asof : the day the identifier was used; symbols mean what they meant then. None: today
        """
        given = text.strip()
        found = None if asof is None else self._at(fold(given), asof)
        found = found or (self.ticker(given) if given else None) or self._enclosed(given)
        if found is None and given:
            found = self._named(given)
        if name.strip():
            found = self._beside(found, name.strip())
        if found is None:
            return _none("There is no identifier and no name.")
        return self._with_end(found, asof)

    def _spelled(self, plain: str) -> Matched | None:
        if plain in self._by_fold:
            return _sure(self._by_fold[plain], "spelling")
        for candidate in without_exchange(plain):
            one = self._by_fold.get(candidate) or self._one_joined(candidate)
            if one:
                return _sure(one, "suffix")
        root, suffix = at_exchange(plain)
        elsewhere = self._by_fold.get(f"{root}.{suffix}") if suffix else None
        if elsewhere:
            return _sure(elsewhere, "suffix")
        one = self._one_joined(plain)
        return _sure(one, "spelling") if one else None

    def _one_joined(self, plain: str) -> str:
        found = self._by_joined.get(joined(plain), [])
        return found[0] if len(found) == 1 else ""

    def _coded(self, text: str) -> Matched | None:
        kind, code, right = read_code(text)
        codes = self._codes
        if right:
            found = codes.find(kind, code)
            if found:
                return _sure(found, kind)
        restored = codes.with_zeros(code) or codes.from_scientific(code)
        if not restored and codes.known("cusip"):
            found = codes.without_check_digit(code)
            if found:
                return _sure(found, "cusip8")
        if restored:
            return _restored(restored, code)
        if kind in ("isin", "figi") or (kind and any(c.isdigit() for c in code[:-1])):
            return _none(self._why_not(kind, code, right=right))
        return None

    def _why_not(self, kind: str, code: str, *, right: bool) -> str:
        name = kind.upper()
        if not right:
            return f"{code} has the form of {name}, but its check digit is wrong. Copy it again."
        if not self._codes.known(kind):
            return (
                f"{code} is right as {name}, and '{self.universe}' has none. Import a table of "
                f"securities with the column '{kind}'."
            )
        return f"{code} is right as {name}, but of no security in '{self.universe}'."

    def _former(self, plain: str) -> Matched | None:
        for candidate in (plain, *without_exchange(plain)):
            changes = self._changes.get(candidate, [])
            meant = [c for c in changes if c.ticker in self.every]
            if meant:
                return _sure(meant[-1].ticker, "former", meant[-1].words())
            if changes:
                return _none(changes[-1].words())
        return None

    def _at(self, plain: str, day: pd.Timestamp) -> Matched | None:
        """Return what a symbol meant on a day, if it means something else otherwise."""
        for candidate in (plain, *without_exchange(plain)):
            for change in self._changes.get(candidate, []):
                if change.until is None or day <= change.until:
                    if change.ticker in self.every:
                        return _sure(change.ticker, "former", change.words())
                    return _none(change.words())
        return None

    def _enclosed(self, text: str) -> Matched | None:
        """Return the security of ``Apple Inc (AAPL)`` and ``AAPL - Apple Inc``."""
        before, sign, rest = text.partition("(")
        if sign and rest.endswith(")"):
            pairs = [(rest[:-1], before)]
        else:
            first, dash, after = text.partition(" - ")
            pairs = [(first, after), (after, first)] if dash else []
        for identifier, name in pairs:
            found = self.ticker(identifier.strip())
            if found and found.ticker and self.names.similarity(name, found.ticker) >= UNLIKE:
                return replace(found, note=f"{shown(text)} read as {found.ticker}")
        return None

    def _named(self, text: str) -> Matched:
        """Return the security of a company's name."""
        root, suffix = at_exchange(fold(text))
        if root in self._by_fold:
            there = self._by_fold[root]
            return _none(
                f"{shown(text)} is listed on another exchange (.{suffix}); '{self.universe}' has "
                f"{there}. If you mean that, type it so.",
                (there,),
            )
        asked = read_name(text).share_class
        same = self._of_class(self.names.same(text), asked)
        if len(same) == 1:
            return self._by_name(same[0], "name", CONFIDENCE["name"], asked, text)
        if same:
            return _several(text, same)
        if " " not in text and len(text) <= WORD and text.isupper():
            return _none(f"Unknown ticker '{cut(text)}'.")
        alike = [(s, t) for s, t in self.names.alike(text) if s >= LEAST_SIMILAR]
        whole = self.names.holding_all(text)
        if not alike or alike[0][1] not in whole:
            whole = set()
        near = [t for s, t in alike if s > alike[0][0] - TOO_NEAR or t in whole]
        near = self._of_class(near, asked) if len(near) > 1 else near
        if len(near) == 1:
            return self._by_name(near[0], "similar_name", SIMILAR * alike[0][0], asked, text)
        if near:
            return _several(text, near)
        return _none(f"No ticker, code or name in '{self.universe}' is like '{cut(text)}'.")

    def _by_name(self, ticker: str, kind: str, confidence: float, asked: str, text: str) -> Matched:
        note = f"'{cut(text)}' read as {self.name(ticker)}"
        own = self._class_of(ticker)
        if asked and own and asked != own:
            return Matched(
                ticker, kind, confidence / 2, f"{note}, whose class is {own}, not {asked}"
            )
        return Matched(ticker, kind, confidence, note)

    def _of_class(self, tickers: list[str], asked: str) -> list[str]:
        """Return the tickers of a share class, or all of them if none tells."""
        mine = [t for t in tickers if asked and self._class_of(t) == asked]
        return mine or tickers

    def _class_of(self, ticker: str) -> str:
        if "share_class" in self.securities.columns:
            given = self.securities["share_class"].get(ticker)
            if isinstance(given, str):
                return given.strip().upper()[-1:]
        root, sign, last = fold(ticker).rpartition(".")
        return last if sign and root and len(last) == 1 else self.names.share_class(ticker)

    def _beside(self, found: Matched | None, name: str) -> Matched:
        """Return a match with what the name beside the identifier says about it."""
        if found is None or (found.kind == "none" and not found.candidates):
            by_name = self._named(name)
            if found is None or not by_name.ticker:
                return by_name if found is None else found
            return replace(by_name, note=f"{found.note} By the name: {by_name.note}")
        if found.candidates:
            scored = sorted((self.names.similarity(name, t), t) for t in found.candidates)
            best, ticker = scored[-1]
            second = scored[-2][0] if len(scored) > 1 else 0.0
            if best < LEAST_SIMILAR or best - second < TOO_NEAR:
                return found
            return self._by_name(ticker, "similar_name", SIMILAR * best, "", name)
        if self.names.similarity(name, found.ticker) < UNLIKE:
            warning = f"The name given, '{cut(name)}', is not {self.name(found.ticker)}"
            note = f"{found.note}. {warning}" if found.note else warning
            return replace(found, confidence=found.confidence / 2, note=note)
        return found

    def _with_end(self, found: Matched, asof: pd.Timestamp | None) -> Matched:
        """Return a match with a note on a security that has no prices any more."""
        if not found.ticker:
            return found
        last = self._last[found.ticker]
        if last >= (self._as_of if asof is None else min(asof, self._as_of)):
            return found
        note = f"Its last price is of {last:%Y-%m-%d}"
        return replace(found, note=f"{found.note}. {note}" if found.note else note)

    def name(self, ticker: str) -> str:
        """Return the company's name of a ticker."""
        return str(self.securities["name"].get(ticker, ticker))


def _restored(codes: Mapping[str, str], given: str) -> Matched:
    tickers = sorted(set(codes.values()))
    if len(tickers) > 1:
        return _several(given, tickers)
    code = min(codes)
    kind = "scientific" if "E" in given else "cusip8" if code.startswith(given) else "zeros"
    return _sure(tickers[0], kind, f"'{cut(given)}' read as {code}, as it was before Excel")


def _several(text: str, tickers: list[str]) -> Matched:
    some = listed(tickers, SHOWN)
    return _none(f"'{cut(text)}' fits {len(tickers)} securities: {some}.", tuple(tickers))


_KNOWN: WeakKeyDictionary[Panel, Matcher] = WeakKeyDictionary()


def matcher_of(panel: Panel) -> Matcher:
    """Return the matcher of a panel, made the first time it is asked for."""
    known = _KNOWN.get(panel)
    if known is None:
        known = _KNOWN[panel] = Matcher(panel)
    return known
