"""Which company a name means, however it is abbreviated.

A name is a set of words: legal forms and articles are left out, customary abbreviations written
out, accents and signs dropped. Two names are as alike as the words they share, each counting by how
rare it is among the companies (the Dice coefficient with weights ``ln(1 + N / n)`` for a word that
n of N names have). A word counts ``NEARLY`` where one is the beginning of the other (three letters
at least) or they are one typing error apart (five letters at least).

References
----------
Cohen, Ravikumar, Fienberg (2003), A Comparison of String Distance Metrics for Name-Matching Tasks.
"""

import math
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from unicodedata import category, normalize

from tilt.portfolio.cells import clean
from tilt.portfolio.spelling import edits, shortened

NEARLY = 0.85
LEAST_BEGINNING = 3
LEAST_MISTYPED = 5
MOST_KEPT = 20_000  # words looked up
LONGEST = 120  # characters of a name; no company has a longer one
_FORMS = frozenset([
    "inc", "incorporated", "corp", "corporation", "co", "company", "companies", "cos",
    "plc", "ltd", "limited", "llc", "lp", "llp", "sa", "ag", "nv", "se", "ab", "asa",
    "oyj", "spa", "kgaa", "bv", "the", "and", "of", "com", "holdings", "holding", "hldgs",
    "hldg", "group", "grp", "trust", "reit", "adr", "common", "stock", "shs", "new",
])  # fmt: skip
_WRITTEN_OUT: Mapping[str, str] = MappingProxyType(
    {
        "amer": "american",
        "assn": "association",
        "bancorporation": "bancorp",
        "bk": "bank",
        "bros": "brothers",
        "chem": "chemical",
        "comm": "communications",
        "comms": "communications",
        "dev": "development",
        "elec": "electric",
        "engr": "engineering",
        "fin": "financial",
        "finl": "financial",
        "gen": "general",
        "ind": "industries",
        "inds": "industries",
        "indus": "industries",
        "ins": "insurance",
        "instr": "instruments",
        "intl": "international",
        "labs": "laboratories",
        "mach": "machines",
        "machs": "machines",
        "mfg": "manufacturing",
        "mgmt": "management",
        "mtr": "motor",
        "mtrs": "motors",
        "natl": "national",
        "pac": "pacific",
        "petrol": "petroleum",
        "pharma": "pharmaceuticals",
        "prods": "products",
        "prod": "products",
        "rlty": "realty",
        "ry": "railway",
        "svc": "services",
        "svcs": "services",
        "sys": "systems",
        "tech": "technologies",
        "technology": "technologies",
        "tele": "telephone",
        "utd": "united",
        "wldwd": "worldwide",
    }
)
_CLASS = re.compile(r"\b(?:class|cl|series|ser)\.?\s*([a-c])\b")
_WORD = re.compile(r"[a-z0-9]+")


@dataclass(frozen=True)
class Name:
    """The words of a name that tell a company, and the share class it names, if any."""

    words: tuple[str, ...]
    share_class: str


@lru_cache(16384)
def read_name(text: str) -> Name:
    """Return what a name says, legal forms, case, accents and signs left out."""
    plain = normalize("NFKD", clean(text[:LONGEST])).casefold()
    plain = "".join(c for c in plain if category(c) != "Mn" and c not in "'’`")
    found = _CLASS.search(plain)
    if found:
        plain = plain[: found.start()] + " " + plain[found.end() :]
    every = [_WRITTEN_OUT.get(w, w) for w in _WORD.findall(_initials(plain))]
    telling = [w for w in every if w not in _FORMS] or every
    return Name(tuple(dict.fromkeys(telling)), found[1].upper() if found else "")


def _initials(plain: str) -> str:
    """Return a text with its single letters joined: ``w. r. berkley`` is ``wr berkley``."""
    return re.sub(
        r"\b(?:[a-z][.\s&]+)+[a-z]\b(?=[.\s]|$)", lambda m: re.sub(r"[^a-z]", "", m[0]), plain
    )


