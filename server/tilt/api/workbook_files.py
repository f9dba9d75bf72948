"""Workbooks read from and written to .xlsx: values, formulas, number formats, tables and charts."""

import datetime as dt
import io
import re
import zipfile
import zlib
from collections.abc import Iterable, Mapping

import openpyxl
import xlsxwriter
from openpyxl.cell.cell import Cell as FileCell
from openpyxl.utils import column_index_from_string, range_boundaries
from openpyxl.utils.datetime import to_excel
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet.formula import ArrayFormula, DataTableFormula
from openpyxl.worksheet.worksheet import Worksheet
from xlsxwriter.exceptions import XlsxWriterException
from xlsxwriter.format import Format as FileFormat
from xlsxwriter.worksheet import Worksheet as NewSheet

from tilt.api.problems import RefusedError
from tilt.api.workbook_charts import read_charts, write_chart
from tilt.api.workbook_model import Cell, Chart, Format, Horizontal, Sheet, Table, Workbook

MOST_UNPACKED = 128 * 2**20
MOST_PARTS = 2000
UDF = "_xldudf_"  # how Excel writes an add-in's function in a file, its dots as underscores
CALC_ENGINE = 191029  # as of Excel 2019, so that Excel keeps the values until asked
POINTS_PER_CHARACTER = 5.25
_TEXT = re.compile(r'("(?:[^"]|"")*")')
_CALL = re.compile(r"\b(TILT(?:_[A-Z]+)?)\.([A-Za-z_][\w.]*)(?=\()", re.IGNORECASE)
_WRITTEN = re.compile(r"_xldudf_(TILT(?:_(?:DEV|QA|UAT|STAGING))?)_(\w+)(?=\()", re.IGNORECASE)
_SPILLED = re.compile(r"((?:'(?:[^']|'')+'!|\b[A-Za-z_][\w.]*!)?\$?\b[A-Za-z]{1,3}\$?\d+)#")
_ANCHORED = re.compile(r"\bANCHORARRAY\(([^()\"]+)\)")  # how Excel writes D8# in a file
_FUTURE = re.compile(r"_xlfn\.(?:_xlws\.)?|_xlpm\.")
_ERRORS = frozenset(
    {"#N/A", "#VALUE!", "#DIV/0!", "#REF!", "#NAME?", "#NUM!", "#NULL!", "#SPILL!", "#CALC!"}
)
# openpyxl trusts the file it reads; SyntaxError is what both XML parsers raise
_UNREADABLE = (
    InvalidFileException,
    AttributeError,
    EOFError,
    LookupError,
    RuntimeError,
    zlib.error,
    SyntaxError,
    TypeError,
    ValueError,
    zipfile.BadZipFile,
)
_BROKEN = "This is no .xlsx workbook that Tilt can read. Open it in Excel and save it as .xlsx."


# --- reading ----------------------------------------------------------------------------------


def read_xlsx(content: bytes, name: str, *, most_cells: int) -> Workbook:
    """Return the workbook in a file; macros, pictures and styles beyond the font are left out.

    Raises
    ------
    RefusedError
        If it is no workbook, or unpacks to more than a workbook of ``most_cells`` needs.
    """
    _check_package(content)
    try:
        formulas = openpyxl.load_workbook(io.BytesIO(content))
        values = openpyxl.load_workbook(io.BytesIO(content), data_only=True)
    except _UNREADABLE as error:
        raise RefusedError(f"{_BROKEN} ({type(error).__name__})") from None
    tables = frozenset(t for sheet in formulas.worksheets for t in sheet.tables)
    left = most_cells
    sheets = []
    for sheet in formulas.worksheets:
        charts = read_charts(sheet, formulas)
        read = _read_sheet(sheet, values[sheet.title], tables, left, charts)
        left -= len(read.cells)
        sheets.append(read)
    if not sheets:
        raise RefusedError("The workbook has no sheet with cells.")
    return Workbook(name=name, sheets=tuple(sheets))


def _check_package(content: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            parts = package.infolist()
            if len(parts) > MOST_PARTS or sum(p.file_size for p in parts) > MOST_UNPACKED:
                raise RefusedError(
                    f"The file unpacks to more than {MOST_UNPACKED // 2**20} MB. "
                    "Save the sheets you need as a workbook of their own.",
                    413,
                )
            for part in parts:
                with package.open(part) as stream:
                    start = stream.read(4096)
                if part.filename.endswith((".xml", ".rels")) and b"<!DOCTYPE" in start:
                    raise RefusedError(_BROKEN)  # no writer of workbooks declares entities
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError):
        raise RefusedError(_BROKEN) from None


