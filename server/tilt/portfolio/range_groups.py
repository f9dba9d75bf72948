"""The groups that a range of holdings gives its names in a column of its own."""

import pandas as pd

from tilt.errors import ArgumentError
from tilt.frames import Panel
from tilt.portfolio.cells import Grid, is_blank, is_error, shown
from tilt.portfolio.identifiers import Tickers
from tilt.portfolio.layout import BadLayout, looks_dated, read_layout


def read_groups(
    grid: Grid, column: str, panel: Panel, date: pd.Timestamp
) -> "pd.Series[str] | None":
    """Return the group of each ticker from the column of that name, None if there is none.

    Parameters
    ----------
    grid : holdings with a header, dated or not
    column : its name, whatever its case
    date : at which tickers are read

    Raises
    ------
    ArgumentError
        If a name has two groups, or a cell of the column is an error; the message tells its row.
    """
    wanted = column.strip().casefold()
    place = next(
        (
            (number, at)
            for number, row in enumerate(grid, start=1)
            for at, cell in enumerate(row)
            if isinstance(cell, str) and cell.strip().casefold() == wanted
        ),
        None,
    )
    layout = read_layout(grid, dated=looks_dated(grid))
    if place is None or isinstance(layout, BadLayout) or place[0] >= layout.rows[0].number:
        return None
    known = Tickers(panel, date)
    found: dict[str, str] = {}
    for row in layout.rows:
        cell = grid[row.number - 1][place[1]]
        if is_error(cell):
            raise ArgumentError(f"holdings row {row.number}: {column} is {shown(cell)}.")
        match = known.find(str(row.identifier)) if not is_blank(row.identifier) else None
        if match is None or is_blank(cell):
            continue
        group = str(cell).strip()
        if found.setdefault(match.ticker, group) != group:
            raise ArgumentError(
                f"holdings row {row.number}: {match.ticker} is in {column} '{group}' here and "
                f"'{found[match.ticker]}' above. Give each name one group."
            )
    return pd.Series(found, name=column.strip(), dtype=object)
