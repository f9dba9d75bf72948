"""Dates as people type them, the schedules of rebalances, and the trading days of exchanges."""

import datetime as dt
import re
from functools import lru_cache

import pandas as pd

from tilt.errors import ArgumentError, UnknownNameError, cut, did_you_mean

EXCEL_EPOCH = pd.Timestamp("1899-12-30")  # serial 0 of the 1900 system, its false leap day absorbed
_RELATIVE = re.compile(r"^([+-]?)(\d+)(D|W|ME|M|QE|Q|YE|Y)$", re.IGNORECASE)
_YEAR_FIRST = re.compile(r"^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})$")
_YEAR_1920, _YEAR_2100, _YEAR_2500 = 7_306, 73_051, 219_148  # serials of their first days
FARTHEST = {"W": 10_400, "M": 2400, "Q": 800, "Y": 200}  # about 200 years back
LONGEST_CLOSURE = 30  # days; New York was closed for four months once, in 1914
_SLASHED = re.compile(r"^(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{2}|\d{4})$")


def parse_date(
    given: object,
    sessions: pd.DatetimeIndex,
    name: str = "date",
    *,
    default: pd.Timestamp | None = None,
) -> pd.Timestamp:
    """Return the trading day that ``given`` means: the last session at or before it.

    Parameters
    ----------
    given : Excel serial, date, ISO text, ``YYYYMMDD``, or relative to the last session: ``-5D``
        (sessions), ``-1M``, ``-1ME`` (a month's end), ``MTD``, ``QTD``, ``YTD`` (the last session
        before the period), ``SI`` (the first session). None or blank: ``default``
    sessions : trading days, ascending
    default : what a blank means; the last session unless given

    Raises
    ------
    ArgumentError
        If the text is no date or could be read in two ways.
    UnknownNameError
        If it lies before the first session.
    """
    if given is None or (isinstance(given, str) and not given.strip()):
        return sessions[-1] if default is None else default
    day = _calendar_day(given, sessions, name)
    row = int(sessions.searchsorted(day, side="right")) - 1
    if row < 0:
        raise UnknownNameError(
            f"{name} {day:%Y-%m-%d} is before the first date with data, {sessions[0]:%Y-%m-%d}."
        )
    return sessions[row]


def calendar_day(given: object) -> pd.Timestamp | None:
    """Return the day that a cell or text means by itself, or None if it means none, or two.

    An Excel serial from 1920 to 2099, a date, ``YYYYMMDD``, or a text with the year first.
    """
    if isinstance(given, bool) or given is None:
        return None
    if isinstance(given, dt.datetime | dt.date):
        return pd.Timestamp(given).tz_localize(None).normalize()
    if isinstance(given, int | float):
        return _day_of_number(float(given), first=_YEAR_1920, end=_YEAR_2100)
    return _day_of_text(given.strip()) if isinstance(given, str) else None


def _calendar_day(given: object, sessions: pd.DatetimeIndex, name: str) -> pd.Timestamp:
    if isinstance(given, bool):
        raise ArgumentError(f"{name} must be a date; got {str(given).upper()}.")
    if isinstance(given, dt.datetime | dt.date):
        return pd.Timestamp(given).tz_localize(None).normalize()
    if isinstance(given, int | float):
        return _from_number(float(given), name)
    if not isinstance(given, str):
        raise ArgumentError(f"{name} must be a date; got {type(given).__name__}.")
    text = given.strip().removeprefix("'")
    relative = _relative(text.upper(), sessions, name)
    if relative is not None:
        return relative
    if re.fullmatch(r"\d{5}(\.\d+)?|\d{8}", text):
        return _from_number(float(text), name)
    slashed = _SLASHED.match(text)
    if slashed:
        raise ArgumentError(_two_readings(name, text, *(int(g) for g in slashed.groups())))
    day = _day_of_text(text)
    if day is None:
        raise ArgumentError(
            f"{name} '{cut(text)}' is not a date. Use an Excel date, 2026-01-31, 20260131, "
            "or a relative date such as -1M."
        )
    return day


def _day_of_text(text: str) -> pd.Timestamp | None:
    """Return the day of a text with the year first, the only order that has one reading."""
    parts = _YEAR_FIRST.match(text)
    try:
        if parts:
            year, month, day = (int(p) for p in parts.groups())
            return pd.Timestamp(dt.date(year, month, day))
        return pd.Timestamp(dt.datetime.fromisoformat(text)).tz_localize(None).normalize()
    except ValueError:
        return None


def _from_number(number: float, name: str) -> pd.Timestamp:
    day = _day_of_number(number, first=1.0, end=_YEAR_2500)
    if day is not None:
        return day
    if 19000101 <= number <= 29991231:
        raise ArgumentError(f"{name} {int(number)} is not a date of the form YYYYMMDD.")
    raise ArgumentError(f"{name} {number:g} is not an Excel date.")


