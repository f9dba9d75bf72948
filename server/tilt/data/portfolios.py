"""Saved portfolios, in the catalog: a name, and the holdings on one or several dates.

Where portfolios are encrypted (``tilt.sealing``) a row of ``portfolios`` has an id in the place of
its name, and a book holds its source and positions as one sealed content. Both ways may stand
beside each other: what is read is told by the row, what is written by the settings.
"""

import datetime as dt
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import orjson
import pandas as pd
from sqlalchemy import Connection, Engine, delete, func, insert, select

from tilt import audit
from tilt.data import catalog, packs
from tilt.data.tables import books, portfolios, positions
from tilt.errors import ArgumentError, DataError, UnknownNameError, cut, did_you_mean
from tilt.frames import Weights
from tilt.sealing import seal_of, sealed_with

LONGEST_NAME = 200
CHANGES = "portfolios"  # the catalog counts every writing of them under this name
UNDATED = dt.date(1, 1, 1)  # holdings without a date are those of before any date
_HIDDEN = "~"  # what the id of an encrypted portfolio begins with


@dataclass(frozen=True)
class _Book:
    """What a portfolio holds on a date, in the order of the user's list."""

    source: str
    tickers: tuple[str, ...]
    weights: tuple[float, ...]
    saved: dt.datetime | None


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
        names = _names(connection)
        rows = []
        for kept, day, source, sealed, count in connection.execute(query).all():
            if sealed is not None:
                book = _read_book(connection, kept, day)
                source, count = book.source, len(book.tickers)
            rows.append((names[kept], _shown(day), count, source))
    table = pd.DataFrame(sorted(rows), columns=["name", "as_of", "names", "source"])
    return table.assign(as_of=pd.to_datetime(table["as_of"]))


def names_by_id(engine: Engine) -> dict[str, str]:
    """Return the name of each portfolio by what it is kept as: itself, or an id if encrypted."""
    with catalog.reading(engine) as connection:
        return _names(connection)


def kept_as(connection: Connection, name: str) -> str:
    """Return what other tables name a portfolio by: its name, or its id if it is encrypted.

    Raises
    ------
    UnknownNameError
        If there is no portfolio of the name, whatever its case.
    """
    return _find(connection, name)[0]


def audit_name(engine: Engine, name: str) -> str:
    """Return what the audit calls a portfolio, which tells no name of an encrypted one."""
    with catalog.reading(engine) as connection:
        return f"portfolio {_find(connection, name)[0]}"


def saved_names(engine: Engine) -> list[str]:
    """Return the names of the saved portfolios, in order."""
    with catalog.reading(engine) as connection:
        return sorted(_names(connection).values())


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
        days = _days(connection, _find(connection, name)[0])
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
        days = _days(connection, kept)
        past = [d for d in days if date is None or d <= date.date()]
        if date is not None and not past:
            raise UnknownNameError(
                f"'{found}' has no holdings on {date:%Y-%m-%d}: they begin on {min(days)}."
            )
        book = _read_book(connection, kept, max(past))
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
        If the name is empty or too long.
    DataError
        If a ticker is there twice, or a weight is missing.
    """
    wanted = name.strip()
    if not 0 < len(wanted) <= LONGEST_NAME:
        raise ArgumentError(
            f"A portfolio's name has 1 to {LONGEST_NAME} characters; got '{wanted}'."
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
    book = _Book(source, tickers, tuple(float(w) for w in weights), now)
    with catalog.writing(engine) as connection:
        kept = _place(connection, wanted)
        _remove(connection, kept, None if as_of is None else day)
        _write_book(connection, kept, day, book)
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
        _drop(connection, kept)
        packs.forget_portfolio(connection, name)
        catalog.count_change(connection, CHANGES)
        audit.note(connection, "deleted", f"portfolio {kept}")


def keep_as_set(engine: Engine, kept: str) -> bool:
    """Keep a portfolio as the settings say now, encrypted or not, with the key of now.

    All of it in one transaction. Return whether anything had to be written; a portfolio that is
    gone needs nothing.

    Parameters
    ----------
    kept : as ``names_by_id`` has it

    Raises
    ------
    DataError
        If it is encrypted, and its key is not here or it is damaged.
    """
    with catalog.writing(engine) as connection:
        seal = seal_of(connection)
        wanted = seal.id if seal.on else ""
        used = _used(connection, kept)
        if not used or used == {wanted}:
            return False
        name = _names(connection)[kept]
        hidden = kept.startswith(_HIDDEN) and _is_sealed(connection, kept)
        new = (kept if hidden else _hidden_id()) if seal.on else name
        _move(connection, kept, new, name)
    return True


def keys_used(engine: Engine) -> dict[str, set[str]]:
    """Return by portfolio the ids of the keys it is encrypted with; empty for what is not."""
    with catalog.reading(engine) as connection:
        ids = connection.execute(select(portfolios.c.name)).scalars().all()
        return {str(kept): _used(connection, str(kept)) for kept in ids}


def check(engine: Engine, kept: str) -> None:
    """Read all of a portfolio.

    Raises
    ------
    DataError
        If something of it is damaged, or its key is not here.
    """
    with catalog.reading(engine) as connection:
        _name_of(connection, kept)
        for day in _days(connection, kept):
            _read_book(connection, kept, day)


def _shown(day: dt.date) -> dt.date | None:
    return None if day == UNDATED else day


def _names(connection: Connection) -> dict[str, str]:
    """Return the name of each portfolio by what it is kept as."""
    rows = connection.execute(select(portfolios.c.name, portfolios.c.sealed)).all()
    return {row.name: _opened_name(connection, row.name, row.sealed) for row in rows}


def _name_of(connection: Connection, kept: str) -> str:
    sealed = select(portfolios.c.sealed).where(portfolios.c.name == kept)
    return _opened_name(connection, kept, connection.execute(sealed).scalar())


def _opened_name(connection: Connection, kept: str, sealed: bytes | None) -> str:
    if sealed is None:
        return kept
    return seal_of(connection).open(sealed, f"portfolios/{kept}").decode()


def _find(connection: Connection, name: str) -> tuple[str, str]:
    """Return what a portfolio is kept as, and its name as it was saved."""
    names = _names(connection)
    kept = _match(names, name)
    if kept is None:
        raise unknown_portfolio(name, list(names.values()))
    return kept, names[kept]


def _match(names: Mapping[str, str], name: str) -> str | None:
    wanted = name.strip().casefold()
    return next((kept for kept, own in names.items() if own.casefold() == wanted), None)


def _days(connection: Connection, kept: str) -> list[dt.date]:
    chosen = select(books.c.as_of).where(books.c.portfolio == kept)
    return sorted(connection.execute(chosen).scalars())


def _place(connection: Connection, name: str) -> str:
    """Let the portfolio of this name be there, spelt so, with the dates it has; return its id."""
    names = _names(connection)
    old = _match(names, name)
    if old is not None and names[old] == name and _is_sealed(connection, old) == _on(connection):
        return old
    new = _hidden_id() if _on(connection) else name
    if old is None:
        _add(connection, new, name)
    else:
        _move(connection, old, new, name)
    return new


def _on(connection: Connection) -> bool:
    return seal_of(connection).on


def _hidden_id() -> str:
    return f"{_HIDDEN}{secrets.token_hex(12)}"


def _is_sealed(connection: Connection, kept: str) -> bool:
    sealed = select(portfolios.c.sealed).where(portfolios.c.name == kept)
    return connection.execute(sealed).scalar() is not None


def _used(connection: Connection, kept: str) -> set[str]:
    """Return the ids of the keys of a portfolio's rows; empty for one that is not encrypted."""
    own = select(portfolios.c.sealed).where(portfolios.c.name == kept)
    of_books = select(books.c.sealed).where(books.c.portfolio == kept)
    contents = [*connection.execute(own).scalars(), *connection.execute(of_books).scalars()]
    return {sealed_with(content) if content else "" for content in contents}


