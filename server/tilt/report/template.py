"""A firm's own workbook, filled by its named ranges; its styles stay as they are.

A name that begins with ``tilt_`` asks for a figure of the cover (``tilt_tracking_error_now``), a
fact (``tilt_portfolio``, ``tilt_as_of``), the findings, or a table by its key (``tilt_holdings``).
A table's range begins with its row of headings: the columns wanted, in any order; blank takes all.
"""

import datetime as dt
import io
import math
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import openpyxl
import pandas as pd
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from tilt.calendar import EXCEL_EPOCH
from tilt.data.reading.sheets import UNREADABLE
from tilt.errors import ArgumentError, did_you_mean
from tilt.frames import listed
from tilt.report.layout import Tile, Tiles
from tilt.report.names import PREFIX, figure_name
from tilt.report.pack import Pack
from tilt.report.style import NUMBER_FORMATS
from tilt.report.tables import Block, Formula, Link, clean_text, header, starts_like_formula
from tilt.report.template_parts import Written, write_cells

MOST_UNPACKED = 200 * 2**20  # bytes; a workbook that unpacks to more was made to do harm
_MACROS = "xl/vbaProject.bin"
_LONGEST_TEXT = 32_767


@dataclass(frozen=True)
class _Range:
    """Where a name points: its sheet and the corners, from 1."""

    name: str
    sheet: Worksheet
    left: int
    top: int
    right: int
    bottom: int


def fill_template(template: bytes, report: Pack) -> bytes:
    """Return the template with every named range filled; all else in it stays as it is.

    Figures and tables are written as values: the add-in's links stay in Tilt's own workbook.
    Charts and pivot tables of the template show what was filled in once the file is opened.

    Raises
    ------
    ArgumentError
        If the file is no workbook or holds macros, it has no name of ours, a name or a heading is
        not of this report (each is listed), or a table runs into filled cells.
    """
    book = _open(template)
    ranges = list(_ranges(book))
    known = _known(report)
    if not ranges:
        raise ArgumentError(
            f"The template has no named range that begins with {PREFIX}. Name a cell "
            f"{PREFIX}portfolio, for example; this report has {listed(sorted(known))}."
        )
    unknown = [r.name for r in ranges if r.name.casefold() not in known]
    if unknown:
        hints = "".join(did_you_mean(name, known) for name in unknown[:1])
        raise ArgumentError(
            f"This report has nothing for {', '.join(unknown)} of the template.{hints} Take more "
            f"sections, or use one of its names: {', '.join(sorted(known))}."
        )
    found = [_fill(r, known[r.name.casefold()]) for r in ranges]
    problems = [problem for one in found for problem in one.problems]
    if problems:
        raise ArgumentError(" ".join(problems))
    return write_cells(template, [cell for one in found for cell in one.cells])


def names_of(report: Pack) -> list[str]:
    """Return the names that a template of this report may use."""
    return sorted(_known(report))


