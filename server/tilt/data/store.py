"""The store: immutable snapshots in Parquet, and a catalog that says which are complete.

A snapshot is written into a staging folder, synced, renamed, and becomes visible by one catalog
transaction. Whatever stops the writing before that leaves nothing that a reader can see; the next
writing clears it away. The content of every file is hashed when written and checked when read.
"""

import datetime as dt
import hashlib
import threading
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import Connection, Engine, delete, func, insert, select, update

from tilt.data import portfolios
from tilt.data.catalog import changes, files, open_catalog, reading, snapshots, writing
from tilt.data.disk import Disk
from tilt.data.findings import SEVERITIES
from tilt.data.record import Record, decode_panel, decode_table, encode
from tilt.data.sources.delivery import Delivery
from tilt.errors import DataError, UnknownNameError, cut, did_you_mean, one_of
from tilt.frames import Panel, Weights
from tilt.settings import Settings

STAGING = ".staging-"
ABANDONED_SECONDS = 3600.0  # a staging folder older than this has no writer any more
PANELS_KEPT = 4


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


class Store:
    """Everything an installation keeps: snapshots in a folder, the rest in the catalog.

    catalog : the SQLAlchemy engine, for other tables that live beside the store's
    """

    def __init__(self, folder: Path, catalog: Engine, *, default_universe: str, disk: Disk) -> None:
        self.catalog = catalog
        self._folder = folder / "snapshots"
        self._default = default_universe
        self._disk = disk
        self._panels: dict[str, Panel] = {}
        self._loading = threading.Lock()

    @classmethod
    def open(cls, settings: Settings, *, disk: Disk | None = None) -> "Store":
        """Open the store of an installation, making folder and catalog where they are missing.

        Raises
        ------
        DataError
            If the folder cannot be made, or the catalog is no database.
        BusyError
            If another process holds the catalog.
        """
        used = disk or Disk()
        try:
            used.make_folder(settings.data_path / "snapshots")
        except OSError as error:
            raise DataError(
                f"The data folder {settings.data_path} cannot be made ({error.strerror}). "
                "Set TILT_DATA_URL to a folder you may write to."
            ) from None
        return cls(
            settings.data_path,
            open_catalog(settings.catalog_url),
            default_universe=settings.default_universe,
            disk=used,
        )

    def close(self) -> None:
        """Let go of the catalog's connections."""
        self.catalog.dispose()

    def snapshot(self, universe: str | None = None) -> Snapshot:
        """Return the current snapshot of a universe; without a name, of the default one.

        Raises
        ------
        UnknownNameError
            If the store is empty, or has no such universe.
        """
        current = self._current()
        if not current:
            raise UnknownNameError(
                "There is no data yet. Run 'tilt demo' for the embedded sample, or 'tilt refresh'."
            )
        name = self._default if universe is None else universe.strip()
        by_fold = {s.universe.casefold(): s for s in current}
        if name.casefold() in by_fold:
            return by_fold[name.casefold()]
        if universe is None and len(current) == 1:
            return current[0]
        known = [s.universe for s in current]
        raise UnknownNameError(
            f"Unknown universe '{cut(name)}'.{did_you_mean(name, known)} "
            f"There is {', '.join(known)}."
        )

    def edition(self) -> str:
        """Return an id of everything that may be asked for: snapshots and saved portfolios.

        As long as it is the same, so is every answer.
        """
        every = select(snapshots.c.id).order_by(snapshots.c.published)
        written = select(changes.c.count).where(changes.c.what == portfolios.CHANGES)
        with reading(self.catalog) as connection:
            ids = list(connection.execute(every).scalars())
            saved = connection.execute(written).scalar()
        return hashlib.sha256(repr((ids, saved)).encode()).hexdigest()[:16]

    def panel(self, universe: str | None = None, snapshot: str | None = None) -> Panel:
        """Return the panel of a universe, with its factor history; kept in memory once read.

        Parameters
        ----------
        universe : its name, in any case; the default universe if None
        snapshot : the id of an earlier snapshot; the current one if None

        Raises
        ------
        UnknownNameError
            If there is no such universe or snapshot.
        DataError
            If a file is missing or is not what was written.
        """
        wanted = self.snapshot(universe) if snapshot is None else self._by_id(snapshot)
        with self._loading:
            if wanted.id not in self._panels:
                names = {
                    "universe": wanted.universe,
                    "snapshot": wanted.id,
                    "survivorship": wanted.survivorship,
                }
                panel = decode_panel(
                    lambda name: self._read(wanted.id, name), names, with_history=wanted.has_factors
                )
                while len(self._panels) >= PANELS_KEPT:
                    del self._panels[next(iter(self._panels))]
                self._panels[wanted.id] = panel
            return self._panels[wanted.id]

    def universes(self) -> pd.DataFrame:
        """Return name, description, securities, first_date, last_date, source by universe."""
        rows = [
            (s.universe, s.description, s.securities, s.first_date, s.as_of, s.source)
            for s in sorted(self._current(), key=lambda s: s.universe)
        ]
        columns = ["name", "description", "securities", "first_date", "last_date", "source"]
        table = pd.DataFrame(rows, columns=columns)
        days = {c: pd.to_datetime(table[c]) for c in ("first_date", "last_date")}
        return table.assign(**days)

    def findings(self, universe: str | None = None, severity: str | None = None) -> pd.DataFrame:
        """Return what the quality checks found: date, ticker, check, severity, detail, action."""
        table = decode_table(self._read(self.snapshot(universe).id, "findings.parquet"))
        if severity is None:
            return table
        wanted = one_of("severity", severity, SEVERITIES)
        return table[table["severity"] == wanted].reset_index(drop=True)

    def portfolios(self) -> pd.DataFrame:
        """Return name, as_of, names and source of the saved portfolios."""
        return portfolios.listed(self.catalog)

    def portfolio(self, name: str) -> Weights:
        """Return a saved portfolio: fraction of capital by ticker, cash left out."""
        return portfolios.read(self.catalog, name)

    def save_portfolio(
        self, name: str, weights: Weights, source: str, *, as_of: pd.Timestamp | None = None
    ) -> None:
        """Save a portfolio under a name, in place of the one that has the name."""
        portfolios.save(self.catalog, name, weights, source, as_of=as_of)

    def delete_portfolio(self, name: str) -> None:
        """Delete a saved portfolio."""
        portfolios.delete_saved(self.catalog, name)

    def holds(self, snapshot: str) -> bool:
        """Return whether a snapshot is complete, every file of it as it was written."""
        with reading(self.catalog) as connection:
            kept = connection.execute(
                select(files.c.name, files.c.sha256).where(files.c.snapshot == snapshot)
            ).all()
        return bool(kept) and all(self._intact(snapshot, name, sha) for name, sha in kept)

    def make_current(self, snapshot: str) -> Snapshot:
        """Make a snapshot that is there the current one of its universe."""
        with writing(self.catalog) as connection:
            mine = snapshots.c.id == snapshot
            row = connection.execute(select(snapshots).where(mine)).one()
            last = connection.execute(select(func.max(snapshots.c.published))).scalar_one()
            if row.published != last:
                connection.execute(update(snapshots).where(mine).values(published=last + 1))
        return self._by_id(snapshot)

    def publish(self, snapshot: str, delivery: Delivery, record: Record) -> Snapshot:
        """Write a snapshot and make it visible, complete, or leave no trace a reader can see.

        Raises
        ------
        DataError
            If the disk does not take it.
        """
        staging = self._folder / f"{STAGING}{snapshot}-{uuid.uuid4().hex[:8]}"
        try:
            written = self._stage(staging, record)
            self._reveal(staging, snapshot, _described(delivery, record.panel), written)
        except OSError as error:
            raise DataError(
                f"The snapshot cannot be written to {self._folder} ({error.strerror or error}). "
                "Make room or set TILT_DATA_URL to another folder; the data of before is as it was."
            ) from None
        finally:
            self._disk.remove_folder(staging)
        with self._loading:
            self._panels.pop(snapshot, None)
        return self._by_id(snapshot)

    def _stage(self, staging: Path, record: Record) -> list[dict[str, object]]:
        self._disk.make_folder(staging)
        written: list[dict[str, object]] = []
        for name, content in encode(record).items():
            self._disk.write(staging / name, memoryview(content))
            sha = hashlib.sha256(content).hexdigest()
            written.append({"name": name, "sha256": sha, "bytes": content.size})
        return written

    def _reveal(
        self,
        staging: Path,
        snapshot: str,
        described: dict[str, object],
        written: list[dict[str, object]],
    ) -> None:
        with writing(self.catalog) as connection:
            if self.holds(snapshot):  # another process wrote the same content meanwhile
                return
            self._clear(connection, snapshot)
            self._disk.rename(staging, self._folder / snapshot)
            last = connection.execute(select(func.max(snapshots.c.published))).scalar_one()
            number = (last or 0) + 1
            connection.execute(insert(snapshots).values(id=snapshot, published=number, **described))
            connection.execute(insert(files), [{"snapshot": snapshot, **w} for w in written])

    def _clear(self, connection: Connection, snapshot: str) -> None:
        """Remove what earlier writings left behind, and a broken snapshot of the same id."""
        connection.execute(delete(files).where(files.c.snapshot == snapshot))
        connection.execute(delete(snapshots).where(snapshots.c.id == snapshot))
        complete = set(connection.execute(select(snapshots.c.id)).scalars())
        for folder in self._folder.iterdir():
            if folder.name.startswith(STAGING):
                left = time.time() - folder.stat().st_mtime > ABANDONED_SECONDS
            else:
                left = folder.name not in complete
            if left:
                self._disk.remove_folder(folder)

    def _current(self) -> list[Snapshot]:
        """Return the newest snapshot of each universe, the newest of all first."""
        with reading(self.catalog) as connection:
            rows = connection.execute(select(snapshots).order_by(snapshots.c.published.desc()))
            newest: dict[str, str] = {}
            for row in rows.all():
                newest.setdefault(row.universe, row.id)
        return [self._by_id(i) for i in newest.values()]

    def _by_id(self, snapshot: str) -> Snapshot:
        with reading(self.catalog) as connection:
            found = connection.execute(
                select(snapshots).where(snapshots.c.id == snapshot)
            ).one_or_none()
            with_factors = select(files.c.name).where(
                files.c.snapshot == snapshot, files.c.name == "factors.parquet"
            )
            factors = connection.execute(with_factors).first() is not None
        if found is None:
            raise UnknownNameError(
                f"There is no snapshot '{snapshot}'. It may have been of another store."
            )
        names = [f for f in Snapshot.__dataclass_fields__ if f not in ("created", "has_factors")]
        values = {name: getattr(found, name) for name in names}
        created = found.created.replace(tzinfo=found.created.tzinfo or dt.UTC)
        return Snapshot(created=created, has_factors=factors, **values)

    def _read(self, snapshot: str, name: str) -> pa.Table:
        """Return a file's table after checking that its content is what was written."""
        with reading(self.catalog) as connection:
            sha = connection.execute(
                select(files.c.sha256).where(files.c.snapshot == snapshot, files.c.name == name)
            ).scalar_one()
        path = self._folder / snapshot / name
        try:
            content = self._disk.read(path)
        except OSError as error:
            raise DataError(
                f"{name} of snapshot {snapshot} cannot be read: {error.strerror} ({path}). "
                "Run 'tilt refresh' to write it again."
            ) from None
        if hashlib.sha256(content).hexdigest() != sha:
            raise DataError(
                f"{name} of snapshot {snapshot} is damaged: its content is not what was written "
                f"({path}). Run 'tilt refresh' to write it again."
            )
        return pq.read_table(pa.BufferReader(content))

    def _intact(self, snapshot: str, name: str, sha: str) -> bool:
        path = self._folder / snapshot / name
        return path.is_file() and hashlib.sha256(self._disk.read(path)).hexdigest() == sha


def _described(delivery: Delivery, panel: Panel) -> dict[str, object]:
    return {
        "universe": delivery.universe,
        "description": delivery.description,
        "source": delivery.source,
        "survivorship": delivery.survivorship,
        "first_date": panel.dates[0].date(),
        "as_of": panel.as_of.date(),
        "securities": len(panel.assets),
        "created": dt.datetime.now(dt.UTC),
    }
