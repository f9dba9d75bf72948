"""Numbers as files write them: decimal sign, thousands marks, per cent, accountants' minus."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from tilt.data.reading.notes import Asked
from tilt.data.reading.raw import Raw
from tilt.data.schema import NOT_NUMBERS
from tilt.errors import one_of

NOTHING = (*NOT_NUMBERS, "#n/a", "#n/a n/a", "#n/a field not applicable", "--", "—", "n.a.", "n.a")
_PLAIN = r"^-?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?$"
_UNITS = {"[Kk]": "e3", "[Mm][Nn]?": "e6", "[Bb][Nn]?": "e9", "[Tt][Nn]?": "e12"}
_HAS_UNIT = r"\d ?([KkMmBbTt][Nn]?|%)\)?$"
_SPACES = "[\u00a0\u202f\u2009]"
_COMMA_IS_DECIMAL = (
    r"^(\d*,\d{1,2}|\d*,\d{4,}|0+\d*,\d+|\d{4,},\d+|,\d+|\d+,\d+[eE][+-]?\d+"
    r"|\d{1,3}(\.\d{3})+,\d+|\d{1,3}(\.\d{3}){2,}|\d{1,3}([ ']\d{3})+,\d+)$"
)
_POINT_IS_DECIMAL = (
    r"^(\d*\.\d{1,2}|\d*\.\d{4,}|0+\d*\.\d+|\d{4,}\.\d+|\.\d+|\d+\.\d+[eE][+-]?\d+"
    r"|\d{1,3}(,\d{3})+\.\d+|\d{1,3}(,\d{3}){2,}|\d{1,3}([ ']\d{3})+\.\d+)$"
)
_PROOFS = {",": _COMMA_IS_DECIMAL, ".": _POINT_IS_DECIMAL}
_BOTH = r"^[1-9]\d{0,2}[.,]\d{3}$"
_BLOCK = 1 << 15  # texts that are looked at together
_Cell = tuple[int, int, str]  # column, place in it, and what it says


def decimal_sign(raw: Raw, numeric: Sequence[int], asked: Asked) -> str:
    """Return the decimal sign of a table, proved by a number that has one reading only.

    Parameters
    ----------
    numeric : the places of the columns that hold numbers

    Raises
    ------
    DataError
        If some numbers prove one sign and some the other, or a number such as 1,234 could be both
        and none proves which.
    """
    if asked.decimal:
        return one_of("decimal", asked.decimal, [".", ","])
    proofs: dict[str, _Cell] = {}
    open_cell: _Cell | None = None
    for column in numeric:
        text, places = _texts(raw.columns[column])
        signs = [sign for sign in ",." if _holds(text, sign)]
        provable = (
            signs if raw.delimiter == "," or not signs else _PROOFS
        )  # 1.234.567 proves a comma
        for sign in provable:
            if sign not in proofs and (at := _first(text, _PROOFS[sign])) is not None:
                proofs[sign] = (column, int(places[at]), str(text[at]).strip())
        if signs and not proofs and open_cell is None and (at := _first(text, _BOTH)) is not None:
            open_cell = (column, int(places[at]), str(text[at]).strip())
    if len(proofs) == 2:
        column, place, cell = proofs[","]
        raise raw.wrong(
            place,
            column,
            f"'{cell}' has a decimal comma, but '{proofs['.'][2]}' of row "
            f"{raw.row(proofs['.'][1])} has a decimal point.",
            "Write all numbers in one way.",
        )
    if proofs:
        return next(iter(proofs))
    if open_cell is None or (raw.delimiter == "," and "." in open_cell[2]):
        return "."  # a file divided by commas that has a point only has no other decimal sign
    column, place, cell = open_cell
    low, high = cell.replace(",", "."), cell.replace(",", "").replace(".", "")
    raise raw.wrong(
        place,
        column,
        f"'{cell}' could mean {low} or {high}, and no other number of the file proves which.",
        "Say --decimal , or --decimal . for the sign before the decimals.",
    )


@dataclass(frozen=True, eq=False)
class Numbers:
    """A column read as numbers.

    floats   : NaN where there is none
    bad      : where a cell is neither a number nor a word for nothing
    unit     : where a cell says its unit itself: 7.5B, 5 %
    per_cent : whether some have a per cent sign
    """

    floats: np.ndarray
    bad: np.ndarray
    unit: np.ndarray
    per_cent: bool = False


def read_numbers(column: "pd.Series[str]", decimal: str) -> Numbers:
    """Return a column as floats.

    A blank and the words for nothing are NaN; 5 % is 0.05; (5) is -5; 7.5B is 7.5e9. Text is read
    to the nearest float.
    """
    unit = np.zeros(len(column), dtype=bool)
    if pd.api.types.is_bool_dtype(column):
        return Numbers(np.full(len(column), np.nan), column.notna().to_numpy(), unit)
    if pd.api.types.is_numeric_dtype(column):
        plain = column.to_numpy(dtype="float64", na_value=np.nan)
        infinite = np.isinf(plain)
        return Numbers(np.where(infinite, np.nan, plain), infinite, unit)
    values, bad = _cells(column)
    text, places = _texts(column)
    if not len(places):
        return Numbers(values, bad, unit)
    quick = _quick(text, decimal)
    if quick is not None:
        values[places] = quick
        return Numbers(values, bad, unit)
    text = pc.utf8_trim_whitespace(text)
    given, per_cent = _plain(text, decimal)
    words = pa.array(NOTHING, text.type)
    blank = pc.is_in(pc.utf8_lower(text), value_set=words).to_numpy(zero_copy_only=False)
    right = pc.match_substring_regex(given, _PLAIN).to_numpy(zero_copy_only=False) & ~blank
    kept = pc.if_else(pa.array(right), given, pa.scalar(None, given.type))
    read = kept.cast(pa.float64()).to_numpy(zero_copy_only=False)
    infinite = np.isinf(read)
    values[places] = np.where(infinite, np.nan, read)
    bad[places] = (~right & ~blank) | infinite
    said = pc.match_substring_regex(text, _HAS_UNIT).to_numpy(zero_copy_only=False)
    unit[places] = said & right
    return Numbers(values, bad, unit, per_cent)


def _quick(text: pa.Array, decimal: str) -> np.ndarray | None:
    """Return the numbers of texts that are blank or bare numbers, or None if some are not."""
    given = text
    if decimal == ",":
        if _holds(text, "."):
            return None
        given = pc.replace_substring(text, ",", ".")
    blank = pc.equal(given, "")
    given = pc.if_else(blank, pa.scalar(None, given.type), given)
    try:
        read = given.cast(pa.float64()).to_numpy(zero_copy_only=False)
    except pa.ArrowInvalid:
        return None
    usual = np.isfinite(read) | blank.to_numpy(zero_copy_only=False)
    return read if usual.all() else None  # "nan" and "inf" are words, not bare numbers


def _cells(column: "pd.Series[str]") -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers among cells of any type, and where there is neither one nor a text."""
    values, bad = np.full(len(column), np.nan), np.zeros(len(column), dtype=bool)
    if column.dtype != object:
        if not isinstance(column.dtype, pd.StringDtype):
            bad[:] = column.notna().to_numpy()  # dates
        return values, bad
    for i, cell in enumerate(column):
        if isinstance(cell, bool):
            bad[i] = True
        elif isinstance(cell, int | float):
            bad[i] = math.isinf(cell)
            values[i] = np.nan if bad[i] else cell
        elif cell is not None and not isinstance(cell, str):
            bad[i] = True
    return values, bad


