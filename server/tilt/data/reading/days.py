"""Dates as files write them; the order of day and month is proved, said, or asked for."""

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tilt.calendar import EXCEL_EPOCH
from tilt.data.reading.notes import Asked
from tilt.data.reading.raw import Raw
from tilt.errors import one_of

DAY_FIRST, MONTH_FIRST = "day-first", "month-first"
_SERIALS = (7_306, 73_051)  # Excel's days from 1920 to 2099
_TIME = r"(?:[T ]+\d{1,2}:\d{2}.*)?"
_YEAR_FIRST = re.compile(rf"(\d{{4}})([-/.])(\d{{1,2}})\2(\d{{1,2}}){_TIME}")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})(?:\.0+)?")
_SLASHED = re.compile(rf"(\d{{1,2}})([-/. ])(\d{{1,2}})\2(\d{{4}}|\d{{2}}){_TIME}")
_NAMED = re.compile(rf"(\d{{1,2}})[-/. ]?([A-Za-z]{{3,9}})[-/., ]*(\d{{4}}|\d{{2}}){_TIME}")
_NAME_FIRST = re.compile(rf"([A-Za-z]{{3,9}})\.? (\d{{1,2}}),? (\d{{4}}){_TIME}")
_SERIAL = re.compile(r"\d{4,5}(?:\.\d+)?")
_MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july"),
    *("august", "september", "october", "november", "december"),
)
_PIVOT = 70  # of years written in two digits: 69 is 2069, 70 is 1970


@dataclass(frozen=True)
class Order:
    """How the dates of a table are written.

    day_first : whether the day stands before the month; None where no date needs to know
    """

    day_first: bool | None


def date_order(raw: Raw, columns: Sequence[int], asked: Asked) -> Order:
    """Return the order of day and month in a table's date columns, proved by a day above 12.

    Raises
    ------
    DataError
        If no date proves it, with both readings of the first one, or if two contradict.
    """
    if asked.dates:
        return Order(one_of("dates", asked.dates, [DAY_FIRST, MONTH_FIRST]) == DAY_FIRST)
    proof, unclear = _evidence(raw, columns)
    if len(proof) == 2:
        column, text = proof[True]
        raise raw.wrong(
            _place(raw.columns[column], text),
            column,
            f"'{text}' has the day first, but '{proof[False][1]}' has the month first.",
            "Write all dates in one way, such as 2017-06-30.",
        )
    if proof:
        return Order(next(iter(proof)))
    if unclear is None:
        return Order(None)
    column, text = unclear
    day, month = (_day_of(text, day_first=d) for d in (True, False))
    readings = f"{day:%Y-%m-%d} or {month:%Y-%m-%d}" if day and month else "two dates"
    raise raw.wrong(
        _place(raw.columns[column], text),
        column,
        f"'{text}' could mean {readings}, and no other date of the file proves which.",
        f"Say --dates {DAY_FIRST} or --dates {MONTH_FIRST}.",
    )


_Cell = tuple[int, str]  # a column, and what one of its cells says


def _evidence(raw: Raw, columns: Sequence[int]) -> tuple[dict[bool, _Cell], _Cell | None]:
    """Return the first date that proves each order, and the first that could be of both."""
    proof: dict[bool, _Cell] = {}
    unclear: _Cell | None = None
    for column in columns:
        for text in _distinct(raw.columns[column]):
            parts = _SLASHED.fullmatch(text.strip())
            if parts is None:
                continue
            first, second = int(parts[1]), int(parts[3])
            if first > 12 >= second or second > 12 >= first:
                proof.setdefault(first > 12, (column, text))
            elif unclear is None and first != second:
                unclear = (column, text)
    return proof, unclear


def read_days(
    column: "pd.Series[str]", order: Order, *, serial_shift: int = 0
) -> tuple[np.ndarray, np.ndarray, str]:
    """Return a column as days, where a cell is no date, and how they are written.

    Parameters
    ----------
    serial_shift : days by which a workbook counts later than from 1900

    Returns
    -------
    days of ``datetime64[us]``, NaT for a blank; True for what is no date; a phrase
    """
    nowhere = np.zeros(len(column), dtype=bool)
    if pd.api.types.is_datetime64_any_dtype(column):
        days = pd.DatetimeIndex(column).tz_localize(None).normalize().as_unit("us")
        return days.to_numpy(), nowhere, "dates"
    if pd.api.types.is_bool_dtype(column):
        return np.full(len(column), np.datetime64("NaT", "us")), column.notna().to_numpy(), ""
    codes, distinct = pd.factorize(column)
    read = [_day(cell, order, serial_shift) for cell in distinct]
    table = np.array([*(np.datetime64(d or "NaT", "us") for d in read), np.datetime64("NaT", "us")])
    blank = np.array([*(isinstance(c, str) and not c.strip() for c in distinct), True], dtype=bool)
    values = table[codes]
    return values, np.isnat(values) & ~blank[codes], _phrase(list(distinct), order)


