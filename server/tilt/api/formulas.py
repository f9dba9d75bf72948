"""What a formula shows, and how it is written, for what is not a cell: routes and buttons."""

from collections.abc import Sequence
from typing import TypeAlias

import pandas as pd

from tilt.api.cells import find
from tilt.api.state import State
from tilt.api.values import Grid, Table
from tilt.report.typed import typed_text

Given: TypeAlias = Sequence[str | float | None]  # arguments; None is left out
Asked: TypeAlias = Sequence[str | float | Grid | None]  # with ranges


def table_of(state: State, name: str, given: Asked) -> pd.DataFrame:
    """Return the table that a function of the sheet shows.

    Parameters
    ----------
    name : of a registered function, in lower case

    Raises
    ------
    TiltError
        That of the cell.
    """
    cell = find(state.cells, name)
    with state.durations.timing(name):
        result = cell.call(*cell.read([None if v == "" else v for v in given]))
    frame = result.frame if isinstance(result, Table) else result
    if not isinstance(frame, pd.DataFrame):
        raise TypeError(f"{name} gives no table")
    return frame


def formula_of(name: str, given: Given) -> str:
    """Return the formula of a call, without the arguments at its end that are left out."""
    texts = [_argument(value) for value in given]
    while texts and not texts[-1]:
        texts.pop()
    return f"=TILT.{name.upper()}({','.join(texts)})"


def _argument(value: str | float | None) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, str):
        return typed_text(value)
    return str(value)
