"""Saved portfolios, in the catalog: a name, and the holdings on one or several dates."""

import datetime as dt

import numpy as np
import pandas as pd
from sqlalchemy import Connection, Engine, delete, func, insert, select, update

from tilt.data import catalog
from tilt.data.tables import books, portfolios, positions
from tilt.errors import ArgumentError, DataError, UnknownNameError, cut, did_you_mean
from tilt.frames import Weights

LONGEST_NAME = 200
CHANGES = "portfolios"  # the catalog counts every writing of them under this name
UNDATED = dt.date(1, 1, 1)  # holdings without a date are those of before any date


def listed(engine: Engine) -> pd.DataFrame:
    """Return name, as_of (the last date), names (how many are held then) and source, by name."""
    last = (
        select(books.c.portfolio, func.max(books.c.as_of).label("as_of"))
        .group_by(books.c.portfolio)
        .subquery()
    )
    held = (
        select(func.count())
        .where(positions.c.portfolio == books.c.portfolio, positions.c.as_of == books.c.as_of)
        .scalar_subquery()
    )
    query = (
        select(books.c.portfolio, books.c.as_of, held, books.c.source)
        .join(last, (last.c.portfolio == books.c.portfolio) & (last.c.as_of == books.c.as_of))
        .order_by(books.c.portfolio)
    )
    with catalog.reading(engine) as connection:
        rows = [(r[0], _shown(r[1]), r[2], r[3]) for r in connection.execute(query)]
    table = pd.DataFrame(rows, columns=["name", "as_of", "names", "source"])
    return table.assign(as_of=pd.to_datetime(table["as_of"]))


def dates(engine: Engine, name: str) -> pd.DatetimeIndex:
    """Return the dates of a saved portfolio, the earliest first; none if it has no date.

    Raises
    ------
    UnknownNameError
        If there is no portfolio of the name, whatever its case.
    """
    with catalog.reading(engine) as connection:
        found = _find(connection, name)
        chosen = select(books.c.as_of).where(books.c.portfolio == found)
        days = sorted(connection.execute(chosen).scalars())
    return pd.DatetimeIndex([d for d in days if d != UNDATED], name="date").as_unit("us")


def read(engine: Engine, name: str, date: pd.Timestamp | None = None) -> Weights:
    """Return the weights of a saved portfolio, in the order they were given.

    Parameters
    ----------
    date : the holdings are those of the last date at or before it; of the last one of all if None

    Raises
    ------
    UnknownNameError
        If there is no portfolio of the name, whatever its case, or its first date is later.
    """
    with catalog.reading(engine) as connection:
        found = _find(connection, name)
        days = set(
            connection.execute(select(books.c.as_of).where(books.c.portfolio == found)).scalars()
        )
        past = [d for d in days if date is None or d <= date.date()]
        if date is not None and not past:
            raise UnknownNameError(
                f"'{found}' has no holdings on {date:%Y-%m-%d}: they begin on {min(days)}."
            )
        held = positions.c
        query = select(held.ticker, held.weight).where(
            held.portfolio == found, held.as_of == max(past)
        )
        rows = connection.execute(query.order_by(held.position)).all()
    tickers = pd.Index([r.ticker for r in rows], name="ticker", dtype="str")
    return pd.Series([r.weight for r in rows], index=tickers, name="weight", dtype=float)


def save(
    engine: Engine, name: str, weights: Weights, source: str, *, as_of: pd.Timestamp | None = None
) -> None:
    """Save weights under a name, whatever the case of the name that is there.

    Parameters
    ----------
    as_of : the date of the holdings, kept beside the portfolio's other dates; without one they
        are the portfolio, in place of all that is there

    Raises
    ------
    ArgumentError
        If the name is empty or too long.
    DataError
        If a ticker is there twice, or a weight is missing.
    """
    kept = name.strip()
    if not 0 < len(kept) <= LONGEST_NAME:
        raise ArgumentError(f"A portfolio's name has 1 to {LONGEST_NAME} characters; got '{kept}'.")
    twice = weights.index[weights.index.duplicated()]
    if len(twice):
        raise DataError(f"{twice[0]} is in '{kept}' twice. Sum its weights first.")
    bad = weights.index[~np.isfinite(weights.to_numpy(dtype=float))]
    if len(bad):
        raise DataError(f"{bad[0]} in '{kept}' has no weight.")
    day = UNDATED if as_of is None else as_of.date()
    rows = [
        {
            "portfolio": kept,
            "as_of": day,
            "ticker": str(ticker),
            "weight": float(weight),
            "position": i,
        }
        for i, (ticker, weight) in enumerate(weights.items())
    ]
    now = dt.datetime.now(dt.UTC)
    with catalog.writing(engine) as connection:
        _rename(connection, kept)
        _remove(connection, kept, None if as_of is None else day)
        connection.execute(
            insert(books).values(portfolio=kept, as_of=day, source=source, saved=now)
        )
        if rows:
            connection.execute(insert(positions), rows)
        catalog.count_change(connection, CHANGES)


def delete_saved(engine: Engine, name: str) -> None:
    """Delete the portfolio of a name, whatever its case, with all its dates.

    Raises
    ------
    UnknownNameError
        If there is none.
    """
    with catalog.writing(engine) as connection:
        found = _find(connection, name)
        _remove(connection, found, None)
        connection.execute(delete(portfolios).where(portfolios.c.name == found))
        catalog.count_change(connection, CHANGES)


def _shown(day: dt.date) -> dt.date | None:
    return None if day == UNDATED else day


def _find(connection: Connection, name: str) -> str:
    """Return the name of a portfolio as it was saved."""
    names = [str(n) for n in connection.execute(select(portfolios.c.name)).scalars()]
    wanted = name.strip().casefold()
    found = next((n for n in names if n.casefold() == wanted), None)
    if found is None:
        known = f" Saved are {', '.join(sorted(names))}." if names else " None is saved yet."
        raise UnknownNameError(f"No portfolio '{cut(name)}'.{did_you_mean(name, names)}{known}")
    return found


def _rename(connection: Connection, name: str) -> None:
    """Let the portfolio of this name be there, spelt so, with the dates it has."""
    names = list(connection.execute(select(portfolios.c.name)).scalars())
    if name in names:
        return
    connection.execute(insert(portfolios).values(name=name))
    for old in (n for n in names if n.casefold() == name.casefold()):
        for table in (books, positions):
            connection.execute(update(table).where(table.c.portfolio == old).values(portfolio=name))
        connection.execute(delete(portfolios).where(portfolios.c.name == old))


def _remove(connection: Connection, name: str, day: dt.date | None) -> None:
    """Remove the holdings of a day, or of all days."""
    for table in (positions, books):
        chosen = delete(table).where(table.c.portfolio == name)
        connection.execute(chosen if day is None else chosen.where(table.c.as_of == day))
