"""From a table as it stands in a file to one of the tables that Tilt keeps."""

import datetime as dt
from collections.abc import Mapping

import numpy as np
import pandas as pd

from tilt.data.reading.days import Order, date_order, looks_like_days, read_days
from tilt.data.reading.headers import (
    EXPOSURES,
    READ_SCHEMAS,
    candidates,
    field_names,
    field_table,
    fits,
    fold,
    lacking,
    match_columns,
    missing_column,
    synonyms,
)
from tilt.data.reading.notes import Asked
from tilt.data.reading.numbers import decimal_sign, read_numbers
from tilt.data.reading.raw import NoTableError, Raw
from tilt.data.schema import Schema
from tilt.errors import ArgumentError, DataError, cut, did_you_mean

MOST_CODE = 10_000_000  # a whole number above this is no ticker: Excel made it of a code

_LONG = frozenset(["ticker", "tickers", "symbol", "symbols", "ticker symbol", "isin", "cusip"])


def shape(raw: Raw, asked: Asked, *, table: str = "") -> tuple[str, pd.DataFrame]:
    """Return the name of the table that ``raw`` is, and its rows with our columns, typed.

    Parameters
    ----------
    table : which table it must be; blank: found by its headers, or, of a wide table, by its name

    Raises
    ------
    DataError
        If it is none, a needed column is missing, or a cell is not what its column holds; the
        message names file, sheet, row and column.
    """
    wanted = candidates(table or asked.kind)
    matches = {name: match_columns(raw.headers, READ_SCHEMAS[name]) for name in wanted}
    for name, found in matches.items():
        _adjusted_as_close(raw, name, found)
    whole = [n for n in wanted if fits(matches[n], READ_SCHEMAS[n])]
    if not whole and _is_wide(raw, asked):
        return _wide(raw, asked, wanted)
    if not whole:
        raise _fits_nothing(raw, matches)
    chosen = max(whole, key=lambda n: (len(matches[n]), -wanted.index(n)))
    return chosen, _long(raw, READ_SCHEMAS[chosen], matches[chosen], asked)


def read_texts(raw: Raw, column: int) -> "pd.Series[str]":
    """Return a column as text: nothing in it is taken for a number, a truth value or missing.

    Raises
    ------
    DataError
        If a cell holds a date or a number that no code is: Excel has changed what was typed.
    """
    given = raw.columns[column]
    if isinstance(given.dtype, pd.StringDtype):
        text = given.str.strip()
        return text.mask(text == "")
    if pd.api.types.is_bool_dtype(given):
        return given.map({True: "TRUE", False: "FALSE"}).astype("str")
    cells = [_text(raw, column, place, cell) for place, cell in enumerate(given)]
    return pd.Series(cells, dtype="str")


def _text(raw: Raw, column: int, place: int, cell: object) -> str | None:
    if isinstance(cell, str):
        return cell.strip() or None
    if isinstance(cell, bool | np.bool_):
        return "TRUE" if cell else "FALSE"
    if cell is None or cell is pd.NaT or cell is pd.NA:
        return None
    if isinstance(cell, dt.datetime | dt.date):
        typed = f"{cell:%b}{cell.day}".upper()
        raise raw.wrong(
            place,
            column,
            f"the cell is the date {cell:%Y-%m-%d}: Excel makes one of a text such as {typed}.",
            "Format the column as Text and type it again.",
        )
    if not isinstance(cell, int | float | np.number):
        raise raw.wrong(place, column, f"the cell is a {type(cell).__name__}.", "Give it as text.")
    number = float(cell)
    if np.isnan(number):
        return None
    if number.is_integer() and abs(number) < MOST_CODE:
        return str(int(number))
    raise raw.wrong(
        place,
        column,
        f"the cell is the number {number:g}: Excel makes one of a code such as 12E7.",
        "Format the column as Text and type it again.",
    )


def _adjusted_as_close(raw: Raw, table: str, found: dict[str, int]) -> None:
    """Let an adjusted close stand for the close where there is no other."""
    if table != "prices" or "close" in found:
        return
    adjusted = synonyms("prices", "adj_close")
    at = next((i for i, h in enumerate(raw.headers) if fold(h) in adjusted), -1)
    if at < 0:
        return
    found["close"] = at
    left_out = [c for c in ("adj_close", "dividend", "split") if found.pop(c, None) is not None]
    booked = [c for c in left_out if c != "adj_close"]
    also = f"; {' and '.join(booked)} are left out, for they are in it already" if booked else ""
    raw.note("columns", f"'{raw.headers[at]}' stands for the close: dividends are in it{also}")


