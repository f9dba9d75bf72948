"""The store: immutable snapshots in Parquet, and a catalog that says which are complete.

A snapshot's files are written, synced and given their names, and become visible by one catalog
transaction. Whatever stops the writing before that leaves nothing that a reader can see; the next
writing clears it away. The content of every file is hashed when written and checked when read.
"""

import datetime as dt
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
from sqlalchemy import Engine, func, literal, select, union_all

from tilt.data import portfolios, publishing, snapshots, tables, universes
from tilt.data.cache import Cache, Matrix
from tilt.data.catalog import open_configured, reading, writing
from tilt.data.contents import Contents
from tilt.data.derive import derive
from tilt.data.disk import Disk
from tilt.data.findings import SEVERITIES
from tilt.data.panels import Panels
from tilt.data.places import Place, open_place
from tilt.data.record import Record, decode_field, decode_panel, decode_table
from tilt.data.rules import Universe
from tilt.data.snapshots import Snapshot
from tilt.data.sources.delivery import Delivery
from tilt.errors import TiltError, UnknownNameError, cut, did_you_mean, one_of
from tilt.frames import Panel, Weights
from tilt.settings import Settings

__all__ = ["Snapshot", "Store"]
# one row per kind of writing, and one of the last publication
_WRITTEN = union_all(
    select(tables.changes.c.what, tables.changes.c.count),
    select(literal(""), func.max(tables.publications.c.number)),
)
UNIVERSE_COLUMNS = (
    "name",
    "description",
    "securities",
    "first_date",
    "last_date",
    "source",
    "survivorship",
    "parent",
)


def unknown_universe(name: str, known: Sequence[str]) -> UnknownNameError:
    """Return the error of a universe that is none of the known ones."""
    near = did_you_mean(name, known)
    return UnknownNameError(f"Unknown universe '{cut(name)}'.{near} There is {', '.join(known)}.")


@dataclass(frozen=True)
class _Universes:
    """The universes of the catalog in one edition: those made by a rule, and current snapshots."""

    edition: str
    made: list[Universe]
    current: list[Snapshot]

    def rule_of(self, name: str) -> Universe | None:
        """Return the universe made by a rule that has a name, whatever its case."""
        wanted = name.strip().casefold()
        return next((u for u in self.made if u.name.casefold() == wanted), None)


