"""Ranges of two columns, a name and a number: expected returns, trades, shocks."""

from collections.abc import Callable

import pandas as pd

from tilt.api.values import Grid
from tilt.errors import ArgumentError, DataError, UnknownNameError, cut, did_you_mean
from tilt.portfolio.cells import Number, is_blank, is_zero, read_number
from tilt.portfolio.identifiers import Tickers

Resolve = Callable[[object, str], str]


def read_pairs(grid: Grid, argument: str, value: str, resolve: Resolve) -> dict[str, float]:
    """Return numbers by name; a header row and empty rows are skipped.

    Parameters
    ----------
    argument, value : what the range and its second column are, for the messages
    resolve : gives the name that a cell means, or raises; it is told the cell's place

    Raises
    ------
    ArgumentError
        If the range has not two columns.
    DataError
        If a number is none, or a name comes twice.
    """
    if len(grid[0]) != 2:
        raise ArgumentError(f"{argument} must be two columns, a name and its {value}.")
    rows = [(n, row) for n, row in enumerate(grid, start=1) if not _is_empty(row)]
    if rows and _is_header(rows[0][1]):
        rows = rows[1:]
    found: dict[str, float] = {}
    for number, (name, given) in rows:
        place = f"{argument} row {number}"
        known = resolve(name, place)
        if known in found:
            raise DataError(f"{place}: {known} is given twice. Keep one.")
        found[known] = _number(given, f"{place}: {value}")
    return found


def ticker_in(known: Tickers) -> Resolve:
    """Return how a cell is read as a ticker."""

    def resolve(cell: object, place: str) -> str:
        if is_blank(cell):
            raise DataError(f"{place}: ticker is blank. Type it or clear the row.")
        text = known.read(cell)
        if not isinstance(text, str):
            raise DataError(f"{place}: {text.problem}. {text.fix}")
        match = known.find(text)
        if match is None:
            raise UnknownNameError(f"Unknown ticker '{cut(text)}' ({place}).{known.suggest(text)}")
        return match.ticker

    return resolve


def factor_or_ticker(factors: "pd.Index[str]", known: Tickers) -> Resolve:
    """Return how a cell is read as a factor, in any case, or else as a ticker."""
    by_fold = {str(name).casefold(): str(name) for name in factors}
    as_ticker = ticker_in(known)

    def resolve(cell: object, place: str) -> str:
        text = cell.strip() if isinstance(cell, str) else ""
        if text.casefold() in by_fold:
            return by_fold[text.casefold()]
        near = did_you_mean(text, by_fold.values())
        if near and known.find(text) is None:
            raise UnknownNameError(
                f"'{cut(text)}' ({place}) is neither a factor nor a ticker.{near}"
            )
        return as_ticker(cell, place)

    return resolve


def _is_empty(row: list[object]) -> bool:
    name, value = row
    return is_blank(name) and (is_blank(value) or is_zero(value))


def _is_header(row: list[object]) -> bool:
    value = row[1]
    if not isinstance(value, str) or value.startswith("#"):
        return False
    return not isinstance(read_number(value, point_is_decimal=True), Number)


def _number(cell: object, what: str) -> float:
    read = None if is_blank(cell) else read_number(cell, point_is_decimal=True)
    if isinstance(read, Number):
        return read.value
    why = "is blank" if read is None else read.problem
    raise DataError(f"{what} {why}.")