class CompanyNames:
    """The names of a universe's companies, to be found by names that are nearly theirs."""

    def __init__(self, names: Mapping[str, str]) -> None:
        """Arrange the names, by ticker."""
        self._read = {ticker: read_name(name) for ticker, name in names.items()}
        self._by_words: dict[frozenset[str], list[str]] = {}
        self._tickers: dict[str, list[str]] = {}
        for ticker, name in self._read.items():
            self._by_words.setdefault(frozenset(name.words), []).append(ticker)
            for word in name.words:
                self._tickers.setdefault(word, []).append(ticker)
        count = Counter(word for name in self._read.values() for word in name.words)
        self._weight = {w: math.log(1 + len(self._read) / n) for w, n in count.items()}
        self._unknown = math.log(1 + max(len(self._read), 1))
        self._total = {t: self._sum(name.words) for t, name in self._read.items()}
        self._words = sorted(self._weight)
        self._mistyped: dict[str, list[str]] = {}
        for word in self._words:
            if len(word) >= LEAST_MISTYPED:
                for short in shortened(word, 1):
                    self._mistyped.setdefault(short, []).append(word)
        self._near: dict[str, list[tuple[str, float]]] = {}

    def same(self, text: str) -> list[str]:
        """Return the tickers whose company has exactly the words of a name."""
        return self._by_words.get(frozenset(read_name(text).words), [])

    def share_class(self, ticker: str) -> str:
        """Return the class that a company's own name tells, empty if none."""
        return self._read[ticker].share_class

    def alike(self, text: str) -> list[tuple[float, str]]:
        """Return similarity, from 0 to 1, and ticker of every name with a word in common.

        The most alike is first; equal ones are in the order of their tickers.
        """
        words = self._put_together(read_name(text).words)
        shared: dict[str, float] = {}
        for word in words:
            weight = self._weight.get(word, self._unknown)
            best: dict[str, float] = {}
            for near, quality in self._nearly(word):
                counted = quality * min(weight, self._weight[near])
                for ticker in self._tickers[near]:
                    if counted > best.get(ticker, 0.0):
                        best[ticker] = counted
            for ticker, counted in best.items():
                shared[ticker] = shared.get(ticker, 0.0) + counted
        total = self._sum(words)
        found = [(min(2 * s / (total + self._total[t]), 1.0), t) for t, s in shared.items()]
        return sorted(found, key=lambda pair: (-pair[0], pair[1]))

    def holding_all(self, text: str) -> set[str]:
        """Return the tickers whose company's name has every word of a name, and maybe others."""
        found = [set(self._tickers.get(w, ())) for w in read_name(text).words]
        return set.intersection(*found) if found else set()

    def similarity(self, text: str, ticker: str) -> float:
        """Return how alike a name and that of one company are, from 0 to 1."""
        return next((s for s, t in self.alike(text) if t == ticker), 0.0)

    def _put_together(self, words: tuple[str, ...]) -> tuple[str, ...]:
        """Return the words of a name; two that some company writes as one are one: JP Morgan."""
        found: list[str] = []
        for word in words:
            if found and found[-1] + word in self._weight:
                found[-1] += word
            else:
                found.append(word)
        return tuple(found)

    def _sum(self, words: Iterable[str]) -> float:
        return sum(self._weight.get(w, self._unknown) for w in words)

    def _nearly(self, word: str) -> list[tuple[str, float]]:
        """Return the known words that a word may be, with how much each counts."""
        found = self._near.get(word)
        if found is None:
            if len(self._near) >= MOST_KEPT:
                self._near.clear()
            found = self._near[word] = [(w, 1.0 if w == word else NEARLY) for w in self._like(word)]
        return found

    def _like(self, word: str) -> set[str]:
        found = {word} & self._weight.keys()
        if len(word) >= LEAST_BEGINNING:
            for i in range(bisect_left(self._words, word), len(self._words)):
                if not self._words[i].startswith(word):
                    break
                found.add(self._words[i])
            found |= {word[:n] for n in range(LEAST_BEGINNING, len(word))} & self._weight.keys()
        if len(word) >= LEAST_MISTYPED:
            near = {w for short in shortened(word, 1) for w in self._mistyped.get(short, ())}
            found |= {w for w in near if edits(word, w) <= 1}
        return found
