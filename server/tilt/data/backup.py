"""A copy of all that an installation keeps: a backup, and the way back.

A backup is a store itself, a folder with its catalog in SQLite, whatever the installation uses; so
it can be verified, opened and served. Files come first, each checked against the hash it was
written with, then the catalog in one transaction: a copy that was interrupted is an empty store.

Left out are jobs and the answers to repeated writes, which belong to the servers that ran them.
"""

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, DateTime, Table, func, insert, select, text

from tilt import audit, security
from tilt.data import snapshots, tables
from tilt.data.catalog import count_change, reading, writing
from tilt.data.contents import Contents
from tilt.data.places import Draft, Stored
from tilt.data.store import Store
from tilt.errors import ArgumentError, DataError
from tilt.settings import Settings, read_settings

_ROWS = 5_000  # inserted at a time


@dataclass(frozen=True)
class Copied:
    """How much a copy holds; bytes are those of the snapshots' files."""

    snapshots: int
    portfolios: int
    bytes: int


def settings_of_backup(folder: Path, *, made: bool = False) -> Settings:
    """Return the settings of the store in a backup's folder, with the keys of this installation.

    Parameters
    ----------
    made : whether it must be there already

    Raises
    ------
    ArgumentError
        If it must be there and is not, or the settings of this installation are wrong.
    """
    own = {"data_url": str(folder), "database_url": "", "work_folder": "", "audit_anchor": None}
    settings = read_settings().model_copy(update=own)
    if made and not Path(settings.catalog_url.removeprefix("sqlite:///")).exists():
        raise ArgumentError(f"{folder} holds no backup. Name the folder given to 'tilt backup'.")
    return settings


def copy_store(
    source: Store,
    target: Store,
    progress: Callable[[float, str], None] = lambda _share, _words: None,
) -> Copied:
    """Copy everything from one store to another, which must be empty.

    The copy is of one moment: what is saved meanwhile is not in it.

    Parameters
    ----------
    progress : told the share of the files that is copied, and what comes next

    Raises
    ------
    ArgumentError
        If the target holds anything already.
    DataError
        If a file is missing or damaged, or the target does not take it; the target stays empty.
    """
    _refuse_unless_empty(target)
    with reading(source.catalog) as given:
        if given.dialect.name == "postgresql":  # in SQLite every transaction sees one moment
            given.execution_options(isolation_level="REPEATABLE READ")
        files = _files(given)
        with ExitStack() as stack:
            try:
                drafts = []
                for number, (snapshot, listed) in enumerate(files.items()):
                    progress(number / len(files), f"snapshot {snapshot}")
                    drafts.append(target.place.begin(snapshot))
                    stack.callback(drafts[-1].drop)
                    _copy_files(Contents(snapshot, source.place, listed), drafts[-1])
                progress(1.0, "catalog")
                _copy_catalog(given, target, drafts)
            except OSError as error:
                raise DataError(
                    f"The copy cannot be written to {target.place.where} "
                    f"({error.strerror or error}). Make room or name another place; what is there "
                    "is not complete and nobody sees it."
                ) from None
        held = given.execute(select(func.count()).select_from(tables.portfolios)).scalar_one()
    total = sum(file.bytes for listed in files.values() for file in listed)
    return Copied(len(files), held, total)


def _tables() -> list[Table]:
    """Return the tables that are copied, those first that others refer to."""
    kept = (tables.metadata, security.METADATA, audit.METADATA)
    every = [table for tables_of in kept for table in tables_of.sorted_tables]
    return [table for table in every if table is not tables.changes]


def _files(given: Connection) -> dict[str, list[Stored]]:
    """Return the files of each snapshot."""
    found: dict[str, list[Stored]] = {
        snapshot: [] for snapshot in sorted(snapshots.complete(given))
    }
    for row in given.execute(select(tables.files)).mappings():
        found[row["snapshot"]].append(Stored(**row))
    return found


def _refuse_unless_empty(target: Store) -> None:
    with reading(target.catalog) as connection:
        full = [
            table.name
            for table in _tables()
            if connection.execute(select(func.count()).select_from(table)).scalar_one()
        ]
    if full:
        raise ArgumentError(
            f"{target.place.where} is in use: its catalog has {', '.join(full)}. Copy to an empty "
            "folder, or restore with TILT_DATA_URL and TILT_DATABASE_URL set to empty places."
        )


def _copy_files(contents: Contents, draft: Draft) -> None:
    for file in contents.files:
        draft.write(file, memoryview(contents.content(file)))


def _copy_catalog(given: Connection, target: Store, drafts: list[Draft]) -> None:
    """Give the files their names and list all there is, in one transaction."""
    with writing(target.catalog) as taken:
        _refuse_unless_empty(target)  # somebody may have used it meanwhile
        for draft in drafts:
            draft.finish()
        for table in _tables():
            _copy_rows(given, taken, table)
        for what in given.execute(select(tables.changes.c.what)).scalars():
            count_change(taken, what)


def _copy_rows(given: Connection, taken: Connection, table: Table) -> None:
    for rows in given.execute(select(table)).mappings().partitions(_ROWS):
        taken.execute(insert(table), [dict(_in_utc(table, dict(row))) for row in rows])
    counted = table.autoincrement_column
    if taken.dialect.name == "postgresql" and counted is not None:
        name = f"'{table.name}', '{counted.name}'"  # of our own tables
        last = select(func.max(counted)).scalar_subquery()
        sequence = text(f"pg_get_serial_sequence({name})")
        taken.execute(select(func.setval(sequence, func.coalesce(last, 1), last.isnot(None))))


def _in_utc(table: Table, row: dict[str, object]) -> Iterator[tuple[str, object]]:
    """Yield a row's items with times in UTC: SQLite keeps no zone, PostgreSQL gives its own."""
    for name, value in row.items():
        kind = table.c[name].type
        if isinstance(value, dt.datetime) and isinstance(kind, DateTime) and kind.timezone:
            zoned = value if value.tzinfo else value.replace(tzinfo=dt.UTC)
            yield name, zoned.astimezone(dt.UTC)
        else:
            yield name, value
