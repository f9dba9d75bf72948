"""Which column of a range is the identifier and which the weight; a header decides."""

import datetime as dt
import re
from dataclasses import dataclass
from typing import NamedTuple

from tilt.errors import cut
from tilt.portfolio.cells import (
    Grid,
    Number,
    clean,
    is_blank,
    is_error,
    is_zero,
    read_number,
    shown,
)

WEIGHT, SHARES, VALUE = "weight", "shares", "market value"
IDENTIFIERS = frozenset(
    [
        "ticker",
        "tickers",
        "symbol",
        "symbols",
        "id",
        "identifier",
        "security id",
        "stock",
        "asset",
        "instrument",
    ]
)
AMOUNTS = {
    WEIGHT: frozenset(
        [
            "weight",
            "weights",
            "wt",
            "wgt",
            "%",
            "pct",
            "percent",
            "per cent",
            "weighting",
            "allocation",
            "portfolio weight",
            "port weight",
            "target weight",
            "weight %",
            "% weight",
            "% of portfolio",
        ]
    ),
    SHARES: frozenset(
        ["shares", "share", "quantity", "qty", "units", "number of shares", "share count"]
    ),
    VALUE: frozenset(
        [
            "market value",
            "mv",
            "value",
            "mkt value",
            "mkt val",
            "market val",
            "position value",
            "amount",
        ]
    ),
}
_AMOUNT_NAMES: frozenset[str] = frozenset().union(*AMOUNTS.values())
DATES = frozenset(["date", "dates", "as of", "as of date", "effective date"])
_HEADER_WITHIN = 10  # filled rows; titles above the header are fewer
_DATE_NUMBERS = ((32_874, 73_051), (19_000_101, 29_991_231))  # Excel's serials, and YYYYMMDD
_MOST_ACROSS = 8  # rows of a range whose tickers run across
_LONGEST_NAME = 60  # characters of a column's name


class Row(NamedTuple):
    """One row of a range: its number in the range, 1-based, and the cells that matter."""

    number: int
    identifier: object
    amount: object
    date: object = None


@dataclass(frozen=True)
class Skipped:
    """A row that is no holding, and what it is instead."""

    number: int
    problem: str


@dataclass(frozen=True)
class Layout:
    """A range with its columns told apart.

    kind    : weight, shares or market value
    header  : what the amount's column is called in the range; empty without a header
    rows    : those that are not wholly blank
    note    : which of several amounts is used, if there are several
    skipped : titles above the header, a second line of it, and its repetitions
    """

    kind: str
    header: str
    rows: tuple[Row, ...]
    note: str = ""
    skipped: tuple[Skipped, ...] = ()


@dataclass(frozen=True)
class BadLayout:
    """Why a range is no holdings, and what mends it; ``row`` is 0 for the range as a whole."""

    row: int
    problem: str
    fix: str


def read_layout(grid: Grid, *, dated: bool = False) -> Layout | BadLayout:
    """Tell the columns of a range apart.

    Parameters
    ----------
    grid : cells by row; rows may be of unequal length
    dated : whether a date stands in the first column (or under the header ``date``)
    """
    needed = 3 if dated else 2
    table = _without_blanks(grid, needed)
    width = max(map(len, table), default=0)
    filled = [number for number, row in enumerate(table, 1) if not _is_empty_row(row)]
    if not filled:
        return BadLayout(0, "is empty", "Give tickers in one column and weights in the next.")
    if width < needed:
        columns = "date, ticker and weight" if dated else "tickers and weights"
        return BadLayout(
            0,
            f"has {width} column{'s' if width > 1 else ''} but {needed} are needed",
            f"Give {'three' if dated else 'two'} columns: {columns}.",
        )
    if any(len(row) < width for row in table):
        table = [[*row, *[None] * (width - len(row))] for row in table]
    if not dated and _is_across(table, filled):
        return BadLayout(
            0,
            f"has its tickers across row {filled[0]}, not down a column",
            "Turn it: =TRANSPOSE(range).",
        )
    header = _header_row(table, filled)
    if header is not None:
        return _with_header(table, filled, header, dated=dated)
    return _without_header(table, filled, needed)


