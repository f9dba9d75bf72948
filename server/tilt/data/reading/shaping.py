"""From a table as it stands in a file to one of the tables that Tilt keeps."""

from collections.abc import Mapping, Sequence

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
from tilt.data.reading.numbers import Numbers, decimal_sign, read_numbers
from tilt.data.reading.raw import NoTableError, Raw
from tilt.data.reading.texts import AS_TEXT, read_texts, why_no_text
from tilt.data.reading.unreadable import Fault, check_few, is_filled, set_aside
from tilt.data.schema import Schema
from tilt.errors import ArgumentError, DataError, cut, did_you_mean

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
    completing = _complete(raw, schema, found)
    filled = _filled(raw, list(found.values()))
    order = date_order(raw, [i for n, i in found.items() if kinds[n] == "date"], asked)
    numeric = [i for n, i in found.items() if kinds[n] == "number"]
    decimal = decimal_sign(raw, numeric, asked)
    columns: dict[str, object] = {}
    faults: dict[str, Fault] = {}
    unit: dict[str, np.ndarray] = {}
    said: list[str] = []
    for name, at in found.items():
        if kinds[name] == "text":
            columns[name], fault = _texts(raw, at)
        elif kinds[name] == "date":
            columns[name], fault, phrase = _days(raw, at, order_of=order)
            said.append(phrase)
        else:
            read, fault = _numbers(raw, at, decimal)
            columns[name], unit[name] = read.floats, read.unit
        if fault is not None:
            faults[name] = fault
    _say(raw, schema, found, said, decimal, completing)
    table = pd.DataFrame(columns)
    table = table.astype({n: "str" for n in found if kinds[n] == "text"})
    whole = filled & _whole(raw, schema, found, table, faults, filled)
    if not schema.repeats:
        _check_once(raw, schema, found, table[whole])
    if not whole.all():
        table = table[whole].reset_index(drop=True)
    raw.unit.update({name: said_so[whole] for name, said_so in unit.items()})
    return table


def _complete(raw: Raw, schema: Schema, found: Mapping[str, int]) -> list[int]:
    """Fill a column from another of the same meaning, where no row has both: it was renamed.

    Returns
    -------
    the columns that others are filled from
    """
    completing: list[int] = []
    unused = [i for i in range(len(raw.headers)) if i not in found.values()]
    for name, at in found.items():
        known = synonyms(schema.name, name)
        for other in [i for i in unused if fold(raw.headers[i]) in known]:
            mine, theirs = raw.columns[at], raw.columns[other]
            if mine.dtype != theirs.dtype:
                continue
            there = is_filled(theirs)
            if there.any() and not (there & is_filled(mine)).any():
                raw.columns[at] = mine.where(~there, theirs)
                completing.append(other)
                raw.note(
                    "columns",
                    f"'{raw.headers[other]}' stands for '{raw.headers[at]}' where that is blank",
                )
    return completing


def _whole(
    raw: Raw,
    schema: Schema,
    found: Mapping[str, int],
    table: pd.DataFrame,
    faults: Mapping[str, Fault],
    filled: np.ndarray,
) -> np.ndarray:
    """Return the rows that have all that a row needs; what cannot be read is set aside and said.

    Raises
    ------
    DataError
        If it is more of a column than slips.
    """
    whole = np.ones(len(filled), dtype=bool)
    day, name = _days_of(schema, table), _names_of(schema, table)
    for column in schema.columns:
        at = found.get(column.name, -1)
        fault = faults.get(column.name)
        needed = column.needed or column.name in schema.key
        if fault is not None:
            set_aside(raw, fault, left_out=needed, days=day, tickers=name)
            whole &= ~fault.bad if needed else True
        if not column.needed:
            continue
        gone = table[column.name].isna().to_numpy() & filled
        if fault is not None:
            gone &= ~fault.bad
        if gone.any():
            blank = Fault(at, gone, "is no value")
            check_few(raw, blank, "Fill it or delete the row.")
            set_aside(raw, blank, left_out=True, days=day, tickers=name)
            whole &= ~gone
    return whole


