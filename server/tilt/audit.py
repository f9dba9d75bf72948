"""The log of who did what: one chain of entries that are only ever added.

Each entry carries a keyed MAC over itself and the MAC of the one before, so that none can be
changed, taken out of the middle or added without the key. What is cut off at the end is noticed by
anchors: copies of the last MAC that are kept elsewhere (a file, the server's log, an export).

Entries name portfolios, snapshots, functions and run ids; they hold no holdings and no secrets.
"""

import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from types import MappingProxyType

import orjson
from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Engine,
    Index,
    MetaData,
    String,
    Table,
    Text,
    insert,
    select,
)

LONGEST = {"who": 200, "client": 40, "request": 64, "action": 40, "object": 400}
MOST_RUNS = 200  # run ids of one entry
_OPTION = "tilt_audit_keys"
_WRITE = "write"  # the option of a transaction that holds the catalog's write lock

METADATA = MetaData()
LOG = Table(
    "audit_log",
    METADATA,
    Column("number", BigInteger, primary_key=True, autoincrement=False),  # from 1, without a gap
    Column("at", String(32), nullable=False),  # in UTC, as it is chained
    Column("who", String(200), nullable=False),
    Column("client", String(40), nullable=False),
    Column("request", String(64), nullable=False),
    Column("action", String(40), nullable=False),
    Column("object", String(400), nullable=False),
    Column("detail", Text, nullable=False),  # JSON
    Column("runs", Text, nullable=False),  # JSON
    Column("key", String(8), nullable=False),  # id of the key of the MAC; empty without one
    Column("mac", String(64), nullable=False),
)
Index("audit_log_by_object", LOG.c.object, LOG.c.number)
Index("audit_log_by_who", LOG.c.who, LOG.c.number)
RUNS = Table(  # where to find a run; what counts is in the entry itself
    "audit_runs",
    METADATA,
    Column("run", String(12), primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
)
_CHAINED = tuple(c.name for c in LOG.c if c.name != "mac")


@dataclass(frozen=True)
class Actor:
    """Who does something.

    client  : the program, such as cells, pane or command
    request : id of the request, as the server's log has it
    """

    who: str
    client: str = ""
    request: str = ""


NOBODY = Actor("")
ACTOR: ContextVar[Actor] = ContextVar("actor", default=NOBODY)
_NOTHING: Mapping[str, object] = MappingProxyType({})


@dataclass(frozen=True)
class Entry:
    """Something that was done.

    action  : a word or two, such as "saved"
    subject : what it was done to, such as "portfolio Growth"
    detail  : plain values; no holdings, no secrets
    runs    : ids of the results that it concerns
    """

    action: str
    subject: str
    detail: Mapping[str, object] = field(default_factory=dict)
    runs: Sequence[str] = ()
    actor: Actor = field(default_factory=ACTOR.get)
    at: dt.datetime = field(default_factory=lambda: dt.datetime.now(dt.UTC))


@dataclass(frozen=True)
class Keys:
    """The keys of the MAC: the first one for new entries, every one to verify; may be empty."""

    keys: tuple[bytes, ...] = field(default=(), repr=False)

    @property
    def id(self) -> str:
        """The id of the key of new entries; empty if there is none."""
        return key_id(self.keys[0]) if self.keys else ""

    def mac(self, row: Mapping[str, object], before: str) -> str:
        """Return the MAC of a row after another one; empty if its key is not here.

        Parameters
        ----------
        before : the MAC of the entry before; empty for the first one
        """
        content = canonical(row, before)
        if not row["key"]:
            return hashlib.sha256(content).hexdigest()
        key = next((key for key in self.keys if key_id(key) == row["key"]), None)
        return "" if key is None else hmac.new(key, content, hashlib.sha256).hexdigest()


def read_keys(given: Iterable[str]) -> Keys:
    """Return the keys of the MAC that come from the texts of the settings; empty ones are none."""
    texts = dict.fromkeys(text for text in given if text)
    purpose = b"tilt audit chain"  # a text may be the secret of API keys too: never the same key
    return Keys(tuple(hmac.digest(text.encode(), purpose, "sha256") for text in texts))


def key_id(key: bytes) -> str:
    """Return the id of a key, which tells nothing of it."""
    return hashlib.sha256(b"tilt audit key\0" + key).hexdigest()[:8]


def give_keys(engine: Engine, keys: Keys) -> None:
    """Let whoever has the engine, or a connection of it, add entries with these keys."""
    engine.update_execution_options(**{_OPTION: keys})


def keys_of(place: Engine | Connection) -> Keys:
    """Return the keys that an engine was given; none if it was given none."""
    keys = place.get_execution_options().get(_OPTION, Keys())
    if not isinstance(keys, Keys):
        raise TypeError(f"{keys!r} are no keys of the audit")
    return keys


def canonical(row: Mapping[str, object], before: str) -> bytes:
    """Return the bytes of a row that its MAC is of: each value with its length, in order."""
    values = [before, *(str(row[name]) for name in _CHAINED)]
    parts = [value.encode() for value in values]
    return b"".join(len(part).to_bytes(8, "big") + part for part in parts)


def note(
    connection: Connection,
    action: str,
    subject: str,
    detail: Mapping[str, object] = _NOTHING,
    runs: Sequence[str] = (),
) -> None:
    """Add an entry in the very transaction that does what it tells; both are there or neither."""
    add(connection, [Entry(action, subject, detail, runs)])


def append(
    engine: Engine,
    action: str,
    subject: str,
    detail: Mapping[str, object] = _NOTHING,
    runs: Sequence[str] = (),
) -> None:
    """Add an entry; it is on record when this returns."""
    with engine.execution_options(write=True).begin() as connection:
        note(connection, action, subject, detail, runs)


def add(connection: Connection, entries: Sequence[Entry]) -> None:
    """Add entries to the end of the chain, in one write transaction of the catalog.

    The catalog's write lock is held from the transaction's beginning, so that of all processes one
    at a time reads the last entry and adds its own: there is one chain, without a fork.

    Raises
    ------
    ValueError
        If the transaction does not hold the lock.
    """
    if not entries:
        return
    if not connection.get_execution_options().get(_WRITE, False):
        raise ValueError("an entry of the audit is added in a write transaction only")
    keys = keys_of(connection)
    last, before = head(connection)
    rows, found = [], []
    for number, entry in enumerate(entries, start=last + 1):
        row = _row(number, entry, keys.id)
        before = keys.mac(row, before)
        rows.append({**row, "mac": before})
        found += [{"run": run, "number": number} for run in _runs(entry)]
    connection.execute(insert(LOG), rows)
    if found:
        connection.execute(insert(RUNS), found)


def head(connection: Connection) -> tuple[int, str]:
    """Return number and MAC of the last entry; 0 and empty if there is none."""
    last = select(LOG.c.number, LOG.c.mac).order_by(LOG.c.number.desc()).limit(1)
    row = connection.execute(last).first()
    return (0, "") if row is None else (int(row.number), str(row.mac))


def listed(
    engine: Engine,
    *,
    most: int,
    before: int | None = None,
    who: str = "",
    action: str = "",
    subject: str = "",
) -> list[dict[str, object]]:
    """Return entries, the newest first.

    Parameters
    ----------
    before : only those of a lower number
    who, action, subject : only those of exactly this; any if empty

    Returns
    -------
    the columns of the log by name; the detail as an object, the runs as a list
    """
    chosen: list[ColumnElement[bool]] = []
    if before is not None:
        chosen.append(LOG.c.number < before)
    for column, value in ((LOG.c.who, who), (LOG.c.action, action), (LOG.c.object, subject)):
        if value:
            chosen.append(column == value)
    query = select(LOG).where(*chosen).order_by(LOG.c.number.desc()).limit(most)
    with engine.connect() as connection:
        return [_shown(dict(row)) for row in connection.execute(query).mappings()]


def following(engine: Engine, *, after: int, most: int) -> list[dict[str, object]]:
    """Return the entries after a number, in order, as ``listed`` has them."""
    query = select(LOG).where(LOG.c.number > after).order_by(LOG.c.number).limit(most)
    with engine.connect() as connection:
        return [_shown(dict(row)) for row in connection.execute(query).mappings()]


def of_run(engine: Engine, run: str, *, who: str, most: int = 20) -> list[dict[str, object]]:
    """Return a user's entries that concern a run, the latest ones, the earliest first."""
    numbers = select(RUNS.c.number).where(RUNS.c.run == run)
    query = select(LOG).where(LOG.c.number.in_(numbers), LOG.c.who == who)
    last = query.order_by(LOG.c.number.desc()).limit(most)
    with engine.connect() as connection:
        rows = connection.execute(last).mappings().all()
    return [_shown(dict(row)) for row in reversed(rows)]


def _row(number: int, entry: Entry, key: str) -> dict[str, object]:
    actor = entry.actor
    words = {
        "who": actor.who,
        "client": actor.client,
        "request": actor.request,
        "action": entry.action,
        "object": entry.subject,
    }
    cut = {name: _plain(text)[: LONGEST[name]] for name, text in words.items()}
    return {
        "number": number,
        "at": entry.at.astimezone(dt.UTC).isoformat(timespec="microseconds"),
        **cut,
        "detail": orjson.dumps(dict(entry.detail), option=orjson.OPT_SORT_KEYS).decode(),
        "runs": orjson.dumps(_runs(entry)).decode(),
        "key": key,
    }


def _runs(entry: Entry) -> list[str]:
    return list(dict.fromkeys(run[:12] for run in entry.runs))[:MOST_RUNS]


def _plain(text: str) -> str:
    """Return a text that every database gives back as it was: no NUL, no lone surrogates."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def _shown(row: Mapping[str, object]) -> dict[str, object]:
    return {
        **row,
        "detail": json.loads(str(row["detail"])),
        "runs": json.loads(str(row["runs"])),
    }