def looks_like_days(column: "pd.Series[str]") -> bool:
    """Return whether the first filled cells of a column are all dates of some kind."""
    if pd.api.types.is_datetime64_any_dtype(column):
        return True
    if pd.api.types.is_bool_dtype(column) or pd.api.types.is_float_dtype(column):
        return False
    cells = [c for c in column.iloc[:200].dropna() if str(c).strip()][:50]
    orders = (Order(day_first=True), Order(day_first=False))
    return bool(cells) and all(any(_day(c, o, 0) for o in orders) for c in cells)


def _distinct(column: "pd.Series[str]") -> list[str]:
    if isinstance(column.dtype, pd.StringDtype) or column.dtype == object:
        return [c for c in pd.unique(column) if isinstance(c, str)]
    return []


def _place(column: "pd.Series[str]", text: str) -> int:
    return int(np.flatnonzero((column == text).to_numpy(dtype=bool, na_value=False))[0])


def _day(cell: object, order: Order, serial_shift: int) -> dt.date | None:
    """Return the day of one cell, or None."""
    if isinstance(cell, str):
        return _day_of(cell, day_first=order.day_first)
    if isinstance(cell, dt.datetime):
        return cell.date()
    if isinstance(cell, dt.date):
        return cell
    if isinstance(cell, bool) or not isinstance(cell, int | float | np.number):
        return None
    number = float(cell)
    if 19_000_101 <= number <= 29_991_231:
        return _day_of(str(int(number)), day_first=None)
    if isinstance(cell, np.number):
        return None  # a typed file says by itself what its numbers are: this is no date
    return _serial(number + serial_shift)


def _serial(number: float) -> dt.date | None:
    low, end = _SERIALS
    if not low <= number < end:
        return None
    return (EXCEL_EPOCH + pd.Timedelta(days=int(number))).date()


def _day_of(cell: str, *, day_first: bool | None) -> dt.date | None:
    text = cell.strip()
    if parts := _YEAR_FIRST.fullmatch(text):
        return _made(int(parts[1]), int(parts[3]), int(parts[4]))
    if parts := _COMPACT.fullmatch(text):
        return _made(int(parts[1]), int(parts[2]), int(parts[3]))
    if parts := _SLASHED.fullmatch(text):
        first, second, year = int(parts[1]), int(parts[3]), _year(parts[4])
        if day_first is None and first != second:
            return None
        return _made(year, second, first) if day_first else _made(year, first, second)
    if parts := _NAMED.fullmatch(text):
        return _made(_year(parts[3]), _month(parts[2]), int(parts[1]))
    if parts := _NAME_FIRST.fullmatch(text):
        return _made(int(parts[3]), _month(parts[1]), int(parts[2]))
    return _serial(float(text)) if _SERIAL.fullmatch(text) else None


def _made(year: int, month: int, day: int) -> dt.date | None:
    try:
        return dt.date(year, month, day)
    except ValueError:
        return None


def _month(name: str) -> int:
    """Return the number of an English month's name or its beginning; 0 for another word."""
    folded = name.casefold().removesuffix("t") if name.casefold() == "sept" else name.casefold()
    return next((n for n, m in enumerate(_MONTHS, 1) if m.startswith(folded)), 0)


def _year(text: str) -> int:
    if len(text) == 4:
        return int(text)
    return int(text) + (2000 if int(text) < _PIVOT else 1900)


def _phrase(distinct: list[object], order: Order) -> str:
    first = next((c for c in distinct if not (isinstance(c, str) and not c.strip())), None)
    if isinstance(first, str):
        text = first.strip()
        if _SLASHED.fullmatch(text) and order.day_first is not None:
            return f"dates such as {text}, the {'day' if order.day_first else 'month'} first"
        if _SERIAL.fullmatch(text) and not _COMPACT.fullmatch(text):
            return f"dates as Excel's serial numbers: {text} is {_day_of(text, day_first=None)}"
        return f"dates such as {text}"
    if isinstance(first, int | float) and not isinstance(first, bool) and first < 100_000:
        return "dates as Excel's serial numbers"
    return "dates"