def _without_header(table: Grid, filled: list[int], needed: int) -> Layout | BadLayout:
    first = table[filled[0] - 1]
    beyond = next((j for j, c in enumerate(first[needed:], needed) if _is_amount(c)), None)
    if (
        beyond is not None
        and isinstance(first[needed - 1], str)
        and not _is_number(first[needed - 1])
    ):
        return BadLayout(
            filled[0],
            f"column {needed} holds {shown(first[needed - 1])}, column {beyond + 1} a number",
            "Put a header above: ticker and weight name the columns that count.",
        )
    if _may_be_header(first[needed - 1], rows=len(filled)):
        return BadLayout(
            filled[0],
            f"weight is {shown(first[needed - 1])}, which is not a number",
            "If the row is a header, name its columns ticker and weight, shares or market value.",
        )
    at = needed - 2
    rows = [
        Row(n, row[at], row[at + 1], row[0] if at else None)
        for n, row in ((n, table[n - 1]) for n in filled)
    ]
    return Layout(WEIGHT, "", tuple(rows))


def _is_across(table: Grid, filled: list[int]) -> bool:
    """Return whether tickers run across a row and their amounts across another one."""
    if len(table[0]) < 2 or not 2 <= len(filled) <= _MOST_ACROSS:
        return False
    rows = [table[n - 1] for n in filled]
    labels = [_fold(row[0]) for row in rows]
    if any(label in IDENTIFIERS for label in labels):
        return any(label in _AMOUNT_NAMES for label in labels)
    first, second = rows[0], rows[1]
    return (
        len(rows) == 2
        and not _is_header(first)
        and all(isinstance(c, str) and not is_blank(c) and not _is_number(c) for c in first)
        and all(not is_blank(c) and _is_number(c) for c in second)
    )


def _header_row(table: Grid, filled: list[int]) -> int | None:
    """Return the place, among the filled rows, of the row that names the columns."""
    for place, number in enumerate(filled[:_HEADER_WITHIN]):
        row = table[number - 1]
        if _is_header(row) and (place == 0 or _names_both(row)):
            return place
        if any(map(_is_amount, row[1:])):
            return None  # a holding: what comes below it is no header of it
    return None


def _names_both(row: list[object]) -> bool:
    """Return whether a row names an amount and another column: nothing else does by chance."""
    folded = [_fold(cell) for cell in row]
    return any(f in _AMOUNT_NAMES for f in folded) and any(f in IDENTIFIERS for f in folded)


def _is_amount(cell: object) -> bool:
    """Return whether a cell is a number that cannot be a date, as a title may hold one."""
    read = None if is_blank(cell) else read_number(cell, point_is_decimal=True)
    if not isinstance(read, Number) or read.value == 0:
        return False
    return not any(low <= read.value <= high for low, high in _DATE_NUMBERS)


def _is_number(cell: object) -> bool:
    return isinstance(read_number(cell, point_is_decimal=True), Number)


def looks_dated(grid: Grid) -> bool:
    """Return whether a range holds weights of several dates: date, ticker, weight."""
    for row in _without_blanks(grid, 3):
        if all(map(is_blank, row)):
            continue
        if _is_header(row):
            return any(_fold(cell) in DATES for cell in row)
        return len(row) >= 3 and _is_date(row[0]) and isinstance(row[1], str)
    return False


def _is_empty_row(row: list[object]) -> bool:
    """Return whether all cells are blank, or zero: what Excel may send for a blank cell."""
    first = row[0] if row else None
    if isinstance(first, str) and first[:1].isalnum():
        return False
    return all(is_blank(cell) or is_zero(cell) for cell in row)


def _is_date(cell: object) -> bool:
    if isinstance(cell, dt.date):
        return True
    if isinstance(cell, str):
        return bool(re.match(r"^\s*(\d{4}-\d{1,2}-\d{1,2}|\d{8}|\d{1,2}[/.]\d{1,2}[/.]\d)", cell))
    return isinstance(cell, int | float) and not isinstance(cell, bool) and cell > 10_000


