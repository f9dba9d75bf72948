"""The cell that replays the library of historical windows."""

import pandas as pd

from custom_functions._arguments import Benchmark, Date, Holdings
from custom_functions._books import BOOK_KEYS, read_book
from custom_functions._edge import udf
from custom_functions._inputs import NO_OPTIONS, Options
from tilt.api.books import with_notes
from tilt.frames import listed
from tilt.risk.stress import replay_library


@udf(
    result="name, start, end, description, pnl, portfolio_pnl, benchmark_pnl",
    example='=TILT.SCENARIOS("SAMPLE")',
    keys=BOOK_KEYS,
)
def scenarios(
    holdings: Holdings,
    date: Date = None,
    benchmark: Benchmark = None,
    options: Options = NO_OPTIONS,
) -> pd.DataFrame:
    """Show what each crisis and rotation of the library would do to a portfolio of today.

    Every factor returns what it returned from the close of start to the close of end, compounded,
    on today's exposures; what was specific to single names then is left out. pnl is active; with
    benchmark NONE it is that of the portfolio. STRESS with the name of a window shows the same
    factor by factor. Windows that the data do not hold are named in the note.
    """
    book = read_book(holdings, benchmark, date, options)
    found, absent = replay_library(book.model, book.panel.factors, book.weights, book.benchmark)
    first, last = book.panel.factors.dates[[0, -1]]
    held = f"Not in the data ({first:%Y-%m-%d} to {last:%Y-%m-%d}): {listed(absent)}."
    return with_notes(found, (*((held,) if absent else ()), *book.notes))