def _read_sheet(
    sheet: Worksheet,
    values: Worksheet,
    tables: frozenset[str],
    most: int,
    charts: tuple[Chart, ...],
) -> Sheet:
    cells: list[Cell] = []
    epoch = sheet.parent.epoch
    spilled: set[tuple[int, int]] = set()
    for row in sheet.iter_rows():
        for cell in row:
            if (cell.row, cell.column) in spilled or not isinstance(cell, FileCell):
                continue
            read = _read_cell(cell, values.cell(cell.row, cell.column).value, tables, epoch)
            if read is None:
                continue
            if read.spill:
                rows, columns = read.spill
                spilled |= {
                    (cell.row + i, cell.column + j) for i in range(rows) for j in range(columns)
                }
            cells.append(read)
            if len(cells) > most:
                raise RefusedError("The workbook has too many cells. Raise TILT_MAX_CELLS.", 413)
    frozen = sheet.freeze_panes
    first_column, first_row, *_ = range_boundaries(frozen) if frozen else (1, 1)
    return Sheet(
        name=sheet.title,
        cells=tuple(cells),
        tables=tuple(_read_table(t.displayName, t.ref) for t in sheet.tables.values()),
        widths={
            column_index_from_string(letter) - 1: d.width * POINTS_PER_CHARACTER
            for letter, d in sheet.column_dimensions.items()
            if d.width and d.customWidth
        },
        frozen=(first_row - 1, first_column - 1),
        gridlines=sheet.sheet_view.showGridLines is not False,
        charts=charts,
    )


def _read_table(name: str, reference: str) -> Table:
    left, top, right, bottom = range_boundaries(reference)
    return Table(
        name=name, row=top - 1, column=left - 1, rows=bottom - top + 1, columns=right - left + 1
    )


def _read_cell(
    cell: FileCell, value: object, tables: frozenset[str], epoch: dt.datetime
) -> Cell | None:
    formula, spill = "", None
    given = cell.value
    if isinstance(given, ArrayFormula):
        left, top, right, bottom = range_boundaries(given.ref)
        size = (bottom - top + 1, right - left + 1)
        formula, spill = str(given.text or ""), size if size != (1, 1) else None
    elif isinstance(given, DataTableFormula):
        formula = ""
    elif cell.data_type == "f":
        formula = str(given)
    shape = _read_format(cell)
    plain = _plain(value if formula else given, epoch)
    if plain is None and not formula and shape is None:
        return None
    return Cell(
        row=cell.row - 1,
        column=cell.column - 1,
        value=plain,
        formula=_from_file(formula, tables) if len(formula) > 1 else "",
        format=shape,
        spill=spill,
    )


def _plain(value: object, epoch: dt.datetime) -> bool | float | str | None:
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, dt.datetime | dt.date | dt.time | dt.timedelta):
        return float(to_excel(value, epoch))
    return str(value)


def _read_format(cell: FileCell) -> Format | None:
    if not cell.has_style:
        return None
    font, fill, align = cell.font, cell.fill, cell.alignment
    read = Format(
        number_format=None if cell.number_format == "General" else cell.number_format,
        bold=True if font.b else None,
        italic=True if font.i else None,
        size=font.sz if font.sz and font.sz != 11 else None,
        font_color=_color(font.color),
        fill=_color(fill.fgColor) if fill.patternType == "solid" else None,
        wrap_text=True if align.wrap_text else None,
        horizontal_alignment=_HORIZONTAL.get(align.horizontal or ""),
    )
    return read if read != Format() else None


_VERTICAL: Mapping[str, str] = {"Top": "top", "Center": "vcenter", "Bottom": "bottom"}
_HORIZONTAL: Mapping[str, Horizontal] = {"left": "Left", "center": "Center", "right": "Right"}


def _color(color: object) -> str | None:
    rgb = getattr(color, "rgb", None)
    if getattr(color, "type", "") != "rgb" or not isinstance(rgb, str) or len(rgb) != 8:
        return None
    return f"#{rgb[2:]}"


def _from_file(formula: str, tables: frozenset[str]) -> str:
    """Return a formula as people write it."""
    name = "|".join(re.escape(t) for t in tables)
    parts = []
    for part in _TEXT.split(formula):
        if not part.startswith('"'):
            part = _FUTURE.sub("", _WRITTEN.sub(r"\1.\2", part))
            part = _ANCHORED.sub(r"\1#", part)
            part = re.sub(rf"\b({name})\[\]", r"\1", part) if name else part
        parts.append(part)
    return "".join(parts)


# --- writing ----------------------------------------------------------------------------------


