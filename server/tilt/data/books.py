"""How portfolios stand in the catalog: as they are, or encrypted (``tilt.sealing``).

A row of ``portfolios`` that is encrypted has an id in the place of its name, and a book holds its
source and positions as one sealed content. Both ways may stand beside each other: what is read is
told by the row, what is written by the settings.
"""

import datetime as dt
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

import orjson
from sqlalchemy import Connection, Engine, delete, insert, select

from tilt.data import catalog
from tilt.data.tables import books, portfolios, positions
from tilt.sealing import seal_of, sealed_with

HIDDEN = "~"  # what the id of an encrypted portfolio begins with


@dataclass(frozen=True)
class Book:
    """What a portfolio holds on a date, in the order of the user's list."""

    source: str
    tickers: tuple[str, ...]
    weights: tuple[float, ...]
    saved: dt.datetime | None


def names_kept(connection: Connection) -> dict[str, str]:
    """Return the name of each portfolio by what it is kept as."""
    rows = connection.execute(select(portfolios.c.name, portfolios.c.sealed)).all()
    return {row.name: _opened_name(connection, row.name, row.sealed) for row in rows}


def match(names: Mapping[str, str], name: str) -> str | None:
    """Return what the portfolio of a name is kept as, whatever its case; None if there is none."""
    wanted = name.strip().casefold()
    return next((kept for kept, own in names.items() if own.casefold() == wanted), None)


def days_of(connection: Connection, kept: str) -> list[dt.date]:
    """Return the days that a portfolio has holdings of, the earliest first."""
    chosen = select(books.c.as_of).where(books.c.portfolio == kept)
    return sorted(connection.execute(chosen).scalars())


def place(connection: Connection, name: str) -> str:
    """Let the portfolio of this name be there, spelt so, with the dates it has; return its id."""
    names = names_kept(connection)
    old = match(names, name)
    if old is not None and names[old] == name and _is_sealed(connection, old) == _on(connection):
        return old
    new = _hidden_id() if _on(connection) else name
    if old is None:
        _add(connection, new, name)
    else:
        _move(connection, old, new, name)
    return new


def drop(connection: Connection, kept: str) -> None:
    """Remove a portfolio with all that it holds."""
    remove(connection, kept, None)
    connection.execute(delete(portfolios).where(portfolios.c.name == kept))


def remove(connection: Connection, kept: str, day: dt.date | None) -> None:
    """Remove the holdings of a day, or of all days."""
    for table in (positions, books):
        chosen = delete(table).where(table.c.portfolio == kept)
        connection.execute(chosen if day is None else chosen.where(table.c.as_of == day))


def read_book(connection: Connection, kept: str, day: dt.date) -> Book:
    """Return what a portfolio holds on a day that it has.

    Raises
    ------
    DataError
        If it is encrypted, and its key is not here or it is damaged.
    """
    mine = (books.c.portfolio == kept, books.c.as_of == day)
    row = connection.execute(select(books).where(*mine)).one()
    if row.sealed is not None:
        content = orjson.loads(seal_of(connection).open(row.sealed, _place_of(kept, day)))
        return Book(
            content["source"], tuple(content["tickers"]), tuple(content["weights"]), row.saved
        )
    query = select(positions.c.ticker, positions.c.weight).where(
        positions.c.portfolio == kept, positions.c.as_of == day
    )
    held = connection.execute(query.order_by(positions.c.position)).all()
    return Book(row.source, tuple(p.ticker for p in held), tuple(p.weight for p in held), row.saved)


def write_book(connection: Connection, kept: str, day: dt.date, book: Book) -> None:
    """Write what a portfolio holds on a day that it has not, encrypted or not as is set."""
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


def keep_as_set(engine: Engine, kept: str) -> bool:
    """Keep a portfolio as the settings say now, encrypted or not, with the key of now.

    All of it in one transaction. Return whether anything had to be written; a portfolio that is
    gone needs nothing.

    Parameters
    ----------
    kept : as ``names_kept`` has it

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
        name = names_kept(connection)[kept]
        hidden = kept.startswith(HIDDEN) and _is_sealed(connection, kept)
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
        for day in days_of(connection, kept):
            read_book(connection, kept, day)


def _name_of(connection: Connection, kept: str) -> str:
    sealed = select(portfolios.c.sealed).where(portfolios.c.name == kept)
    return _opened_name(connection, kept, connection.execute(sealed).scalar())


def _opened_name(connection: Connection, kept: str, sealed: bytes | None) -> str:
    if sealed is None:
        return kept
    return seal_of(connection).open(sealed, f"portfolios/{kept}").decode()


def _on(connection: Connection) -> bool:
    return seal_of(connection).on


def _hidden_id() -> str:
    return f"{HIDDEN}{secrets.token_hex(12)}"


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
    held = {day: read_book(connection, old, day) for day in days_of(connection, old)}
    drop(connection, old)
    _add(connection, new, name)
    for day, book in held.items():
        write_book(connection, new, day, book)


def _place_of(kept: str, day: dt.date) -> str:
    return f"books/{kept}/{day.isoformat()}"
