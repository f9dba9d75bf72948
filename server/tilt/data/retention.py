"""Which snapshots are kept, which go, and what is wrong with those that are there."""

import datetime as dt
from collections import Counter

import pandas as pd
from sqlalchemy import func, select

from tilt import audit
from tilt.data import snapshots, tables
from tilt.data.catalog import reading, writing
from tilt.data.derive import data_snapshot
from tilt.data.snapshots import Snapshot
from tilt.data.store import Store
from tilt.errors import ArgumentError, DataError
from tilt.jobs import table

KEPT = "kept"
GOES = "goes"


def plan(
    store: Store, *, keep: int, days: float, now: dt.datetime, universe: str | None = None
) -> pd.DataFrame:
    """Return what becomes of each snapshot.

    Parameters
    ----------
    keep : how many snapshots of each universe stay, those published last
    days : whatever was current within so many days stays too
    now : with a time zone

    Returns
    -------
    universe, snapshot, as_of, published, bytes, results, fate, why, the newest first; ``results``
    counts the saved results that were computed from it, which cannot be computed again once it is
    gone; ``fate`` is ``kept`` or ``goes``

    Raises
    ------
    ArgumentError
        If nothing would be kept.
    """
    if keep < 1 or days < 0:
        raise ArgumentError(f"At least the last snapshot is kept; got {keep} and {days:g} days.")
    sizes, results = _sizes(store), _results(store)
    rows = []
    place: dict[str, int] = {}
    ended: dict[str, dt.datetime] = {}  # when the snapshot stopped being the current one
    for kept in store.snapshots(universe):
        place[kept.universe] = place.get(kept.universe, 0) + 1
        fate, why = _fate(place[kept.universe], ended.get(kept.universe), keep, days, now)
        ended[kept.universe] = kept.published
        rows.append(
            {
                "universe": kept.universe,
                "snapshot": kept.id,
                "as_of": pd.Timestamp(kept.as_of),
                "published": pd.Timestamp(kept.published).tz_localize(None),
                "bytes": sizes.get(kept.id, 0),
                "results": results.get(kept.id, 0),
                "fate": fate,
                "why": why,
            }
        )
    columns = ("universe", "snapshot", "as_of", "published", "bytes", "results", "fate", "why")
    return pd.DataFrame(rows, columns=list(columns))


def prune(store: Store, planned: pd.DataFrame) -> list[str]:
    """Remove the snapshots that a plan says go, and return their ids.

    One that has become current since the plan was made stays.

    Raises
    ------
    DataError
        If files cannot be removed; their snapshot is gone from the catalog all the same, and the
        next refresh tries again.
    """
    gone = []
    for row in planned[planned["fate"] == GOES].itertuples():
        snapshot = str(row.snapshot)
        with writing(store.catalog) as connection:
            if snapshot in snapshots.current_ids(connection):
                continue
            snapshots.remove(connection, snapshot)
            told = {"universe": row.universe, "as_of": f"{row.as_of:%Y-%m-%d}", "bytes": row.bytes}
            audit.note(connection, "pruned", f"snapshot {snapshot}", told)
        try:
            store.place.remove(snapshot)
        except OSError as error:
            raise DataError(
                f"Snapshot {snapshot} is out of the catalog, but its files in {store.place.where} "
                f"cannot be removed ({error.strerror or error}). The next refresh tries again."
            ) from None
        gone.append(snapshot)
    return gone


def verify(store: Store, chosen: list[Snapshot]) -> pd.DataFrame:
    """Return universe, snapshot, file and what is wrong, a row per damaged file.

    Every file is read: its hash and the checksum of each of its pages are compared with what was
    written.
    """
    rows = [
        (s.universe, s.id, name, said)
        for s in chosen
        for name, said in store.contents(s.id).damage().items()
    ]
    return pd.DataFrame(rows, columns=["universe", "snapshot", "file", "problem"])


def _fate(
    place: int, ended: dt.datetime | None, keep: int, days: float, now: dt.datetime
) -> tuple[str, str]:
    if ended is None:
        return KEPT, "current"
    if place <= keep:
        return KEPT, f"one of the last {keep}"
    if now - ended < dt.timedelta(days=days):
        return KEPT, f"current within {days:g} days"
    return GOES, f"not current since {ended:%Y-%m-%d}"


def _sizes(store: Store) -> dict[str, int]:
    file = tables.files.c
    query = select(file.snapshot, func.sum(file.bytes)).group_by(file.snapshot)
    with reading(store.catalog) as connection:
        return {str(row[0]): int(row[1]) for row in connection.execute(query)}


def _results(store: Store) -> dict[str, int]:
    """Return how many results of jobs are kept that were computed from each snapshot."""
    job = table.JOBS.c
    query = select(job.snapshot).where(job.state == "done", job.snapshot != "")
    with reading(store.catalog) as connection:
        used = list(connection.execute(query).scalars())
    return Counter(data_snapshot(of) for of in used)