def _texts(column: "pd.Series[str]") -> tuple[pa.Array, np.ndarray]:
    """Return the cells that are text, and their places."""
    if isinstance(column.dtype, pd.StringDtype):
        places = np.flatnonzero(column.notna().to_numpy())
        text = pa.array(column if len(places) == len(column) else column.iloc[places])
    elif column.dtype == object:
        places = np.array([i for i, c in enumerate(column) if isinstance(c, str)], dtype=np.int64)
        text = pa.array([column.iloc[i] for i in places], pa.string())
    else:
        return pa.array([], pa.string()), np.array([], dtype=np.int64)
    return text.combine_chunks() if isinstance(text, pa.ChunkedArray) else text, places


def _first(text: pa.Array, pattern: str) -> int | None:
    """Return the place of the first text whose number fits; what is below it is not looked at."""
    for start in range(0, len(text), _BLOCK):
        bodies = _body(pc.utf8_trim_whitespace(text.slice(start, _BLOCK)))
        at = pc.index(pc.match_substring_regex(bodies, pattern), True).as_py()
        if at >= 0:
            return start + int(at)
    return None


def _holds(text: pa.Array, sign: str) -> bool:
    return bool(pc.any(pc.match_substring(text, sign)).as_py())


def _body(text: pa.Array) -> pa.Array:
    """Return texts without sign, brackets, currency and per cent, spaces and quotes made plain."""
    if not _any(text, r"[^0-9.,]"):
        return text
    bare = pc.replace_substring_regex(text, _SPACES, " ")
    bare = pc.replace_substring_regex(bare, "\u2019", "'")
    return pc.replace_substring_regex(bare, "^[(+$€£ \u2212-]+|[)% $€£]+$|[KkMmBbTt][Nn]?$", "")


def _plain(text: pa.Array, decimal: str) -> tuple[pa.Array, bool]:
    """Return texts as a program writes numbers, and whether there were per cents."""
    if decimal == "." and not _any(text, r"[^0-9.\-]"):
        return text, False
    bare = pc.replace_substring_regex(text, _SPACES, " ")
    for old, new in (("\u2019", "'"), ("\u2212", "-")):
        bare = pc.replace_substring(bare, old, new)
    per_cent = _any(bare, r"\d ?%")
    if per_cent:  # the exponent, not a division: 5.25 % is the float nearest to 0.0525
        bare = pc.replace_substring_regex(bare, r"^([^eE]*\d[.,]?) ?%(\)?)$", r"\1e-2\2")
    for unit, exponent in _UNITS.items():
        bare = pc.replace_substring_regex(bare, rf"^(-?[\d.,]*\d) ?{unit}$", rf"\1{exponent}")
    bare = pc.replace_substring_regex(bare, r"^\(([^()+\-]*)\)$", r"-\1")
    bare = pc.replace_substring_regex(bare, r"^([+\-]?) ?[$€£] ?", r"\1")
    bare = pc.replace_substring_regex(bare, r" ?[€$£]$", "")
    bare = pc.replace_substring_regex(bare, r"^\+", "")
    for mark in (",", " ", "'") if decimal == "." else (".", " ", "'"):
        escaped = "\\" + mark if mark == "." else mark
        point = "\\." if decimal == "." else ","
        grouped = rf"^-?\d{{1,3}}({escaped}\d{{3}})+({point}\d*)?(e-?\d+)?$"
        if _any(bare, grouped):
            ungrouped = pc.replace_substring(bare, mark, "")
            bare = pc.if_else(pc.match_substring_regex(bare, grouped), ungrouped, bare)
    if decimal == ",":
        pointed = pc.match_substring(bare, ".")  # a point that groups no thousands is a fault
        bare = pc.if_else(pointed, "?", pc.replace_substring(bare, ",", "."))
    return bare, per_cent


def _any(text: pa.Array, pattern: str) -> bool:
    return bool(pc.any(pc.match_substring_regex(text, pattern)).as_py())
