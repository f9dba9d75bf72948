"""Decide which row and column every part of every sheet starts in, before anything is written."""

import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tilt.errors import ArgumentError
from tilt.report.charts import Chart, Place
from tilt.report.tables import Block, Formula, clean_text

COLUMN_PIXELS = 64  # of a column whose width is not set
_FEWEST = 4  # columns of a width that is given, so that text has room to run on
_LETTER = 6  # pixels, of a letter of ten points on average
TREND_WIDTH = 18  # characters
LEFT = 1  # column A is a margin
FIRST_ROW = 4  # below the title, the subtitle and a gap
LAST_EXCEL_ROW, LAST_EXCEL_COLUMN = 1_048_576, 16_384
LONGEST_NAME = 31  # of a sheet
LONGEST_READ = 400  # rows of a table that a person may read
_FORBIDDEN_IN_NAMES = str.maketrans(dict.fromkeys("[]:*?/\\", "-"))


@dataclass(frozen=True)
class Words:
    """Sentences under one another, each wrapped over as many rows as it takes.

    wide : characters in a row
    """

    sentences: tuple[str, ...]
    title: str = ""
    wide: int = 120

    @property
    def rows(self) -> list[str]:
        """The text of each row; what continues a sentence is indented."""
        return [
            row
            for sentence in self.sentences
            for row in textwrap.wrap(sentence, self.wide, subsequent_indent="    ") or [""]
        ]


@dataclass(frozen=True)
class Tile:
    """A figure the reader must not miss: a label above, the number large, a remark below."""

    label: str
    value: float | str | Formula
    number_format: str
    remark: str = ""


@dataclass(frozen=True)
class Tiles:
    """Figures side by side."""

    tiles: tuple[Tile, ...]


Part = Block | Chart | Words | Tiles


@dataclass(frozen=True, eq=False)
class Sheet:
    """One sheet: a title, and parts from top to bottom.

    freeze_header : keep the first block's heading in view and on every page, for one long table
    one_page      : print on one page, for a sheet that is read at a glance
    portrait      : print upright, for a long and narrow table
    column_width  : of every column; 0 fits the blocks
    """

    name: str
    title: str
    subtitle: str
    parts: tuple[Part, ...]
    freeze_header: bool = False
    one_page: bool = False
    portrait: bool = False
    column_width: int = 0
    data: bool = False
    hidden: bool = False

    @property
    def is_data(self) -> bool:
        """Whether it is rows by the hundred, for a spreadsheet and not for print."""
        longest = max((len(block.table) for block in self.blocks()), default=0)
        return self.data or longest > LONGEST_READ

    def blocks(self) -> Iterator[Block]:
        """Yield the tables of the sheet."""
        return (p for p in self.parts if isinstance(p, Block))


def sheet_name(
    text: str, taken: Callable[[str], bool] = lambda _: False, *, longest: int = LONGEST_NAME
) -> str:
    r"""Return a name Excel accepts: 31 characters, none of ``[]:*?/\``, not taken."""
    base = clean_text(text).translate(_FORBIDDEN_IN_NAMES).strip().strip("'")[:longest] or "Sheet"
    name, number = base, 2
    while taken(name):
        suffix = f" {number}"
        name, number = base[: LONGEST_NAME - len(suffix)] + suffix, number + 1
    return name


@dataclass(frozen=True)
class Layout:
    """Rows of the parts of one sheet, and the blocks' places."""

    rows: tuple[tuple[int, int], ...]  # row and column of each part
    places: Mapping[str, Place]
    last_row: int
    last_column: int
    widths: Mapping[int, int]  # in characters, of the columns that are not Excel's own


def lay_out(sheets: Sequence[Sheet]) -> list[Layout]:
    """Return the layout of each sheet.

    Raises
    ------
    ArgumentError
        If two blocks share a key, or a table is longer than a sheet.
    """
    layouts: list[Layout] = []
    seen: set[str] = set()
    for sheet in sheets:
        for block in sheet.blocks():
            if block.key in seen:
                raise ArgumentError(f"Two blocks are named '{block.key}'; names must differ.")
            seen.add(block.key)
        layouts.append(_lay_out_sheet(sheet))
    return layouts


