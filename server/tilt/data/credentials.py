"""What sources sign in with, such as a database's password: in the catalog, always encrypted."""

import datetime as dt

import pandas as pd
from sqlalchemy import Engine, delete, insert, select

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
        raise ArgumentError("A credential is not empty.")
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
    query = select(credentials.c.name, credentials.c.body)
    with catalog.reading(engine) as connection:
        found = {row.name: row.body for row in connection.execute(query)}
    if name not in found:
        raise UnknownNameError(
            f"No credential '{cut(name)}'.{did_you_mean(name, found)} Save it with 'tilt "
            "credential set'."
        )
    return seal_of(engine).open(found[name], place_of(name)).decode()


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
    with catalog.writing(engine) as connection:
        gone = connection.execute(delete(credentials).where(credentials.c.name == name)).rowcount
        if not gone:
            raise UnknownNameError(f"No credential '{cut(name)}'.")
        audit.note(connection, "deleted", f"credential {name}")


def place_of(name: str) -> str:
    """Return what an encrypted secret is bound to."""
    return f"credentials/{name}"
