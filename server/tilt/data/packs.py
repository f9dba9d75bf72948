"""The record of reports that were made: what each held, so that the next can tell what changed.

A pack is never changed. Each owner's last ``MOST`` are kept; older ones go.
"""

import datetime as dt
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import orjson
import pandas as pd
from sqlalchemy import ColumnElement, Connection, Engine, RowMapping, delete, func, insert, select

from tilt.data import catalog
from tilt.data.snapshots import utc
from tilt.data.tables import packs
from tilt.errors import UnknownNameError
from tilt.frames import content_id
from tilt.sealing import seal_of

MOST = 5_000  # packs of an owner that are kept
COLUMNS = ("pack", "portfolio", "kind", "universe", "as_of", "snapshot", "made", "runs")


@dataclass(frozen=True)
class Whose:
    """Who asks for packs, and of which portfolio.

    owner     : a user
    portfolio : as the report calls it
    saved     : whether it is a saved portfolio, whose packs all who may read it share; those of
                holdings that were only sent are their owner's
    """

    owner: str
    portfolio: str
    saved: bool

    @property
    def subject(self) -> str:
        """Return what packs of the same portfolio have in common."""
        name = self.portfolio.strip().casefold()
        return content_id("saved", name) if self.saved else content_id("sent", self.owner, name)


@dataclass(frozen=True)
class Pack:
    """A report that was made.

    figures : what a comparison needs, as JSON knows it; empty for a kind that compares nothing
    runs    : ids of the runs that it shows
    """

    whose: Whose
    kind: str
    universe: str
    as_of: pd.Timestamp
    snapshot: str
    made: dt.datetime
    figures: Mapping[str, object]
    runs: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """Return its id: of the same content the same, whenever it was made."""
        return content_id(
            self.whose.subject, self.kind, self.universe, f"{self.as_of:%Y-%m-%d}", self.snapshot,
            dict(self.figures), self.runs,
        )  # fmt: skip


def record(engine: Engine, pack: Pack) -> str:
    """Write a pack down unless its owner has the same on record; return its id.

    The owner's oldest make room for it.
    """
    owner = pack.whose.owner
    mine = packs.c.owner == owner
    body = {
        "portfolio": pack.whose.portfolio,
        "saved": pack.whose.saved,
        "figures": pack.figures,
        "runs": pack.runs,
    }
    with catalog.writing(engine) as connection:
        there = select(packs.c.pack).where(mine, packs.c.pack == pack.id)
        if connection.execute(there).first() is not None:
            return pack.id
        content = zlib.compress(orjson.dumps(body))
        connection.execute(
            insert(packs).values(
                owner=owner,
                pack=pack.id,
                subject=pack.whose.subject,
                kind=pack.kind,
                universe=pack.universe,
                as_of=pack.as_of.date(),
                snapshot=pack.snapshot,
                made=pack.made,
                body=seal_of(connection).keep(content, about=f"packs/{pack.id}"),
            )
        )
        if connection.execute(select(func.count()).where(mine)).scalar_one() > MOST:
            newest = select(packs.c.made).where(mine).order_by(packs.c.made.desc())
            last = connection.execute(newest.offset(MOST - 1).limit(1)).scalar_one()
            connection.execute(delete(packs).where(mine, packs.c.made < last))
    return pack.id


def last(
    engine: Engine, whose: Whose, kind: str, universe: str, *, before: pd.Timestamp
) -> Pack | None:
    """Return the pack of the latest date before a date, of several the one made last; None if none.

    Only packs with figures count.
    """
    return _newest(engine, whose, kind, universe, packs.c.as_of < before.date())


def last_of_day(
    engine: Engine, whose: Whose, kind: str, universe: str, date: pd.Timestamp
) -> Pack | None:
    """Return the pack of a date that was made last; None if there is none."""
    return _newest(engine, whose, kind, universe, packs.c.as_of == date.date())


def listed(engine: Engine, owner: str, *, most: int, after: int = 0) -> pd.DataFrame:
    """Return pack, portfolio, kind, universe, as_of, snapshot, made, runs, the newest first."""
    query = select(packs).where(packs.c.owner == owner)
    order = query.order_by(packs.c.made.desc(), packs.c.pack).offset(after).limit(most)
    with catalog.reading(engine) as connection:
        found = [_read(connection, row) for row in connection.execute(order).mappings()]
    rows = [
        (p.id, p.whose.portfolio, p.kind, p.universe, p.as_of, p.snapshot,
         pd.Timestamp(p.made).tz_localize(None), len(p.runs))
        for p in found
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=list(COLUMNS))


def forget(engine: Engine, owner: str, pack: str) -> None:
    """Remove one of an owner's packs.

    Raises
    ------
    UnknownNameError
        If the owner has none of that id; another owner's is none.
    """
    with catalog.writing(engine) as connection:
        gone = connection.execute(
            delete(packs).where(packs.c.owner == owner, packs.c.pack == pack.strip().lower())
        )
        if gone.rowcount == 0:
            raise UnknownNameError(f"No report '{pack[:40]}' of yours is on record.")


def forget_portfolio(connection: Connection, portfolio: str) -> None:
    """Remove the packs of a saved portfolio that is deleted, whoever made them."""
    subject = Whose("", portfolio, saved=True).subject
    connection.execute(delete(packs).where(packs.c.subject == subject))


def _newest(
    engine: Engine, whose: Whose, kind: str, universe: str, date: ColumnElement[bool]
) -> Pack | None:
    query = (
        select(packs)
        .where(packs.c.subject == whose.subject, packs.c.kind == kind)
        .where(packs.c.universe == universe, date)
        .order_by(packs.c.as_of.desc(), packs.c.made.desc())
    )
    if not whose.saved:
        query = query.where(packs.c.owner == whose.owner)
    with catalog.reading(engine) as connection:
        for row in connection.execute(query).mappings():
            found = _read(connection, row)
            if found.figures:
                return found
    return None


def _read(connection: Connection, there: RowMapping) -> Pack:
    content = seal_of(connection).open(there["body"], about=f"packs/{there['pack']}")
    body = orjson.loads(zlib.decompress(content))
    return Pack(
        Whose(there["owner"], body["portfolio"], body["saved"]),
        there["kind"],
        there["universe"],
        pd.Timestamp(there["as_of"]),
        there["snapshot"],
        utc(there["made"]),
        body["figures"],
        tuple(body["runs"]),
    )
