"""The cell that measures a factor's body."""

from typing import Annotated

import pandas as pd

from custom_functions._arguments import Date, Universe
from custom_functions._edge import udf
from custom_functions._inputs import text
from tilt.api import lookup
from tilt.api.books import date_of
from tilt.api.state import current
from tilt.errors import one_of
from tilt.factors.shape import factor_shape as measured


@udf(
    result="measure, value, three_year, percentile, rank, meaning",
    example='=TILT.FACTOR_SHAPE("Momentum")',
    alone=True,
)
def factor_shape(
    factor: Annotated[str, text("A factor of the model, such as Momentum.")],
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
    name = one_of("factor", factor, map(str, panel.factors.factors.index))
    raw = lookup.raw_descriptors(state, panel)
    key = ("shape", panel.universe, panel.snapshot, name, day)
    return state.once(key, lambda: measured(panel, raw, name, day))