def _without_blanks(grid: Grid, needed: int) -> Grid:
    """Return the range without blank columns and without blank rows at its end."""
    end = len(grid)
    while end and _is_empty_row(grid[end - 1]):
        end -= 1
    rows = grid if end == len(grid) else grid[:end]
    width = max(map(len, rows), default=0)
    kept = [j for j in range(width) if any(j < len(r) and not is_blank(r[j]) for r in rows)]
    if not kept or len(kept) == width:
        return rows
    if len(kept) < needed:  # the amounts are not there yet: say so row by row
        kept = list(range(kept[0], width))
    return [[row[j] if j < len(row) else None for j in kept] for row in rows]


def _with_header(table: Grid, filled: list[int], place: int, *, dated: bool) -> Layout | BadLayout:
    number, below = filled[place], filled[place + 1 :]
    cells = table[number - 1]
    header = [_fold(cell) for cell in cells]
    amounts = {k: c for k in AMOUNTS if (c := _column(header, AMOUNTS[k])) is not None}
    date = _column(header, DATES)
    if not amounts:
        names = cut(", ".join(str(cell) for cell in cells if not is_blank(cell)), 100)
        return BadLayout(
            number,
            f"has no weights: its columns are {names}",
            "Name one of them weight, shares or market value.",
        )
    if dated and date is None:
        return BadLayout(number, "has no dates", "Name one of its columns date.")
    kind = next(k for k in (WEIGHT, VALUE, SHARES) if k in amounts)
    at = amounts[kind]
    identifier = _column(header, IDENTIFIERS)
    if identifier is None:
        taken = {*amounts.values(), date}
        identifier = next((j for j in range(len(header)) if j not in taken), at)
    skipped = [Skipped(n, "stands above the header") for n in filled[:place]]
    rows: list[Row] = []
    for n in below:
        row = table[n - 1]
        if _is_header_again(row[identifier], row[at], first=n == below[0]):
            skipped.append(Skipped(n, "belongs to the header"))
        else:
            rows.append(Row(n, row[identifier], row[at], None if date is None else row[date]))
    if not rows:
        return BadLayout(
            number, "is a header without rows below it", "Select the rows below it too."
        )
    others = [k for k in amounts if k != kind]
    note = f"{kind} is used, {' and '.join(others)} is not" if others else ""
    return Layout(kind, str(cells[at]), tuple(rows), note, tuple(skipped))


def _is_header_again(identifier: object, amount: object, *, first: bool) -> bool:
    """Return whether a row repeats the header, or is a second line of it: its units."""
    if not isinstance(amount, str) or is_error(amount):
        return False
    named = _fold(identifier) in IDENTIFIERS
    if named and (is_blank(amount) or _fold(amount) in _AMOUNT_NAMES):
        return True
    unit = not is_blank(amount) and not any(c.isdigit() for c in amount)
    return first and unit and (named or is_blank(identifier))


def _column(header: list[str], names: frozenset[str]) -> int | None:
    return next((j for j, cell in enumerate(header) if cell in names), None)


def _is_header(row: list[object]) -> bool:
    """Return whether a row names columns: a known name, and no number beside it."""
    known = any(f in IDENTIFIERS or f in _AMOUNT_NAMES for f in map(_fold, row))
    return known and not any(not is_blank(cell) and _is_number(cell) for cell in row)


def _may_be_header(cell: object, *, rows: int) -> bool:
    """Return whether the first row's amount is a word, so that the row may be a header."""
    if rows < 2 or is_blank(cell) or is_error(cell) or not isinstance(cell, str):
        return False
    return not any(c.isdigit() for c in cell)


def _fold(cell: object) -> str:
    """Return a header's name without case, brackets and signs: ``Mkt_Val (USD)`` is mkt val."""
    if not isinstance(cell, str) or len(cell) > _LONGEST_NAME:
        return ""
    bare = re.sub(r"[(\[].*?[)\]]", " ", clean(cell).casefold())
    return " ".join(re.sub(r"[_.\-]", " ", bare).split())