def _day_of_number(number: float, *, first: float, end: float) -> pd.Timestamp | None:
    """Return the day of a number of the form YYYYMMDD, or of a serial from ``first`` to ``end``."""
    if 19000101 <= number <= 29991231:
        try:
            return pd.Timestamp(dt.datetime.strptime(str(int(number)), "%Y%m%d"))  # noqa: DTZ007
        except ValueError:
            return None
    return EXCEL_EPOCH + pd.Timedelta(days=int(number)) if first <= number < end else None


def _relative(text: str, sessions: pd.DatetimeIndex, name: str) -> pd.Timestamp | None:
    last = sessions[-1]
    to_date = {"MTD": "M", "QTD": "Q", "YTD": "Y"}
    if text == "SI":
        return sessions[0]
    if text in to_date:
        return last.to_period(to_date[text]).start_time - pd.Timedelta(days=1)
    match = _RELATIVE.match(text)
    if not match:
        return None
    sign, count, unit = match[1], int(match[2]), match[3]
    if sign == "+" and count:
        return None
    if unit != "D" and count > FARTHEST[unit[0]]:
        raise ArgumentError(
            f"{name} '{cut(text)}' goes back too far: the data starts on {sessions[0]:%Y-%m-%d}."
        )
    if unit == "D":
        return sessions[max(len(sessions) - 1 - count, 0)]
    if unit.endswith("E"):
        period = last.to_period(unit[0])
        return (period - count).end_time.normalize()
    years, months, weeks = {"Y": (count, 0, 0), "Q": (0, 3 * count, 0), "M": (0, count, 0)}.get(
        unit, (0, 0, count)
    )
    return last - pd.DateOffset(years=years, months=months, weeks=weeks)


def _two_readings(name: str, text: str, a: int, b: int, year: int) -> str:
    year = year + 2000 if year < 100 else year
    readings = [
        f"{year:04d}-{month:02d}-{day:02d}"
        for month, day in ((a, b), (b, a))
        if month <= 12 and day <= 31
    ]
    both = " or ".join(dict.fromkeys(readings))
    return (
        f"{name} '{text}' could mean {both}. Type {readings[0]}, or use an Excel date."
        if readings
        else f"{name} '{text}' is not a date. Use an Excel date or 2026-01-31."
    )


def period_ends(sessions: pd.DatetimeIndex, frequency: str) -> pd.DatetimeIndex:
    """Return the last session of each day, week, month, quarter or year (``D W M Q Y``)."""
    if frequency == "D":
        return sessions
    period = sessions.to_period({"W": "W-FRI"}.get(frequency, frequency))
    return sessions[_last_of_run(period)]


def _last_of_run(period: pd.PeriodIndex) -> list[bool]:
    """Return True where the next period differs; the last entry is always True."""
    codes = period.asi8
    return [*(codes[1:] != codes[:-1]).tolist(), True] if len(codes) else []


def expected_sessions(exchange: str, first: pd.Timestamp, last: pd.Timestamp) -> pd.DatetimeIndex:
    """Return the trading days of an exchange from ``first`` to ``last``, both included.

    Parameters
    ----------
    exchange : its MIC or another name that exchange_calendars knows: XNYS, XLON, XTKS

    Raises
    ------
    UnknownNameError
        If no calendar has the name.

    References
    ----------
    Holidays and special closings as the package exchange_calendars has them.
    """
    before, after = first - pd.Timedelta(days=14), last + pd.Timedelta(days=14)
    days = _sessions(exchange.strip().upper(), before.year, after.year)
    return days[(days >= first) & (days <= last)]


def next_session(
    day: pd.Timestamp, sessions: pd.DatetimeIndex, exchange: str = "XNYS"
) -> pd.Timestamp:
    """Return the trading day after ``day``: of the data, and of the exchange where that ends.

    Parameters
    ----------
    sessions : trading days of the data; as far as they go they decide, not the calendar

    Raises
    ------
    UnknownNameError
        If the data ends and no calendar has the exchange's name.
    """
    row = int(sessions.searchsorted(day, side="right"))
    if row < len(sessions):
        return sessions[row]
    ahead = expected_sessions(
        exchange, day + pd.Timedelta(days=1), day + pd.Timedelta(days=LONGEST_CLOSURE)
    )
    return ahead[0]


@lru_cache(64)
def _sessions(exchange: str, first_year: int, last_year: int) -> pd.DatetimeIndex:
    # 0.7 s to import; only what compares data with a calendar pays for it
    import exchange_calendars

    known = exchange_calendars.get_calendar_names(include_aliases=True)
    if exchange not in known:
        raise UnknownNameError(
            f"There is no calendar '{cut(exchange)}'.{did_you_mean(exchange, known)} "
            "Use the exchange's MIC, such as XNYS, XLON or XTKS."
        )
    calendar = exchange_calendars.get_calendar(
        exchange, start=f"{first_year}-01-01", end=f"{last_year}-12-31"
    )
    return pd.DatetimeIndex(calendar.sessions).tz_localize(None).as_unit("us")
