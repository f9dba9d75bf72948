"""A report as the bytes of a file: a workbook, a page, a printed document."""

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pandas as pd

from tilt.errors import ArgumentError, one_of
from tilt.report.html import write_html
from tilt.report.layout import Part
from tilt.report.pack import Pack
from tilt.report.pdf import Alive, print_pdf, require_office, unwatched
from tilt.report.sheet_writer import FORMULAS, FROZEN, MODES
from tilt.report.tables import Block, Link
from tilt.report.template import fill_template
from tilt.report.workbook import write_workbook

XLSX, PDF, HTML = "xlsx", "pdf", "html"
FORMATS: Mapping[str, str] = MappingProxyType(
    {
        XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        PDF: "application/pdf",
        HTML: "text/html; charset=utf-8",
    }
)
NOT_PRINTED = "not printed"


def check_output(format_: str, mode: str, *, template: bool) -> tuple[str, str]:
    """Return the format and the mode by their right names, before anything is computed.

    Raises
    ------
    ArgumentError
        If one is misspelt, they exclude each other, or the machine cannot print.
    """
    wanted = one_of("format", format_ or XLSX, FORMATS)
    how = one_of("mode", mode or FORMULAS, MODES)
    if wanted != XLSX and how != FORMULAS:
        raise ArgumentError(f"mode {how} is of workbooks; a {wanted} has values. Leave it out.")
    if template and wanted == HTML:
        raise ArgumentError("A template gives xlsx or pdf. Ask for one of them.")
    if wanted == PDF:
        require_office()
    return wanted, how


def render(
    report: Pack,
    format_: str = XLSX,
    mode: str = FORMULAS,
    *,
    template: bytes = b"",
    alive: Alive = unwatched,
) -> bytes:
    """Return a report as a file.

    Parameters
    ----------
    format_ : one of ``FORMATS``
    mode : of a workbook
    template : a firm's own workbook, whose named ranges are filled; empty takes the house's look
    alive : called while a document is printed; what it raises ends the print
    """
    if template:
        filled = fill_template(template, report)
        return print_pdf(filled, alive=alive) if format_ == PDF else filled
    if format_ == HTML:
        return write_html(report).encode()
    if format_ == PDF:
        return print_pdf(_workbook(for_print(report), FROZEN), alive=alive)
    return _workbook(report, mode)


def for_print(report: Pack) -> Pack:
    """Return the report as it is printed: rows by the hundred stay behind, as the cover says."""
    hidden = {sheet.name for sheet in report.sheets if sheet.is_data}
    sheets = (
        replace(
            sheet, hidden=sheet.name in hidden, parts=tuple(_told(p, hidden) for p in sheet.parts)
        )
        for sheet in report.sheets
    )
    return replace(report, sheets=tuple(sheets))


def _told(part: Part, hidden: set[str]) -> Part:
    if not isinstance(part, Block) or not hidden:
        return part
    table = part.table
    links = {
        name: pd.Series(
            [
                f"{v.text} ({NOT_PRINTED})" if isinstance(v, Link) and v.sheet in hidden else v
                for v in table[name]
            ],
            table.index,
            dtype=object,
        )
        for name in table.columns
        if any(isinstance(v, Link) for v in table[name])
    }
    return replace(part, table=table.assign(**links)) if links else part


def _workbook(report: Pack, mode: str) -> bytes:
    with tempfile.TemporaryDirectory(prefix="tilt-report-") as folder:
        return write_workbook(Path(folder) / "report.xlsx", report, mode).read_bytes()


def place_of(path: Path, format_: str) -> Path:
    """Return where a report goes that is asked for at a path: with the ending of its format."""
    known = path.suffix.removeprefix(".").casefold() in FORMATS
    return path.with_suffix(f".{format_}") if known else path.with_name(f"{path.name}.{format_}")


def save(path: Path, content: bytes) -> Path:
    """Write a file complete or not at all, and return its path.

    Raises
    ------
    ArgumentError
        If it cannot be written there.
    """
    draft = path.with_name(f".tilt-{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_bytes(content)
        draft.replace(path)
    except OSError as error:
        raise ArgumentError(
            f"Cannot write {path}: {error.strerror}. Close it in other programs or choose another "
            "path."
        ) from None
    finally:
        draft.unlink(missing_ok=True)
    return path
