"""What lets the eye find sign, size, status and course in a table of a sheet."""

from xlsxwriter.utility import xl_range_abs
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from tilt.report import style
from tilt.report.tables import Block

_SHORT_OF = 1 - 1e-9  # a number that rounds away from zero keeps its sign


def mark(book: Workbook, page: Worksheet, block: Block, name: str, at: tuple[int, int]) -> None:
    """Add what lets the eye find sign, size and status without reading every number."""
    if block.table.empty:
        return
    first, column = at
    last = first + len(block.table) - 1
    area = (first, column, last, column)
    least = style.SIGNED.get(block.formats.get(name, "text"))
    if least is not None:
        zero = book.add_format({"num_format": style.UNSIGNED[block.formats[name]]})
        page.conditional_format(
            first,
            column,
            last + bool(block.totals),
            column,
            {
                "type": "cell",
                "criteria": "between",
                "minimum": -least * _SHORT_OF,
                "maximum": least * _SHORT_OF,
                "format": zero,
            },
        )
    if name in block.bars:
        page.conditional_format(
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
    if least is not None:
        for criteria, value, color in (("<=", -least, style.RED), (">=", least, style.GREEN)):
            page.conditional_format(
                *area,
                {
                    "type": "cell",
                    "criteria": criteria,
                    "value": value,
                    "format": book.add_format({"font_color": color}),
                },
            )
    for word, color, fill in (("OK", style.GREEN, "#E3F2EA"), ("CHECK", style.RED, "#FBE6E4")):
        if name in {"result", "status"}:
            page.conditional_format(
                *area,
                {
                    "type": "cell",
                    "criteria": "==",
                    "value": f'"{word}"',
                    "format": book.add_format(
                        {"font_color": color, "bg_color": fill, "bold": True}
                    ),
                },
            )


def draw_trends(page: Worksheet, block: Block, at: tuple[int, int]) -> None:
    """Draw the course of each row beside the table, over the columns that make it."""
    if not block.trend:
        return
    first, column = at
    names = list(block.table.columns)
    left, right = (column + names.index(name) for name in (block.trend[0], block.trend[-1]))
    sheet = page.get_name().replace("'", "''")
    for row in range(first, first + len(block.table)):
        page.add_sparkline(
            row,
            column + len(names),
            {
                "range": f"'{sheet}'!{xl_range_abs(row, left, row, right)}",
                "type": "column",
                "series_color": style.NAVY,
                "negative_points": True,
                "negative_color": style.RED,
            },
        )