def _add(connection: Connection, kept: str, name: str) -> None:
    sealed = None
    if _on(connection):
        sealed = seal_of(connection).close(name.encode(), f"portfolios/{kept}")
    connection.execute(insert(portfolios).values(name=kept, sealed=sealed))


def _move(connection: Connection, old: str, new: str, name: str) -> None:
    """Write a portfolio anew, as it is to be kept now."""
    held = {day: _read_book(connection, old, day) for day in _days(connection, old)}
    _drop(connection, old)
    _add(connection, new, name)
    for day, book in held.items():
        _write_book(connection, new, day, book)


def _drop(connection: Connection, kept: str) -> None:
    _remove(connection, kept, None)
    connection.execute(delete(portfolios).where(portfolios.c.name == kept))


def _remove(connection: Connection, kept: str, day: dt.date | None) -> None:
    """Remove the holdings of a day, or of all days."""
    for table in (positions, books):
        chosen = delete(table).where(table.c.portfolio == kept)
        connection.execute(chosen if day is None else chosen.where(table.c.as_of == day))


def _read_book(connection: Connection, kept: str, day: dt.date) -> _Book:
    mine = (books.c.portfolio == kept, books.c.as_of == day)
    row = connection.execute(select(books).where(*mine)).one()
    if row.sealed is not None:
        content = orjson.loads(seal_of(connection).open(row.sealed, _place_of(kept, day)))
        return _Book(
            content["source"], tuple(content["tickers"]), tuple(content["weights"]), row.saved
        )
    query = select(positions.c.ticker, positions.c.weight).where(
        positions.c.portfolio == kept, positions.c.as_of == day
    )
    held = connection.execute(query.order_by(positions.c.position)).all()
    return _Book(
        row.source, tuple(p.ticker for p in held), tuple(p.weight for p in held), row.saved
    )


def _write_book(connection: Connection, kept: str, day: dt.date, book: _Book) -> None:
    seal = seal_of(connection)
    row = {"portfolio": kept, "as_of": day, "saved": book.saved}
    if seal.on:
        content = {"source": book.source, "tickers": book.tickers, "weights": book.weights}
        sealed = seal.close(orjson.dumps(content), _place_of(kept, day))
        connection.execute(insert(books).values(**row, source="", sealed=sealed))
        return
    connection.execute(insert(books).values(**row, source=book.source))
    pairs = zip(book.tickers, book.weights, strict=True)
    rows = [
        {"portfolio": kept, "as_of": day, "ticker": ticker, "weight": weight, "position": i}
        for i, (ticker, weight) in enumerate(pairs)
    ]
    if rows:
        connection.execute(insert(positions), rows)


def _place_of(kept: str, day: dt.date) -> str:
    return f"books/{kept}/{day.isoformat()}"
