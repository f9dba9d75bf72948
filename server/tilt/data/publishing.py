"""How a snapshot comes to be: its files first, then all of it at once in the catalog."""

import datetime as dt

from sqlalchemy import Engine

from tilt.data import contents, snapshots
from tilt.data.catalog import writing
from tilt.data.contents import Contents
from tilt.data.places import Place
from tilt.data.record import Record
from tilt.data.sources.delivery import Delivery
from tilt.errors import DataError


def publish(
    place: Place,
    catalog: Engine,
    snapshot: str,
    delivery: Delivery,
    record: Record,
    *,
    parent: str | None,
) -> None:
    """Write a snapshot and make it visible, complete, or leave no trace a reader can see.

    Parameters
    ----------
    snapshot : its id
    parent : the snapshot that has to be current still, empty if there must be none; None: any

    Raises
    ------
    DataError
        If the disk or bucket does not take it.
    ConflictError
        If another snapshot than ``parent`` is current.
    """
    try:
        draft = place.begin(snapshot)
        try:
            written = contents.write(draft, snapshot, record)
            with writing(catalog) as connection:
                snapshots.publish(connection, snapshot, delivery.universe, parent=parent)
                there = Contents(snapshot, place, snapshots.stored(catalog, snapshot))
                if not there.intact():  # else another process has written the same meanwhile
                    snapshots.remove(connection, snapshot)
                    place.sweep(snapshots.complete(connection))
                    draft.finish()
                    row = _row(snapshot, delivery, record, parent or "")
                    findings, securities = record.findings, record.panel.securities
                    snapshots.add(connection, row, written, findings, securities)
        finally:
            draft.drop()
    except OSError as error:
        raise DataError(
            f"The snapshot cannot be written to {place.where} ({error.strerror or error}). "
            "Make room or set TILT_DATA_URL to another folder; the data of before is as it was."
        ) from None


def _row(snapshot: str, delivery: Delivery, record: Record, parent: str) -> dict[str, object]:
    panel = record.panel
    return {
        "id": snapshot,
        "universe": delivery.universe,
        "description": delivery.description,
        "source": delivery.source,
        "survivorship": panel.survivorship,
        "first_date": panel.dates[0].date(),
        "as_of": panel.as_of.date(),
        "securities": len(panel.assets),
        "created": dt.datetime.now(dt.UTC),
        "parent": parent,
    }
