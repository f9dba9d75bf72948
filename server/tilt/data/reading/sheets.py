"""Excel workbooks: each sheet as a table of cells."""

import io
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import openpyxl
import pandas as pd
from defusedxml.common import DefusedXmlException
from openpyxl.utils.datetime import CALENDAR_MAC_1904
from openpyxl.utils.exceptions import InvalidFileException

from tilt.data.reading.notes import Asked
from tilt.data.reading.opening import Content
from tilt.data.reading.raw import Raw
from tilt.errors import DataError, one_of

MOST_CELLS = 20_000_000
_BLANK_ROWS = 1000  # after so many a sheet has ended: its cells were formatted further down
_BELOW = 6  # rows that a header is compared with
_DAYS_1904 = 1462  # between the two calendars of Excel


# what openpyxl lets through of a broken workbook: its own, and what its zip and XML readers raise
UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    InvalidFileException,
    SyntaxError,  # of either XML reader
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    EOFError,
    OSError,
    RuntimeError,  # encrypted, or compressed in a way that is not known
)


def read_workbook(content: Content, asked: Asked) -> list[Raw]:
    """Return the tables of a workbook: the sheet that was asked for, or every visible one.

    Raises
    ------
    DataError
        If it cannot be read, or holds more than ``MOST_CELLS`` cells.
    ArgumentError
        If there is no such sheet.
    """
    with _readable(content.name):
        book = openpyxl.load_workbook(io.BytesIO(content.data), read_only=True, data_only=True)
        try:
            names = [sheet.title for sheet in book.worksheets]
            if asked.sheet:
                wanted = [one_of(f"The sheet of {content.name}", asked.sheet, names)]
            else:
                wanted = [s.title for s in book.worksheets if s.sheet_state == "visible"]
            shift = _DAYS_1904 if book.epoch == CALENDAR_MAC_1904 else 0
            found: list[Raw] = []
            left = MOST_CELLS
            for name in wanted:
                sheet = book[name]
                sheet.reset_dimensions()
                rows = _filled(sheet.iter_rows(values_only=True), content.name, left)
                left -= sum(len(row) for _, row in rows)
                if rows and not _is_about(name, rows[0][1]):
                    found.append(_table(rows, content, name, alone=len(wanted) == 1, shift=shift))
            return found
        finally:
            book.close()


@contextmanager
def _readable(name: str) -> Iterator[None]:
    """Turn what openpyxl says of a broken workbook into words."""
    try:
        yield
    except DefusedXmlException as error:
        raise DataError(f"{name} declares entities: {error}. It was not read.") from None
    except UNREADABLE as error:
        raise DataError(
            f"{name} cannot be read as an Excel workbook ({error}). Save it as .xlsx again."
        ) from None


def _filled(
    rows: Iterable[tuple[object, ...]], name: str, most: int
) -> list[tuple[int, list[object]]]:
    """Return the rows that are not blank, with their numbers, without blank cells at the end."""
    found: list[tuple[int, list[object]]] = []
    cells = blank = 0
    for number, row in enumerate(rows, 1):
        filled = list(row)
        while filled and _is_blank(filled[-1]):
            filled.pop()
        if not filled:
            blank += 1
            if blank > _BLANK_ROWS:
                break
            continue
        blank = 0
        cells += len(filled)
        if cells > most:
            raise DataError(
                f"{name} has more than {MOST_CELLS:,} cells, which is the limit. "
                "Save the table as CSV or Parquet."
            )
        found.append((number, filled))
    return found


def _is_blank(cell: object) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def _table(
    rows: list[tuple[int, list[object]]], content: Content, sheet: str, *, alone: bool, shift: int
) -> Raw:
    at = _header_at([row for _, row in rows])
    header, below = rows[at][1], rows[at + 1 :]
    width = max(len(row) for _, row in rows[at:])
    headers = [_named(header[i]) if i < len(header) else "" for i in range(width)]
    columns = [
        pd.Series([row[i] if i < len(row) else None for _, row in below], dtype="object")
        for i in range(width)
    ]
    named = content.stem if alone and _is_default(sheet) else sheet
    raw = Raw(
        origin=f"{content.name} sheet '{sheet}'",
        label=named,
        headers=headers,
        columns=columns,
        row=lambda place: below[place][0],
        serial_shift=shift,
    )
    raw.note("format", "Excel" + (", its dates counted from 1904" if shift else ""))
    if rows[at][0] > 1:
        raw.note("rows", f"the header is row {rows[at][0]}; what stands above it is left out")
    return raw


def _is_about(sheet: str, first: list[object]) -> bool:
    """Return whether a sheet is the one in which an export says where it comes from."""
    return sheet == "About" and first[:1] == ["what"]


def _is_default(sheet: str) -> bool:
    """Return whether a sheet has the name that Excel gives, in some of its languages."""
    return sheet.rstrip("0123456789 ").casefold() in {"sheet", "tabelle", "feuil", "hoja", "foglio"}


def _named(cell: object) -> str:
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return "" if cell is None else str(cell).strip()


def _header_at(rows: list[list[object]]) -> int:
    """Return the place of the first row that names as many columns as those below it fill."""
    counts = [sum(not _is_blank(cell) for cell in row) for row in rows[:100]]
    for at, row in enumerate(rows[:100]):
        corner = 1 if _is_blank(row[0]) else 0  # of a wide table may be blank
        if counts[at] + corner >= max(2, *counts[at : at + _BELOW]):
            return at
    return 0
