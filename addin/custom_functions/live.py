"""Cells that follow the market."""

from typing import Annotated

from custom_functions._edge import udf
from custom_functions._inputs import text
from tilt.api import live as prices
from tilt.api import lookup
from tilt.api.state import current
from tilt.api.values import Scalar
from tilt.errors import UnknownNameError, one_of


@udf(
    result="the last price, and again whenever it changes",
    example='=TILT.LIVE("AAPL")',
    lasting=False,
    stream=True,
)
def live(
    ticker: Annotated[str, text("A ticker.")],
    field: Annotated[
        str,
        text(
            "price (default), change on the day, time, age in seconds since confirmed, or currency."
        ),
    ] = "price",
) -> Scalar:
    """Show the last price of a security, and again whenever it changes.

    When the server is away the cell keeps the last price, and its age grows.
    """
    name = one_of("field", field, prices.FIELDS)
    state = current()
    known = lookup.tickers(state, state.panel(None))
    match = known.find(ticker)
    if match is None:
        raise UnknownNameError(f"Unknown ticker '{ticker}'.{known.suggest(ticker)}")
    shown = state.live.last([match.ticker]).get(match.ticker)
    if shown is None:
        raise UnknownNameError(f"There is no live price of {match.ticker}.")
    value = prices.field_of(shown, name)
    if value is None:
        raise UnknownNameError(f"The source of live prices does not give the {name}.")
    return value
