"""Tables and series as they are sent: pandas ``split`` objects, read into labelled frames."""

from collections.abc import Sequence
from typing import Annotated, TypeAlias

import numpy as np
import pandas as pd
from pydantic import Field

from tilt.api.frames import plain, split
from tilt.api.v1.asking import Body
from tilt.errors import ArgumentError, DataError
from tilt.frames import content_id

Label: TypeAlias = str | int | float
MOST_CELLS = 20_000_000


class Table(Body):
    """A table: labels of rows and columns, and the rows."""

    index: list[Label]
    columns: list[Label]
    data: list[list[float | None]]


class Column(Body):
    """A series, or a table of one column."""

    index: list[Label]
    data: list[float | None] | list[list[float | None]]
    columns: list[Label] | None = None
    name: str | None = None


PeriodsPerYear = Annotated[float, Field(gt=0, le=365, description="252, 52, 12, 4 or 1.")]


def frame_of(table: Table, name: str, *, dated: bool = False) -> pd.DataFrame:
    """Return a table as a frame of floats, null as NaN.

    Raises
    ------
    DataError
        If it is empty or no rectangle of its labels, or a label is there twice or is no date.
    """
    for side, labels in (("index", table.index), ("columns", table.columns)):
        if not labels:
            raise DataError(f"{name}.{side} is empty. Send at least one label and its values.")
    _check_labels(table.index, f"{name}.index")
    _check_labels(table.columns, f"{name}.columns")
    if len(table.data) != len(table.index):
        raise DataError(
            f"{name} has {len(table.index)} labels in index but {len(table.data)} rows of data."
        )
    wrong = [i for i, row in enumerate(table.data) if len(row) != len(table.columns)]
    if wrong:
        raise DataError(
            f"{name}.data row {wrong[0] + 1} has {len(table.data[wrong[0]])} values for "
            f"{len(table.columns)} columns."
        )
    values = np.array(table.data, dtype=float).reshape(len(table.index), len(table.columns))
    index = _days(table.index, name) if dated else pd.Index([str(i) for i in table.index])
    found = pd.DataFrame(values, index=index, columns=[str(c) for c in table.columns])
    return found.sort_index() if dated else found


def series_of(column: Column, name: str, *, dated: bool = False) -> "pd.Series[float]":
    """Return a series of floats, null as NaN; errors as :func:`frame_of`."""
    rows = [v if isinstance(v, list) else [v] for v in column.data]
    table = Table(index=column.index, columns=[name], data=rows)
    found: pd.Series[float] = frame_of(table, name, dated=dated)[name]
    return found


def labelled(frame: pd.DataFrame, labels: "pd.Index[str]", name: str, like: str) -> pd.DataFrame:
    """Return a frame's rows in the order of ``labels``, which must be the same ones."""
    return frame.loc[same_labels(frame.index, labels, name, like)]


def same_labels(
    given: "pd.Index[str]", wanted: "pd.Index[str]", name: str, like: str
) -> "pd.Index[str]":
    """Return ``wanted`` if ``given`` are the same labels in any order.

    Raises
    ------
    DataError
        If one is missing or too many; the message names it.
    """
    missing, extra = wanted.difference(given), given.difference(wanted)
    if len(missing):
        raise DataError(f"{name} has no '{missing[0]}', which {like} has.")
    if len(extra):
        raise DataError(f"{name} has '{extra[0]}', which {like} has not.")
    return wanted


def series_body(series: "pd.Series[float]") -> dict[str, object]:
    """Return a series as JSON knows it."""
    return {
        "index": [plain(v) for v in series.index.tolist()],
        "data": [plain(float(v)) for v in series.to_numpy()],
    }


def table_body(frame: pd.DataFrame) -> dict[str, object]:
    """Return a frame as JSON knows it."""
    return split(frame)


def answer(
    result: object, asked: Body, conventions: Sequence[str], notes: Sequence[str] = ()
) -> dict[str, object]:
    """Return a result with the id of what was asked, its conventions and notes."""
    return {
        "result": result,
        "run_id": content_id(type(asked).__name__, asked.model_dump(mode="json")),
        "conventions": list(conventions),
        "notes": list(notes),
    }


def check_size(*tables: Table | Column | None) -> None:
    """Raise ``ArgumentError`` if tables together are too large for an answer while one waits."""
    cells = sum(len(t.index) * len(t.columns or [0]) for t in tables if t is not None)
    if cells > MOST_CELLS:
        raise ArgumentError(f"{cells:,} values were sent; {MOST_CELLS:,} is the most.")


def _check_labels(labels: Sequence[Label], name: str) -> None:
    known: set[str] = set()
    for label in labels:
        if str(label) in known:
            raise DataError(f"{name}: '{label}' is there twice.")
        known.add(str(label))


def _days(labels: Sequence[Label], name: str) -> pd.DatetimeIndex:
    texts = [str(label) for label in labels]
    days = pd.to_datetime(texts, format="ISO8601", errors="coerce")
    if days.isna().any():
        wrong = texts[int(np.argmax(days.isna()))]
        raise DataError(f"{name}.index: '{wrong}' is no date. Use ISO text such as 2026-01-31.")
    return pd.DatetimeIndex(days)
