"""Cells about Tilt itself."""

from typing import Annotated

import pandas as pd

import tilt
from custom_functions._edge import udf
from custom_functions._inputs import text
from tilt.api.cells import Cell, find
from tilt.api.state import current
from tilt.api.status import status_items


@udf(result="item, value", example="=TILT.STATUS()", lasting=False)
def status() -> pd.DataFrame:
    """Show whether the server answers, from which data, and how long its functions take."""
    return pd.DataFrame(status_items(current()), columns=["item", "value"])


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
