"""How tickers are written: case, signs between root and class, exchanges before and after."""

import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from unicodedata import normalize

from tilt.portfolio.cells import clean

# How terminals name a United States exchange: AAPL US Equity, AAPL UW, AAPL.O, AAPL-US, AAPL:US,
# NASDAQ:AAPL. Letters that are share classes too (A, B, K, P) are not among them.
_HOME = frozenset(["US", "USA", "UN", "UQ", "UW", "UA", "UR", "UP", "UF", "UV", "O", "OQ", "N"])
_BEFORE = re.compile(
    r"^(?:US|NASDAQ|NAS|NASDAQGS|XNAS|NYSE|NYS|XNYS|NYSEARCA|AMEX|BATS)\.?:\.?(.+)$"
)
# The suffix that Yahoo writes, by what it, Bloomberg and Reuters write for the same exchange.
_ELSEWHERE: Mapping[str, str] = MappingProxyType(
    {
        code: yahoo
        for yahoo, codes in {
            "AS": "AS NA",
            "AX": "AX AU AT",
            "BR": "BR BB",
            "CO": "CO DC",
            "DE": "DE GY GR",
            "HE": "HE FH",
            "HK": "HK",
            "L": "L LN",
            "LS": "LS PL",
            "MC": "MC SM",
            "MI": "MI IM",
            "OL": "OL NO",
            "PA": "PA FP",
            "ST": "ST SS",
            "SW": "SW SE",
            "T": "T JT JP",
            "TO": "TO CN CT",
            "VI": "VI AV",
        }.items()
        for code in codes.split()
    }
)
_YELLOW = frozenset({"EQUITY", "EQ"})  # the key that ends a name at Bloomberg


@lru_cache(16384)
def fold(text: str) -> str:
    """Return a ticker without case and with one sign between root and class: BRK/B is BRK.B."""
    return re.sub(r"[\s./\-_]+", ".", normalize("NFKC", clean(text)).strip().upper())


def joined(folded: str) -> str:
    """Return a folded ticker without a sign between root and class: BRKB."""
    return folded.replace(".", "")


def without_exchange(folded: str) -> list[str]:
    """Return what a folded text may be with its United States exchange left out."""
    found = []
    parts = _parts(folded)
    if len(parts) > 1 and parts[-1] in _HOME:
        found.append(".".join(parts[:-1]))
    before = _BEFORE.match(folded)
    return [*found, before[1]] if before else found


def at_exchange(folded: str) -> tuple[str, str]:
    """Return root and Yahoo's suffix of a ticker elsewhere: ``SAP GY Equity`` is SAP, DE.

    Both are empty where no such exchange is named.
    """
    parts = _parts(folded)
    if len(parts) > 1 and parts[-1] in _ELSEWHERE:
        return ".".join(parts[:-1]), _ELSEWHERE[parts[-1]]
    return "", ""


def _parts(folded: str) -> list[str]:
    parts = folded.replace(":", ".").split(".")
    return parts[:-1] if len(parts) > 2 and parts[-1] in _YELLOW else parts


def shortened(word: str, most: int) -> set[str]:
    """Return a word with up to ``most`` of its letters left out."""
    found = last = {word}
    for _ in range(most):
        last = {w[:i] + w[i + 1 :] for w in last for i in range(len(w))}
        found = found | last
    return found


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
