"""Cells about forecast risk."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, cast

import numpy as np
import pandas as pd

from custom_functions._arguments import Benchmark, Date, Holdings, Universe
from custom_functions._books import MODEL_KEYS
from custom_functions._edge import attempt, udf
from custom_functions._inputs import NO_OPTIONS, Options, choice, names
from custom_functions.factors import LONG_SHORT
from tilt.api.books import Book, Day, grid_id, hold, open_book, open_day, with_notes
from tilt.api.health import health
from tilt.api.state import State, current
from tilt.api.values import Grid, Result, Scalar
from tilt.errors import TiltError, ZeroDenominatorError
from tilt.risk import measures
from tilt.risk.returns_model import LOOKBACK

Measures = Annotated[
    tuple[str, ...],
    names("volatility, tracking_error (default), beta, var95, ...; a range gives a row."),
]
HEALTH = "health"
SPLITS = (*measures.GROUPINGS, HEALTH)
By = Annotated[
    Literal["factor", "group", "sector", "position", "summary", "health"],
    choice("How risk is split; health: how such forecasts have turned out.", SPLITS),
]

RISK_KEYS = {
    **LONG_SHORT,
    "horizon": "of the risk model: short (default; volatilities halve in 84 days) or long (252)",
    **MODEL_KEYS,
}
_Call = tuple[Grid, tuple[str, ...], object, "Grid | None", "str | None", Options]


class _Batch:
    """Portfolios of one benchmark and date, each read once; a measure is taken of all at once."""

    def __init__(self, state: State, call: _Call) -> None:
        _, _, date, benchmark, universe, options = call
        self.long_short = options.flag("long_short")
        self.day: Day = open_day(
            state,
            benchmark,
            date,
            universe,
            long_short=self.long_short,
            horizon=options.text("horizon", "short"),
            estimator=options.text("estimator", ""),
            lookback=options.count("lookback", LOOKBACK),
        )
        self.books: dict[str, Book | TiltError] = {}
        self.keys: dict[int, str] = {}
        self.taken: dict[str, Mapping[str, float]] = {}

    def key(self, holdings: Grid) -> str:
        """Return what is equal for equal holdings; a batch reads a shared range once."""
        if id(holdings) not in self.keys:
            self.keys[id(holdings)] = grid_id(holdings).hex()
        return self.keys[id(holdings)]

    def read(self, state: State, holdings: Grid) -> None:
        key = self.key(holdings)
        if key not in self.books:
            found = attempt(hold, state, self.day, holdings, long_short=self.long_short)
            self.books[key] = cast("Book | TiltError", found)

    def take(self, measure: str) -> Mapping[str, float]:
        """Return a measure by portfolio; NaN where a ratio has no denominator."""
        if measure not in self.taken:
            place = {asset: i for i, asset in enumerate(self.day.model.assets)}
            books = {key: b for key, b in self.books.items() if isinstance(b, Book)}
            weights = np.zeros((len(place), len(books)))
            for column, book in enumerate(books.values()):
                held = book.weights.to_dict()
                weights[[place[str(t)] for t in held], column] = list(held.values())
            frame = pd.DataFrame(weights, index=self.day.model.assets, columns=list(books))
            found = measures.risk_measure_many(self.day.model, frame, self.day.benchmark, measure)
            self.taken[measure] = {str(k): float(v) for k, v in found.items()}
        return self.taken[measure]

    def answer(self, holdings: Grid, wanted: tuple[str, ...]) -> Result:
        key = self.key(holdings)
        book = self.books[key]
        if isinstance(book, TiltError):
            raise book
        row = [self.take(name)[key] for name in wanted]
        # the single call says which denominator is zero
        return _row(book, wanted) if len(row) == 1 and np.isnan(row[0]) else [row]


def _risk_many(calls: Sequence[tuple[object, ...]]) -> Sequence[Result | TiltError]:
    """Answer all calls of a batch."""
    state = current()
    asked = cast("Sequence[_Call]", calls)
    keys = [repr(call[2:]) for call in asked]
    batches: dict[str, Result | TiltError] = {}
    for key, call in zip(keys, asked, strict=True):
        if key not in batches:
            batches[key] = attempt(_Batch, state, call)
        batch = batches[key]
        if isinstance(batch, _Batch):
            batch.read(state, call[0])
    return [
        attempt(batch.answer, call[0], call[1]) if isinstance(batch, _Batch) else batch
        for batch, call in ((batches[k], c) for k, c in zip(keys, asked, strict=True))
    ]


@udf(
    result="one number, or a row for a range of measures",
    example='=TILT.RISK(A2:B40,"tracking_error")',
    keys=RISK_KEYS,
    many=_risk_many,
)
def risk(
    holdings: Holdings,
    measure: Measures = ("tracking_error",),
    date: Date = None,
    benchmark: Benchmark = None,
    universe: Universe = None,
    options: Options = NO_OPTIONS,
) -> Sequence[Sequence[Scalar]]:
    """Return a forecast of risk: volatility, tracking error, beta and others, for a year."""
    book = _opened(holdings, benchmark, date, universe, options)
    return _row(book, measure)


@udf(
    result="name, group, exposure, volatility, correlation, mctr, ctr, pct, x_sigma_rho (by "
    "position also mctr_funded, out of the benchmark); the last row is the total",
    example='=TILT.RISK_TABLE(A2:B40,"sector")',
    keys=RISK_KEYS,
    totals=1,
)
def risk_table(
    holdings: Holdings,
    by: By = "factor",
    date: Date = None,
    benchmark: Benchmark = None,
    universe: Universe = None,
    options: Options = NO_OPTIONS,
) -> pd.DataFrame:
    """Split forecast risk into contributions that add up to the total.

    by=health gives measure, value, low, high, verdict instead: the forecasts of the past of this
    portfolio as it is today, of factors, sectors, random and optimized portfolios, against what
    followed them. An estimator other than factor has no factors but those of pca, and all its risk
    counts as specific.
    """
    book = _opened(holdings, benchmark, date, universe, options)
    if by == HEALTH:
        table, judged = health(current(), book)
        return with_notes(table, (judged, *book.notes))
    found = measures.risk_table(book.model, book.weights, book.benchmark, by=by)
    return with_notes(found, book.notes)


def _opened(
    holdings: Grid, benchmark: Grid | None, date: object, universe: str | None, options: Options
) -> Book:
    """Return a book with the risk model that the options choose."""
    return open_book(
        current(),
        holdings,
        benchmark,
        date,
        universe,
        long_short=options.flag("long_short"),
        horizon=options.text("horizon", "short"),
        estimator=options.text("estimator", ""),
        lookback=options.count("lookback", LOOKBACK),
    )


def _row(book: Book, wanted: tuple[str, ...]) -> Sequence[Sequence[Scalar]]:
    if len(wanted) == 1:
        return [[_measure(book, wanted[0])]]
    return [[_measure_or_nothing(book, name) for name in wanted]]


def _measure(book: Book, name: str) -> float:
    return measures.risk_measure(book.model, book.weights, book.benchmark, name)


def _measure_or_nothing(book: Book, name: str) -> float | None:
    """Return a measure, or None for a ratio without denominator, so as not to sink the row."""
    try:
        return _measure(book, name)
    except ZeroDenominatorError:
        return None
