"""Cells that the add-in fills: one formula over the numbers of a table, its values beneath.

A table of a report has the rows and columns that a reader needs; a cell function gives more of
them, in its own order. So the formula picks: rows by the names that stand beside the numbers,
columns by the headings that the function gives. Excel 2021 and later can do that, and Excel on the
web.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from xlsxwriter.utility import xl_range_abs

from tilt.report.charts import Place
from tilt.report.tables import Block, Live, header
from tilt.report.typed import typed_text

UDF = "_xldudf_"  # how Excel writes an add-in's function in a file, its dots as underscores
_CALL = re.compile(r"\b(TILT(?:_[A-Z]+)?)\.([A-Z_]+)(?=\()")
_NATIVE = re.compile(r"\b(IFNA|LET|SEQUENCE)(?=\()")
_COLUMN = re.compile(r"\b([a-z_]+(?:_\d+)*)\[([^\[\]]+)\]")


@dataclass(frozen=True)
class Filled:
    """A formula and the cells that it fills, counted within a table: rows from 0.

    text : as a person would type it, without its ``=``
    """

    text: str
    first_row: int
    rows: int
    first_column: int
    columns: int


def filled(block: Block, live: Live, place: Place) -> list[Filled]:
    """Return a formula for each run of neighboring columns that a call fills."""
    names = list(block.table.columns)
    found = []
    for run in _runs([(names.index(mine), theirs) for mine, theirs in live.columns.items()]):
        heads = ",".join(typed_text(theirs) for _, theirs in run)
        columns = f"MATCH({{{heads}}},INDEX(t,1,0),0)"
        text = f"LET(t,{live.call},INDEX(t,{_rows(block, live, place)},{columns}))"
        shown = block.table.iloc[: live.count(block), [at for at, _ in run]]
        if bool(shown.isna().to_numpy().any()):  # a missing number is #N/A in a cell, blank here
            text = f'IFNA({text},"")'
        found.append(Filled(text, 0, live.count(block), run[0][0], len(run)))
    return found


def _rows(block: Block, live: Live, place: Place) -> str:
    count = live.count(block)
    if not live.key:
        return f"SEQUENCE({count},1,2)"
    column = f"INDEX(t,0,MATCH({typed_text(live.of or live.key)},INDEX(t,1,0),0))"
    if live.names:
        return f"MATCH({{{';'.join(map(typed_text, live.names))}}},{column},0)"
    at = place.column + list(block.table.columns).index(live.key)
    keys = xl_range_abs(place.row + 1, at, place.row + count, at)
    return f"MATCH({keys},{column},0)"


def _runs(columns: Sequence[tuple[int, str]]) -> list[list[tuple[int, str]]]:
    runs: list[list[tuple[int, str]]] = []
    for at, name in sorted(columns):
        if runs and runs[-1][-1][0] == at - 1:
            runs[-1].append((at, name))
        else:
            runs.append([(at, name)])
    return runs


def in_file(text: str) -> str:
    """Return a formula as a file has it: the add-in's functions and newer ones by their codes."""
    outside = re.split(r'("(?:[^"]|"")*")', text)
    for at in range(0, len(outside), 2):
        part = _CALL.sub(lambda m: f"{UDF}{m[1]}_{m[2]}", outside[at])
        part = _NATIVE.sub(r"_xlfn.\1", part)
        outside[at] = re.sub(r"\bt(?=,)", "_xlpm.t", part)
    return "=" + "".join(outside)


def without_live_tables(text: str, places: Mapping[str, Place]) -> str:
    """Return a native formula that names the cells of tables that are none in the live workbook.

    A formula's spill cannot be in an Excel table.
    """

    def cells(found: re.Match[str]) -> str:
        place = places.get(found[1])
        if place is None or not place.block.live:
            return found[0]
        names = [header(column) for column in place.block.table.columns]
        at = place.column + names.index(found[2])
        area = xl_range_abs(place.row + 1, at, place.row + len(place.block.table), at)
        sheet = place.sheet.replace("'", "''")
        return f"'{sheet}'!{area}"

    return _COLUMN.sub(cells, text)
