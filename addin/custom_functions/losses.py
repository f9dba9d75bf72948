"""Cells about what may be lost, and how long it takes to get out."""

from typing import Annotated, Literal

import numpy as np
import pandas as pd

from custom_functions._arguments import Benchmark, Date, Holdings
from custom_functions._books import ABSOLUTE, BOOK_KEYS, read_book
from custom_functions._edge import udf
from custom_functions._inputs import NO_OPTIONS, Options, cells, choice, number
from tilt.api.books import Book, with_notes
from tilt.api.pairs import factor_or_ticker, read_pairs
from tilt.api.past import replayed
from tilt.api.values import Grid
from tilt.errors import ArgumentError, DataError, one_of
from tilt.portfolio.cells import is_error, shown
from tilt.portfolio.identifiers import Tickers
from tilt.risk import liquidity as exits
from tilt.risk import stress as scenarios
from tilt.risk.measures import DAYS, risk_measure
from tilt.risk.tail import (
    MEASURES,
    METHODS,
    Tail,
    historical_tail,
    parametric_tail,
    simulated_tail,
    tail_measure,
)

LOOKBACK = 504
VIEWS = ("number", "compare")

Method = Annotated[
    Literal["parametric", "historical", "montecarlo"],
    choice("parametric (default, from the risk model), historical or montecarlo.", METHODS),
]


@udf(
    result="one positive number: the loss as a fraction of the capital; view=compare: method, var, "
    "cvar, note, a row for each method",
    example='=TILT.VAR("SAMPLE",0.99,1,"historical")',
    keys={
        **BOOK_KEYS,
        "measure": "var (default) or cvar, the mean loss beyond it",
        "lookback": "days of history, 504 unless told",
        "degrees": "of freedom of the simulated factors, 5 unless told",
        "view": "number (default), or compare: the three methods side by side",
    },
)
def var(
    holdings: Holdings,
    confidence: Annotated[float, number("Such as 0.95 (default) or 0.99.")] = 0.95,
    horizon: Annotated[float, number("Days, 1 unless told.")] = 1.0,
    method: Method = "parametric",
    date: Date = None,
    options: Options = NO_OPTIONS,
) -> float | pd.DataFrame:
    """Return the loss that is exceeded with probability 1 - confidence.

    parametric: normal with zero mean and the forecast volatility, scaled by the square root of the
    days. historical: today's holdings through the last ``lookback`` days; a name without a return
    moves with its factors; days of the horizon compound. montecarlo: 100,000 seeded paths, the
    factors' part Student t, the specific part normal. CVaR is that of Rockafellar, Uryasev (2002).
    Only the parametric method scales by the square root of the days; view=compare says so.
    """
    book = read_book(holdings, ABSOLUTE, date, options)
    days = _whole(horizon, "horizon")
    if one_of("option view", options.text("view", VIEWS[0]), VIEWS) == "compare":
        return _compared(book, confidence, days, options)
    measure = options.text("measure", MEASURES[0])
    return tail_measure(_tail(book, confidence, days, method, options), measure)


def _compared(book: Book, confidence: float, days: int, options: Options) -> pd.DataFrame:
    """Return the tail by each method; one that cannot answer says why and sinks no other."""
    rows = []
    for method in METHODS:
        try:
            tail = _tail(book, confidence, days, method, options)
            rows.append([method, tail.var, tail.cvar, " ".join(tail.notes)])
        except DataError as error:
            rows.append([method, np.nan, np.nan, str(error)])
    rows[0][3] = " ".join([str(rows[0][3]), *book.notes]).strip()
    return pd.DataFrame(rows, columns=["method", "var", "cvar", "note"])


def _tail(book: Book, confidence: float, days: int, method: str, options: Options) -> Tail:
    def daily(measure: str) -> float:
        return float(risk_measure(book.model, book.weights, None, measure) / np.sqrt(DAYS))

    if method == "parametric":
        return parametric_tail(daily("volatility"), confidence, days)
    if method == "historical":
        lookback = options.count("lookback", LOOKBACK)
        return historical_tail(replayed(book, book.weights, lookback), confidence, days)
    degrees = options.number("degrees", 5.0)
    parts = [daily(m) for m in ("factor_volatility", "specific_volatility")]
    return simulated_tail(parts[0], parts[1], confidence, days, degrees=degrees)


