"""The versions of the data, and what two of them differ in."""

from typing import Annotated

import pandas as pd
from fastapi import APIRouter, Query, Request

from tilt.api.frames import split
from tilt.api.running import Running
from tilt.api.v1.asking import StrictRoute, in_pool
from tilt.api.v1.quality import counts_by_severity
from tilt.data.difference import difference
from tilt.data.store import Snapshot, Store
from tilt.errors import ArgumentError, UnknownNameError, cut, did_you_mean

router = APIRouter(tags=["data"], route_class=StrictRoute)

COLUMNS = [
    "id", "universe", "source", "created", "first_date", "as_of", "securities", "current",
]  # fmt: skip
Asked = Annotated[str | None, Query(max_length=200)]
Id = Annotated[str, Query(max_length=200)]


@router.get("/snapshots")
async def snapshots(
    request: Request,
    universe: Asked = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    offset: Annotated[int, Query(ge=0, le=10**9)] = 0,
) -> dict[str, object]:
    """List the snapshots of a universe, the newest first; the current one is marked."""

    def work(tilt: Running) -> dict[str, object]:
        table = snapshot_table(tilt.state.store, universe)
        shown = table.iloc[offset : offset + limit].reset_index(drop=True)
        return {"total": len(table), "snapshots": split(shown)}

    return await in_pool(request, work)


def snapshot_table(store: Store, universe: str | None) -> pd.DataFrame:
    """Return id, universe, source, created, first_date, as_of, securities, current."""
    current = store.snapshot(universe)
    rows = [
        (
            s.id, s.universe, s.source, s.created.isoformat(), s.first_date.isoformat(),
            s.as_of.isoformat(), s.securities, s.id == current.id,
        )
        for s in store.snapshots(current.universe)
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=COLUMNS)


def find_snapshot(store: Store, snapshot: str) -> Snapshot:
    """Return the snapshot of an id.

    Raises
    ------
    UnknownNameError
        If there is none.
    """
    found = {s.id: s for s in store.snapshots()}
    if snapshot not in found:
        raise UnknownNameError(
            f"There is no snapshot '{cut(snapshot)}'.{did_you_mean(snapshot, found)} "
            "It may have been pruned, or be of another store."
        )
    return found[snapshot]


@router.get("/snapshots/compare")
async def compare(request: Request, before: Id, after: Id) -> dict[str, object]:
    """Say what a snapshot has that another one has not: securities, days, values, findings."""
    return await in_pool(request, lambda tilt: _compared(tilt.state.store, before, after))


def _compared(store: Store, before: str, after: str) -> dict[str, object]:
    old, new = (find_snapshot(store, i) for i in (before, after))
    if old.universe != new.universe:
        raise ArgumentError(
            f"{before} is of {old.universe}, {after} of {new.universe}. "
            "Compare two snapshots of one universe."
        )
    found = difference(
        store.panel(old.universe, old.id),
        store.panel(new.universe, new.id),
        store.findings(old.universe, snapshot=old.id),
        store.findings(new.universe, snapshot=new.id),
    )
    return {
        "universe": new.universe,
        "before": old.id,
        "after": new.id,
        "as_of": new.as_of.isoformat(),
        "days_added": len(found.days_added),
        "days_removed": len(found.days_removed),
        "securities_added": list(found.added),
        "securities_gone": list(found.removed),
        "values_changed": found.values_changed,
        "values": split(found.fields),
        "findings_new": counts_by_severity(found.findings_new),
        "findings_gone": counts_by_severity(found.findings_gone),
    }