class Store:
    """Everything an installation keeps: snapshots in a folder or bucket, the rest in the catalog.

    catalog : the SQLAlchemy engine, for other tables that live beside the store's
    default : the name of the universe that no name means
    """

    _read: _Universes | None = None

    def __init__(
        self,
        place: Place,
        catalog: Engine,
        *,
        default_universe: str,
        cache: Path,
        cache_bytes: int,
    ) -> None:
        self.catalog = catalog
        self.place = place
        self.default = default_universe
        self._panels = Panels(cache_bytes)
        self._cache = Cache(cache, cache_bytes)

    @classmethod
    def open(cls, settings: Settings, *, disk: Disk | None = None) -> "Store":
        """Open the store of an installation, making folder and catalog where they are missing.

        Raises
        ------
        DataError
            If the folder cannot be made, the bucket cannot be reached, or the catalog is no
            database.
        BusyError
            If another process holds the catalog, or its server does not answer.
        """
        place = open_place(settings, disk or Disk())
        return cls(
            place,
            open_configured(settings),
            default_universe=settings.default_universe,
            cache=settings.data_path / "cache",
            cache_bytes=settings.cache_bytes,
        )

    def close(self) -> None:
        """Let go of the catalog's connections and the cache's files."""
        self.catalog.dispose()
        self._cache.close()

    def snapshot(self, universe: str | None = None) -> Snapshot:
        """Return the current snapshot of a universe; without a name, of the default one.

        That of a universe made by a rule is its parent's, under its own name.

        Raises
        ------
        UnknownNameError
            If the store is empty, or has no such universe.
        """
        made = self.rule_of(universe)
        if made is None:
            return self._with_data(universe)
        words = made.description or made.rule.words()
        return replace(self._with_data(made.name), universe=made.name, description=words)

    def rule_of(self, universe: str | None) -> Universe | None:
        """Return how a universe is made by a rule; None for one with data of its own."""
        return self._universes().rule_of(self.default if universe is None else universe)

    def _universes(self) -> _Universes:
        """Return the universes as they are, read again when anything was written.

        The edition is read first: what is written meanwhile has a later one, which is asked next.
        """
        edition, read = self.edition(), self._read
        if read is None or read.edition != edition:
            made, current = universes.saved(self.catalog), snapshots.current(self.catalog)
            read = self._read = _Universes(edition, made, current)
        return read

    def save_universe(self, universe: Universe) -> Panel:
        """Save a universe that a rule makes, after trying it, and return its panel.

        Raises
        ------
        ArgumentError
            If its name means something else, or it would be made out of itself.
        UnknownNameError, DataError
            If its parent is not there, or the rule cannot be applied to it.
        """
        parent = self.panel(universe.parent)
        made = derive(parent, universe)
        taken = [s.universe for s in snapshots.current(self.catalog)]
        taken += [str(n) for n in self.portfolios()["name"]]
        kept = universe.model_copy(update={"parent": parent.universe})
        universes.save(self.catalog, kept, taken)
        return made

    def delete_universe(self, name: str) -> None:
        """Delete a universe that a rule makes; its parent's data stay."""
        universes.delete_saved(self.catalog, name)

    def _with_data(self, universe: str | None, known: _Universes | None = None) -> Snapshot:
        """Return the current snapshot that a universe has its prices from."""
        known = known or self._universes()
        named = self.default if universe is None else universe
        while (made := known.rule_of(named)) is not None:
            universe = named = made.parent
        current = known.current
        if not current:
            raise UnknownNameError(
                "There is no data yet. Run 'tilt demo' for the embedded sample, or 'tilt refresh'."
            )
        name = named.strip()
        by_fold = {s.universe.casefold(): s for s in current}
        if name.casefold() in by_fold:
            return by_fold[name.casefold()]
        if universe is None and len(current) == 1:
            return current[0]
        raise unknown_universe(name, self.universe_names())

    def universe_names(self) -> list[str]:
        """Return the names of the universes, those made by a rule after the others."""
        known = self._universes()
        return [*(s.universe for s in known.current), *(u.name for u in known.made)]

    def data_universe(self, universe: str | None) -> str:
        """Return the name of the universe whose data a universe is made of."""
        return self._with_data(universe).universe

    def snapshots(self, universe: str | None = None) -> list[Snapshot]:
        """Return every snapshot that can be read, of one universe or of all, newest first."""
        name = None if universe is None else self._with_data(universe).universe
        return snapshots.listed(self.catalog, name)

    def snapshot_at(self, universe: str | None, when: dt.datetime) -> Snapshot:
        """Return the snapshot of a universe that was the current one at a moment.

        Parameters
        ----------
        when : with a time zone

        Raises
        ------
        UnknownNameError
            If there was none yet, or it has been pruned.
        """
        return snapshots.current_at(self.catalog, self._with_data(universe).universe, when)

    def parent(self, universe: str) -> str:
        """Return the id of a universe's current snapshot, to begin a new one from; or empty."""
        current = {s.universe: s.id for s in snapshots.current(self.catalog)}
        return current.get(universe, "")

    def edition(self) -> str:
        """Return an id of everything that may be asked for: snapshots and saved portfolios.

        As long as it is the same, so is every answer.
        """
        with reading(self.catalog) as connection:
            written = sorted((row[0], row[1] or 0) for row in connection.execute(_WRITTEN))
        return hashlib.sha256(repr(written).encode()).hexdigest()[:16]

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
        known = self._universes()
        made = known.rule_of(self.default if universe is None else universe)
        if made is not None:
            parent = self.panel(made.parent, snapshot)
            key = f"{made.name} {parent.snapshot}.{made.rule.id}"
            return self._panels.get(key, lambda: derive(parent, made))
        wanted = self._wanted(universe, snapshot, known)

        def load() -> Panel:
            names = {
                "universe": wanted.universe,
                "snapshot": wanted.id,
                "survivorship": wanted.survivorship,
            }
            files = self.contents(wanted.id).table
            return decode_panel(files, names, with_history=wanted.has_factors)

        return self._panels.get(wanted.id, load)

    def history(
        self,
        tickers: Sequence[str],
        field: str,
        start: pd.Timestamp | None = None,
        end: pd.Timestamp | None = None,
        *,
        universe: str | None = None,
        snapshot: str | None = None,
    ) -> pd.DataFrame:
        """Return one field of some tickers through time, dates × tickers in the order asked.

        Read from the serving cache: no panel need be in memory.

        Parameters
        ----------
        field : close, adj_close, return, volume or market_cap
        start, end : first and last day; all there is if None

        Raises
        ------
        UnknownNameError
            If a ticker is not of the universe.
        ArgumentError
            If there is no such field.
        """
        return self._matrix(field, universe, snapshot).history(tickers, start, end)

    def cross_section(
        self,
        date: pd.Timestamp,
        field: str,
        *,
        universe: str | None = None,
        snapshot: str | None = None,
    ) -> "pd.Series[float]":
        """Return one field of every ticker on the last trading day at or before ``date``.

        Raises
        ------
        UnknownNameError
            If the data begins later.
        ArgumentError
            If there is no such field.
        """
        return self._matrix(field, universe, snapshot).cross_section(date)

    def universes(self) -> pd.DataFrame:
        """Return a row per universe, those made by a rule after those with data of their own.

        Returns
        -------
        name, description, securities, first_date, last_date, source, survivorship, parent; of one
        made by a rule the securities are those that were ever members and the dates those of its
        membership, ``parent`` is what it is made out of, empty for the others
        """
        rows: list[tuple[object, ...]] = [
            (s.universe, s.description, s.securities, s.first_date, s.as_of, s.source,
             s.survivorship, "")
            for s in sorted(snapshots.current(self.catalog), key=lambda s: s.universe)
        ]  # fmt: skip
        rows += [self._made_row(made) for made in universes.saved(self.catalog)]
        table = pd.DataFrame(rows, columns=list(UNIVERSE_COLUMNS))
        days = {c: pd.to_datetime(table[c]) for c in ("first_date", "last_date")}
        return table.assign(**days)

    def _made_row(self, made: Universe) -> tuple[object, ...]:
        words = made.description or made.rule.words()
        try:
            panel = self.panel(made.name)
        except TiltError as error:  # a later refresh of its parent can leave a rule without sense
            return (made.name, f"{words}. It cannot be made: {error}", 0, None, None,
                    "", "", made.parent)  # fmt: skip
        ever = panel.member.any(axis=1)
        days = panel.dates[ever.to_numpy()]
        first, last = (days[0], days[-1]) if len(days) else (pd.NaT, pd.NaT)
        count = int(panel.member.any().sum())
        source = self._with_data(made.name).source
        return (made.name, words, count, first, last, source, panel.survivorship, made.parent)

    def findings(
        self,
        universe: str | None = None,
        severity: str | None = None,
        *,
        snapshot: str | None = None,
        check: str | None = None,
        ticker: str | None = None,
    ) -> pd.DataFrame:
        """Return what the quality checks found: date, ticker, check, severity, detail, action.

        Parameters
        ----------
        snapshot : the id of an earlier snapshot; the universe's current one if None
        severity, check, ticker : only findings of this one
        """
        wanted = None if severity is None else one_of("severity", severity, SEVERITIES)
        asked = {"severity": wanted, "check": check, "ticker": ticker}
        only = {name: value for name, value in asked.items() if value is not None}
        of = self._wanted(universe, snapshot).id
        table = snapshots.findings(self.catalog, of, only)
        if table is not None:
            return table
        table = decode_table(self.contents(of).table("findings.parquet"))
        for name, value in only.items():
            table = table[table[name] == value]
        return table.reset_index(drop=True)

    def portfolios(self) -> pd.DataFrame:
        """Return name, as_of (the last date), names and source of the saved portfolios."""
        return portfolios.listed(self.catalog)

    def portfolio_names(self) -> list[str]:
        """Return the names of the saved portfolios, in order."""
        return portfolios.saved_names(self.catalog)

    def portfolio(self, name: str, date: pd.Timestamp | None = None) -> Weights:
        """Return a saved portfolio as it was on a date: fraction of capital by ticker."""
        return portfolios.read(self.catalog, name, date)

    def named(self, date: pd.Timestamp) -> Callable[[str], Weights]:
        """Return a function from a name to the weights it means on a date.

        The name is that of a saved portfolio, of which one without several dates counts for every
        date, or of any universe, whose members' weights they are.
        """

        def weights(name: str) -> Weights:
            if self.is_universe(name):
                panel = self.panel(name)
                return panel.cap_weights(panel.trading_day(date)).rename("weight")
            several = len(self.portfolio_dates(name)) > 1
            return self.portfolio(name, date if several else None)

        return weights

    def is_universe(self, name: str) -> bool:
        """Return whether a name is that of a universe, with data of its own or made by a rule."""
        wanted = name.strip().casefold()
        with_data = {s.universe.casefold() for s in snapshots.current(self.catalog)}
        return wanted in with_data or self.rule_of(name) is not None

    def portfolio_dates(self, name: str) -> pd.DatetimeIndex:
        """Return the dates that a saved portfolio has holdings of; none if it has no date."""
        return portfolios.dates(self.catalog, name)

    def save_portfolio(
        self, name: str, weights: Weights, source: str, *, as_of: pd.Timestamp | None = None
    ) -> None:
        """Save a portfolio under a name: on a date beside its other dates, or in place of all."""
        portfolios.save(self.catalog, name, weights, source, as_of=as_of)

    def delete_portfolio(self, name: str) -> None:
        """Delete a saved portfolio, with all its dates."""
        portfolios.delete_saved(self.catalog, name)

    def holds(self, snapshot: str) -> bool:
        """Return whether a snapshot is complete, every file of it as it was written."""
        return self.contents(snapshot).intact()

    def contents(self, snapshot: str) -> Contents:
        """Return the files of a snapshot; none if there is no such snapshot."""
        return Contents(snapshot, self.place, snapshots.stored(self.catalog, snapshot))

    def make_current(self, snapshot: str, *, parent: str | None = None) -> Snapshot:
        """Make a snapshot that is there the current one of its universe.

        Raises
        ------
        ConflictError
            If another snapshot than ``parent`` is current; None: whatever is.
        """
        universe = snapshots.by_id(self.catalog, snapshot).universe
        with writing(self.catalog) as connection:
            snapshots.publish(connection, snapshot, universe, parent=parent)
        return snapshots.by_id(self.catalog, snapshot)

    def publish(
        self, snapshot: str, delivery: Delivery, record: Record, *, parent: str | None = None
    ) -> Snapshot:
        """Write a snapshot and make it visible, complete, or leave no trace a reader can see.

        Parameters
        ----------
        parent : what :meth:`parent` returned when the making began; None: whatever is current

        Raises
        ------
        DataError
            If the disk or bucket does not take it.
        ConflictError
            If another snapshot was published since ``parent``.
        """
        publishing.publish(self.place, self.catalog, snapshot, delivery, record, parent=parent)
        self._panels.forget(snapshot)
        return snapshots.by_id(self.catalog, snapshot)

    def _wanted(
        self, universe: str | None, snapshot: str | None, known: _Universes | None = None
    ) -> Snapshot:
        if snapshot is None:
            return self._with_data(universe, known)
        return snapshots.by_id(self.catalog, snapshot)

    def _matrix(self, field: str, universe: str | None, snapshot: str | None) -> Matrix:
        wanted = self._wanted(universe, snapshot)

        def build(name: str) -> pd.DataFrame:
            return decode_field(self.contents(wanted.id).table, name)

        return self._cache.matrix(wanted.id, wanted.universe, field, build)
