"""Cells about the data: universes, members, securities, histories."""

from collections.abc import Sequence
from typing import Annotated, cast

import pandas as pd

from custom_functions._arguments import Date, End, Start, Tickers, Universe
from custom_functions._edge import udf
from custom_functions._inputs import NO_OPTIONS, Options, cells, names, text, tickers_of
from tilt.api import lookup
from tilt.api.books import date_of
from tilt.api.research import own_scores
from tilt.api.state import State, current
from tilt.api.values import Grid, Result, Scalar
from tilt.calendar import parse_date
from tilt.errors import ArgumentError, TiltError, one_of
from tilt.frames import PERIODS_PER_YEAR
from tilt.portfolio.match_table import MIN_CONFIDENCE, match_table


@udf(
    result="name, description, securities, first_date, last_date, source, survivorship, parent",
    example="=TILT.UNIVERSES()",
)
def universes() -> pd.DataFrame:
    """List the universes of securities: those with data, and those made by a rule.

    Survivorship says what is missing in a universe's past and how much; parent is the universe
    that one made by a rule is taken from.
    """
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


_Asked = tuple[tuple[str, ...], tuple[str, ...], object, str | None]


class _Shelf(lookup.Shelf):
    """Securities of a universe for the calls of a batch, each date read once."""

    def __init__(self, state: State, universe: str | None) -> None:
        panel = state.panel(universe)
        super().__init__(state, panel, lambda name: own_scores(state, panel, name))
        self._days: dict[object, pd.Timestamp] = {}
        self._rows: dict[tuple[str, ...], list[int]] = {}
        self._wanted: dict[tuple[object, ...], list[Sequence[object]]] = {}

    def show(
        self, given: tuple[str, ...], wanted: tuple[str, ...], date: object
    ) -> Sequence[Sequence[Scalar]]:
        """Return a row per ticker, a column per field."""
        rows = self._rows.get(given)
        if rows is None:
            rows = self._rows[given] = self._rows_of(given)
        key = (wanted, type(date), date)
        columns = self._wanted.get(key)
        if columns is None:
            day = self._day(date)
            columns = self._wanted[key] = [self.column(name, day) for name in wanted]
        return [[column[row] for column in columns] for row in rows]

    def _rows_of(self, given: tuple[str, ...]) -> list[int]:
        """Return where tickers stand, which may be written as people write them."""
        place = self.place
        rows = [place.get(name) for name in given]
        if None in rows:
            return [place[ticker] for ticker in tickers_of(given, self.tickers)]
        return cast("list[int]", rows)

    def _day(self, given: object) -> pd.Timestamp:
        key = (type(given), given)
        if key not in self._days:
            self._days[key] = date_of(given, self.panel)
        return self._days[key]


def _show_many(calls: Sequence[tuple[object, ...]]) -> Sequence[Result | TiltError]:
    """Answer all calls of a batch, those over one universe from one shelf."""
    state = current()
    shelves: dict[str | None, _Shelf] = {}
    answers: list[Result | TiltError] = []
    for given, wanted, date, universe in cast("Sequence[_Asked]", calls):
        try:
            if universe not in shelves:
                shelves[universe] = _Shelf(state, universe)
            answers.append(shelves[universe].show(given, wanted, date))
        except TiltError as error:
            answers.append(error)
    return answers


@udf(
    result="a row per ticker, a column per field, no header",
    example='=TILT.SECURITY(A2:A50,"name,sector,market_cap")',
    many=_show_many,
)
def security(
    tickers: Tickers,
    fields: Annotated[
        tuple[str, ...], names("Fields: name, sector, isin, close, market_cap, Value, ...")
    ],
    date: Date = None,
    universe: Universe = None,
) -> Sequence[Sequence[Scalar]]:
    """Show what is known of securities on a date.

    Fields are name, sector, industry; issuer, country, currency, share_class, exchange, isin,
    cusip, sedol, figi, free_float, listed, delisted where the source has them; first_date and
    last_date of its prices; close, adj_close, return, volume, dollar_volume, market_cap; every
    descriptor and every factor, imported ones and expressions such as rank(roe) too.
    """
    return _Shelf(current(), universe).show(tickers, fields, date)


@udf(
    result="dates down, tickers across; a value that is not known is #N/A",
    example='=TILT.HISTORY("AAPL,MSFT","return","-1Y",,"M")',
    keys={
        "fill": "none (default) or ffill: whether a hole takes the last value before it",
        "universe": "name of a universe; left out: the default of the settings",
    },
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
    panel = state.panel(options.text("universe", "") or None)
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
        own=lambda name: own_scores(state, panel, name),
    )
    if one_of("option fill", options.text("fill", "none"), ("none", "ffill")) == "ffill":
        frame = frame.ffill()
    return frame.rename_axis(index="date").reset_index(allow_duplicates=True)


@udf(
    result="given, ticker, name, kind, confidence, note",
    example='=TILT.MATCH(A2:A40,,"min_confidence=0.9")',
    keys={
        "min_confidence": "from 0 to 1; a match below it is shown in the note only (default 0.5)",
        "asof": "the day on which the identifiers were in use; left out: today",
        "universe": "name of a universe; left out: the default of the settings",
    },
)
def match(
    ids: Annotated[
        Grid, cells("Tickers in any spelling, ISIN, CUSIP, SEDOL, FIGI or names of companies.")
    ],
    names: Annotated[
        Grid | None, cells("Names of the companies beside the identifiers, as many cells.")
    ] = None,
    options: Options = NO_OPTIONS,
) -> pd.DataFrame:
    """Find the security that each identifier means, with a reason and how sure it is.

    Kind says by what it was found: ticker, spelling, suffix (with an exchange), isin, cusip, sedol,
    figi, cusip8 (without its check digit), zeros or scientific (what Excel left of a code), former
    (an earlier symbol), name, similar_name, cash or none. Confidence is 1 for a ticker or a code
    whose check digit is right, and less for every step that had to be assumed. What fits two
    securities is #N/A, with both in the note.
    """
    panel = current().panel(options.text("universe", "") or None)
    given = options.own.get("asof")
    asof = None if given is None else date_of(given, panel, "option asof")
    return match_table(
        panel,
        [cell for row in ids for cell in row],
        None if names is None else [cell for row in names for cell in row],
        min_confidence=options.number("min_confidence", MIN_CONFIDENCE),
        asof=asof,
    )


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