def write_xlsx(workbook: Workbook) -> bytes:
    """Return a workbook as a file, its formulas live with the values they had last."""
    out = io.BytesIO()
    options = {
        "in_memory": True,
        "use_future_functions": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    book = xlsxwriter.Workbook(out, options)
    book.set_calc_mode("auto", CALC_ENGINE)
    book.calc_on_load = False  # the values of the last calculation stay
    tables = frozenset(t.name for s in workbook.sheets for t in s.tables)
    formats: dict[Format | None, FileFormat] = {}
    for sheet in workbook.sheets:
        for shape in {c.format for c in sheet.cells} - formats.keys():
            formats[shape] = book.add_format(_file_format(shape))
        made = book.add_worksheet(sheet.name)
        _write_sheet(made, sheet, formats, tables)
        for chart in sheet.charts:
            write_chart(book, made, sheet, chart, workbook.sheets)
    try:
        book.close()
    except XlsxWriterException as error:
        raise RefusedError(f"The workbook cannot be written: {error}") from None
    return out.getvalue()


def _file_format(shape: Format | None) -> dict[str, object]:
    if shape is None:
        return {}
    given = {
        "num_format": shape.number_format,
        "bold": shape.bold,
        "italic": shape.italic,
        "font_size": shape.size,
        "font_name": shape.font,
        "font_color": shape.font_color,
        "bg_color": shape.fill,
        "text_wrap": shape.wrap_text,
        "valign": _VERTICAL.get(shape.vertical_alignment or ""),
        "align": (shape.horizontal_alignment or "General").lower(),
    }
    return {k: v for k, v in given.items() if v is not None and v != "general"}


def _write_sheet(
    made: NewSheet,
    sheet: Sheet,
    formats: Mapping[Format | None, FileFormat],
    tables: frozenset[str],
) -> None:
    made.set_landscape()
    made.fit_to_pages(1, 0)  # printed, a sheet is one page wide
    for column, points in sheet.widths.items():
        made.set_column(column, column, min(points / POINTS_PER_CHARACTER, 255))
    if any(sheet.frozen):
        made.freeze_panes(*sheet.frozen)
    if not sheet.gridlines:
        made.hide_gridlines(2)
    for table in sheet.tables:
        made.add_table(
            table.row,
            table.column,
            table.row + max(table.rows, 2) - 1,
            table.column + table.columns - 1,
            {"name": table.name, "columns": [{"header": h} for h in _headers(sheet, table)]},
        )
    # spilled values come after their formula, which else would put noughts into them
    for cell in sorted(sheet.cells, key=lambda c: not c.formula):
        _write_cell(made, cell, formats[cell.format], tables)


def _headers(sheet: Sheet, table: Table) -> list[str]:
    at = {c.column: c.value for c in sheet.cells if c.row == table.row}
    columns = range(table.column, table.column + table.columns)
    named = [str(at.get(c) or f"Column{c - table.column + 1}") for c in columns]
    return [n if n not in named[:i] else f"{n}{i + 1}" for i, n in enumerate(named)]


def _write_cell(made: NewSheet, cell: Cell, shape: FileFormat, tables: frozenset[str]) -> None:
    at = (cell.row, cell.column)
    value = "" if cell.value is None else cell.value
    if cell.formula:
        formula = to_file(cell.formula, tables)
        rows, columns = cell.spill or (1, 1)
        last = (cell.row + rows - 1, cell.column + columns - 1)
        if cell.spill or UDF in formula:
            made.write_dynamic_array_formula(*at, *last, formula, shape, value)
        else:
            made.write_formula(*at, formula, shape, value)
    elif isinstance(value, bool):
        made.write_boolean(*at, value, shape)
    elif isinstance(value, float):
        made.write_number(*at, value, shape)
    elif value in _ERRORS:
        made.write_formula(*at, f"={value}", shape, value)
    elif value:
        made.write_string(*at, value, shape)
    else:
        made.write_blank(*at, None, shape)


def to_file(formula: str, tables: Iterable[str]) -> str:
    """Return a formula as Excel writes it in a file."""
    name = "|".join(re.escape(t) for t in tables)
    parts = []
    for part in _TEXT.split(formula):
        if not part.startswith('"'):
            part = _CALL.sub(
                lambda m: f"{UDF}{m[1].upper()}_{m[2].upper().replace('.', '_')}", part
            )
            part = re.sub(rf"\b({name})\b(?!\[)", r"\1[]", part, flags=re.I) if name else part
            part = _SPILLED.sub(r"ANCHORARRAY(\1)", part)
        parts.append(part)
    return "".join(parts)
