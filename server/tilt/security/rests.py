"""What a job, run, file or kept answer rests on: who may not see all of that may not see it."""

import datetime as dt
import hashlib
import json
from collections.abc import Iterable

from sqlalchemy import Column, DateTime, Engine, String, Table, Text, delete, insert, select

from tilt import sealing
from tilt.security.deciding import Thing
from tilt.security.keys import METADATA

_RESTS = Table(
    "rests",
    METADATA,
    Column("id", String(32), primary_key=True),  # of what, its id and its owner; tells none of them
    Column("things", Text, nullable=False),  # JSON of kind and name; sealed where names are
    Column("at", DateTime, nullable=False, index=True),
)
KEPT_DAYS = 400  # longer than any job, file or answer; runs that are older rest on their universe


def remember(engine: Engine, what: Thing, things: Iterable[Thing]) -> None:
    """Write down what something rests on, in place of what was written before."""
    found = sorted({(thing.kind, thing.name) for thing in things})
    own = _id(what)
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None)
    with engine.execution_options(write=True).begin() as connection:
        seal = sealing.seal_of(connection)
        text = seal.keep_text(json.dumps(found), about=f"rests/{own}")
        connection.execute(delete(_RESTS).where(_RESTS.c.id == own))
        connection.execute(delete(_RESTS).where(_RESTS.c.at < now - dt.timedelta(days=KEPT_DAYS)))
        connection.execute(insert(_RESTS).values(id=own, things=text, at=now))


def recall(engine: Engine, whats: Iterable[Thing]) -> dict[Thing, list[Thing]]:
    """Return what things rest on; those of which that was not written down are left out."""
    by_id = {_id(what): what for what in whats}
    if not by_id:
        return {}
    query = select(_RESTS.c.id, _RESTS.c.things).where(_RESTS.c.id.in_(by_id))
    with engine.connect() as connection:
        rows = connection.execute(query).all()
        seal = sealing.seal_of(connection)
    return {
        by_id[row.id]: [
            Thing(kind, name)
            for kind, name in json.loads(seal.open_text(row.things, f"rests/{row.id}"))
        ]
        for row in rows
    }


def _id(what: Thing) -> str:
    content = "\0".join((what.kind, what.name, what.owner))
    return hashlib.sha256(content.encode()).hexdigest()[:32]
