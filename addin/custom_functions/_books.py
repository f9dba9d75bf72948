"""The portfolio of a call whose universe is an option."""

from collections.abc import Mapping
from types import MappingProxyType

from custom_functions._inputs import Options
from custom_functions.factors import LONG_SHORT
from tilt.api.books import Book, open_book
from tilt.api.state import current
from tilt.api.values import Grid
from tilt.risk.estimators import ESTIMATORS
from tilt.risk.returns_model import LOOKBACK

ABSOLUTE: Grid = [["NONE"]]
BOOK_KEYS: Mapping[str, str] = MappingProxyType(
    {**LONG_SHORT, "universe": "name of a universe; left out: the default of the settings"}
)
MODEL_KEYS: Mapping[str, str] = MappingProxyType(
    {
        "estimator": "of the risk model: factor (default where there is one), "
        + ", ".join(ESTIMATORS),
        "lookback": f"days of returns of another estimator, {LOOKBACK} unless told",
    }
)


def read_book(holdings: Grid, benchmark: "Grid | None", date: object, options: Options) -> Book:
    """Read holdings and benchmark, and estimate the risk model of their date."""
    universe, long_short = options.text("universe", "") or None, options.flag("long_short")
    return open_book(
        current(),
        holdings,
        benchmark,
        date,
        universe,
        long_short=long_short,
        estimator=options.text("estimator", ""),
        lookback=options.count("lookback", LOOKBACK),
    )
