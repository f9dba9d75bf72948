"""What a job, run, file or kept answer rests on: who may not see all of that may not see it."""

import datetime as dt
import hashlib
import json
from collections.abc import Iterable

from sqlalchemy import Engine, delete, insert, select

from tilt import sealing
from tilt.security.deciding import Thing
from tilt.security.tables import RESTS, now, writing

KEPT_DAYS = 400  # longer than any job, file or answer; runs that are older rest on their universe


def remember(engine: Engine, what: Thing, things: Iterable[Thing]) -> None:
    """Write down what something rests on, in place of what was written before."""
    found = sorted({(thing.kind, thing.name) for thing in things})
    own = _id(what)
    moment = now()
    with writing(engine) as connection:
        seal = sealing.seal_of(connection)
        text = seal.keep_text(json.dumps(found), about=f"rests/{own}")
        connection.execute(delete(RESTS).where(RESTS.c.id == own))
        connection.execute(delete(RESTS).where(RESTS.c.at < moment - dt.timedelta(days=KEPT_DAYS)))
        connection.execute(insert(RESTS).values(id=own, things=text, at=moment))


def recall(engine: Engine, whats: Iterable[Thing]) -> dict[Thing, list[Thing]]:
    """Return what things rest on; those of which that was not written down are left out."""
    by_id = {_id(what): what for what in whats}
    if not by_id:
        return {}
    query = select(RESTS.c.id, RESTS.c.things).where(RESTS.c.id.in_(by_id))
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
