"""The catalog's table of writes that a client may send again, with the answer each was given."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import (
    Column,
    ColumnElement,
    DateTime,
    Engine,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

KEPT = dt.timedelta(hours=24)
ABANDONED = dt.timedelta(minutes=15)  # a server that has not answered by then has died

METADATA = MetaData()
_REPEATS = Table(
    "idempotent_requests",
    METADATA,
    Column("owner", String(200), primary_key=True),
    Column("key", String(128), primary_key=True),
    Column("request", String(64), nullable=False),  # SHA-256 of what was asked
    Column("status", Integer, nullable=False, default=0),  # 0 while it is being carried out
    Column("content_type", String(200), nullable=False, default=""),
    Column("body", LargeBinary, nullable=False, default=b""),
    Column("begun", DateTime, nullable=False),  # in UTC
)


@dataclass(frozen=True)
class Answer:
    """What a write was answered with; ``status`` is 0 while it is being carried out."""

    request: str
    status: int
    content_type: str
    body: bytes


class Repeats:
    """The table in one catalog, created if absent; each statement is a transaction of its own."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        METADATA.create_all(engine)

    def begin(self, owner: str, key: str, request: str, now: dt.datetime) -> Answer | None:
        """Return None if the caller is the first and must carry the write out, else its answer.

        Parameters
        ----------
        request : SHA-256 of what is asked
        now : in UTC
        """
        mine = (_REPEATS.c.owner == owner) & (_REPEATS.c.key == key)
        now = now.replace(tzinfo=None)
        left = (_REPEATS.c.status == 0) & (_REPEATS.c.begun < now - ABANDONED)
        row = {"owner": owner, "key": key, "request": request, "begun": now}
        while True:
            with self._engine.begin() as connection:
                connection.execute(delete(_REPEATS).where(_REPEATS.c.begun < now - KEPT))
                connection.execute(delete(_REPEATS).where(mine & left))
            try:
                with self._engine.begin() as connection:
                    connection.execute(insert(_REPEATS).values(row))
            except IntegrityError:
                if found := self._found(mine):
                    return found
            else:
                return None

    def finish(self, owner: str, key: str, answer: Answer) -> None:
        """Keep the answer of a write that was carried out."""
        with self._engine.begin() as connection:
            connection.execute(
                update(_REPEATS)
                .where(_REPEATS.c.owner == owner, _REPEATS.c.key == key)
                .values(status=answer.status, content_type=answer.content_type, body=answer.body)
            )

    def forget(self, owner: str, key: str) -> None:
        """Let the write be tried again: it had no answer that would be the same next time."""
        with self._engine.begin() as connection:
            connection.execute(
                delete(_REPEATS).where(_REPEATS.c.owner == owner, _REPEATS.c.key == key)
            )

    def _found(self, where: ColumnElement[bool]) -> Answer | None:
        columns = (_REPEATS.c[n] for n in ("request", "status", "content_type", "body"))
        with self._engine.connect() as connection:
            row = connection.execute(select(*columns).where(where)).first()
        return None if row is None else Answer(*row)
