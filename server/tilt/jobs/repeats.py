"""The catalog's table of writes that a client may send again, with the answer each was given.

Time is that of a clock that only rises. A machine's clock that is set forward must not make an
answer of a minute ago look a day old, nor a write that is being carried out look abandoned: either
would let it be done twice.

What was asked is kept as a MAC of its hash, salted: a request for a known portfolio would otherwise
show by its hash what is in it, to whoever reads the table and guesses. The key is the data key,
else that of the audit; without either, a guess at one row is of no use for the next.
"""

import datetime as dt
import hmac
import secrets
import threading
import time
from collections.abc import Callable
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

from tilt.audit import keys_of
from tilt.sealing import seal_of

KEPT = dt.timedelta(hours=24)
ABANDONED = dt.timedelta(minutes=15)  # watched unanswered for so long, its server has died

_SALT = 16  # hexadecimal digits
_PURPOSE = b"tilt repeated request"  # its keys are nobody else's

METADATA = MetaData()
REPEATS = Table(
    "idempotent_requests",
    METADATA,
    Column("owner", String(200), primary_key=True),
    Column("key", String(128), primary_key=True),
    Column("request", String(64), nullable=False),  # salt and MAC of what was asked
    Column("status", Integer, nullable=False, default=0),  # 0 while it is being carried out
    Column("content_type", String(200), nullable=False, default=""),
    Column("body", LargeBinary, nullable=False, default=b""),
    Column("begun", DateTime, nullable=False),  # in UTC
)


@dataclass(frozen=True)
class Answer:
    """What a write was answered with; ``status`` is 0 while it is being carried out.

    request : what was asked, as it was given; if it was another request, nothing that says which
    """

    request: str
    status: int
    content_type: str
    body: bytes


def steady() -> Callable[[], dt.datetime]:
    """Return a clock in UTC, right when it is made, that nobody's setting of the time moves."""
    began, since = dt.datetime.now(dt.UTC), time.monotonic()
    return lambda: began + dt.timedelta(seconds=time.monotonic() - since)


class Repeats:
    """The table in one catalog, created if absent; each statement is a transaction of its own.

    Parameters
    ----------
    now : in UTC, of a clock that only rises
    """

    def __init__(self, engine: Engine, now: Callable[[], dt.datetime] | None = None) -> None:
        self._engine = engine
        self._seal = seal_of(engine)
        known = (*self._seal.keys, *keys_of(engine).keys, b"")
        self._keys = tuple(hmac.digest(key, _PURPOSE, "sha256") for key in known)
        self._now = now or steady()
        self._lock = threading.Lock()
        self._unanswered: dict[tuple[str, str, dt.datetime], dt.datetime] = {}  # first seen so
        METADATA.create_all(engine)

    def begin(self, owner: str, key: str, request: str) -> Answer | None:
        """Return None if the caller is the first and must carry the write out, else its answer.

        A write that this server has seen unanswered for ``ABANDONED`` is the caller's to carry out.

        Parameters
        ----------
        request : SHA-256 of what is asked
        """
        mine = (REPEATS.c.owner == owner) & (REPEATS.c.key == key)
        while True:
            now = self._now().replace(tzinfo=None)
            hidden = _hidden(self._keys[0], secrets.token_hex(_SALT // 2), request)
            row = {"owner": owner, "key": key, "request": hidden, "begun": now}
            with self._engine.begin() as connection:
                connection.execute(delete(REPEATS).where(REPEATS.c.begun < now - KEPT))
            try:
                with self._engine.begin() as connection:
                    connection.execute(insert(REPEATS).values(row))
            except IntegrityError:
                found = self._found(mine, place_of(owner, key), request)
                if found is None:
                    continue  # another server let go of it this moment
                answer, begun = found
                if answer.status or not self._abandoned((owner, key, begun), now):
                    return answer
                left = mine & (REPEATS.c.begun == begun) & (REPEATS.c.status == 0)
                with self._engine.begin() as connection:
                    connection.execute(delete(REPEATS).where(left))
            else:
                return None

    def finish(self, owner: str, key: str, answer: Answer) -> None:
        """Keep the answer of a write that was carried out."""
        body = self._seal.keep(answer.body, place_of(owner, key))
        with self._engine.begin() as connection:
            connection.execute(
                update(REPEATS)
                .where(REPEATS.c.owner == owner, REPEATS.c.key == key)
                .values(status=answer.status, content_type=answer.content_type, body=body)
            )

    def forget(self, owner: str, key: str) -> None:
        """Let the write be tried again: it had no answer that would be the same next time."""
        with self._engine.begin() as connection:
            connection.execute(
                delete(REPEATS).where(REPEATS.c.owner == owner, REPEATS.c.key == key)
            )

    def _abandoned(self, write: tuple[str, str, dt.datetime], now: dt.datetime) -> bool:
        """Return whether a write has been seen unanswered for too long."""
        with self._lock:
            kept = {w: at for w, at in self._unanswered.items() if now - at <= 2 * ABANDONED}
            since = kept.setdefault(write, now)
            self._unanswered = kept
        return now - since > ABANDONED

    def _found(
        self, where: ColumnElement[bool], place: str, request: str
    ) -> tuple[Answer, dt.datetime] | None:
        columns = (REPEATS.c[n] for n in ("request", "status", "content_type", "body"))
        with self._engine.connect() as connection:
            row = connection.execute(select(*columns, REPEATS.c.begun).where(where)).first()
        if row is None:
            return None
        body = self._seal.open(row.body, place)
        asked = request if self._is_of(row.request, request) else row.request
        return Answer(asked, row.status, row.content_type, body), row.begun

    def _is_of(self, kept: str, request: str) -> bool:
        """Return whether a request is the one that was kept, under any of the keys."""
        salt = kept[:_SALT]
        return any(hmac.compare_digest(kept, _hidden(key, salt, request)) for key in self._keys)


def _hidden(key: bytes, salt: str, request: str) -> str:
    """Return a request as it is kept, as long as its hash."""
    mac = hmac.new(key, f"{salt}{request}".encode(), "sha256").hexdigest()
    return salt + mac[: len(mac) - _SALT]


def place_of(owner: str, key: str) -> str:
    """Return what an encrypted answer is bound to."""
    return f"idempotent_requests/{owner}/{key}"
