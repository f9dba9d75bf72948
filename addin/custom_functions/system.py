"""Cells about Tilt itself."""

from typing import Annotated, Literal

import pandas as pd

import tilt
from custom_functions._edge import udf
from custom_functions._inputs import NO_OPTIONS, Options, choice, text
from tilt.api.cells import Cell, find
from tilt.api.state import current
from tilt.api.status import status_items
from tilt.api.traces import listed_runs, trace_table, verify

LISTED = 100  # runs, unless the option top says otherwise


@udf(result="item, value", example="=TILT.STATUS()", lasting=False)
def status() -> pd.DataFrame:
    """Show whether the server answers, from which data, and how long its functions take."""
    return pd.DataFrame(status_items(current()), columns=["item", "value"])


@udf(
    result="part, item, value; view=verify: table, rows, numbers, equal; without a run id: run_id, "
    "function, subject, universe, snapshot, at, version",
    example="=TILT.TRACE()",
    alone=True,
    lasting=False,
)
def trace(
    run_id: Annotated[
        str | None, text("Id of a run, as an answer shows it; left out: a list of yours.")
    ] = None,
    view: Annotated[
        Literal["run", "verify"],
        choice("run (default): what it was; verify: computed again.", ("run", "verify")),
    ] = "run",
    options: Options = NO_OPTIONS,
) -> pd.DataFrame:
    """Show what is behind a number: arguments, data, conventions, versions, who and when.

    Every answer of OPTIMIZE, FRONTIER, BACKTEST and ATTRIBUTION is recorded, in a cell, by a button
    and through HTTP. Its run id stands beside the answer of a button and in the pane; in a cell the
    option run=yes of these functions shows it. The id depends on everything that decides the
    answer: the same id is the same question on the same data.

    The view verify computes the run again, on the snapshot that it was computed from, and says of
    each table whether every cell of it is the same, to the last digit. It needs the snapshot to be
    there still; the row reproducible of the view run tells. Your runs are yours alone: those of
    others are unknown to you. The last 10,000 of each user are kept.
    """
    state = current()
    if run_id is None:
        return listed_runs(state, most=options.top or LISTED)
    return verify(state, run_id) if view == "verify" else trace_table(state, run_id)


@udf(result="a text", example="=TILT.VERSION()")
def version() -> str:
    """Return the version of the server."""
    return tilt.__version__


@udf(result="name, signature, description, example", example='=TILT.HELP("RISK")')
def help(  # noqa: A001 - Excel's name for it
    function: Annotated[str | None, text("Name of a function; left out: all of them.")] = None,
) -> pd.DataFrame:
    """List the functions of Tilt, or explain one."""
    cells = current().cells
    shown = cells.values() if function is None else [_named(function)]
    return pd.DataFrame(
        [(c.name.upper(), c.signature, c.summary, c.example) for c in shown],
        columns=["name", "signature", "description", "example"],
    )


def _named(function: str) -> Cell:
    return find(current().cells, function.strip().lower().removeprefix("tilt."))
