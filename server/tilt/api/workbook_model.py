"""A workbook as the workbench and the server exchange it, in the words of the Office host."""

from collections.abc import Mapping
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

MOST_ROWS, MOST_COLUMNS = 1_048_576, 16_384
SHEET_NAME = r"^[^\\/?*\[\]:']([^\\/?*\[\]:]*[^\\/?*\[\]:'])?$"
TABLE_NAME = r"^[A-Za-z_\\][\w.\\]*$"

Row = Annotated[int, Field(ge=0, lt=MOST_ROWS)]
Column = Annotated[int, Field(ge=0, lt=MOST_COLUMNS)]
Kind: TypeAlias = Literal["line", "area", "bar"]
Horizontal: TypeAlias = Literal["General", "Left", "Center", "Right"]
Color = Annotated[str, Field(pattern=r"^#[0-9A-Fa-f]{6}$")]


class Part(BaseModel):
    """A part of a workbook; members it does not have are refused."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True
    )


class Format(Part):
    """How a cell looks; what is left out is as in a blank workbook."""

    number_format: str | None = Field(default=None, max_length=255)
    bold: bool | None = None
    italic: bool | None = None
    size: float | None = Field(default=None, ge=1, le=409)
    font: str | None = Field(default=None, max_length=64)
    font_color: Color | None = None
    fill: Color | None = None
    wrap_text: bool | None = None
    horizontal_alignment: Horizontal | None = None
    vertical_alignment: Literal["Top", "Center", "Bottom"] | None = None


class Cell(Part):
    """One cell.

    value : as calculated last where there is a formula; None is blank
    formula : from the equals sign on
    spill : rows and columns the result takes, where it is more than the cell
    """

    row: Row
    column: Column
    value: bool | float | str | None = None
    formula: str = Field(default="", max_length=8192, pattern=r"^(=.+)?$")
    format: Format | None = None
    spill: tuple[int, int] | None = None


class Block(Part):
    """A rectangle of cells."""

    row: Row
    column: Column
    rows: int = Field(ge=1, le=MOST_ROWS)
    columns: int = Field(ge=1, le=MOST_COLUMNS)

    @model_validator(mode="after")
    def _on_the_sheet(self) -> "Block":
        if self.row + self.rows > MOST_ROWS or self.column + self.columns > MOST_COLUMNS:
            raise ValueError("reaches beyond the sheet")
        return self


class Table(Block):
    """A named table, its header row included."""

    name: str = Field(max_length=255, pattern=TABLE_NAME)


class Chart(Block):
    """A chart of a block with headers; a block of one cell is what its formula spills.

    labels : header of the column along the axis
    series : headers of the columns that are drawn
    source : sheet of the cells; empty is the chart's own
    """

    title: str = Field(max_length=255)
    kind: Kind
    labels: str
    series: tuple[str, ...]
    number_format: str = Field(default="General", max_length=255)
    source: str = Field(default="", max_length=31)


class Sheet(Part):
    """One sheet; widths in points by column, frozen as rows and columns."""

    name: str = Field(max_length=31, pattern=SHEET_NAME)
    cells: tuple[Cell, ...] = ()
    tables: tuple[Table, ...] = ()
    charts: tuple[Chart, ...] = ()
    widths: Mapping[int, float] = Field(default_factory=dict)
    frozen: tuple[int, int] = (0, 0)
    gridlines: bool = True


class Workbook(Part):
    """A workbook of at least one sheet; names of sheets and tables are unique."""

    name: str = Field(max_length=255)
    sheets: tuple[Sheet, ...] = Field(min_length=1, max_length=256)

    @model_validator(mode="after")
    def _unique(self) -> "Workbook":
        for names in (
            [s.name.casefold() for s in self.sheets],
            [t.name.casefold() for s in self.sheets for t in s.tables],
        ):
            if len(set(names)) != len(names):
                raise ValueError("two sheets or two tables have the same name")
        return self
