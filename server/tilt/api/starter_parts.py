"""What the sheets of the starter workbook are made of: cells, headings, shapes for what spills."""

from collections.abc import Iterator

from tilt.api.workbook_model import Cell, Format

FIRST = 5  # row of the tables, counted from nought; above are title and words

TITLE = Format(bold=True, size=14)
QUIET = Format(font_color="#6b7280")
LABEL = Format(bold=True)
HEAD = Format(bold=True, fill="#dcebe7", vertical_alignment="Center")
INPUT = Format(fill="#fff8dc", font_color="#1f4e9e")  # cells one is meant to change
PERCENT, NUMBER, DATE = "0.00%", "0.000", "yyyy-mm-dd"


def cell(
    row: int,
    column: int,
    value: str | float | None = None,
    form: Format | None = None,
    *,
    formula: str = "",
) -> Cell:
    """Return a cell; with a formula, the value is the one it had last."""
    return Cell(row=row, column=column, value=value, formula=formula, format=form)


def heading(title: str, words: str) -> Iterator[Cell]:
    """Yield the title of a sheet and the words below it."""
    yield cell(0, 0, title, TITLE)
    yield cell(1, 0, words, QUIET)


def heads(*tables: tuple[int, int], row: int = FIRST) -> Iterator[Cell]:
    """Yield the cells of header rows that formulas spill over: first column, and how many."""
    for start, count in tables:
        yield from (cell(row, c, form=HEAD) for c in range(start + 1, start + count))


def shaped(*, rows: int, columns: dict[int, str]) -> Iterator[Cell]:
    """Yield blank cells with a number format, for results to spill over."""
    for column, shown in columns.items():
        form = Format(number_format=shown)
        yield from (cell(row, column, form=form) for row in range(FIRST + 1, FIRST + 1 + rows))
