"""A firm's own workbook, filled by its named ranges; its styles stay as they are.

A name that begins with ``tilt_`` asks for a figure of the cover (``tilt_tracking_error_now``), a
fact (``tilt_portfolio``, ``tilt_as_of``), the findings, or a table by its key (``tilt_holdings``).
A table's range begins with its row of headings: the columns wanted, in any order; blank takes all.
"""

import io
import zipfile
from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass

import openpyxl
from openpyxl.cell.cell import Cell
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from tilt.errors import ArgumentError, did_you_mean
from tilt.frames import listed
from tilt.report.layout import Tile, Tiles
from tilt.report.names import PREFIX, figure_name
from tilt.report.pack import Pack
from tilt.report.style import NUMBER_FORMATS
from tilt.report.tables import Block, Formula, Link, clean_text, header, starts_like_formula

MOST_UNPACKED = 200 * 2**20  # bytes; a workbook that unpacks to more was made to do harm
_LOST = ("xl/charts/", "xl/media/", "xl/pivotTables/", "xl/vbaProject.bin")
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
    """Return the template with every named range filled.

    Figures and tables are written as values: the add-in's links stay in Tilt's own workbook.

    Raises
    ------
    ArgumentError
        If the file is no workbook or holds what would be lost, it has no name of ours, a name or a
        heading is not of this report (each is listed), or a table runs into filled cells.
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
    problems = [p for r in ranges for p in _fill(r, known[r.name.casefold()])]
    if problems:
        raise ArgumentError(" ".join(problems))
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def names_of(report: Pack) -> list[str]:
    """Return the names that a template of this report may use."""
    return sorted(_known(report))


def _open(template: bytes) -> Workbook:
    try:
        with zipfile.ZipFile(io.BytesIO(template)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MOST_UNPACKED:
                raise ArgumentError("The template is larger than a template can be.")
            lost = [n for n in archive.namelist() if n.startswith(_LOST)]
        if lost:
            raise ArgumentError(
                "Charts, pictures, pivot tables and macros of a template would be lost when it is "
                f"filled; this one has {listed(lost)}. Take them out, or keep them in a workbook "
                "that refers to the filled one."
            )
        return openpyxl.load_workbook(io.BytesIO(template))
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, OSError) as error:
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


def _fill(to: _Range, what: "Tile | Block | tuple[str, ...]") -> list[str]:
    """Write into a range; return what prevents it, as sentences."""
    if isinstance(what, Block):
        return _fill_table(to, what)
    first = to.sheet.cell(to.top, to.left)
    if isinstance(what, Tile):
        _write(first, what.value, what.number_format)
        return []
    problems = _blocked(to, len(what), 1)
    if not problems:
        for row, text in enumerate(what):
            _write(_styled(to, to.top + row, to.left, to.top), text, "text")
    return problems


def _fill_table(to: _Range, block: Block) -> list[str]:
    names = [str(column) for column in block.table.columns]
    across = range(to.left, to.right + 1)
    given = {at: to.sheet.cell(to.top, at).value for at in across}
    asked = {at: str(text).strip() for at, text in given.items() if text is not None}
    by_heading = {text.casefold(): c for c in names for text in (c, header(c))}
    unknown = [text for text in asked.values() if text.casefold() not in by_heading]
    if unknown:
        has = ", ".join(header(c) for c in names)
        near = did_you_mean(unknown[0], by_heading)
        return [f"The table {to.name} has no column {listed(unknown)}.{near} It has {has}."]
    wanted = {at: by_heading[text.casefold()] for at, text in asked.items()} or dict(
        enumerate(names, to.left)
    )
    problems = _blocked(to, len(block.table) + 1, max(wanted) - to.left + 1)
    if problems:
        return problems
    if not asked:
        for at, column in wanted.items():
            _write(_styled(to, to.top, at, to.top), header(column), "text")
    for at, column in wanted.items():
        for row, value in enumerate(block.table[column].tolist()):
            cell = _styled(to, to.top + 1 + row, at, to.top + 1)
            _write(cell, value, block.number_format(row, column))
    for row in range(to.top + 1 + len(block.table), to.bottom + 1):  # what the last fill left
        for at in wanted:
            to.sheet.cell(row, at).value = None
    return []


def _blocked(to: _Range, rows: int, columns: int) -> list[str]:
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
        return []
    start = to.sheet.cell(to.top, to.left).coordinate
    place = f"{to.sheet.title}!{start}"
    size = f"{to.name} needs {rows} rows and {columns} columns from {place}"
    return [f"{size}, but {listed(over)} is filled. Make room in the template."]


def _styled(to: _Range, row: int, column: int, like: int) -> Cell:
    """Return a cell; below the range it takes the style of the range's row ``like``."""
    cell: Cell = to.sheet.cell(row, column)
    if row > to.bottom:
        pattern = to.sheet.cell(min(like, to.bottom), column)
        if pattern.has_style:
            cell._style = copy(pattern._style)  # noqa: SLF001 - openpyxl has no public way
    return cell


def _write(cell: Cell, value: object, number_format: str) -> None:
    """Write a value; text stays text, and a format of the template's own stays too."""
    if isinstance(value, Formula):
        value = value.value
    if isinstance(value, Link):
        value = value.text
    if isinstance(value, str):
        cell.value = clean_text(value)[:_LONGEST_TEXT]
        cell.data_type = "s"
        cell.quotePrefix = starts_like_formula(value)
        return
    cell.value = None if value is None or value != value else value
    if cell.number_format == "General" and number_format != "text":
        cell.number_format = NUMBER_FORMATS[number_format]
