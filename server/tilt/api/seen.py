"""The store as one user sees it: what they may not see is not there, whatever asks for it."""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import pandas as pd

from tilt.api import permission
from tilt.data import snapshots
from tilt.data.contents import Contents
from tilt.data.portfolios import unknown_portfolio
from tilt.data.record import Record
from tilt.data.rules import Universe
from tilt.data.snapshots import Snapshot
from tilt.data.sources.delivery import Delivery
from tilt.data.store import Store, unknown_universe
from tilt.errors import ArgumentError, UnknownNameError, cut, did_you_mean, name_taken
from tilt.frames import Panel, Weights
from tilt.security import people
from tilt.security.deciding import ADMINISTRATOR, LOCAL, Kind, Thing, Verb


class SeenStore(Store):
    """A store that asks, for every name, whether the caller may; the answers are the store's own.

    whole : the store itself, for what concerns no user: health, figures, refreshing
    """

    def __init__(self, whole: Store) -> None:
        self.whole = whole
        self.catalog = whole.catalog
        self.place = whole.place
        self.default = whole.default

    def close(self) -> None:
        self.whole.close()

    def universe_names(self) -> list[str]:
        names = self.whole.universe_names()
        return [name for name in names if permission.sees(Thing("universe", name))]

    def portfolio_names(self) -> list[str]:
        names = self.whole.portfolio_names()
        return [name for name in names if permission.sees(Thing("portfolio", name))]

    def snapshot(self, universe: str | None = None) -> Snapshot:
        return self.whole.snapshot(self._universe(universe, "read"))

    def rule_of(self, universe: str | None) -> Universe | None:
        if universe is not None and not self.is_universe(universe):
            return None
        return self.whole.rule_of(self._universe(universe, "read"))

    def save_universe(self, universe: Universe) -> Panel:
        parent = self._universe(universe.parent, "read")
        if universe.name.strip().casefold() in _folded(self.whole.portfolio_names()):
            raise name_taken(universe.name)
        with saving("universe", universe.name, self.whole.universe_names()):
            return self.whole.save_universe(universe.model_copy(update={"parent": parent}))

    def delete_universe(self, name: str) -> None:
        found = self._universe(name, "write")
        if self.whole.rule_of(found) is None:
            known = [n for n in self.universe_names() if self.whole.rule_of(n) is not None]
            raise UnknownNameError(
                f"No universe made by a rule is named '{cut(name)}'.{did_you_mean(name, known)} "
                "Universes with data of their own go with their snapshots."
            )
        self._delete_rule(found)

    def _delete_rule(self, name: str) -> None:
        made = [rule for n in self.whole.universe_names() if (rule := self.whole.rule_of(n))]
        children = [r.name for r in made if r.parent.casefold() == name.casefold()]
        if any(not permission.sees(Thing("universe", child)) for child in children):
            raise ArgumentError(f"'{name}' cannot be deleted: others are made out of it.")
        self.whole.delete_universe(name)

    def data_universe(self, universe: str | None) -> str:
        return self.whole.data_universe(self._universe(universe, "read"))

    def snapshots(self, universe: str | None = None) -> list[Snapshot]:
        if universe is None:
            shown = {self.whole.data_universe(n): n for n in reversed(self.universe_names())}
            every = [s for s in self.whole.snapshots() if s.universe in shown]
            return [self._under(s, shown[s.universe]) for s in every]
        name = self._universe(universe, "read")
        return [self._under(s, name) for s in self.whole.snapshots(name)]

    def snapshot_at(self, universe: str | None, when: dt.datetime) -> Snapshot:
        name = self._universe(universe, "read")
        return self._under(self.whole.snapshot_at(name, when), name)

    def _under(self, snapshot: Snapshot, name: str) -> Snapshot:
        """Return a snapshot under the name that the caller knows it by."""
        hidden = not permission.sees(Thing("universe", snapshot.universe))
        return replace(snapshot, universe=name) if hidden else snapshot

    def parent(self, universe: str) -> str:
        return self.whole.parent(self._universe(universe, "write"))

    def edition(self) -> str:
        return f"{self.whole.edition()}-{permission.who().sight}"

    def panel(self, universe: str | None = None, snapshot: str | None = None) -> Panel:
        name = self._universe(universe, permission.verb_now())
        self._require_of(name, snapshot)
        return self.whole.panel(name, snapshot)

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
        name = self._universe(universe, "read")
        self._require_of(name, snapshot)
        return self.whole.history(tickers, field, start, end, universe=name, snapshot=snapshot)

    def cross_section(
        self,
        date: pd.Timestamp,
        field: str,
        *,
        universe: str | None = None,
        snapshot: str | None = None,
    ) -> "pd.Series[float]":
        name = self._universe(universe, "read")
        self._require_of(name, snapshot)
        return self.whole.cross_section(date, field, universe=name, snapshot=snapshot)

    def universes(self) -> pd.DataFrame:
        table = permission.seen_rows(self.whole.universes(), "universe")
        seen = _folded(self.universe_names())
        parent = [p if str(p).casefold() in seen else "" for p in table["parent"]]
        return table.assign(parent=parent)

    def findings(
        self,
        universe: str | None = None,
        severity: str | None = None,
        *,
        snapshot: str | None = None,
        check: str | None = None,
        ticker: str | None = None,
    ) -> pd.DataFrame:
        name = self._universe(universe, "read")
        self._require_of(name, snapshot)
        return self.whole.findings(name, severity, snapshot=snapshot, check=check, ticker=ticker)

    def portfolios(self) -> pd.DataFrame:
        return permission.seen_rows(self.whole.portfolios(), "portfolio")

    def portfolio(self, name: str, date: pd.Timestamp | None = None) -> Weights:
        return self.whole.portfolio(self._portfolio(name, permission.verb_now()), date)

    def named(self, date: pd.Timestamp) -> Callable[[str], Weights]:
        verb = permission.verb_now()  # of the moment it is asked for: a benchmark's is to read
        whole = self.whole.named(date)

        def weights(name: str) -> Weights:
            if self.is_universe(name):
                return whole(self._universe(name, "read"))
            return whole(self._portfolio(name, verb))

        return weights

    def is_universe(self, name: str) -> bool:
        return name.strip().casefold() in _folded(self.universe_names())

    def portfolio_dates(self, name: str) -> pd.DatetimeIndex:
        return self.whole.portfolio_dates(self._portfolio(name, "read"))

    def save_portfolio(
        self, name: str, weights: Weights, source: str, *, as_of: pd.Timestamp | None = None
    ) -> None:
        if name.strip().casefold() in _folded(self.whole.universe_names()):
            raise name_taken(name)
        with saving("portfolio", name, self.whole.portfolio_names()):
            self.whole.save_portfolio(name, weights, source, as_of=as_of)

    def delete_portfolio(self, name: str) -> None:
        self.whole.delete_portfolio(self._portfolio(name, "write"))

    def holds(self, snapshot: str) -> bool:
        self._require_all()
        return self.whole.holds(snapshot)

    def contents(self, snapshot: str) -> Contents:
        """Return the files of a snapshot, for who has its panel already; nobody gives its id."""
        return self.whole.contents(snapshot)

    def make_current(self, snapshot: str, *, parent: str | None = None) -> Snapshot:
        self._require_all()
        return self.whole.make_current(snapshot, parent=parent)

    def publish(
        self, snapshot: str, delivery: Delivery, record: Record, *, parent: str | None = None
    ) -> Snapshot:
        self._require_all()
        return self.whole.publish(snapshot, delivery, record, parent=parent)

    def _require_all(self) -> None:
        data = Thing("server", "data")
        permission.require("administer", data, lambda: UnknownNameError("There is no such data."))

    def _universe(self, given: str | None, verb: Verb) -> str:
        """Return the name of a universe as it is kept, if the caller may ``verb`` it."""
        names = self.universe_names()
        if not names:
            raise UnknownNameError(
                "There is no data for you. Whoever runs the server puts some there with 'tilt "
                "refresh', or grants you a universe with 'tilt user grant'."
            )
        wanted = (self.default if given is None else given).strip().casefold()
        found = next((name for name in names if name.casefold() == wanted), None)
        if found is None and given is None and len(names) == 1:
            found = names[0]
        if found is None:
            raise unknown_universe(self.default if given is None else given.strip(), names)
        thing = Thing("universe", found)
        permission.require(verb, thing, lambda: unknown_universe(found, names))
        return found

    def _portfolio(self, given: str, verb: Verb) -> str:
        names = self.portfolio_names()
        wanted = given.strip().casefold()
        found = next((name for name in names if name.casefold() == wanted), None)
        if found is None:
            raise unknown_portfolio(given, names)
        thing = Thing("portfolio", found)
        permission.require(verb, thing, lambda: unknown_portfolio(found, names))
        return found

    def _require_of(self, universe: str, snapshot: str | None) -> None:
        """Refuse a snapshot that is not one of the universe's, as one that is not there."""
        if snapshot is None:
            return
        data = self.whole.data_universe(universe)
        if snapshots.by_id(self.catalog, snapshot).universe != data:
            raise snapshots.unknown_snapshot(snapshot)


