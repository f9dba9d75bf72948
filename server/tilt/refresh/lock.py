"""One refresh of a universe at a time: the second one is told, and does no work.

The lock ends with its process, however that ends. It holds on one machine; on several machines over
one catalog in PostgreSQL it holds there. What gets past it is stopped when it publishes: a snapshot
made from another one than the current one is refused.
"""

import datetime as dt
import os
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import Engine, text

from tilt.errors import BusyError, cut

NAMESPACE = 8254  # of our advisory locks in PostgreSQL


@contextmanager
def only_refresh(engine: Engine, folder: Path, what: str) -> Iterator[None]:
    """Hold the lock of a universe or a source while the block runs.

    Parameters
    ----------
    engine : the catalog
    folder : of this machine, for the lock's file
    what : the universe or source, in any case

    Raises
    ------
    BusyError
        If another refresh of it runs.
    """
    key = zlib.crc32(what.strip().casefold().encode())
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{key:08x}.lock"
    told = folder / f"{key:08x}.txt"
    lock = sqlite3.connect(path, timeout=0, isolation_level=None)
    try:
        try:
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError:
            raise _busy(what, told) from None
        told.write_text(f"process {os.getpid()} since {dt.datetime.now(dt.UTC):%H:%M:%S} UTC")
        with _catalog_lock(engine, key, what):
            yield
    finally:
        lock.close()


@contextmanager
def _catalog_lock(engine: Engine, key: int, what: str) -> Iterator[None]:
    """Hold the same lock for all machines, where the catalog can."""
    if engine.dialect.name != "postgresql":
        yield
        return
    # no transaction stays open meanwhile: the lock is the session's
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        signed = key - 2**32 if key >= 2**31 else key
        keys = {"space": NAMESPACE, "key": signed}
        taken = connection.execute(
            text("SELECT pg_try_advisory_lock(:space, :key)"), keys
        ).scalar_one()
        if not taken:
            raise _busy(what, None)
        try:
            yield
        finally:
            with suppress(BusyError):  # a session that was lost has taken its lock with it
                connection.execute(text("SELECT pg_advisory_unlock(:space, :key)"), keys)


def _busy(what: str, told: Path | None) -> BusyError:
    who = " on another machine"
    if told is not None:
        who = f", by {told.read_text()}" if told.exists() else ""
    return BusyError(
        f"'{cut(what)}' is being refreshed already{who}. Nothing was changed; wait for that one."
    )
