"""Cells that put portfolios side by side, and a portfolio on a page."""

from typing import Annotated, Literal

import pandas as pd

from custom_functions._arguments import Benchmark, Date, Holdings
from custom_functions._books import BOOK_KEYS, MODEL_KEYS, read_book
from custom_functions._edge import udf
from custom_functions._inputs import NO_OPTIONS, Options, cells, choice
from tilt.api.books import with_notes
from tilt.api.comparisons import OPTIONS as THROUGH_TIME
from tilt.api.comparisons import ComparisonAsked, books_of, held_then, view_comparison
from tilt.api.pairs import read_pairs, ticker_in
from tilt.api.state import current
from tilt.api.values import Grid
from tilt.errors import ArgumentError
from tilt.portfolio import compare as side_by_side
from tilt.portfolio import side_by_side as through_time
from tilt.portfolio.identifiers import Tickers
from tilt.risk.liquidity import average_dollar_volume

By = Annotated[
    Literal[
        "position", "sector", "factor", "risk", "performance", "yearly", "correlation", "growth"
    ],
    choice(
        "position (default), sector, factor, risk; through time: performance, yearly, correlation "
        "or growth.",
        (*side_by_side.VIEWS, *through_time.VIEWS),
    ),
]
Book = Annotated[
    Grid, cells("As holdings, or a backtest's run id; through time also a strategy, or several.")
]


@udf(
    result="name, a, b, difference; the last rows are active_share, overlap and turnover; by "
    "performance: name, a column for each book, benchmark; yearly: year, ...; correlation: a "
    "matrix; growth: date, ...",
    example='=TILT.COMPARE("SAMPLE","US_LARGE_CAP","sector")',
    keys={
        **THROUGH_TIME,
        **BOOK_KEYS,
        "benchmark": "of risk and performance, a portfolio, universe or NONE; left out: the "
        "universe",
    },
    totals=3,
    alone=True,
)
def compare(
    a: Book,
    b: Book,
    by: By = "position",
    date: Date = None,
    options: Options = NO_OPTIONS,
) -> pd.DataFrame:
    """Put portfolios and backtests side by side: as they stand, or through time.

    By position, sector, factor (exposures) and risk (a forecast) two are compared at a date. What
    is missing to the whole is cash. active_share is half the sum of the absolute differences, cash
    counted; overlap the sum of what both hold of each name; turnover, one way, makes one the other.

    The others compare up to twenty over the days that they share, until the date: performance shows
    every measure of STATS, costs and turnover; yearly the returns of calendar years; correlation
    that of the active returns; growth the wealth from 1. A column of names, run ids and strategies
    has their names as heads; a and b alone are called so. Holdings are held from start and drift.
    """
    base: Grid | None = [[options.text("benchmark", "")]] if "benchmark" in options.own else None
    if by in through_time.VIEWS:
        asked = ComparisonAsked(
            books_of({"a": a, "b": b}),
            base,
            options.own.get("start"),
            date,
            options.text("universe", ""),
            {key: value for key, value in options.own.items() if key in THROUGH_TIME},
            options.flag("long_short"),
        )
        return view_comparison(current(), asked, by)
    only = [key for key in options.own if key in THROUGH_TIME and key not in BOOK_KEYS]
    if only:
        raise ArgumentError(
            f"option {only[0]} is of {', '.join(through_time.VIEWS)}; by={by} looks at one date."
        )
    pair = books_of({"a": a, "b": b})
    if len(pair) > 2:
        raise ArgumentError(
            f"by={by} compares two; there are {len(pair)}. Several are compared by "
            f"{', '.join(through_time.VIEWS)}."
        )
    state = current()
    books = [read_book(held_then(state, book, date), base, date, options) for book in pair.values()]
    found = side_by_side.compare(
        books[0].model,
        books[0].weights,
        books[1].weights,
        by=by,
        sectors=books[0].panel.securities["sector"],
        benchmark=books[0].benchmark,
    )
    return with_notes(found, tuple(dict.fromkeys(books[0].notes + books[1].notes)))


@udf(
    result="measure, before, after, change",
    example='=TILT.WHATIF("SAMPLE",D2:E3)',
    keys={
        **BOOK_KEYS,
        "fund": "cash (default) pays for the trades; prorata scales what is not traded",
    },
)
def whatif(
    holdings: Holdings,
    trades: Annotated[Grid, cells("Tickers and the change of their weights: 0.01 buys 1 %.")],
    benchmark: Benchmark = None,
    date: Date = None,
    options: Options = NO_OPTIONS,
) -> pd.DataFrame:
    """Show a portfolio's risk and exposures before and after trades that are not made yet."""
    book = read_book(holdings, benchmark, date, options)
    given = read_pairs(
        trades, "trades", "change of weight", ticker_in(Tickers(book.panel, book.date))
    )
    fund = options.text("fund", side_by_side.FUNDING[0])
    found = side_by_side.what_if(book.model, book.weights, given, book.benchmark, fund=fund)
    return with_notes(found, book.notes)


@udf(
    result="measure, portfolio, benchmark, active",
    example='=TILT.SUMMARY("SAMPLE")',
    keys={**BOOK_KEYS, **MODEL_KEYS},
)
def summary(
    holdings: Holdings,
    benchmark: Benchmark = None,
    date: Date = None,
    options: Options = NO_OPTIONS,
) -> pd.DataFrame:
    """Put a portfolio on a page: concentration, size, forecast risk and style exposures.

    Risk is a forecast for a year, var95 and cvar95 for a day. weighted_market_cap and weighted_adv
    are means over the positions by absolute weight, in the currency of the prices.
    """
    book = read_book(holdings, benchmark, date, options)
    caps = book.panel.market_cap.loc[: book.date].iloc[-1]
    volume = average_dollar_volume(book.panel.close, book.panel.volume, book.date)
    found = side_by_side.summary(book.model, book.weights, book.benchmark, caps=caps, adv=volume)
    return with_notes(found, book.notes)