def _fits_nothing(raw: Raw, matches: Mapping[str, Mapping[str, int]]) -> NoTableError:
    """Return the error about the table that the headers come nearest to."""

    def nearness(name: str) -> tuple[int, int]:
        gone = lacking(matches[name], READ_SCHEMAS[name])
        return len(gone), -len(matches[name])

    nearest = min(matches, key=nearness)
    schema = READ_SCHEMAS[nearest]
    gone = lacking(matches[nearest], schema) or [
        next(c.name for c in schema.columns if c.name not in matches[nearest])
    ]
    return missing_column(raw.origin, raw.headers, schema, gone[0])


def _is_wide(raw: Raw, asked: Asked) -> bool:
    """Return whether dates go down the first column and every other column is one ticker's."""
    if len(raw.headers) < 2 or not all(raw.headers[1:]):
        return False
    if _LONG & {fold(h) for h in raw.headers}:
        return False
    corner = fold(raw.headers[0])
    dated = not corner or corner in synonyms("prices", "date") or bool(asked.field)
    return (dated or field_table(raw.label) is not None) and looks_like_days(raw.columns[0])


def _long(raw: Raw, schema: Schema, found: Mapping[str, int], asked: Asked) -> pd.DataFrame:
    kinds = {c.name: c.kind for c in schema.columns}
    filled = _filled(raw, list(found.values()))
    order = date_order(raw, [i for n, i in found.items() if kinds[n] == "date"], asked)
    numeric = [i for n, i in found.items() if kinds[n] == "number"]
    decimal = decimal_sign(raw, numeric, asked)
    columns: dict[str, object] = {}
    said: list[str] = []
    for name, at in found.items():
        if kinds[name] == "text":
            columns[name] = read_texts(raw, at).to_numpy()
        elif kinds[name] == "date":
            columns[name], phrase = _days(raw, at, order_of=order)
            said.append(phrase)
        else:
            columns[name] = _numbers(raw, at, decimal)
    _say(raw, schema, found, said, decimal)
    table = pd.DataFrame(columns)
    table = table.astype({n: "str" for n in found if kinds[n] == "text"})
    _check_needed(raw, schema, found, table, filled)
    if not schema.repeats:
        _check_once(raw, schema, found, table[filled])
    if not filled.all():
        table = table[filled].reset_index(drop=True)
    return table


def _say(
    raw: Raw, schema: Schema, found: Mapping[str, int], dates: list[str], decimal: str
) -> None:
    raw.note("format", f"long: one row for each {', '.join(schema.key)} of {schema.name}")
    for phrase in dict.fromkeys(p for p in dates if p):
        raw.note("dates", phrase)
    if decimal == ",":
        raw.note("numbers", "a comma is the decimal sign")
    renamed = [f"{n} from '{raw.headers[i]}'" for n, i in found.items() if raw.headers[i] != n]
    if renamed:
        raw.note("columns", ", ".join(renamed))
    other = [h for i, h in enumerate(raw.headers) if h and i not in found.values()]
    if other:
        raw.note("columns", f"not used: {cut(', '.join(other), 120)}")


def _days(raw: Raw, at: int, *, order_of: Order) -> tuple[np.ndarray, str]:
    days, bad, phrase = read_days(raw.columns[at], order_of, serial_shift=raw.serial_shift)
    if bad.any():
        place = int(np.flatnonzero(bad)[0])
        raise raw.wrong(
            place,
            at,
            f"'{cut(str(raw.columns[at].iloc[place]))}' is not a date.",
            "Write it as 2017-06-30.",
        )
    return days, phrase


def _numbers(raw: Raw, at: int, decimal: str) -> np.ndarray:
    values, bad, per_cent = read_numbers(raw.columns[at], decimal)
    if bad.any():
        place = int(np.flatnonzero(bad)[0])
        raise raw.wrong(
            place,
            at,
            f"'{cut(str(raw.columns[at].iloc[place]))}' is not a number.",
            "Write it as 1234.5, or leave the cell blank.",
        )
    if per_cent:
        raw.note("numbers", f"'{raw.headers[at]}' has per cent signs: 5% is read as 0.05")
    return values


