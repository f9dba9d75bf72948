"""A list of identifiers, whatever people paste, and the security each of them means."""

import datetime as dt
from collections.abc import Callable, Sequence
from functools import cache

import pandas as pd

from tilt.errors import ArgumentError, DataError
from tilt.frames import Panel
from tilt.portfolio.cells import Problem, is_blank, is_error, shown
from tilt.portfolio.identifiers import Tickers, is_cash, is_total
from tilt.portfolio.matching import Matched, matcher_of

COLUMNS = ["given", "ticker", "name", "kind", "confidence", "note"]
MIN_CONFIDENCE = 0.5
CASH = "CASH"
_WHOLE = 1e15  # a number below it has all of its digits
_BLANK = Matched("", "none", 0.0, "The cell is blank.")


def match_table(
    panel: Panel,
    ids: Sequence[object],
    names: Sequence[object] | None = None,
    *,
    min_confidence: float = MIN_CONFIDENCE,
    asof: pd.Timestamp | None = None,
) -> pd.DataFrame:
    """Return what each identifier means, in the order given.

    Parameters
    ----------
    ids : cells: texts, numbers, dates that Excel made of tickers, blanks
    names : of the companies, one for each identifier; None where they are not known
    min_confidence : below it a match is shown in the note only
    asof : the day on which the identifiers were in use; None: today

    Returns
    -------
    given, ticker, name, kind, confidence, note, a row per identifier; no ticker and no name (None)
    where there is no match. Kinds and confidence are those of ``tilt.portfolio.matching``

    Raises
    ------
    DataError
        If a cell is an Excel error.
    ArgumentError
        If there are not as many names as identifiers, or the confidence is not from 0 to 1.
    """
    if names is not None and len(names) != len(ids):
        raise ArgumentError(
            f"names has {len(names)} cells and ids has {len(ids)}. Select as many of both."
        )
    if not 0 <= min_confidence <= 1:
        raise ArgumentError(f"option min_confidence must be from 0 to 1; got {min_confidence:g}.")
    tickers = Tickers(panel, panel.as_of)
    matcher = matcher_of(panel)
    beside = [""] * len(ids) if names is None else [_name(n, i) for i, n in enumerate(names, 1)]

    @cache
    def of_text(text: str, name: str) -> Matched:
        found = matcher.match(text, name=name, asof=asof)
        if found.ticker:
            return found
        if is_cash(text):
            return Matched(CASH, "cash", 1.0)
        if is_total(text):
            return Matched("", "none", 0.0, "It is the sum of others, not a security.")
        hint = "" if found.candidates else tickers.suggest(text)
        return Matched("", "none", 0.0, f"{found.note}{hint}", found.candidates)

    rows = []
    for number, (cell, name) in enumerate(zip(ids, beside, strict=True), start=1):
        if is_error(cell):
            raise DataError(f"ids row {number} is {shown(cell)}. Mend the cell it comes from.")
        found = _match(cell, name, tickers, of_text)
        if found.ticker and found.confidence < min_confidence:
            note = f"{found.ticker} at a confidence of {found.confidence:.2f}: {found.note}"
            found = Matched("", "none", 0.0, note)
        company = "Cash" if found.kind == "cash" else matcher.name(found.ticker)
        given = "" if is_blank(cell) else cell
        rows.append(
            (given, found.ticker or None, company if found.ticker else None, found.kind,
             found.confidence, found.note)
        )  # fmt: skip
    return pd.DataFrame(rows, columns=COLUMNS)


def _match(
    cell: object, name: str, tickers: Tickers, of_text: Callable[[str, str], Matched]
) -> Matched:
    if is_blank(cell):
        return of_text("", name) if name else _BLANK
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        whole = float(cell).is_integer() and abs(cell) < _WHOLE
        found = of_text(f"{cell:.0f}" if whole else f"{cell:.15g}".upper(), name)
        if found.ticker:
            return found
    read = tickers.read(cell)
    if isinstance(read, Problem):
        if name and not isinstance(cell, dt.date):
            return of_text("", name)
        return Matched("", "none", 0.0, f"The {read.problem}. {read.fix}")
    return of_text(read, name)


def _name(cell: object, row: int) -> str:
    if is_error(cell):
        raise DataError(f"names row {row} is {shown(cell)}. Mend the cell it comes from.")
    return "" if is_blank(cell) else str(cell).strip()