def _days_of(schema: Schema, table: pd.DataFrame) -> np.ndarray:
    at = next((k for k in ("date", "period_end") if k in schema.key and k in table), "")
    nothing = np.full(len(table), np.datetime64("NaT", "us"))
    return table[at].to_numpy() if at else nothing


def _names_of(schema: Schema, table: pd.DataFrame) -> Sequence[str]:
    at = next((k for k in ("ticker", "symbol") if k in schema.key and k in table), "")
    return table[at].fillna("").tolist() if at else [""] * len(table)


def _say(
    raw: Raw,
    schema: Schema,
    found: Mapping[str, int],
    dates: list[str],
    decimal: str,
    completing: list[int],
) -> None:
    raw.note("format", f"long: one row for each {', '.join(schema.key)} of {schema.name}")
    for phrase in dict.fromkeys(p for p in dates if p):
        raw.note("dates", phrase)
    if decimal == ",":
        raw.note("numbers", "a comma is the decimal sign")
    renamed = [f"{n} from '{raw.headers[i]}'" for n, i in found.items() if raw.headers[i] != n]
    if renamed:
        raw.note("columns", ", ".join(renamed))
    used = {*found.values(), *completing}
    other = [h for i, h in enumerate(raw.headers) if h and i not in used]
    if other:
        raw.note("columns", f"not used: {cut(', '.join(other), 120)}")


def _texts(raw: Raw, at: int) -> tuple[np.ndarray, Fault | None]:
    texts, bad = read_texts(raw.columns[at])
    first = why_no_text(raw.columns[at].iloc[int(np.argmax(bad))]) if bad.any() else ""
    return texts.to_numpy(), _fault(raw, at, bad, first, AS_TEXT)


def _days(raw: Raw, at: int, *, order_of: Order) -> tuple[np.ndarray, Fault | None, str]:
    days, bad, phrase = read_days(raw.columns[at], order_of, serial_shift=raw.serial_shift)
    return days, _fault(raw, at, bad, "is not a date", "Write it as 2017-06-30."), phrase


def _numbers(raw: Raw, at: int, decimal: str) -> tuple[Numbers, Fault | None]:
    read = read_numbers(raw.columns[at], decimal)
    remedy = "Write it as 1234.5, or leave the cell blank."
    fault = _fault(raw, at, read.bad, "is not a number", remedy)
    if read.per_cent:
        raw.note("numbers", f"'{raw.headers[at]}' has per cent signs: 5% is read as 0.05")
    return read, fault


def _fault(raw: Raw, at: int, bad: np.ndarray, problem: str, remedy: str) -> Fault | None:
    if not bad.any():
        return None
    fault = Fault(at, bad, problem)
    check_few(raw, fault, remedy)
    return fault


def _filled(raw: Raw, columns: list[int]) -> np.ndarray:
    """Return where a row has a value in one of the columns."""
    filled = np.zeros(len(raw.columns[0]), dtype=bool)
    for i in columns:
        filled |= is_filled(raw.columns[i])
        if filled.all():
            break
    return filled


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
    days, undated, phrase = _days(raw, 0, order_of=order)
    tickers = raw.headers[1:]
    twice = next((t for i, t in enumerate(tickers) if t in tickers[:i]), None)
    if twice is not None:
        raise DataError(f"{raw.origin} has the column '{twice}' twice. Keep one of them.")
    decimal = decimal_sign(raw, range(1, len(raw.headers)), asked)
    read = [_numbers(raw, i, decimal) for i in range(1, len(raw.headers))]
    values = np.column_stack([numbers.floats for numbers, _ in read])
    there = ~np.isnan(values)
    bare = np.isnat(days) & there.any(axis=1)
    if undated is not None:
        set_aside(raw, undated, left_out=True, days=days, tickers=[""] * len(days))
        bare &= ~undated.bad
    if bare.any():
        raise raw.wrong(
            int(np.flatnonzero(bare)[0]), 0, "the date is missing.", "Fill it or delete the row."
        )
    for ticker, (_, fault) in zip(tickers, read, strict=True):
        if fault is not None:
            set_aside(raw, fault, left_out=False, days=days, tickers=[ticker] * len(days))
    there[np.isnat(days)] = False
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
