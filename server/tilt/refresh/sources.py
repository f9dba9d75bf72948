"""Which universe is refreshed from which source: each one remembers its own."""

from dataclasses import dataclass

from tilt.data import snapshots
from tilt.data.store import Store

FIRST = "sample"  # what an empty store begins with


@dataclass(frozen=True)
class Due:
    """One thing to refresh.

    source   : as ``find_source`` knows it
    universe : whose data it is to become; empty where the source says
    """

    source: str
    universe: str = ""


def due(store: Store, *, source: str = "", universe: str = "") -> list[Due]:
    """Return what a refresh of the named source or universe is to do; of all if none is named.

    A universe that a rule makes is refreshed with the one it is made from.

    Raises
    ------
    UnknownNameError
        If the universe is not known, and no source is named to make it from.
    """
    base = {s.universe.casefold(): s for s in snapshots.current(store.catalog)}
    if source:
        return [Due(source, universe.strip())]
    if universe:
        kept = store.snapshots(universe)[0]  # of the parent, where a rule makes the universe
        found = base[kept.universe.casefold()]
        return [Due(found.source, found.universe)]
    if not base:
        return [Due(FIRST)]
    return [Due(s.source, s.universe) for s in sorted(base.values(), key=lambda s: s.universe)]