def _open(template: bytes) -> Workbook:
    try:
        with zipfile.ZipFile(io.BytesIO(template)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MOST_UNPACKED:
                raise ArgumentError("The template is larger than a template can be.")
            macros = _MACROS in archive.namelist()
        if macros:
            raise ArgumentError(
                "The template holds macros, and a report is no place for a program: save it as "
                ".xlsx without them."
            )
        return openpyxl.load_workbook(io.BytesIO(template))
    except UNREADABLE as error:
        raise ArgumentError(f"The template is no Excel workbook (.xlsx): {error}.") from None


def _ranges(book: Workbook) -> Iterator[_Range]:
    """Yield the named ranges of ours.

    Raises
    ------
    ArgumentError
        If one points nowhere, or to several places.
    """
    for names in (book.defined_names, *(sheet.defined_names for sheet in book.worksheets)):
        for name, defined in names.items():
            if not name.casefold().startswith(PREFIX):
                continue
            places = [] if "#REF!" in defined.attr_text else list(defined.destinations)
            if len(places) != 1:
                raise ArgumentError(
                    f"The name {name} of the template must point to one range; it points to "
                    f"{defined.attr_text}. Define it again in Excel's name manager."
                )
            sheet, area = places[0]
            corners = openpyxl.utils.range_boundaries(area.replace("$", ""))
            if sheet not in book.sheetnames or None in corners:
                raise ArgumentError(
                    f"The name {name} of the template must point to cells; it points to "
                    f"{defined.attr_text}. Define it again in Excel's name manager."
                )
            yield _Range(name, book[sheet], *corners)


def _known(report: Pack) -> dict[str, "Tile | Block | tuple[str, ...]"]:
    """Return what each name means, by the name in lower case."""
    found: dict[str, Tile | Block | tuple[str, ...]] = {
        f"{PREFIX}title": (report.title,),
        f"{PREFIX}subtitle": (report.subtitle,),
    }
    if report.findings:
        found[f"{PREFIX}findings"] = report.findings
    for key, block in report.blocks().items():
        found[f"{PREFIX}{key}"] = block
    facts = report.blocks().get("report_facts")
    if facts is not None:
        for item, value in facts.table.itertuples(index=False, name=None):
            plain = value.value if isinstance(value, Formula) else value
            found[figure_name(str(item))] = (str(plain),)
    for sheet in report.sheets:
        for part in sheet.parts:
            if isinstance(part, Tiles):
                found |= {figure_name(tile.label): tile for tile in part.tiles}
    return found


@dataclass(frozen=True)
class _Filling:
    """What is written into a range, or what prevents it, as sentences."""

    cells: tuple[Written, ...] = ()
    problems: tuple[str, ...] = ()


def _fill(to: _Range, what: "Tile | Block | tuple[str, ...]") -> _Filling:
    if isinstance(what, Block):
        return _fill_table(to, what)
    if isinstance(what, Tile):
        return _Filling((_written(to, to.top, to.left, to.top, what.value, what.number_format),))
    problems = _blocked(to, len(what), 1)
    return _Filling(
        tuple(_written(to, to.top + n, to.left, to.top, t, "text") for n, t in enumerate(what)),
        problems,
    )


def _fill_table(to: _Range, block: Block) -> _Filling:
    names = [str(column) for column in block.table.columns]
    across = range(to.left, to.right + 1)
    given = {at: to.sheet.cell(to.top, at).value for at in across}
    asked = {at: str(text).strip() for at, text in given.items() if text is not None}
    by_heading = {text.casefold(): c for c in names for text in (c, header(c))}
    unknown = [text for text in asked.values() if text.casefold() not in by_heading]
    if unknown:
        has = ", ".join(header(c) for c in names)
        near = did_you_mean(unknown[0], by_heading)
        said = f"The table {to.name} has no column {listed(unknown)}.{near} It has {has}."
        return _Filling(problems=(said,))
    wanted = {at: by_heading[text.casefold()] for at, text in asked.items()} or dict(
        enumerate(names, to.left)
    )
    problems = _blocked(to, len(block.table) + 1, max(wanted) - to.left + 1)
    cells = []
    if not asked:
        cells += [_written(to, to.top, at, to.top, header(c), "text") for at, c in wanted.items()]
    for at, column in wanted.items():
        for row, value in enumerate(block.table[column].tolist()):
            shown = block.number_format(row, column)
            cells.append(_written(to, to.top + 1 + row, at, to.top + 1, value, shown))
        for row in range(to.top + 1 + len(block.table), to.bottom + 1):  # what the last fill left
            cells.append(_written(to, row, at, row, None, "text"))
    return _Filling(tuple(cells), problems)


def _blocked(to: _Range, rows: int, columns: int) -> tuple[str, ...]:
    """Return, as a sentence, the filled cells below or right of a range that it would run into."""
    over = [
        cell.coordinate
        for line in to.sheet.iter_rows(
            to.top, to.top + rows - 1, to.left, max(to.left + columns - 1, to.right)
        )
        for cell in line
        if cell.value is not None and (cell.row > to.bottom or cell.column > to.right)
    ]
    if not over:
        return ()
    start = to.sheet.cell(to.top, to.left).coordinate
    place = f"{to.sheet.title}!{start}"
    size = f"{to.name} needs {rows} rows and {columns} columns from {place}"
    return (f"{size}, but {listed(over)} is filled. Make room in the template.",)


def _written(
    to: _Range, row: int, column: int, like: int, value: object, number_format: str
) -> Written:
    """Return a cell of a range; below the range it looks like the range's row ``like``.

    Text stays text, and a format of the template's own stays too.
    """
    look = (min(like, to.bottom), column) if row > to.bottom else (row, column)
    if isinstance(value, Formula):
        value = value.value
    if isinstance(value, Link):
        value = value.text
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, str):
        quoted = starts_like_formula(value)
        text = clean_text(value)[:_LONGEST_TEXT]
        return Written(to.sheet.title, row, column, text, look, quoted=quoted)
    general = to.sheet.cell(*look).number_format == "General"
    pattern = NUMBER_FORMATS[number_format] if general and number_format != "text" else ""
    return Written(to.sheet.title, row, column, _number(value), look, pattern)


def _number(value: object) -> "float | bool | None":
    """Return a value as a cell holds it; a date as the days since Excel's first."""
    if isinstance(value, bool):
        return value
    if value is None or value is pd.NaT or value != value:
        return None
    if isinstance(value, dt.date):
        return float((pd.Timestamp(value).tz_localize(None) - EXCEL_EPOCH) / pd.Timedelta(days=1))
    number = float(str(value))
    return number if math.isfinite(number) else None
