"""A copy of a workbook as values: no formula in it, so it opens the same for everybody."""

import io
from collections.abc import Sequence
from dataclasses import dataclass

from xlsxwriter.exceptions import XlsxWriterException
from xlsxwriter.format import Format
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from tilt.errors import ArgumentError
from tilt.report.tables import clean_text, starts_like_formula

GENERAL = "General"
LONGEST_FORMAT = 255  # Excel's limit
MOST_ROWS, MOST_COLUMNS = 1_048_576, 16_384


@dataclass(frozen=True, eq=False)
class SheetValues:
    """One sheet as Excel shows it.

    values  : rows of text, numbers and truth values; a blank cell is None or empty
    formats : Excel's number format of each cell, in rows as ``values``; may be empty
    """

    name: str
    values: Sequence[Sequence[object]]
    formats: Sequence[Sequence[object]] = ()


def values_workbook(sheets: Sequence[SheetValues], *, title: str) -> bytes:
    """Return an Excel file with the values of the sheets, each in its cell.

    Text stays text, also when it begins like a formula: Excel shows it and never runs it.

    Raises
    ------
    ArgumentError
        If there is no sheet, one is larger than Excel's, or a name is none that Excel takes.
    """
    if not sheets:
        raise ArgumentError("There is no visible sheet to copy.")
    for sheet in sheets:
        if len(sheet.values) > MOST_ROWS or max(map(len, sheet.values), default=0) > MOST_COLUMNS:
            raise ArgumentError(f"The sheet '{sheet.name}' is larger than a sheet can be.")
    file = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    try:
        with Workbook(file, options) as book:
            book.set_properties({"title": title, "author": "Tilt"})
            for sheet in sheets:
                _write(book.add_worksheet(sheet.name), sheet, _Formats(book))
    except XlsxWriterException as error:
        raise ArgumentError(f"The copy cannot be written: {error}") from None
    return file.getvalue()


class _Formats:
    """The number formats of a sheet, each made once."""

    def __init__(self, book: Workbook) -> None:
        self._book = book
        self._made: dict[tuple[str, bool], Format] = {}

    def get(self, given: object, *, quoted: bool = False) -> Format | None:
        text = given if isinstance(given, str) and 0 < len(given) <= LONGEST_FORMAT else GENERAL
        if text == GENERAL and not quoted:
            return None
        if (text, quoted) not in self._made:
            properties = {"num_format": text} | ({"quote_prefix": True} if quoted else {})
            self._made[text, quoted] = self._book.add_format(properties)
        return self._made[text, quoted]


def _write(page: Worksheet, sheet: SheetValues, formats: _Formats) -> None:
    for row, values in enumerate(sheet.values):
        for column, value in enumerate(values):
            if value is None or value == "":
                continue
            shown = _at(sheet.formats, row, column)
            if isinstance(value, bool):
                page.write_boolean(row, column, value, formats.get(shown))
            elif isinstance(value, int | float):
                page.write_number(row, column, value, formats.get(shown))
            else:
                text = clean_text(str(value))
                quoted = starts_like_formula(text)
                page.write_string(row, column, text, formats.get(shown, quoted=quoted))
    page.autofit()


def _at(formats: Sequence[Sequence[object]], row: int, column: int) -> object:
    if row >= len(formats) or not isinstance(formats[row], list | tuple):
        return GENERAL
    return formats[row][column] if column < len(formats[row]) else GENERAL