def _filled(raw: Raw, columns: list[int]) -> np.ndarray:
    """Return where a row has a value in one of the columns."""
    filled = np.zeros(len(raw.columns[0]), dtype=bool)
    for i in columns:
        given = raw.columns[i]
        there = given.notna().to_numpy()
        if isinstance(given.dtype, pd.StringDtype):
            there = there & (given.str.strip() != "").to_numpy(dtype=bool)
        elif given.dtype == object:
            there = np.array([c is not None and str(c).strip() != "" for c in given], dtype=bool)
        filled |= there
        if filled.all():
            break
    return filled


def _check_needed(
    raw: Raw, schema: Schema, found: Mapping[str, int], table: pd.DataFrame, filled: np.ndarray
) -> None:
    for column in schema.columns:
        if not column.needed:
            continue
        gone = table[column.name].isna().to_numpy() & filled
        if gone.any():
            raise raw.wrong(
                int(np.flatnonzero(gone)[0]),
                found[column.name],
                f"{column.name} is missing.",
                "Fill it or delete the row.",
            )


def _check_once(raw: Raw, schema: Schema, found: Mapping[str, int], table: pd.DataFrame) -> None:
    key = [k for k in schema.key if k in found]
    twice = table.duplicated(key).to_numpy()
    if twice.any():
        row = table[twice].iloc[0]
        at = int(table.index[twice][0])
        named = ", ".join(_shown(row[k]) for k in key)
        raise raw.wrong(at, found[key[0]], f"{named} is there already.", "Keep one of the rows.")


def _shown(value: object) -> str:
    return f"{value:%Y-%m-%d}" if isinstance(value, pd.Timestamp) else str(value)


def _wide(raw: Raw, asked: Asked, wanted: tuple[str, ...]) -> tuple[str, pd.DataFrame]:
    """Return a wide table as a long one of date, ticker and one value; blanks are left out."""
    name, key, field = _wide_field(raw, asked, wanted)
    order = date_order(raw, [0], asked)
    days, phrase = _days(raw, 0, order_of=order)
    tickers = raw.headers[1:]
    twice = next((t for i, t in enumerate(tickers) if t in tickers[:i]), None)
    if twice is not None:
        raise DataError(f"{raw.origin} has the column '{twice}' twice. Keep one of them.")
    decimal = decimal_sign(raw, range(1, len(raw.headers)), asked)
    values = np.column_stack([_numbers(raw, i, decimal) for i in range(1, len(raw.headers))])
    there = ~np.isnan(values)
    undated = np.isnat(days) & there.any(axis=1)
    if undated.any():
        raise raw.wrong(
            int(np.flatnonzero(undated)[0]), 0, "the date is missing.", "Fill it or delete the row."
        )
    row, column = np.nonzero(there)
    raw.note("format", f"wide: dates down, {len(tickers)} tickers across; the values are {field}")
    if phrase:
        raw.note("dates", phrase)
    if decimal == ",":
        raw.note("numbers", "a comma is the decimal sign")
    made: dict[str, object] = {
        "date": days[row],
        key: pd.Index(tickers, dtype="str")[column],
    }
    made |= (
        {"factor": field, "value": values[there]} if name == "exposures" else {field: values[there]}
    )
    table = pd.DataFrame(made)
    return name, table.astype({"factor": "str"}) if name == "exposures" else table


def _wide_field(raw: Raw, asked: Asked, wanted: tuple[str, ...]) -> tuple[str, str, str]:
    """Return the table that a wide one belongs to, its column of tickers, and the field."""
    if wanted == (EXPOSURES.name,):
        return EXPOSURES.name, "ticker", asked.field or raw.label
    label = asked.field or raw.label
    found = field_table(label)
    if found is None:
        known = field_names()
        if asked.field:
            raise ArgumentError(
                f"Unknown field '{cut(label)}'.{did_you_mean(label, known)} "
                f"It is one of {', '.join(known)}."
            )
        raise NoTableError(
            f"{raw.origin} has dates down and tickers across, but does not say what its values "
            f"are.{did_you_mean(label, known)} Name the file or sheet close or volume, or say "
            "--field close."
        )
    table, field = found
    if table not in wanted:
        raise DataError(f"{raw.origin} holds {field}, which is no column of {' or '.join(wanted)}.")
    return table, "ticker" if table == "prices" else "symbol", field
