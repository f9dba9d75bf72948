"""The portfolio of a call whose universe is an option."""

from collections.abc import Mapping
from types import MappingProxyType

from custom_functions._inputs import Options
from custom_functions.factors import LONG_SHORT
from tilt.api.books import Book, open_book
from tilt.api.state import current
from tilt.api.values import Grid

ABSOLUTE: Grid = [["NONE"]]
BOOK_KEYS: Mapping[str, str] = MappingProxyType(
    {**LONG_SHORT, "universe": "name of a universe; left out: the default of the settings"}
)


def read_book(holdings: Grid, benchmark: "Grid | None", date: object, options: Options) -> Book:
    """Read holdings and benchmark, and estimate the risk model of their date."""
    universe, long_short = options.text("universe", "") or None, options.flag("long_short")
    return open_book(current(), holdings, benchmark, date, universe, long_short=long_short)
