"""The cell that measures a factor's body."""

from dataclasses import replace
from typing import Annotated

import pandas as pd

from custom_functions._arguments import Date, Universe
from custom_functions._edge import udf
from custom_functions._inputs import cells
from tilt.api import lookup
from tilt.api.books import date_of, grid_id, with_notes
from tilt.api.research import read_factor, with_returns
from tilt.api.state import current
from tilt.api.values import Grid
from tilt.factors.shape import factor_shape as measured


@udf(
    result="measure, value, three_year, percentile, rank, meaning",
    example='=TILT.FACTOR_SHAPE("Momentum")',
    alone=True,
)
def factor_shape(
    factor: Annotated[
        Grid, cells("A factor, a field, an expression such as rank(roe), or date, ticker, value.")
    ],
    date: Date = None,
    universe: Universe = None,
) -> pd.DataFrame:
    """Measure a factor as a doctor measures a child: against its own past and its peers.

    value is over the year to the date, three_year over three. percentile is the share of the
    factor's own year-long values, a month apart, that are not above it: 1 is the highest ever.
    rank counts within its group, 1 for the largest. Nothing after the date is looked at.
    """
    state = current()
    panel = state.panel(universe)
    day = date_of(date, panel)
    found = read_factor(state, panel, factor)
    raw = lookup.raw_descriptors(state, panel)
    key = ("shape", panel.universe, panel.snapshot, grid_id(factor), found.name, day)

    def work() -> pd.DataFrame:
        if found.raw is None:
            return measured(panel, raw, found.name, day)
        beside = replace(panel, factor_history=with_returns(state, panel, found))
        return measured(beside, {**raw, found.name: found.raw}, found.name, day)

    return with_notes(state.once(key, work), found.notes)
