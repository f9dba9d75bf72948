"""Cells about portfolios as they are given and saved."""

from typing import Annotated

import pandas as pd

from custom_functions._arguments import Date, Holdings, Universe
from custom_functions._edge import udf
from custom_functions._inputs import text
from tilt.api.books import date_of
from tilt.api.state import current
from tilt.portfolio.cells import is_blank
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
    return check_table(inspect_holdings(holdings, panel, day, saved=state.store.named(day)))


@udf(result="name, as_of, names, source", example="=TILT.PORTFOLIOS()")
def portfolios() -> pd.DataFrame:
    """List the saved portfolios, with the date they are of and how many names each holds."""
    return current().store.portfolios()


@udf(result="ticker, weight", example='=TILT.PORTFOLIO("SAMPLE")')
def portfolio(
    name: Annotated[str, text("Name of a saved portfolio.")], date: Date = None
) -> pd.DataFrame:
    """Show the weights of a saved portfolio, on its last date or on one before.

    The weights are those saved for the last day at or before the date. What they leave to one is
    cash.
    """
    state = current()
    day = None if is_blank(date) else date_of(date, state.panel(None))
    return state.store.portfolio(name, day).rename_axis("ticker").reset_index(name="weight")
