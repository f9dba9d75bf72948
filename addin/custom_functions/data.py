"""Cells about the data: universes, members, securities, histories."""

from collections.abc import Sequence
from typing import Annotated, cast

import pandas as pd

from custom_functions._arguments import Date, End, Start, Tickers, Universe
from custom_functions._edge import attempt, udf
from custom_functions._inputs import NO_OPTIONS, Options, names, text, tickers_of
from tilt.api import lookup
from tilt.api.books import date_of
from tilt.api.state import State, current
from tilt.api.values import Result, Scalar
from tilt.calendar import parse_date
from tilt.errors import ArgumentError, TiltError, one_of
from tilt.frames import PERIODS_PER_YEAR


@udf(
    result="name, description, securities, first_date, last_date, source",
    example="=TILT.UNIVERSES()",
)
def universes() -> pd.DataFrame:
    """List the universes of securities that have data."""
    return current().store.universes()


@udf(
    result="ticker, name, sector, industry, weight (by market cap)",
    example='=TILT.MEMBERS(,"2016-12-30","top=20")',
)
def members(
    universe: Universe = None,
    date: Date = None,
    options: Options = NO_OPTIONS,  # noqa: ARG001 - read by the edge
) -> pd.DataFrame:
    """List the members of a universe on a date, the largest first."""
    panel = current().panel(universe)
    return lookup.members(panel, date_of(date, panel))


_Asked = tuple[tuple[str, ...], tuple[str, ...], object]


class _Shelf(lookup.Shelf):
    """Securities for the calls of a batch, each date read once."""

    def __init__(self, state: State) -> None:
        super().__init__(state, state.panel(None))
        self._days: dict[object, pd.Timestamp] = {}

    def show(self, asked: _Asked) -> Sequence[Sequence[Scalar]]:
        """Return a row per ticker, a column per field."""
        given, wanted, date = asked
        place = self.place
        if not all(name in place for name in given):
            given = tuple(tickers_of(given, self.tickers))
        day = self._day(date)
        columns = [self.column(name, day) for name in wanted]
        return [[column[place[ticker]] for column in columns] for ticker in given]

    def _day(self, given: object) -> pd.Timestamp:
        key = (type(given), given)
        if key not in self._days:
            self._days[key] = date_of(given, self.panel)
        return self._days[key]


def _show_many(calls: Sequence[tuple[object, ...]]) -> Sequence[Result | TiltError]:
    """Answer all calls of a batch over one panel."""
    shelf = _Shelf(current())
    return [attempt(shelf.show, cast("_Asked", call)) for call in calls]


@udf(
    result="a row per ticker, a column per field, no header",
    example='=TILT.SECURITY(A2:A50,"name,sector,market_cap")',
    many=_show_many,
)
def security(
    tickers: Tickers,
    fields: Annotated[
        tuple[str, ...], names("Fields: name, sector, close, market_cap, Value, ...")
    ],
    date: Date = None,
) -> Sequence[Sequence[Scalar]]:
    """Show what is known of securities on a date.

    Fields are name, sector, industry, close, adj_close, return, volume, dollar_volume, market_cap,
    every descriptor and every factor.
    """
    state = current()
    panel = state.panel(None)
    found = tickers_of(tickers, lookup.tickers(state, panel))
    return lookup.table(state, panel, found, fields, date_of(date, panel))


@udf(
    result="dates down, tickers across; a value that is not known is #N/A",
    example='=TILT.HISTORY("AAPL,MSFT","return","-1Y",,"M")',
    keys={"fill": "none (default) or ffill: whether a hole takes the last value before it"},
)
def history(
    tickers: Tickers,
    field: Annotated[
        str, text("close (default), adj_close, return, volume, market_cap, ... or a factor.")
    ] = "close",
    start: Start = None,
    end: End = None,
    frequency: Annotated[str, text("D (default), W, M, Q or Y.")] = "D",
    options: Options = NO_OPTIONS,
) -> pd.DataFrame:
    """Show prices, returns, volumes or factor scores through time.

    Over a week, month, quarter or year returns are compounded and volumes added up; anything else
    is the value at the last session of the period. Left out, the history starts a year before its
    end.
    """
    state = current()
    panel = state.panel(None)
    last = date_of(end, panel, "end")
    first = _first_day(start, panel.dates, last)
    frame = lookup.history(
        state,
        panel,
        tickers_of(tickers, lookup.tickers(state, panel)),
        field,
        start=first,
        end=last,
        frequency=one_of("frequency", frequency, PERIODS_PER_YEAR),
    )
    if one_of("option fill", options.text("fill", "none"), ("none", "ffill")) == "ffill":
        frame = frame.ffill()
    return frame.rename_axis(index="date").reset_index(allow_duplicates=True)


@udf(result="a date", example="=TILT.ASOF()")
def asof(universe: Universe = None) -> pd.Timestamp:
    """Return the last date with data of a universe."""
    return current().panel(universe).as_of


def _first_day(start: object, sessions: pd.DatetimeIndex, last: pd.Timestamp) -> pd.Timestamp:
    year_before = sessions[max(int(sessions.searchsorted(last - pd.DateOffset(years=1))), 0)]
    blank = start == 0 and not isinstance(start, bool)
    first = parse_date(None if blank else start, sessions, "start", default=year_before)
    if first > last:
        raise ArgumentError(f"start {first:%Y-%m-%d} is after end {last:%Y-%m-%d}.")
    return first
