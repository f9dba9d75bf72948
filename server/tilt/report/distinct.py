"""Names of sheets and tables that differ although several portfolios have the same sections."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from tilt.report.charts import Chart
from tilt.report.layout import LONGEST_NAME, Part, Sheet, Tile, Tiles, sheet_name
from tilt.report.tables import Block, Formula, Link

if TYPE_CHECKING:
    from tilt.report.pack import Chapter, Section

_TABLE = re.compile(r"\b([a-z_]+(?:_\d+)?)(?=\[)")  # the table of a structured reference
_LEAST_OF_SUBJECT = 6  # letters of a name that are kept in front of a long sheet's name


def distinct(chapters: "Sequence[Chapter]") -> "list[Chapter]":
    """Return the chapters so that no two sheets and no two tables share a name.

    One chapter stays as it is. Of several, sheets begin with the subject's name, and every table,
    with the formulas, charts and links that speak of it, has the chapter's number at its end.
    """
    if len(chapters) == 1:
        return list(chapters)
    taken = {name.casefold() for name in ("Cover", "Overview", "Checks", "Method", "Lineage")}
    renamed = []
    for number, chapter in enumerate(chapters, 1):
        names = [s.name for section in chapter.sections for s in (*section.sheets, *section.data)]
        room = LONGEST_NAME - 1 - max(map(len, names), default=0)
        short = _short(chapter.subject.name, max(room, _LEAST_OF_SUBJECT))
        sheets: dict[str, str] = {}
        for name in names:
            sheets[name] = sheet_name(f"{short} {name}", lambda n: n.casefold() in taken)
            taken.add(sheets[name].casefold())
        renamed.append(
            replace(
                chapter,
                sections=tuple(_section(s, _Names(number, sheets)) for s in chapter.sections),
            )
        )
    return renamed


def _short(subject: str, room: int) -> str:
    """Return as much of a subject's name as fits before a sheet's, by whole words if it can be."""
    name = " ".join(sheet_name(subject, longest=len(subject) + 1).split())
    if len(name) <= room:
        return name
    cut = name[:room]
    words = cut.rpartition(" ")[0].rstrip(" -,;(")
    return words if len(words) >= _LEAST_OF_SUBJECT else cut


class _Names:
    """The new names of one chapter's sheets and tables."""

    def __init__(self, number: int, sheets: Mapping[str, str]) -> None:
        self._number = number
        self._sheets = sheets

    def key(self, key: str) -> str:
        return f"{key}_{self._number}"

    def formula(self, formula: Formula) -> Formula:
        return replace(formula, text=_TABLE.sub(lambda m: self.key(m[1]), formula.text))

    def cell(self, value: object) -> object:
        if isinstance(value, Formula):
            return self.formula(value)
        if isinstance(value, Link):
            return replace(value, sheet=self._sheets.get(value.sheet, value.sheet))
        return value

    def sheet(self, sheet: Sheet) -> Sheet:
        parts = tuple(self.part(part) for part in sheet.parts)
        return replace(sheet, name=self._sheets[sheet.name], parts=parts)

    def part(self, part: Part) -> Part:
        if isinstance(part, Chart):
            return replace(part, block=self.key(part.block))
        if isinstance(part, Block):
            return replace(part, key=self.key(part.key), table=self._table(part.table))
        if isinstance(part, Tiles):
            return replace(part, tiles=tuple(self.tile(tile) for tile in part.tiles))
        return part

    def tile(self, tile: Tile) -> Tile:
        value = tile.value
        return replace(tile, value=self.formula(value)) if isinstance(value, Formula) else tile

    def _table(self, table: pd.DataFrame) -> pd.DataFrame:
        changed = {
            column: pd.Series([self.cell(v) for v in table[column]], table.index, dtype=object)
            for column in table.columns
            if table[column].dtype == object
        }
        return table.assign(**changed) if changed else table


def _section(section: "Section", names: _Names) -> "Section":
    return replace(
        section,
        sheets=tuple(names.sheet(sheet) for sheet in section.sheets),
        data=tuple(names.sheet(sheet) for sheet in section.data),
        tiles=tuple(names.tile(tile) for tile in section.tiles),
        checks=tuple(replace(c, formula=names.formula(c.formula)) for c in section.checks),
    )