@udf(
    result="name, shock, exposure, pnl, kind, portfolio_pnl, benchmark_pnl; the last row is the "
    "total",
    example='=TILT.STRESS("SAMPLE","brexit",,"NONE")',
    keys={
        **BOOK_KEYS,
        "others": "expected (default): factors that are not shocked move as the model expects of "
        "them; zero: they stay",
    },
    totals=1,
)
def stress(
    holdings: Holdings,
    shocks: Annotated[
        Grid,
        cells("Factors, sectors or tickers and returns; or brexit; or 2016-01-04 to 2016-02-11."),
    ],
    date: Date = None,
    benchmark: Benchmark = None,
    options: Options = NO_OPTIONS,
) -> pd.DataFrame:
    """Show what a shock, or a window of the past, does to a portfolio, factor by factor.

    Shocks are returns over the scenario: minus ten per cent is -0.1. The other factors move as the
    risk model expects of them given the shocks, F_rs F_ss^-1 s (Kupiec 1998). A named scenario, or
    two dates, replays what each factor returned then, compounded, on today's exposures. exposure
    and pnl are active; with benchmark NONE they are those of the portfolio. SCENARIOS replays the
    whole library at once.
    """
    book = read_book(holdings, benchmark, date, options)
    if len(shocks) == len(shocks[0]) == 1:
        window = scenarios.named_window(_scenario(shocks[0][0]))
        history = book.panel.factors
        found = scenarios.replay(book.model, history, book.weights, book.benchmark, window)
        said = f"{window.start} to {window.end}, {window.description}, replayed."
        return with_notes(found, (said, *book.notes))
    resolve = factor_or_ticker(book.model.factor_cov.index, Tickers(book.panel, book.date))
    given = read_pairs(shocks, "shocks", "return", resolve)
    others = options.text("others", scenarios.OTHERS[0])
    found = scenarios.stress(book.model, book.weights, book.benchmark, given, others=others)
    return with_notes(found, book.notes)


@udf(
    result="ticker, weight, days_to_exit, pct_adv; the last row has the shares that can be out in "
    "1, 5 and 20 days",
    example='=TILT.LIQUIDITY("SAMPLE",100000000)',
    keys=BOOK_KEYS,
    totals=1,
)
def liquidity(
    holdings: Holdings,
    value: Annotated[float, number("Capital in the currency of the prices.")],
    participation: Annotated[
        float, number("Share of a day's volume that is ours, 0.2 unless told.")
    ] = exits.PARTICIPATION,
    date: Date = None,
    options: Options = NO_OPTIONS,
) -> pd.DataFrame:
    """Show how many days each position takes to sell at a share of its trading volume.

    days_to_exit = |position| / (participation x ADV), with the average dollar volume of 20 days; a
    position without a known volume counts as stuck. The last row: of what is held, the share that
    can be out in 1 day (column weight), in 5 (days_to_exit) and in 20 (pct_adv).
    """
    book = read_book(holdings, ABSOLUTE, date, options)
    volume = exits.average_dollar_volume(book.panel.close, book.panel.volume, book.date)
    table = exits.days_to_exit(book.weights, volume, value, participation)
    out = [exits.share_out(table, days) for days in exits.MILESTONES]
    last = dict(zip(table.columns, ["out in 1, 5, 20 days", *out], strict=True))
    return with_notes(pd.concat([table, pd.DataFrame([last])], ignore_index=True), book.notes)


def _scenario(cell: object) -> str:
    if is_error(cell):
        raise DataError(f"shocks is {shown(cell)}.")
    if not isinstance(cell, str):
        raise ArgumentError(
            "shocks must be two columns, a name and its return, or the name of a scenario."
        )
    return cell


def _whole(value: float, name: str) -> int:
    if value != int(value) or value < 1:
        raise ArgumentError(f"{name} must be a whole number of days from 1; got {value:g}.")
    return int(value)
