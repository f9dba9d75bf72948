"""The cell about a portfolio's risk in calm and in turbulent times."""

import pandas as pd

from custom_functions._arguments import Benchmark, Date, Holdings
from custom_functions._books import BOOK_KEYS, read_book
from custom_functions._edge import udf
from custom_functions._inputs import NO_OPTIONS, Options
from tilt.api.books import with_notes
from tilt.api.past import replayed
from tilt.api.regime import market_regimes, words_of
from tilt.api.state import current
from tilt.risk.regimes import STATES, risk_by_regime

LOOKBACK = 1260


@udf(
    result="state, days, share, mean, volatility, tracking_error, beta; the last row is all days",
    example='=TILT.REGIME_RISK("SAMPLE")',
    keys={
        **BOOK_KEYS,
        "states": "2 (default) or 3",
        "lookback": f"days of history, {LOOKBACK} unless told",
    },
    totals=1,
    alone=True,
)
def regime_risk(
    holdings: Holdings,
    date: Date = None,
    benchmark: Benchmark = None,
    options: Options = NO_OPTIONS,
) -> pd.DataFrame:
    """Show what today's holdings would have earned and risked in calm and in turbulent times.

    The states are those of the universe's market by cap, a Markov model of its daily returns
    (Hamilton 1989), filtered. Holdings and benchmark are today's, replayed through the last
    ``lookback`` days; a name without a return moves with its factors. mean, volatility and
    tracking_error are a year, ex post; beta is to the benchmark. The note says which state it is.
    """
    book = read_book(holdings, benchmark, date, options)
    states = options.count("states", STATES[0])
    regimes = market_regimes(current(), book.panel, book.date, states)
    lookback = options.count("lookback", LOOKBACK)
    own = replayed(book, book.weights, lookback)
    base = None if book.benchmark is None else replayed(book, book.benchmark, lookback)
    found = risk_by_regime(own, base, regimes.state)
    return with_notes(found, (words_of(regimes, book.panel), *book.notes))