def _lay_out_sheet(sheet: Sheet) -> Layout:
    at: list[tuple[int, int]] = []
    places: dict[str, Place] = {}
    row = below = FIRST_ROW
    right = LEFT + 1
    widths = _widths(sheet)
    above = _LETTER * max(len(sheet.subtitle), 2 * len(sheet.title))
    last_column = max(right, _last_under(above, LEFT, widths), *widths)
    for part in sheet.parts:
        if isinstance(part, Chart) and part.beside:
            at.append((row + 1, right + 1))
            below = max(below, row + 1 + part.sheet_rows + 1)
            last_column = max(last_column, _last_under(part.width, right + 1, widths))
            continue
        row = below
        at.append((row, LEFT))
        if isinstance(part, Chart):
            last_column = max(last_column, _last_under(part.width, LEFT, widths))
        if isinstance(part, Tiles):
            last_column = max(last_column, LEFT + len(part.tiles) - 1)
        longest = _LETTER * max(map(len, _lines(part)), default=0)
        last_column = max(last_column, _last_under(longest, LEFT, widths))
        if isinstance(part, Block):
            places[part.key] = Place(part, sheet.name, row + 1, LEFT)
            right = LEFT + len(part.table.columns) + bool(part.trend)
            last_column = max(last_column, right - 1)
        below = row + _height(part) + 1
        if below >= LAST_EXCEL_ROW:
            raise _too_large(sheet, "rows", below)
    if last_column >= LAST_EXCEL_COLUMN:
        raise _too_large(sheet, "columns", last_column + 1)
    return Layout(tuple(at), places, below - 1, last_column, widths)


def _too_large(sheet: Sheet, what: str, count: int) -> ArgumentError:
    return ArgumentError(
        f"Sheet '{sheet.name}' has more {what} than Excel holds, {count:,}. Ask for fewer, or "
        "export the data as .csv or .parquet."
    )


def _widths(sheet: Sheet) -> dict[int, int]:
    """Return the width of each column in characters: the widest of the blocks, or the sheet's."""
    widths: dict[int, int] = {}
    for block in sheet.blocks():
        for offset, column in enumerate(block.table.columns):
            at = LEFT + offset
            widths[at] = max(widths.get(at, 0), block.width(column))
        if block.trend:
            at = LEFT + len(block.table.columns)
            widths[at] = max(widths.get(at, 0), TREND_WIDTH)
    if sheet.column_width:
        tiles = (len(part.tiles) for part in sheet.parts if isinstance(part, Tiles))
        last = max(*widths, *(LEFT + count - 1 for count in tiles), LEFT + _FEWEST - 1)
        widths = dict.fromkeys(range(LEFT, last + 1), sheet.column_width)
    return widths


def _lines(part: Part) -> list[str]:
    """Return what runs on over the cells to the right, which a print must not cut."""
    if isinstance(part, Words):
        return [part.title, *part.rows]
    return [part.title, part.note] if isinstance(part, Block) else []


def _last_under(pixels: int, column: int, widths: Mapping[int, int]) -> int:
    """Return the last column that a picture of a width covers, from the one it begins in."""
    left = pixels
    while left > 0:
        known = widths.get(column)
        left -= COLUMN_PIXELS if known is None else 7 * known + 5
        column += 1
    return column - 1


def _height(part: Part) -> int:
    if isinstance(part, Block):  # title, header, rows, totals, note
        return 2 + max(len(part.table), 1) + bool(part.totals) + bool(part.note)
    if isinstance(part, Chart):
        return part.sheet_rows
    if isinstance(part, Tiles):
        return 3
    return len(part.rows) + bool(part.title)
