"""What one cell of a range says: blank, an Excel error, a number, or a text that reads as one."""

import datetime as dt
import math
import re
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TypeAlias

from tilt.errors import cut

Grid: TypeAlias = list[list[object]]

# How the reader's Excel writes numbers: "." or ",", empty where it is not known. It decides only
# between the readings of a text that has two, such as 1,234. The edge sets it for each request.
DECIMAL_SIGN: ContextVar[str] = ContextVar("decimal_sign", default="")

EXCEL_ERRORS = frozenset(
    [
        "#BLOCKED!",
        "#BUSY!",
        "#CALC!",
        "#CONNECT!",
        "#DIV/0!",
        "#EXTERNAL!",
        "#FIELD!",
        "#GETTING_DATA",
        "#N/A",
        "#NAME?",
        "#NULL!",
        "#NUM!",
        "#PYTHON!",
        "#REF!",
        "#SPILL!",
        "#TIMEOUT!",
        "#UNKNOWN!",
        "#VALUE!",
    ]
)
# A text is cleaned of what people and exports put around a number before it is read.
_HIDDEN = re.compile("[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_SPACES = str.maketrans(
    {"\u00a0": " ", "\u202f": " ", "\u2009": " ", "\u2212": "-", "\u2013": "-", "\u2019": "'"}
)
_CURRENCY = re.compile(r"^(USD|EUR|GBP|CHF|[$€£])\s*|\s*(USD|EUR|GBP|CHF|[$€£])$", re.IGNORECASE)
_PARTS = (
    ("%", 100.0),
    ("bps", 10_000.0),
    ("bp", 10_000.0),
)  # what a unit after a number divides by
_PLAIN = re.compile(r"^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?$")
_POINT_THREE = re.compile(r"^[+-]?[1-9]\d{0,2}\.\d{3}$")
_COMMA_THREE = re.compile(r"^[+-]?[1-9]\d{0,2},\d{3}$")
_US = re.compile(r"^[+-]?\d{1,3}(,\d{3})+\.\d*$|^[+-]?\d{1,3}(,\d{3}){2,}$")
_INDIAN = re.compile(r"^[+-]?\d{1,2}(,\d{2})+,\d{3}(\.\d*)?$")
_EUROPEAN = re.compile(r"^[+-]?\d{1,3}(\.\d{3})+,\d+$|^[+-]?\d{1,3}(\.\d{3}){2,}$")
_DECIMAL_COMMA = re.compile(r"^[+-]?(\d+,\d*|,\d+)$")
_SPACED = re.compile(r"^[+-]?\d{1,3}([ ']\d{3})+([.,]\d+)?$")
_LONGEST_NUMBER = 60  # characters


@dataclass(frozen=True)
class Number:
    """A number, and how a text was read; ``note`` is empty where the cell was a number already."""

    value: float
    note: str = ""


@dataclass(frozen=True)
class Problem:
    """Why a cell is no number, as the rest of a sentence, and what mends it."""

    problem: str
    fix: str


def clean(text: str) -> str:
    """Return a text without what nobody sees: zero-width signs go, other white space is a space."""
    if text.isascii() and text.isprintable():
        return text
    shown = _HIDDEN.sub("", text)
    return "".join(c if c.isprintable() or c in "\u200c\u200d" else " " for c in shown)


def is_blank(cell: object) -> bool:
    """Return whether a cell is empty or holds only white space."""
    if not isinstance(cell, str):
        return cell is None
    return not cell[:1].isalnum() and not clean(cell).strip()


def is_zero(cell: object) -> bool:
    """Return whether a cell is the number zero, which Excel may send for a blank one."""
    return isinstance(cell, int | float) and not isinstance(cell, bool) and cell == 0


def is_error(cell: object) -> bool:
    """Return whether a cell holds an Excel error value."""
    return (
        isinstance(cell, str) and cell.lstrip()[:1] == "#" and cell.strip().upper() in EXCEL_ERRORS
    )


