"""Each function's example with what it gives, and what a slip gives: computed, never typed."""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import orjson
import pandas as pd

from tilt.api.cell_jobs import RunningError
from tilt.api.cells import Argument, Cell
from tilt.api.starter_optimize import HEADER, RULES
from tilt.api.starter_values import arguments_of
from tilt.api.state import USER, State
from tilt.api.values import Grid, write_result
from tilt.calendar import EXCEL_EPOCH
from tilt.errors import TiltError
from tilt.settings import addin_path

MOST_ROWS, MOST_COLUMNS = 8, 9
DAYS = 499
PASSING = frozenset({"status", "live", "trace", "version"})  # another answer at each call
SLIPS: Mapping[str, str] = {
    "holdings": "SAMPEL",
    "a": "SAMPEL",
    "who": "APPL",
    "tickers": "APPL",
    "ticker": "APPL",
    "factor": "Momentun",
    "factors": "Momentun",
    "objective": "min_tee",
    "universe": "US_LARGE",
    "name": "SAMPEL",
    "measure": "sharp",
    "function": "RISQ",
}
_RANGE = re.compile(r"[A-Z]{1,3}\d+:[A-Z]{1,3}\d+")


def file() -> Path:
    """Return where the examples are kept; ``workbooks/build.py`` writes them."""
    return addin_path() / "help" / "examples.json"


@cache
def examples() -> Mapping[str, Mapping[str, object]]:
    """Return by function: formula, ranges, rows, more, slip; as they were built."""
    known: dict[str, Mapping[str, object]] = orjson.loads(file().read_bytes())
    return known


def example_of(state: State, cell: Cell, *, seconds: float) -> dict[str, object]:
    """Return a function's example over the sample: formula, ranges, rows, more, slip.

    Parameters
    ----------
    seconds : to wait for a job
    """
    found: dict[str, object] = {"formula": cell.example, "ranges": {}, "rows": [], "more": 0}
    if cell.name in PASSING:
        return {**found, "slip": _slip(state, cell)}
    given, ranges = _given(state, cell)
    rows = _rows(state, cell, given, seconds)
    return {
        **found,
        "ranges": ranges,
        "rows": [[_shown(v) for v in row[:MOST_COLUMNS]] for row in rows[:MOST_ROWS]],
        "more": max(len(rows) - MOST_ROWS, 0),
        "slip": _slip(state, cell),
    }


def _rows(state: State, cell: Cell, given: list[object], seconds: float) -> list[list[object]]:
    try:
        return write_result(cell.call(*cell.read(given)), rich=True)
    except RunningError as running:
        state.jobs.wait(running.job.id, USER.get() or "local", seconds=seconds)
        return write_result(cell.call(*cell.read(given)), rich=True)


def _given(state: State, cell: Cell) -> tuple[list[object], dict[str, str]]:
    """Return the arguments of an example, ranges filled, and in words what stands in those."""
    given: list[object] = []
    words: dict[str, str] = {}
    inside = cell.example.partition("(")[2].removesuffix(")")
    for argument, text in zip(cell.arguments, arguments_of(inside), strict=False):
        if _RANGE.fullmatch(text):
            grid, said = _range(state, argument, text)
            given.append(grid)
            words[text] = said
        elif not text:
            given.append(None)
        else:
            given.append([[text[1:-1] if text.startswith('"') else float(text)]])
    return given, words


def _range(state: State, argument: Argument, address: str) -> tuple[Grid, str]:
    """Return what stands in a range of an example, by the name of its argument."""
    panel = state.panel(None)
    if argument.name == "constraints":
        rules: Grid = [[*row] for row in (HEADER, *RULES)]
        return rules, "the rules of the starter's sheet Optimize"
    if argument.name == "trades":
        return [["AAPL", -0.02], ["XOM", 0.02]], "AAPL -2 % and XOM +2 %"
    if argument.name in ("tickers", "ids"):
        return [["AAPL"], ["MSFT"], ["XOM"]], "AAPL, MSFT, XOM"
    if argument.name == "returns":
        dated = address[0] != address.partition(":")[2][0]
        said = f"the last {DAYS} daily returns of AAPL{', with their dates' if dated else ''}"
        return _column(panel.returns["AAPL"], dated=dated), said
    if argument.name in ("benchmark", "factor_returns"):
        market = panel.factors.returns["Market"]
        return _column(market), f"the last {DAYS} daily returns of the factor Market"
    weights = state.store.portfolio("SAMPLE")
    return [[str(t), float(w)] for t, w in weights.items()], "the portfolio SAMPLE"


def _column(returns: "pd.Series[float]", *, dated: bool = False) -> Grid:
    shown = returns.tail(DAYS)
    if not dated:
        return [[float(r)] for r in shown]
    serial = (pd.DatetimeIndex(shown.index) - EXCEL_EPOCH) / pd.Timedelta(days=1)
    return [[float(day), float(r)] for day, r in zip(serial, shown, strict=True)]


def _slip(state: State, cell: Cell) -> dict[str, str] | None:
    """Return a formula with a misspelt first name, the error it shows, and the message."""
    for place, argument in enumerate(cell.arguments):
        if argument.name not in SLIPS:
            continue
        wrong = SLIPS[argument.name]
        texts = list(arguments_of(cell.example.partition("(")[2].removesuffix(")")))
        given, _ = _given(state, cell)
        given += [None] * (place + 1 - len(given))
        texts += [""] * (place + 1 - len(texts))
        given[place], texts[place] = [[wrong]], f'"{wrong}"'
        try:
            cell.call(*cell.read(given))
        except TiltError as error:
            formula = f"=TILT.{cell.name.upper()}({','.join(texts)})"
            return {"formula": formula, "cell": error.cell, "message": str(error)}
    return None


def _shown(value: object) -> str:
    if isinstance(value, dict):  # a date, or an error
        if "basicValue" not in value:
            return "#N/A"
        return f"{EXCEL_EPOCH + pd.Timedelta(days=value['basicValue']):%Y-%m-%d}"
    if isinstance(value, float):
        return f"{value:.6g}"
    return "" if value is None else str(value)
