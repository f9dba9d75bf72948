"""Write one sheet of a report at the places its layout gives."""

from collections.abc import Mapping
from dataclasses import replace

from xlsxwriter.format import Format
from xlsxwriter.workbook import Workbook

from tilt.report import style
from tilt.report.charts import Chart, Place, build_chart
from tilt.report.columns import Column, ColumnSheet, plain
from tilt.report.layout import LEFT, Layout, Sheet, Tiles, Words
from tilt.report.live import filled, in_file, without_live_tables
from tilt.report.marks import draw_trends, mark
from tilt.report.style import Property, Styles
from tilt.report.tables import (
    BY_ROW,
    Block,
    Formula,
    Link,
    header,
    starts_like_formula,
    write_cell,
)

FORMULAS, FROZEN, LIVE = "formulas", "frozen", "live"
MODES = (FORMULAS, FROZEN, LIVE)
LINE = 13  # points


def _quoted(value: object) -> dict[str, Property]:
    """Return what keeps a text a text when someone edits its cell."""
    return {"quote_prefix": True} if isinstance(value, str) and starts_like_formula(value) else {}


class SheetWriter:
    """Writes one sheet at the places its layout gives."""

    def __init__(
        self,
        book: Workbook,
        page: ColumnSheet,
        styles: Styles,
        places: Mapping[str, Place],
        mode: str = FORMULAS,
    ) -> None:
        self._book = book
        self._page = page
        self._styles = styles
        self._places = places
        self._mode = mode

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
        if sheet.hidden:
            self._page.hide()
            for row in range(layout.last_row + 1):  # LibreOffice prints a hidden sheet's rows
                self._page.set_row(row, None, None, {"hidden": True})

    def _put(self, row: int, column: int, value: object, shape: Format) -> None:
        """Write a cell as the workbook's mode has it."""
        if isinstance(value, Formula):
            if self._mode == FROZEN:
                value = value.value
            elif self._mode == LIVE:
                value = replace(value, text=without_live_tables(value.text, self._places))
        write_cell(self._page, row, column, value, shape)

    def _say(self, row: int, column: int, text: str, **properties: Property) -> None:
        """Write a text that is no table's."""
        write_cell(self._page, row, column, text, self._styles.get(**properties, **_quoted(text)))

    def _write_live(self, block: Block, head: int, column: int) -> None:
        """Write the add-in's formulas; the cells that they fill hold their values."""
        place = self._places[block.key]
        begun = set()
        for live in block.live:
            for fill in filled(block, live, place):
                row, at = head + 1 + fill.first_row, column + fill.first_column
                name = str(block.table.columns[fill.first_column])
                first = block.table[name].iloc[fill.first_row]
                self._page.write_dynamic_array_formula(
                    row, at, row + fill.rows - 1, at + fill.columns - 1, in_file(fill.text),
                    self._look(block, fill.first_row, name, first),
                    "" if first != first else first,
                )  # fmt: skip
                begun.add((row, at))
        for offset, name in enumerate(block.table.columns):
            write_cell(self._page, head, column + offset, header(name), self._heading(block, name))
            for number, value in enumerate(block.table[name].tolist()):
                if (head + 1 + number, column + offset) not in begun:
                    look = self._look(block, number, name, value)
                    self._put(head + 1 + number, column + offset, value, look)

    def _heading(self, block: Block, name: str) -> Format:
        return self._styles.get(
            bold=True,
            font_color="#FFFFFF",
            bg_color=style.NAVY,
            align="left" if block.stands_left(name) else "right",
            indent=int(block.follows_number(name)),
            **_quoted(header(name)),
        )

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
        page.print_area(0, 0, layout.last_row, layout.last_column)
        page.set_footer(f"&L&8{safe}&C&8&A&R&8Page &P of &N")
        page.set_column(0, 0, 2)
        for at, width in layout.widths.items():
            page.set_column(at, at, width)
        page.set_row(0, 30)
        rule: dict[str, Property] = {"bottom": 2, "bottom_color": style.NAVY}
        self._say(0, LEFT, sheet.title, bold=True, font_size=18, font_color=style.NAVY)
        for column in range(LEFT, layout.last_column + 1):
            page.write_blank(1, column, None, get(**rule))
        self._say(1, LEFT, sheet.subtitle, font_color=style.GRAY, **rule)
        first = next(sheet.blocks(), None)
        if sheet.freeze_header and first is not None:
            head = layout.places[first.key].row
            page.freeze_panes(head + 1, LEFT + 1)
            page.repeat_rows(head)
        else:
            page.freeze_panes(2, 0)

    def _write_block(self, block: Block, row: int, column: int) -> None:
        self._say(row, column, block.title, bold=True, font_size=12, font_color=style.NAVY)
        head = row + 1
        if block.live and self._mode == LIVE:
            self._write_live(block, head, column)
        else:
            self._write_table(block, head, column)
            self._write_body(block, head + 1, column)
        for offset, name in enumerate(block.table.columns):
            mark(self._book, self._page, block, name, (head + 1, column + offset))
        for number in range(len(block.table)) if block.widths else ():
            if block.lines(number) > 1:  # a fixed height looks the same in every program
                self._page.set_row(head + 1 + number, LINE * block.lines(number) + 3)
        draw_trends(self._page, block, (head + 1, column))
        after = head + 1 + max(len(block.table), 1)
        if block.totals:
            self._write_totals(block, after, column)
            after += 1
        if block.note:
            self._say(after, column, block.note, italic=True, font_size=9, font_color=style.GRAY)

    def _write_table(self, block: Block, head: int, column: int) -> None:
        names = list(block.table.columns)
        headings = [
            {"header": header(name), "header_format": self._heading(block, name)} for name in names
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

    def _write_body(self, block: Block, first: int, column: int) -> None:
        """Write the rows of a table: by columns where nothing but values is in them."""
        table = block.table
        if BY_ROW not in block.formats.values() and plain(table):
            look, names = self._look, list(table.columns)
            columns = [Column(table[n], look(block, 0, n), look(block, 0, n, "=")) for n in names]
            self._page.write_columns(first, column, columns)
            return
        for offset, name in enumerate(table.columns):
            for number, value in enumerate(table[name].tolist()):
                look = self._look(block, number, name, value)
                self._put(first + number, column + offset, value, look)

    def _look(self, block: Block, row: int, column: str, value: object = None) -> Format:
        properties: dict[str, Property] = {"bottom": 1, "bottom_color": style.RULE}
        if column in block.widths:
            properties |= {"text_wrap": True, "valign": "top"}
        elif block.widths:
            properties |= {"valign": "top"}
        if block.number_format(row, column) == "text" or block.stands_left(column):
            properties |= {"align": "left", "indent": int(block.follows_number(column))}
        if isinstance(value, Link):
            properties |= {"font_color": style.NAVY, "underline": 1}
        words = value.text if isinstance(value, Link) else value
        return self._styles.get(block.number_format(row, column), **properties, **_quoted(words))

    def _write_totals(self, block: Block, row: int, column: int) -> None:
        for offset, name in enumerate(block.table.columns):
            total = self._styles.get(
                block.formats.get(name, "text"), bold=True, top=1, top_color=style.NAVY
            )
            value: object = "Total" if offset == 0 else None
            if name in block.totals:
                total_now = block.totals[name]
                value = Formula(f"SUM({block.ref(name)})", total_now)
            self._put(row, column + offset, value, total)

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
            self._say(row, at, tile.label, font_size=9, font_color=style.GRAY, **edge)
            large = get(
                tile.number_format,
                font_size=18,
                bold=True,
                font_color=style.NAVY,
                align="left",
                **edge,
                **_quoted(tile.value),
            )
            self._put(row + 1, at, tile.value, large)
            self._say(row + 2, at, tile.remark, font_size=9, font_color=style.GRAY, **edge)

    def _write_words(self, part: Words, row: int, column: int) -> None:
        if part.title:
            self._say(row, column, part.title, bold=True, font_size=12, font_color=style.NAVY)
            row += 1
        for number, line in enumerate(part.rows):
            self._say(row + number, column, line)
