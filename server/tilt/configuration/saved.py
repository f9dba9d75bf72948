"""Named configurations, in the catalog."""

import datetime as dt
from collections.abc import Sequence

import pandas as pd
from sqlalchemy import Connection, Engine, delete, insert, select

from tilt import audit
from tilt.configuration.reading import read_configuration
from tilt.configuration.settings import Configuration
from tilt.data import catalog
from tilt.data.tables import configurations as table
from tilt.errors import ArgumentError, UnknownNameError, cut, did_you_mean
from tilt.sealing import seal_of
from tilt.security import people

LONGEST_NAME = 200
KIND = "model and optimization"
CHANGES = "configurations"  # the catalog counts every writing of them under this name


def listed(engine: Engine) -> pd.DataFrame:
    """Return name, id and saved (UTC) of every configuration, by name."""
    query = select(table.c.name, table.c.id, table.c.saved).order_by(table.c.name)
    with catalog.reading(engine) as connection:
        rows = [tuple(row) for row in connection.execute(query)]
    return pd.DataFrame(rows, columns=["name", "id", "saved"])


def read(engine: Engine, name: str) -> Configuration:
    """Return the configuration of a name, whatever its case.

    Raises
    ------
    UnknownNameError
        If there is none.
    ArgumentError
        If it was saved by another version of Tilt, and this one does not understand it.
    """
    with catalog.reading(engine) as connection:
        kept = _find(connection, name)
        body = connection.execute(select(table.c.body).where(table.c.name == kept)).scalar_one()
    return read_configuration(seal_of(engine).open_text(body, _place_of(kept)))


def save(engine: Engine, name: str, configuration: Configuration) -> str:
    """Save a configuration under a name, in place of the one of that name; return its id.

    Raises
    ------
    ArgumentError
        If the name is empty or too long, or of one that was to be new and is not.
    """
    kept = name.strip()
    if not 0 < len(kept) <= LONGEST_NAME or not kept.isprintable():
        raise ArgumentError(
            f"A configuration's name has 1 to {LONGEST_NAME} characters; got '{cut(name)}'."
        )
    row = {
        "name": kept,
        "id": configuration.id,
        "kind": KIND,
        "body": seal_of(engine).keep_text(configuration.model_dump_json(), _place_of(kept)),
        "saved": dt.datetime.now(dt.UTC),
    }
    with catalog.writing(engine) as connection:
        before = [old for old in _names(connection) if old.casefold() == kept.casefold()]
        people.give_to_maker(connection, "configuration", kept, new=not before)
        connection.execute(delete(table).where(table.c.name.in_(before)))
        connection.execute(insert(table).values(**row))
        catalog.count_change(connection, CHANGES)
        audit.note(connection, "saved", f"configuration {kept}", {"id": configuration.id})
    return configuration.id


def delete_saved(engine: Engine, name: str) -> None:
    """Delete the configuration of a name, whatever its case.

    Raises
    ------
    UnknownNameError
        If there is none.
    """
    with catalog.writing(engine) as connection:
        kept = _find(connection, name)
        connection.execute(delete(table).where(table.c.name == kept))
        people.forget_grants(connection, "configuration", kept)
        catalog.count_change(connection, CHANGES)
        audit.note(connection, "deleted", f"configuration {kept}")


def unknown_configuration(name: str, names: Sequence[str]) -> UnknownNameError:
    """Return the error of a configuration that is none of the known ones."""
    known = f" Saved are {', '.join(names[:10])}." if names else " None is saved yet."
    return UnknownNameError(f"No configuration '{cut(name)}'.{did_you_mean(name, names)}{known}")


def _place_of(name: str) -> str:
    return f"configurations/{name}"


def _names(connection: Connection) -> list[str]:
    return list(connection.execute(select(table.c.name).order_by(table.c.name)).scalars())


def _find(connection: Connection, name: str) -> str:
    names = _names(connection)
    found = next((n for n in names if n.casefold() == name.strip().casefold()), None)
    if found is None:
        raise unknown_configuration(name, names)
    return found
