"""Weights and holdings out of files, into a saved portfolio, of one date or of many."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tilt.data.reading.days import date_order, read_days
from tilt.data.reading.door import read_raw
from tilt.data.reading.headers import EXPOSURES, fits, fold, match_columns
from tilt.data.reading.notes import Asked, Note
from tilt.data.reading.opening import Content
from tilt.data.reading.raw import NoTableError, Raw
from tilt.data.schema import KEY_FIGURES, PRICES, STATEMENTS
from tilt.data.store import Store
from tilt.errors import ArgumentError, DataError
from tilt.frames import Weights
from tilt.portfolio.cells import DECIMAL_SIGN, Grid
from tilt.portfolio.holdings import parse_holdings
from tilt.portfolio.layout import AMOUNTS, DATES, IDENTIFIERS

POSITIONS = ("weights", "holdings")
_ALIKE = (PRICES, KEY_FIGURES, STATEMENTS, EXPOSURES)
_KINDS = {KEY_FIGURES.name: "fundamentals", STATEMENTS.name: "fundamentals"}
_AMOUNTS: frozenset[str] = frozenset().union(*AMOUNTS.values())


@dataclass(frozen=True, eq=False)
class Positions:
    """The cells of a file of positions.

    grid  : as it stands, blank above the header, so that rows keep their numbers
    days  : of each row of the grid, or None where the file has no dates
    """

    origin: str
    grid: Grid
    days: np.ndarray | None
    decimal: str
    notes: tuple[Note, ...]


def read_positions(contents: Sequence[Content], asked: Asked) -> Positions | None:
    """Return the positions of a file, or None if its headers are those of something else.

    Raises
    ------
    ArgumentError
        If several files are given.
    DataError
        If the file cannot be read, or its dates could be read in two ways.
    """
    wanted = asked.kind in POSITIONS
    try:
        raws = read_raw(contents[0], asked)
    except NoTableError:
        if wanted:
            raise
        return None
    raw = next((r for r in raws if _has_positions(r)), raws[0] if wanted else None)
    if raw is None:
        return None
    if not wanted:
        _check_clear(raw)
    if len(contents) > 1:
        raise ArgumentError("Positions come in one file: import one after the other.")
    return _positions(raw, asked)


def keep_positions(
    store: Store, name: str, positions: Positions, universe: str | None, *, dry_run: bool
) -> dict[str, object]:
    """Save positions under a name: all dates of the file, or those of no date.

    Raises
    ------
    DataError, UnknownNameError, ArgumentError
        As ``parse_holdings`` raises them; nothing is saved then.
    """
    panel = store.panel(universe)
    sign = DECIMAL_SIGN.set(positions.decimal)
    read: dict[pd.Timestamp | None, Weights] = {}
    notes: list[str] = []
    try:
        for day, grid in _by_day(positions):
            date = panel.as_of if day is None else panel.trading_day(day)
            held = parse_holdings(
                grid, panel, date, saved=store.portfolio, argument=positions.origin
            )
            read[day] = held.weights
            notes += held.notes
    finally:
        DECIMAL_SIGN.reset(sign)
    if not dry_run:
        for day, weights in read.items():
            store.save_portfolio(name, weights, positions.origin, as_of=day)
    days = [d for d in read if d is not None]
    of = f"{len(days)} dates, {min(days):%Y-%m-%d} to {max(days):%Y-%m-%d}" if days else "no date"
    return {
        "portfolio": name.strip(),
        "positions": sum(len(w) for w in read.values()),
        "of": of,
        "assumed": list(dict.fromkeys(notes)),
        "dry_run": dry_run,
    }


def _has_positions(raw: Raw) -> bool:
    folded = {" ".join(h.casefold().replace("_", " ").split()) for h in raw.headers}
    folded |= {fold(h) for h in raw.headers}
    return bool(folded & IDENTIFIERS) and bool(folded & _AMOUNTS)


def _check_clear(raw: Raw) -> None:
    """Raise ``DataError`` if the headers are as well those of a table: a price beside shares."""
    other = next((t for t in _ALIKE if fits(match_columns(raw.headers, t), t)), None)
    if other is not None:
        raise DataError(
            f"{raw.origin} could hold positions or {other.name}: it has columns of both. "
            f"Say --kind holdings or --kind {_KINDS.get(other.name, other.name)}."
        )


def _positions(raw: Raw, asked: Asked) -> Positions:
    dated = [i for i, h in enumerate(raw.headers) if fold(h) in DATES]
    days: np.ndarray | None = None
    count = len(raw.columns[0])
    above = raw.row(0) - 1 if count else 1
    if dated:
        at = dated[0]
        read, bad, phrase = read_days(
            raw.columns[at], date_order(raw, [at], asked), serial_shift=raw.serial_shift
        )
        missing = bad | np.isnat(read)
        if missing.any():
            place = int(np.flatnonzero(missing)[0])
            raise raw.wrong(
                place,
                at,
                f"'{raw.columns[at].iloc[place]}' is not a date.",
                "Write it as 2017-06-30, or delete the row.",
            )
        days = np.concatenate([np.full(above, np.datetime64("NaT", "us")), read])
        raw.note("dates", phrase)
    kept = [i for i in range(len(raw.headers)) if i not in dated[:1]]
    cells = zip(*(raw.columns[i].astype("object") for i in kept), strict=True)
    blank: Grid = [[None] * len(kept) for _ in range(above - 1)]
    rows: Grid = [[None if pd.isna(c) else c for c in row] for row in cells]
    header: list[object] = [raw.headers[i] for i in kept]
    grid: Grid = [*blank, header, *rows]
    return Positions(raw.origin, grid, days, asked.decimal, tuple(raw.notes))


def _by_day(positions: Positions) -> list[tuple[pd.Timestamp | None, Grid]]:
    """Return the grid of each date: rows of other dates are blank, so that rows keep numbers."""
    grid, days = positions.grid, positions.days
    if days is None:
        return [(None, grid)]
    known = np.unique(days[~np.isnat(days)])
    if not len(known):
        raise DataError(f"{positions.origin} has no positions below its header.")
    header = int(np.flatnonzero(~np.isnat(days))[0]) - 1
    found: list[tuple[pd.Timestamp | None, Grid]] = []
    for day in known:
        mine = days == day
        rows: Grid = [
            row if mine[i] or i == header else [None] * len(row) for i, row in enumerate(grid)
        ]
        found.append((pd.Timestamp(day), rows))
    return found
