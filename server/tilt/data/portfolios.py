"""Saved portfolios, in the catalog: a name, and the holdings on one or several dates."""

import datetime as dt
from collections.abc import Sequence

import numpy as np
import pandas as pd
from sqlalchemy import Connection, Engine, func, select

from tilt import audit
from tilt.data import catalog, packs
from tilt.data.books import (
    Book,
    days_of,
    drop,
    match,
    names_kept,
    place,
    read_book,
    remove,
    write_book,
)
from tilt.data.tables import books, positions
from tilt.errors import ArgumentError, DataError, UnknownNameError, cut, did_you_mean
from tilt.frames import Weights
from tilt.security import people

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
    query = select(books.c.portfolio, books.c.as_of, books.c.source, books.c.sealed, held).join(
        last, (last.c.portfolio == books.c.portfolio) & (last.c.as_of == books.c.as_of)
    )
    with catalog.reading(engine) as connection:
        names = names_kept(connection)
        rows = []
        for kept, day, source, sealed, count in connection.execute(query).all():
            if sealed is not None:
                book = read_book(connection, kept, day)
                source, count = book.source, len(book.tickers)
            rows.append((names[kept], _shown(day), count, source))
    table = pd.DataFrame(sorted(rows), columns=["name", "as_of", "names", "source"])
    return table.assign(as_of=pd.to_datetime(table["as_of"]))


def names_by_id(engine: Engine) -> dict[str, str]:
    """Return the name of each portfolio by what it is kept as: itself, or an id if encrypted."""
    with catalog.reading(engine) as connection:
        return names_kept(connection)


def audit_name(engine: Engine, name: str) -> str:
    """Return what the audit calls a portfolio, which tells no name of an encrypted one."""
    with catalog.reading(engine) as connection:
        return f"portfolio {_find(connection, name)[0]}"


def saved_names(engine: Engine) -> list[str]:
    """Return the names of the saved portfolios, in order."""
    with catalog.reading(engine) as connection:
        return sorted(names_kept(connection).values())


def unknown_portfolio(name: str, known: Sequence[str]) -> UnknownNameError:
    """Return the error of a portfolio that is none of the known ones."""
    saved = f" Saved are {', '.join(sorted(known))}." if known else " None is saved yet."
    return UnknownNameError(f"No portfolio '{cut(name)}'.{did_you_mean(name, known)}{saved}")


def dates(engine: Engine, name: str) -> pd.DatetimeIndex:
    """Return the dates of a saved portfolio, the earliest first; none if it has no date.

    Raises
    ------
    UnknownNameError
        If there is no portfolio of the name, whatever its case.
    """
    with catalog.reading(engine) as connection:
        days = days_of(connection, _find(connection, name)[0])
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
    DataError
        If it is encrypted, and its key is not here or it is damaged.
    """
    with catalog.reading(engine) as connection:
        kept, found = _find(connection, name)
        days = days_of(connection, kept)
        past = [d for d in days if date is None or d <= date.date()]
        if date is not None and not past:
            raise UnknownNameError(
                f"'{found}' has no holdings on {date:%Y-%m-%d}: they begin on {min(days)}."
            )
        book = read_book(connection, kept, max(past))
    tickers = pd.Index(book.tickers, name="ticker", dtype="str")
    return pd.Series(book.weights, index=tickers, name="weight", dtype=float)


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
        If the name is empty, too long or not printable, or of one that was to be new and is not.
    DataError
        If a ticker is there twice, or a weight is missing.
    """
    wanted = name.strip()
    if not 0 < len(wanted) <= LONGEST_NAME or not wanted.isprintable():
        raise ArgumentError(
            f"A portfolio's name has 1 to {LONGEST_NAME} characters, all of them printable; got "
            f"'{cut(wanted)}'. Choose another name."
        )
    twice = weights.index[weights.index.duplicated()]
    if len(twice):
        raise DataError(f"{twice[0]} is in '{wanted}' twice. Sum its weights first.")
    bad = weights.index[~np.isfinite(weights.to_numpy(dtype=float))]
    if len(bad):
        raise DataError(f"{bad[0]} in '{wanted}' has no weight.")
    day = UNDATED if as_of is None else as_of.date()
    tickers = tuple(str(ticker) for ticker in weights.index)
    now = dt.datetime.now(dt.UTC)
    book = Book(source, tickers, tuple(float(w) for w in weights), now)
    with catalog.writing(engine) as connection:
        new = match(names_kept(connection), wanted) is None
        people.give_to_maker(connection, "portfolio", wanted, new=new)
        kept = place(connection, wanted)
        remove(connection, kept, None if as_of is None else day)
        write_book(connection, kept, day, book)
        catalog.count_change(connection, CHANGES)
        shown = "" if as_of is None else day.isoformat()
        audit.note(connection, "saved", f"portfolio {kept}", {"date": shown})


def delete_saved(engine: Engine, name: str) -> None:
    """Delete the portfolio of a name, whatever its case, with all its dates.

    Raises
    ------
    UnknownNameError
        If there is none.
    """
    with catalog.writing(engine) as connection:
        kept, _ = _find(connection, name)
        drop(connection, kept)
        packs.forget_portfolio(connection, name)
        people.forget_grants(connection, "portfolio", name)
        catalog.count_change(connection, CHANGES)
        audit.note(connection, "deleted", f"portfolio {kept}")


def _shown(day: dt.date) -> dt.date | None:
    return None if day == UNDATED else day


def _find(connection: Connection, name: str) -> tuple[str, str]:
    """Return what a portfolio is kept as, and its name as it was saved."""
    names = names_kept(connection)
    kept = match(names, name)
    if kept is None:
        raise unknown_portfolio(name, list(names.values()))
    return kept, names[kept]