@contextmanager
def saving(kind: Kind, name: str, every: Iterable[str]) -> Iterator[None]:
    """Let the caller save under a name in the block: that of what they may change, or a new one.

    Of something new they have every right; an administrator has it already, and may leave it to
    others.

    Parameters
    ----------
    every : the names that are there
    """
    caller, maker = permission.who(), ""
    if name.strip().casefold() in _folded(every):
        permission.require("write", Thing(kind, name.strip()), lambda: name_taken(name))
    elif ADMINISTRATOR not in caller.roles:
        maker = caller.id
    with people.making(maker):
        yield


def look_at(store: Store, names: Iterable[str]) -> None:
    """Note that what is asked for rests on the portfolios and universes that are among names.

    A job that reads them later, in another process, is gone with the right to any of them.
    """
    if permission.who() == LOCAL:
        return
    there = {name.casefold(): Thing("universe", name) for name in store.universe_names()}
    there |= {name.casefold(): Thing("portfolio", name) for name in store.portfolio_names()}
    folded = (name.strip().casefold() for name in names)
    permission.touch(there[name] for name in folded if name in there)


def whole(store: Store) -> Store:
    """Return a store with all that is in it, for what concerns no user."""
    return store.whole if isinstance(store, SeenStore) else store


def _folded(names: Iterable[str]) -> frozenset[str]:
    return frozenset(name.casefold() for name in names)
