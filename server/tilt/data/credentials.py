"""What sources sign in with, such as a database's password: in the catalog, always encrypted."""

import datetime as dt

import pandas as pd
from sqlalchemy import Connection, Engine, delete, insert, select

from tilt import audit
from tilt.data import catalog
from tilt.data.tables import credentials
from tilt.errors import ArgumentError, UnknownNameError, cut, did_you_mean
from tilt.sealing import seal_of, sealed_with

LONGEST_NAME = 80


def save(engine: Engine, name: str, secret: str) -> None:
    """Save a secret under a name, in place of the one there.

    Raises
    ------
    ArgumentError
        If the name or the secret is empty or too long, or there is no data key.
    """
    kept = name.strip()
    if not 0 < len(kept) <= LONGEST_NAME or not kept.isprintable() or "/" in kept:
        raise ArgumentError(
            f"A credential's name has 1 to {LONGEST_NAME} printable characters and no slash."
        )
    if not secret:
        raise ArgumentError(
            "A credential is not empty. Type it when asked, or send it on standard input."
        )
    body = seal_of(engine).close(secret.encode(), place_of(kept))
    with catalog.writing(engine) as connection:
        connection.execute(delete(credentials).where(credentials.c.name == kept))
        now = dt.datetime.now(dt.UTC)
        connection.execute(insert(credentials).values(name=kept, body=body, saved=now))
        audit.note(connection, "saved", f"credential {kept}")


def read(engine: Engine, name: str) -> str:
    """Return a secret.

    Raises
    ------
    UnknownNameError
        If there is none of the name.
    DataError
        If its key is not here, or it is damaged.
    """
    kept = name.strip()
    with catalog.reading(engine) as connection:
        query = select(credentials.c.body).where(credentials.c.name == kept)
        body = connection.execute(query).scalar()
        if body is None:
            raise _unknown(connection, kept)
    return seal_of(engine).open(body, place_of(kept)).decode()


def listed(engine: Engine) -> pd.DataFrame:
    """Return name, key (the id of the key it is encrypted with) and saved, by name."""
    with catalog.reading(engine) as connection:
        rows = connection.execute(select(credentials).order_by(credentials.c.name)).all()
    table = [(row.name, sealed_with(row.body), row.saved) for row in rows]
    return pd.DataFrame(table, columns=["name", "key", "saved"])


def remove(engine: Engine, name: str) -> None:
    """Remove a secret.

    Raises
    ------
    UnknownNameError
        If there is none of the name.
    """
    kept = name.strip()
    with catalog.writing(engine) as connection:
        mine = delete(credentials).where(credentials.c.name == kept)
        if connection.execute(mine).rowcount == 0:
            raise _unknown(connection, kept)
        audit.note(connection, "deleted", f"credential {kept}")


def place_of(name: str) -> str:
    """Return what an encrypted secret is bound to."""
    return f"credentials/{name}"


def _unknown(connection: Connection, name: str) -> UnknownNameError:
    known = list(connection.execute(select(credentials.c.name)).scalars())
    return UnknownNameError(
        f"No credential '{cut(name)}'.{did_you_mean(name, known)} 'tilt credential list' shows "
        "them; save it with 'tilt credential set'."
    )
