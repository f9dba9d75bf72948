"""Cells about portfolios as they are given and saved."""

import pandas as pd

from custom_functions._arguments import Date, Holdings, Universe
from custom_functions._edge import udf
from tilt.api.books import date_of
from tilt.api.state import current
from tilt.portfolio.holdings import check_table, inspect_holdings


@udf(
    result="row, severity (error, warning, fixed), problem, fix",
    example="=TILT.CHECK(A2:B40)",
)
def check(holdings: Holdings, universe: Universe = None, date: Date = None) -> pd.DataFrame:
    """List what is wrong or assumed in a range of holdings, row by row."""
    state = current()
    panel = state.panel(universe)
    day = date_of(date, panel)
    return check_table(inspect_holdings(holdings, panel, day, saved=state.store.portfolio))
