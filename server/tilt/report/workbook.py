"""Write sheets of blocks, charts and words into an Excel file, complete or not at all."""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from xlsxwriter.format import Format
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from tilt.errors import ArgumentError
from tilt.report import style
from tilt.report.charts import Chart, Place, build_chart
from tilt.report.layout import LEFT, Layout, Sheet, Tiles, Words, lay_out
from tilt.report.pack import Pack
from tilt.report.style import Property, Styles
from tilt.report.tables import Block, Formula, Link, header, starts_like_formula, write_cell

LINE = 13  # points


def write_workbook(path: Path, report: Pack) -> Path:
    """Write a report to ``path`` and return it.

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
        _write(Path(temporary), report, layouts)
        Path(temporary).replace(path)
    except PermissionError:
        raise ArgumentError(
            f"Cannot replace {path}: another program has it open. "
            "Close it there or choose another path."
        ) from None
    finally:
        Path(temporary).unlink(missing_ok=True)
    return path


def _write(path: Path, report: Pack, layouts: list[Layout]) -> None:
    options = {
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "default_format_properties": {"font_name": style.FONT, "font_size": 10},
    }
    with Workbook(str(path), options) as book:
        book.set_properties({"title": report.title, "author": "Tilt", "created": report.created})
        styles = Styles(book)
        places = {key: place for layout in layouts for key, place in layout.places.items()}
        pages = [book.add_worksheet(sheet.name) for sheet in report.sheets]
        for page, sheet, layout in zip(pages, report.sheets, layouts, strict=True):
            _SheetWriter(book, page, styles, places).write(sheet, layout, report.footer)


class _SheetWriter:
    """Writes one sheet at the places its layout gives."""

    def __init__(
        self, book: Workbook, page: Worksheet, styles: Styles, places: Mapping[str, Place]
    ) -> None:
        self._book = book
        self._page = page
        self._styles = styles
        self._places = places

    def write(self, sheet: Sheet, layout: Layout, footer: str) -> None:
        self._set_up(sheet, layout, footer)
        for part, (row, column) in zip(sheet.parts, layout.rows, strict=True):
            if isinstance(part, Block):
                self._write_block(part, row, column)
            elif isinstance(part, Chart):
                self._page.insert_chart(
                    row,
                    column,
                    build_chart(self._book, part, self._places),
                    {"description": part.alt, "object_position": 2},
                )
            elif isinstance(part, Tiles):
                self._write_tiles(part, row, column)
            else:
                self._write_words(part, row, column)

    def _set_up(self, sheet: Sheet, layout: Layout, footer: str) -> None:
        page, get = self._page, self._styles.get
        page.hide_gridlines(2)
        if sheet.portrait:
            page.set_portrait()
        else:
            page.set_landscape()
        page.set_paper(9)  # A4
        page.set_margins(left=0.5, right=0.5, top=0.6, bottom=0.7)
        page.fit_to_pages(1, int(sheet.one_page))
        safe = footer.replace("&", "&&")[:120]
        page.set_footer(f"&L&8{safe}&C&8&A&R&8Page &P of &N")
        page.set_column(0, 0, 2)
        self._set_widths(sheet, layout.last_column)
        page.set_row(0, 30)
        rule: dict[str, Property] = {"bottom": 2, "bottom_color": style.NAVY}
        write_cell(page, 0, LEFT, sheet.title, get(bold=True, font_size=18, font_color=style.NAVY))
        for column in range(LEFT, layout.last_column + 1):
            page.write_blank(1, column, None, get(**rule))
        write_cell(page, 1, LEFT, sheet.subtitle, get(font_color=style.GRAY, **rule))
        first = next(sheet.blocks(), None)
        if sheet.freeze_header and first is not None:
            head = layout.places[first.key].row
            page.freeze_panes(head + 1, LEFT + 1)
            page.repeat_rows(head)
        else:
            page.freeze_panes(2, 0)

    def _set_widths(self, sheet: Sheet, last_column: int) -> None:
        widths: dict[int, int] = {}
        for block in sheet.blocks():
            for offset, column in enumerate(block.table.columns):
                at = LEFT + offset
                widths[at] = max(widths.get(at, 0), block.width(column))
        if sheet.column_width:
            widths = dict.fromkeys(range(LEFT, last_column + 1), sheet.column_width)
        for at, width in widths.items():
            self._page.set_column(at, at, width)

    def _write_block(self, block: Block, row: int, column: int) -> None:
        get = self._styles.get
        title = get(bold=True, font_size=12, font_color=style.NAVY)
        write_cell(self._page, row, column, block.title, title)
        head = row + 1
        self._write_table(block, head, column)
        for offset, name in enumerate(block.table.columns):
            values = block.table[name].tolist()
            for number, value in enumerate(values):
                write_cell(
                    self._page,
                    head + 1 + number,
                    column + offset,
                    value,
                    self._body_style(block, number, name, value),
                )
            self._mark(block, name, head + 1, column + offset)
        for number in range(len(block.table)):
            if block.lines(number) > 1:  # a fixed height looks the same in every program
                self._page.set_row(head + 1 + number, LINE * block.lines(number) + 3)
        after = head + 1 + max(len(block.table), 1)
        if block.totals:
            self._write_totals(block, after, column)
            after += 1
        if block.note:
            note = get(italic=True, font_size=9, font_color=style.GRAY)
            write_cell(self._page, after, column, block.note, note)

    def _write_table(self, block: Block, head: int, column: int) -> None:
        names = list(block.table.columns)
        headings = [
            {
                "header": header(name),
                "header_format": self._styles.get(
                    bold=True,
                    font_color="#FFFFFF",
                    bg_color=style.NAVY,
                    align="right" if name in block.formats else "left",
                    indent=int(block.follows_number(name)),
                ),
            }
            for name in names
        ]
        self._page.add_table(
            head,
            column,
            head + max(len(block.table), 1),
            column + len(names) - 1,
            {
                "name": block.key,
                "columns": headings,
                "style": None,
                "autofilter": len(block.table) > 12,
            },
        )

    def _body_style(self, block: Block, row: int, column: str, value: object) -> Format:
        properties: dict[str, Property] = {"bottom": 1, "bottom_color": style.RULE}
        if column in block.widths:
            properties |= {"text_wrap": True, "valign": "top"}
        elif block.widths:
            properties |= {"valign": "top"}
        if block.number_format(row, column) == "text":
            properties |= {"align": "left", "indent": int(block.follows_number(column))}
        if isinstance(value, Link):
            properties |= {"font_color": style.NAVY, "underline": 1}
        if isinstance(value, str) and starts_like_formula(value):
            properties |= {"quote_prefix": True}  # stays text when someone edits the cell
        return self._styles.get(block.number_format(row, column), **properties)

    def _mark(self, block: Block, name: str, first: int, column: int) -> None:
        """Add what lets the eye find sign, size and status without reading every number."""
        if block.table.empty:
            return
        last = first + len(block.table) - 1
        area = (first, column, last, column)
        if name in block.bars:
            self._page.conditional_format(
                *area,
                {
                    "type": "data_bar",
                    "data_bar_2010": True,
                    "bar_solid": True,
                    "bar_color": "#C9D9EC",
                    "bar_negative_color": "#F3D3C8",
                    "bar_axis_color": style.GRAY,
                    "bar_border_color": "#C9D9EC",
                    "bar_no_border": True,
                },
            )
        if block.formats.get(name) in style.SIGNED:
            for criteria, color in (("<", style.RED), (">", style.GREEN)):
                self._page.conditional_format(
                    *area,
                    {
                        "type": "cell",
                        "criteria": criteria,
                        "value": 0,
                        "format": self._book.add_format({"font_color": color}),
                    },
                )
        for word, color, fill in (("OK", style.GREEN, "#E3F2EA"), ("CHECK", style.RED, "#FBE6E4")):
            if name in {"result", "status"}:
                self._page.conditional_format(
                    *area,
                    {
                        "type": "cell",
                        "criteria": "==",
                        "value": f'"{word}"',
                        "format": self._book.add_format(
                            {"font_color": color, "bg_color": fill, "bold": True}
                        ),
                    },
                )

    def _write_totals(self, block: Block, row: int, column: int) -> None:
        for offset, name in enumerate(block.table.columns):
            total = self._styles.get(
                block.formats.get(name, "text"), bold=True, top=1, top_color=style.NAVY
            )
            value: object = "Total" if offset == 0 else None
            if name in block.totals:
                value = Formula(f"SUM({block.ref(name)})", block.totals[name])
            write_cell(self._page, row, column + offset, value, total)

    def _write_tiles(self, part: Tiles, row: int, column: int) -> None:
        get = self._styles.get
        self._page.set_row(row + 1, 32)
        for number, tile in enumerate(part.tiles):
            at = column + number
            edge: dict[str, Property] = {
                "bg_color": style.WASH,
                "left": 5,
                "left_color": style.TEAL,
                "indent": 1,
            }
            label = get(font_size=9, font_color=style.GRAY, **edge)
            write_cell(self._page, row, at, tile.label, label)
            large = get(
                tile.number_format,
                font_size=18,
                bold=True,
                font_color=style.NAVY,
                align="left",
                **edge,
            )
            write_cell(self._page, row + 1, at, tile.value, large)
            remark = get(font_size=9, font_color=style.GRAY, **edge)
            write_cell(self._page, row + 2, at, tile.remark, remark)

    def _write_words(self, part: Words, row: int, column: int) -> None:
        get = self._styles.get
        if part.title:
            title = get(bold=True, font_size=12, font_color=style.NAVY)
            write_cell(self._page, row, column, part.title, title)
            row += 1
        for number, line in enumerate(part.rows):
            write_cell(self._page, row + number, column, line, get())
