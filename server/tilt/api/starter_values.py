"""A workbook with the values its formulas have now, so that a file of it opens with numbers.

Only formulas that call one of our functions and nothing else are calculated; others keep the value
they came with.
"""

import re
import time
from collections.abc import Iterator, Mapping

from tilt.api.cell_jobs import RunningError
from tilt.api.cells import find
from tilt.api.state import USER, State
from tilt.api.values import Wire, write_result
from tilt.api.workbook_model import Block, Cell, Chart, Sheet, Workbook
from tilt.errors import TiltError

JOB_SECONDS = 20.0  # while a person waits for the file
Place = tuple[int, int]
Values = dict[Place, object]

_CALL = re.compile(r"=TILT\.(\w+)\((.*)\)", re.DOTALL)
_ARGUMENT = re.compile(r'("(?:[^"]|"")*"|[^",]*)(?:,|$)')
_REFERENCE = re.compile(r"\$?([A-Z]{1,3})\$?(\d+)(?::\$?([A-Z]{1,3})\$?(\d+))?")


def calculated(workbook: Workbook, state: State, *, seconds: float = JOB_SECONDS) -> Workbook:
    """Return a workbook whose calls of our functions have their values, spilled ones too.

    A cell whose function fails has the error that the sheet would show.

    Parameters
    ----------
    seconds : to wait for jobs, all together, before their cells stay without a value
    """
    tables: dict[str, tuple[str, Block]] = {
        t.name.casefold(): (s.name, t) for s in workbook.sheets for t in s.tables
    }
    values: dict[str, Values] = {
        s.name: {(c.row, c.column): c.value for c in s.cells if c.value is not None}
        for s in workbook.sheets
    }
    until = time.monotonic() + seconds
    sheets = []
    for sheet in workbook.sheets:
        spilled: dict[Place, list[list[Wire]]] = {}
        for c in sheet.cells:
            rows = _result(c.formula, sheet.name, values, tables, state, until)
            if rows is not None:
                spilled[c.row, c.column] = rows
                values[sheet.name][c.row, c.column] = rows[0][0]  # a later formula may read it
        sheets.append(_filled(sheet, spilled))
    return workbook.model_copy(update={"sheets": tuple(sheets)})


def _result(
    formula: str,
    sheet: str,
    values: Mapping[str, Values],
    tables: Mapping[str, tuple[str, Block]],
    state: State,
    until: float,
) -> list[list[Wire]] | None:
    """Return the rows that a formula gives; None if it is not a call of ours alone, or takes long.

    Parameters
    ----------
    until : the moment up to which a job is waited for
    """
    call = _CALL.fullmatch(formula)
    if call is None:
        return None
    cell = find(state.cells, call[1].lower())
    given = [_argument(text, sheet, values, tables) for text in arguments_of(call[2])]
    try:
        return write_result(cell.call(*cell.read(given)), rich=False)
    except RunningError as running:
        left = until - time.monotonic()
        ended = state.jobs.wait(running.job.id, USER.get() or "local", seconds=left)
        if ended.state != "done":
            return None
        return write_result(cell.call(*cell.read(given)), rich=False)
    except TiltError as error:
        return [[error.cell]]


def arguments_of(text: str) -> Iterator[str]:
    """Yield the arguments between the brackets of a call, as they are typed."""
    if not text:
        return
    at = 0
    while at <= len(text):
        found = _ARGUMENT.match(text, at)
        if found is None:
            raise ValueError(f"'{text}' is no list of arguments")
        yield found[1].strip()
        at = found.end() if found[0].endswith(",") else len(text) + 1


def _argument(
    text: str, sheet: str, values: Mapping[str, Values], tables: Mapping[str, tuple[str, Block]]
) -> object:
    """Return an argument as the client sends it: nothing, a text, a number, or cells."""
    if not text:
        return None
    if text.startswith('"'):
        return [[text[1:-1].replace('""', '"')]]
    if text.casefold() in tables:
        name, block = tables[text.casefold()]
        return _grid(values[name], block)
    reference = _REFERENCE.fullmatch(text)
    if reference:
        return _grid(values[sheet], _block(reference))
    return [[float(text)]]


def _block(reference: "re.Match[str]") -> Block:
    top, left = int(reference[2]) - 1, _column(reference[1])
    bottom = int(reference[4] or reference[2]) - 1
    right = _column(reference[3] or reference[1])
    return Block(row=top, column=left, rows=bottom - top + 1, columns=right - left + 1)


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - ord("A") + 1
    return number - 1


def _grid(values: Values, block: Block) -> list[list[object]]:
    return [
        [values.get((block.row + i, block.column + j)) for j in range(block.columns)]
        for i in range(block.rows)
    ]


def _filled(sheet: Sheet, spilled: Mapping[Place, list[list[Wire]]]) -> Sheet:
    """Return a sheet with results in their cells, over the formats that stand there."""
    cells = {(c.row, c.column): c for c in sheet.cells}
    for (top, left), rows in spilled.items():
        for i, row in enumerate(rows):
            for j, value in enumerate(row):
                place = (top + i, left + j)
                blank = Cell(row=place[0], column=place[1])
                kept = cells.get(place, blank)
                plain = float(value) if type(value) is int else value
                cells[place] = kept.model_copy(update={"value": plain})
        if len(rows) > 1 or len(rows[0]) > 1:
            shape = (len(rows), len(rows[0]))
            cells[top, left] = cells[top, left].model_copy(update={"spill": shape})
    last = max((column for (_, column), c in cells.items() if c.value is not None), default=0)
    charts = tuple(_drawn(chart, cells, last) for chart in sheet.charts)
    return sheet.model_copy(update={"cells": tuple(cells.values()), "charts": charts})


def _drawn(chart: Chart, cells: Mapping[Place, Cell], last: int) -> Chart:
    """Return a chart over what its formula spills, where there is room for it on the right."""
    spill = cells[chart.row, chart.column].spill
    if spill is None or chart.column + spill[1] <= last:
        return chart
    return chart.model_copy(update={"rows": spill[0], "columns": spill[1]})