def shown(cell: object) -> str:
    """Return a cell as its reader sees it."""
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, dt.date):  # a datetime is a date too
        return f"the date {cell:%Y-%m-%d}"
    if isinstance(cell, int | float):
        return f"{cell:.10g}"
    text = str(cell).strip()
    return text.upper() if is_error(cell) else f"'{cut(text)}'"


def read_number(cell: object, *, point_is_decimal: bool) -> Number | Problem:
    """Read a number from a cell that is not blank.

    Parameters
    ----------
    cell : what the range holds
    point_is_decimal : how to take a text such as ``1.234``: True, as 1.234 (a weight); False,
        refuse it, because it may be 1,234 (a number of shares)

    Returns
    -------
    The number, with a note if it stood as text; or the problem, which a caller prefixes with what
    the cell was to be ("weight is #REF!").
    """
    if isinstance(cell, bool):
        return Problem(f"is {shown(cell)}", "Type a number.")
    if isinstance(cell, dt.date):
        return Problem(f"is {shown(cell)}", "Type a number and set the cell's format to Number.")
    if isinstance(cell, int | float):
        if math.isfinite(cell):
            return Number(float(cell))
        return Problem("is not a number", "Mend the cell it is computed from.")
    if is_error(cell):
        return Problem(f"is {shown(cell)}", "Mend the cell it is computed from.")
    if not isinstance(cell, str):
        return Problem(f"is a {type(cell).__name__}", "Type a number.")
    return _read_text(cell, point_is_decimal=point_is_decimal)


def _read_text(cell: str, *, point_is_decimal: bool) -> Number | Problem:
    text = clean(cell.translate(_SPACES)).strip().removeprefix("'").strip()
    readings: list[float] = []
    if len(text) <= _LONGEST_NUMBER:
        readings = _signed(text, point_is_decimal=point_is_decimal)
    if not readings:
        return Problem(f"is {shown(cell)}, which is not a number", "Type a number.")
    if len(readings) > 1:
        both = " or ".join(f"{r:,.10g}" for r in readings)
        return Problem(f"is the text {shown(cell)}, which may mean {both}", "Type it as a number.")
    return Number(readings[0], f"{shown(cell)} is text; read as {readings[0]:.10g}")


def _signed(text: str, *, point_is_decimal: bool) -> list[float]:
    """Return every number that a text with unit, currency and accountants' minus may stand for."""
    body, divisor, minus = text, 1.0, 1.0
    for _ in range(2):  # (5 %) and (5) %
        if body.startswith("(") and body.endswith(")"):
            body, minus = body[1:-1].strip(), -1.0
        for unit, parts in _PARTS:
            if divisor == 1.0 and body.casefold().endswith(unit):
                body, divisor = body[: -len(unit)].strip(), parts
    if body.endswith("-") and minus == 1.0:  # 12.5-, as some ledgers print it
        body, minus = body[:-1].strip(), -1.0
    body = _CURRENCY.sub("", body)
    readings = _readings(body, point_is_decimal=point_is_decimal)
    return [minus * r / divisor for r in readings if math.isfinite(r)]


def _readings(body: str, *, point_is_decimal: bool) -> list[float]:
    """Return every number that ``body`` may stand for; the reader's Excel decides between two."""
    sign = DECIMAL_SIGN.get()
    if _COMMA_THREE.match(body):
        as_group, as_decimal = float(body.replace(",", "")), float(body.replace(",", "."))
        return {".": [as_group], ",": [as_decimal]}.get(sign, [as_group, as_decimal])
    if _POINT_THREE.match(body) and not point_is_decimal:
        as_decimal, as_group = float(body), float(body.replace(".", ""))
        return {".": [as_decimal], ",": [as_group]}.get(sign, [as_decimal, as_group])
    if _PLAIN.match(body):
        return [float(body)]
    if _US.match(body) or _INDIAN.match(body):
        return [float(body.replace(",", ""))]
    if _EUROPEAN.match(body):
        return [float(body.replace(".", "").replace(",", "."))]
    if _DECIMAL_COMMA.match(body):
        return [float(body.replace(",", "."))]
    if _SPACED.match(body):
        return [float(body.replace(" ", "").replace("'", "").replace(",", "."))]
    return []
