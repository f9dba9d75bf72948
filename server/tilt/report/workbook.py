"""Write a report into an Excel file, complete or not at all."""

import os
import tempfile
from pathlib import Path

from xlsxwriter.workbook import Workbook

from tilt.errors import ArgumentError, one_of
from tilt.report import style
from tilt.report.columns import ColumnSheet
from tilt.report.layout import Layout, lay_out
from tilt.report.names import figure_names
from tilt.report.pack import Pack
from tilt.report.sheet_writer import FORMULAS, MODES, SheetWriter
from tilt.report.style import Styles


def write_workbook(path: Path, report: Pack, mode: str = FORMULAS) -> Path:
    """Write a report to ``path`` and return it.

    Parameters
    ----------
    mode : one of ``MODES``: values with native formulas over them, values alone, or the add-in's
        formulas where a table has one, with the values they have now

    The file appears complete or not at all: it is written beside its place and moved there. The
    same sheets and time give the same bytes.

    Raises
    ------
    ArgumentError
        If the file cannot be written, two blocks share a key, or a table is longer than a sheet.
    """
    layouts = lay_out(report.sheets)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(suffix=".xlsx", prefix=".tilt-", dir=path.parent)
        os.close(handle)
    except OSError as error:
        raise ArgumentError(f"Cannot write a report to {path.parent}: {error.strerror}.") from None
    try:
        _write(Path(temporary), report, layouts, one_of("mode", mode, MODES))
        Path(temporary).replace(path)
    except PermissionError:
        raise ArgumentError(
            f"Cannot replace {path}: another program has it open. "
            "Close it there or choose another path."
        ) from None
    finally:
        Path(temporary).unlink(missing_ok=True)
    return path


def _write(path: Path, report: Pack, layouts: list[Layout], mode: str) -> None:
    options = {
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "default_format_properties": {"font_name": style.FONT, "font_size": 10},
    }
    with Workbook(str(path), options) as book:
        book.set_properties({"title": report.title, "author": "Tilt", "created": report.created})
        styles = Styles(book)
        places = {key: place for layout in layouts for key, place in layout.places.items()}
        pages = [book.add_worksheet(sheet.name, ColumnSheet) for sheet in report.sheets]
        for page, sheet, layout in zip(pages, report.sheets, layouts, strict=True):
            SheetWriter(book, page, styles, places, mode).write(sheet, layout, report.footer)
        for name, place in figure_names(report.sheets, layouts).items():
            book.define_name(name, place)
