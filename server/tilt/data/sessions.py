"""The trading days of the data beside those of the exchange.

The data's days rule: every date, return and schedule is by them. Where the exchange's calendar
says otherwise there is a finding, because a day that is missing for all is two days' return in one.
"""

import pandas as pd

from tilt.calendar import expected_sessions
from tilt.data.findings import Finding, noted
from tilt.errors import UnknownNameError

DEFAULT = "XNYS"
ALIKE = 0.97  # part of the expected days that must be there for a calendar that nobody named
LISTED_ON = "exchange"


def exchange_of(securities: pd.DataFrame, named: str = "") -> str:
    """Return the exchange whose calendar the data follow: as named, else that of most securities.

    Parameters
    ----------
    securities : the table of ``tilt.data.schema``
    named : by the source; empty if it names none

    Returns
    -------
    a MIC, empty where nothing tells
    """
    if named:
        return named
    given = securities[LISTED_ON].dropna()
    return str(given.mode().iloc[0]) if len(given) else ""


def session_findings(dates: pd.DatetimeIndex, exchange: str = "") -> list[Finding]:
    """Return a finding for each day on which the data and the exchange's calendar disagree.

    Parameters
    ----------
    dates : trading days of the data
    exchange : whose calendar is expected; empty: that of New York, if the data are nearly like it

    Returns
    -------
    ``missing_session``, ``unexpected_session``, or one ``no_calendar`` where none is to be expected
    """
    if len(dates) == 0:
        return []
    try:
        expected = expected_sessions(exchange or DEFAULT, dates[0], dates[-1])
    except UnknownNameError as error:
        words = f"{error} | Kept. The days of the data are taken as they are."
        return [noted(dates[-1], "no_calendar", words, severity="info")]
    missing, extra = expected.difference(dates), dates.difference(expected)
    apart = max(len(missing), len(extra))
    if not exchange and apart > (1 - ALIKE) * len(expected):
        return [noted(dates[-1], "no_calendar", _NO_CALENDAR, severity="info")]
    name = exchange or DEFAULT
    return [
        *(noted(day, "missing_session", _MISSING.format(name)) for day in missing),
        *(noted(day, "unexpected_session", _EXTRA.format(name)) for day in extra),
    ]


_NO_CALENDAR = (
    "No exchange is named for this data and its days are not those of New York. | Kept. Name the "
    "exchange in the column 'exchange' of the securities to have missing days found."
)
_MISSING = (
    "{} was open and no security has a price. | Kept. The next return is over both days; the days "
    "of the data decide dates and schedules."
)
_EXTRA = (
    "{} was closed and there are prices. | Kept. The days of the data decide dates and schedules."
)
