"""What the catalog knows of snapshots: which there are, which one is current, which one was."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd
from sqlalchemy import Connection, Engine, Row, Select, Table, delete, func, insert, select

from tilt import audit
from tilt.data import tables
from tilt.data.catalog import reading
from tilt.data.places import Stored
from tilt.errors import ConflictError, UnknownNameError

FACTORS = "factors.parquet"  # a snapshot with this file has a factor history
_AT_ONCE = 5000  # rows in one statement


@dataclass(frozen=True)
class Snapshot:
    """One version of a universe's data, complete and never changed.

    id           : of its content: the same data and the same engine give the same id
    universe     : its name; ``description`` and ``survivorship`` are a sentence each
    source       : where the data came from
    created      : when it was written, UTC
    first_date, as_of : first and last day with data
    securities   : how many assets
    has_factors  : whether a factor history came with it
    parent       : the snapshot that its making began from; empty if there was none, or it is not
        known
    published    : when it became the current one, the last time, UTC
    """

    id: str
    universe: str
    description: str
    source: str
    survivorship: str
    created: dt.datetime
    first_date: dt.date
    as_of: dt.date
    securities: int
    has_factors: bool
    parent: str
    published: dt.datetime


def current(engine: Engine) -> list[Snapshot]:
    """Return the current snapshot of each universe, the one published last first."""
    newest = select(func.max(tables.publications.c.number)).group_by(tables.publications.c.universe)
    chosen = _snapshots().where(tables.publications.c.number.in_(newest))
    return _read(engine, chosen)


def listed(engine: Engine, universe: str | None = None) -> list[Snapshot]:
    """Return every snapshot, of one universe or of all, the one published last first."""
    latest = select(func.max(tables.publications.c.number)).group_by(
        tables.publications.c.universe, tables.publications.c.snapshot
    )
    chosen = _snapshots().where(tables.publications.c.number.in_(latest))
    if universe is not None:
        chosen = chosen.where(tables.publications.c.universe == universe)
    return _read(engine, chosen)


def by_id(engine: Engine, snapshot: str) -> Snapshot:
    """Return a snapshot.

    Raises
    ------
    UnknownNameError
        If there is none of the id.
    """
    found = _read(engine, _snapshots().where(tables.snapshots.c.id == snapshot))
    if not found:
        raise unknown_snapshot(snapshot)
    return found[0]


def unknown_snapshot(snapshot: str) -> UnknownNameError:
    """Return the error of a snapshot that is not there."""
    return UnknownNameError(
        f"There is no snapshot '{snapshot}'. It may have been of another store, or pruned."
    )


def current_at(engine: Engine, universe: str, when: dt.datetime) -> Snapshot:
    """Return the snapshot that was current at a moment.

    Parameters
    ----------
    universe : its name as the catalog has it
    when : with a time zone

    Raises
    ------
    UnknownNameError
        If there was none yet, or it has been pruned since.
    """
    made = tables.publications
    then = (
        select(made.c.snapshot)
        .where(made.c.universe == universe, made.c.at <= when.astimezone(dt.UTC))
        .order_by(made.c.number.desc())
        .limit(1)
    )
    with reading(engine) as connection:
        snapshot = connection.execute(then).scalar()
        first = connection.execute(
            select(func.min(made.c.at)).where(made.c.universe == universe)
        ).scalar()
    if snapshot is None:
        since = f" Its first one is of {utc(first):%Y-%m-%d %H:%M} UTC." if first else ""
        raise UnknownNameError(f"'{universe}' had no snapshot at {when:%Y-%m-%d %H:%M}.{since}")
    return by_id(engine, snapshot)


def publish(connection: Connection, snapshot: str, universe: str, *, parent: str | None) -> None:
    """Make a snapshot the current one of its universe, in the transaction that writes.

    Parameters
    ----------
    parent : the snapshot that has to be current still, empty if there must be none; None: any

    Raises
    ------
    ConflictError
        If another one was published meanwhile.
    """
    made = tables.publications
    mine = select(made.c.snapshot).where(made.c.universe == universe)
    now = connection.execute(mine.order_by(made.c.number.desc()).limit(1)).scalar() or ""
    if now == snapshot:
        return
    if parent is not None and parent != now:
        raise ConflictError(
            f"'{universe}' was refreshed by somebody else meanwhile: this began from snapshot "
            f"{parent or '(none)'}, and {now or 'none'} is current now. Nothing was changed; "
            "refresh again."
        )
    last = connection.execute(select(func.max(made.c.number))).scalar() or 0
    at = dt.datetime.now(dt.UTC)
    connection.execute(
        insert(made).values(number=last + 1, universe=universe, snapshot=snapshot, at=at)
    )
    audit.note(connection, "refreshed", f"universe {universe}", {"snapshot": snapshot})


def add(
    connection: Connection,
    described: dict[str, object],
    written: Iterable[Stored],
    findings: pd.DataFrame,
    securities: pd.DataFrame,
) -> None:
    """List a snapshot with its files, findings and securities.

    Parameters
    ----------
    described : the row of the snapshot
    securities : by ticker; columns that the catalog has none for are left out
    """
    snapshot = described["id"]
    connection.execute(insert(tables.snapshots).values(**described, findings=len(findings)))
    _insert(connection, tables.files, [vars(file) for file in written])
    _insert(
        connection,
        tables.findings,
        [
            {"snapshot": snapshot, "number": number, **row}
            for number, row in enumerate(_records(findings))
        ],
    )
    known = [c for c in tables.securities.c.keys() if c in securities.columns]  # noqa: SIM118 - a collection of columns, no mapping
    own = securities[known].rename_axis("ticker").reset_index()
    _insert(connection, tables.securities, [{"snapshot": snapshot, **row} for row in _records(own)])


def remove(connection: Connection, snapshot: str) -> None:
    """Take a snapshot out of the catalog; when it was current stays known."""
    for table in (tables.findings, tables.securities, tables.files):
        connection.execute(delete(table).where(table.c.snapshot == snapshot))
    connection.execute(delete(tables.snapshots).where(tables.snapshots.c.id == snapshot))


def current_ids(connection: Connection) -> set[str]:
    """Return the ids of the snapshots that are the current ones of their universes."""
    made = tables.publications.c
    newest = select(func.max(made.number)).group_by(made.universe)
    return set(connection.execute(select(made.snapshot).where(made.number.in_(newest))).scalars())


def complete(connection: Connection) -> set[str]:
    """Return the ids of the snapshots that the catalog lists."""
    return set(connection.execute(select(tables.snapshots.c.id)).scalars())


def stored(engine: Engine, snapshot: str) -> list[Stored]:
    """Return the files of a snapshot, by name; none if there is no such snapshot."""
    mine = select(tables.files).where(tables.files.c.snapshot == snapshot)
    with reading(engine) as connection:
        rows = connection.execute(mine.order_by(tables.files.c.name)).mappings().all()
    return [Stored(**row) for row in rows]


def findings(engine: Engine, snapshot: str, only: dict[str, str]) -> pd.DataFrame | None:
    """Return a snapshot's findings, in order; None if it is of the time before they were kept here.

    Parameters
    ----------
    only : by column, the value that a row must have
    """
    kept = tables.findings.c
    columns = (kept.date, kept.ticker, kept.check, kept.severity, kept.detail, kept.action)
    chosen = select(*columns).where(kept.snapshot == snapshot).order_by(kept.number)
    for name, value in only.items():
        chosen = chosen.where(kept[name] == value)
    counted = select(tables.snapshots.c.findings).where(tables.snapshots.c.id == snapshot)
    with reading(engine) as connection:
        if connection.execute(counted).scalar() is None:
            return None
        rows = [tuple(row) for row in connection.execute(chosen)]
    table = pd.DataFrame(rows, columns=[c.name for c in columns])
    text = {c.name: "str" for c in columns if c.name != "date"}
    return table.astype({"date": "datetime64[us]", **text})


def utc(kept: dt.datetime) -> dt.datetime:
    """Return a time of the catalog with its zone, which SQLite does not keep."""
    return kept.replace(tzinfo=dt.UTC) if kept.tzinfo is None else kept.astimezone(dt.UTC)


def _snapshots() -> Select[tuple[object, ...]]:
    kept, made, file = tables.snapshots, tables.publications, tables.files
    factors = (
        select(file.c.name).where(file.c.snapshot == kept.c.id, file.c.name == FACTORS).exists()
    )
    return (
        select(kept, made.c.at, factors.label("has_factors"))
        .join(made, made.c.snapshot == kept.c.id)
        .order_by(made.c.number.desc())
    )


def _read(engine: Engine, chosen: Select[tuple[object, ...]]) -> list[Snapshot]:
    with reading(engine) as connection:
        return [_snapshot(row) for row in connection.execute(chosen).all()]


def _snapshot(row: Row[tuple[object, ...]]) -> Snapshot:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name
    values["created"], values["published"] = utc(values["created"]), utc(values.pop("at"))
    return Snapshot(**{name: values[name] for name in Snapshot.__dataclass_fields__})


def _records(table: pd.DataFrame) -> list[dict[str, object]]:
    """Return rows as a database takes them: Python's own values, None where one is missing."""
    plain = table.astype(object).where(table.notna(), None)
    return [
        {
            str(name): value.to_pydatetime() if isinstance(value, pd.Timestamp) else value
            for name, value in row.items()
        }
        for row in plain.to_dict("records")
    ]


def _insert(connection: Connection, table: Table, rows: list[dict[str, object]]) -> None:
    for start in range(0, len(rows), _AT_ONCE):
        connection.execute(insert(table), rows[start : start + _AT_ONCE])
