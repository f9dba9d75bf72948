"""Text and files that people paste or drop, read into cells."""

import base64
import csv
import io
import re
import zipfile
from collections.abc import Iterable

import openpyxl

from tilt.data.reading.sheets import UNREADABLE
from tilt.errors import DataError
from tilt.portfolio.cells import Grid

MOST_UNPACKED = 200 * 2**20  # bytes; a workbook that unpacks to more was made to do harm
_PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?")
_PER_CENT = re.compile(r"([+-]?(\d+\.?\d*|\.\d+))\s*%")
_DIGITS = 15  # more than a cell keeps
_NOTHING = frozenset({"", "-", "--", "—"})


def read_text(text: str, *, most: int) -> Grid:
    """Return pasted text as cells: by tab, semicolon, bar, comma, or two spaces, whichever divides.

    Parameters
    ----------
    most : cells it may have

    Raises
    ------
    DataError
        If it holds nothing or too much.
    """
    lines = text.lstrip("\ufeff").replace("\x00", "").splitlines()
    filled = [line for line in lines if line.strip()]
    if not filled:
        raise DataError("Nothing was pasted. Copy the rows of your holdings, then paste them here.")
    divider = _divider(filled)
    if divider is None:
        rows = [re.split(r"\s{2,}|\s+(?=[+-]?[\d.,]+%?\s*$)", line.strip()) for line in lines]
    else:
        # a line at a time: an unclosed quotation mark must not swallow the lines after it
        rows = [next(csv.reader([line], delimiter=divider), []) for line in lines]
    return _checked([[_typed(cell) for cell in row] for row in rows], most)


def _divider(lines: list[str]) -> str | None:
    """Return the sign that divides most lines; None for spaces."""
    needed = max(1, len(lines) // 2)
    for sign in "\t;|":
        if sum(sign in line for line in lines) >= needed:
            return sign
    return "," if sum(_divides(line) for line in lines) >= needed else None


def _divides(line: str) -> bool:
    """Return whether a comma of a line stands between two cells, not inside a number."""
    return re.search(r",(?!\d{3}(\D|$))|[A-Za-z\"],", line) is not None


def read_file(content: str, name: str, *, most: int) -> Grid:
    """Return the first filled sheet of an Excel workbook, or a text file, as cells.

    Parameters
    ----------
    content : the file's bytes in base64
    name : what the file is called, for messages

    Raises
    ------
    DataError
        If it cannot be read, or holds nothing or too much.
    """
    try:
        raw = base64.b64decode(content, validate=True)
    except ValueError:  # also of letters that are not ASCII
        raise DataError(f"'{name}' did not arrive whole. Choose the file again.") from None
    if raw.startswith(b"PK"):
        return _checked(_workbook(raw, name, most), most)
    if raw.startswith(b"\xd0\xcf\x11\xe0"):
        raise DataError(
            f"'{name}' is an old or encrypted Excel file. Save it as .xlsx without a password."
        )
    return read_text(_decoded(raw), most=most)


def _decoded(raw: bytes) -> str:
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", errors="replace")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace")


def _workbook(raw: bytes, name: str, most: int) -> Grid:
    unreadable = DataError(f"'{name}' cannot be read as an Excel workbook. Save it as .xlsx again.")
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as parts:
            if sum(part.file_size for part in parts.infolist()) > MOST_UNPACKED:
                raise DataError(f"'{name}' is too large. Save the holdings in a file of their own.")
        book = openpyxl.load_workbook(io.BytesIO(raw), read_only=True, data_only=True)
        try:
            for sheet in book.worksheets:
                rows = _sheet(sheet.iter_rows(values_only=True), name, most)
                if rows:
                    return rows
        finally:
            book.close()
    except UNREADABLE:
        raise unreadable from None
    return []


def _sheet(rows: Iterable[tuple[object, ...]], name: str, most: int) -> Grid:
    found: Grid = []
    cells = blank = 0
    for row in rows:
        cut = list(row)
        while cut and cut[-1] is None:
            cut.pop()
        cells += len(cut)
        if cells > most:
            raise DataError(f"'{name}' has more than {most:,} cells.")
        blank = 0 if cut else blank + 1
        if blank > 1000:  # a sheet whose cells were formatted down to the last row
            break
        found.append([_cell(v) for v in cut])
    while found and not found[-1]:
        found.pop()
    return found


def _cell(value: object) -> object:
    """Return a cell of a workbook: number or text; a date as text, which holdings refuse by row."""
    if isinstance(value, str):
        return value.strip() or None
    if value is None or isinstance(value, bool | int | float):
        return value
    return str(value)


def _typed(cell: str) -> object:
    """Return a text as Excel would have read it when typed: plain numbers and per cents."""
    text = cell.strip()
    if text in _NOTHING:
        return None
    if _PLAIN.fullmatch(text) and len(text) <= 3 * _DIGITS:
        return float(text)
    per_cent = _PER_CENT.fullmatch(text)
    if per_cent:
        return round(float(per_cent[1]) / 100, _DIGITS)
    return text


def _checked(rows: Grid, most: int) -> Grid:
    if not any(cell is not None for row in rows for cell in row):
        raise DataError(
            "There is nothing in it. Give tickers in one column and weights in another."
        )
    if sum(len(row) for row in rows) > most:
        raise DataError(f"There are more than {most:,} cells. Give the holdings alone.")
    return _without_title(rows)


def _without_title(rows: Grid) -> Grid:
    """Return the rows with those above the table blank, so that the others keep their numbers.

    Custodians write account and date above the header: rows with fewer cells than a holding.
    """
    for n, row in enumerate(rows):
        if sum(cell is not None for cell in row) >= 2 and _looks_tabular(rows, n):
            above: Grid = [[None] for _ in range(n)]
            return above + rows[n:]
    return rows


def _looks_tabular(rows: Grid, start: int) -> bool:
    """Return whether the next filled rows are about as wide as the one at ``start``."""
    widths = [
        sum(cell is not None for cell in row)
        for row in rows[start : start + 6]
        if any(cell is not None for cell in row)
    ]
    return len(widths) < 2 or max(widths[1:]) <= widths[0] + 1
