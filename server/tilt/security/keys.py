"""API keys: made of 256 random bits, shown once, kept only as a keyed hash.

The table is the catalog's: every engine given here comes from ``tilt.data.catalog.open_catalog``.
"""

import datetime as dt
import hashlib
import hmac
import logging
import secrets
from dataclasses import dataclass

import pandas as pd
from sqlalchemy import (
    Column,
    ColumnElement,
    DateTime,
    Engine,
    MetaData,
    String,
    Table,
    insert,
    select,
    update,
)
from sqlalchemy.exc import OperationalError

from tilt import audit
from tilt.errors import AccessError, ArgumentError, BusyError, DataError, UnknownNameError
from tilt.security.deciding import LOCAL

PREFIX = "tilt"
NOT_SIGNED_IN = "Not signed in: open the Tilt pane."
LONGEST_DAYS = 3650
OVERLAP_DAYS = 7  # both keys of a rotation are good, so that nobody is locked out
_NOTED = dt.timedelta(hours=1)  # how old the note of the last use may be
_LOG = logging.getLogger("tilt.security")

METADATA = MetaData()
_KEYS = Table(
    "api_keys",
    METADATA,
    Column("prefix", String(16), primary_key=True),
    Column("name", String(80), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("created", DateTime, nullable=False),
    Column("revoked", DateTime, nullable=True),
    Column("expires", DateTime, nullable=True),
    Column("used", DateTime, nullable=True),
)


@dataclass(frozen=True)
class NewKey:
    """A key as its owner sees it, once.

    prefix  : names the key in lists and for revocation; no secret
    key     : the whole key; it cannot be shown again
    expires : in UTC; None if it is good until revoked
    """

    prefix: str
    name: str
    key: str
    expires: dt.datetime | None


def create_key(catalog: Engine, name: str, *, secret: str, days: int | None = None) -> NewKey:
    """Make a key for ``name`` and store its hash; it is good for ``days``, or until revoked.

    Raises
    ------
    ArgumentError
        If the name is empty or longer than 80 characters, the days are no sensible number, or there
        is no secret to hash with.
    """
    name = name.strip()
    if not 1 <= len(name) <= 80 or not name.isprintable():
        raise ArgumentError("The name of a key has 1 to 80 printable characters.")
    if name == LOCAL.id:
        raise ArgumentError(f"'{name}' is who works without signing in. Choose another name.")
    expires = None if days is None else _now() + _days(days, least=1)
    prefix = secrets.token_hex(6)
    key = f"{PREFIX}_{prefix}_{secrets.token_urlsafe(32)}"
    row = {"prefix": prefix, "name": name, "digest": _digest(key, secret), "created": _now()}
    with catalog.execution_options(write=True).begin() as connection:
        connection.execute(insert(_KEYS).values(**row, expires=expires))
        audit.note(connection, "made", f"API key {prefix}", {"of": name})
    return NewKey(prefix, name, key, expires)


def rotate_key(
    catalog: Engine,
    prefix: str,
    *,
    secret: str,
    days: int | None = None,
    overlap: int = OVERLAP_DAYS,
) -> NewKey:
    """Make a new key for the owner of a valid one, which is good for ``overlap`` more days.

    Raises
    ------
    UnknownNameError
        If no valid key has that prefix.
    ArgumentError
        As :func:`create_key`.
    """
    now, left = _now(), _days(overlap, least=0)
    with catalog.connect() as connection:
        old = connection.execute(select(_KEYS).where(_valid(prefix, now))).first()
    if old is None:
        raise _unknown(prefix)
    new = create_key(catalog, old.name, secret=secret, days=days)
    until = now + left if old.expires is None else min(old.expires, now + left)
    with catalog.execution_options(write=True).begin() as connection:
        connection.execute(update(_KEYS).where(_KEYS.c.prefix == prefix).values(expires=until))
        audit.note(connection, "replaced", f"API key {prefix}", {"by": new.prefix})
    return new


def list_keys(catalog: Engine) -> pd.DataFrame:
    """Return prefix, name, created, revoked, expires, used, state of every key, the oldest first.

    Times are in UTC; ``used`` is true to the hour. ``state`` is valid, expired or revoked.
    """
    columns = [
        _KEYS.c[name] for name in ("prefix", "name", "created", "revoked", "expires", "used")
    ]
    with catalog.connect() as connection:
        rows = connection.execute(select(*columns).order_by(_KEYS.c.created)).all()
    table = pd.DataFrame([tuple(r) for r in rows], columns=[c.name for c in columns])
    return table.assign(state=[_state(row.revoked, row.expires) for row in rows])


def revoke_key(catalog: Engine, prefix: str) -> None:
    """Make a key invalid from now on.

    Raises
    ------
    UnknownNameError
        If no valid key has that prefix.
    """
    now = _now()
    with catalog.execution_options(write=True).begin() as connection:
        changed = connection.execute(update(_KEYS).where(_valid(prefix, now)).values(revoked=now))
        audit.note(connection, "revoked", f"API key {prefix[:40]}")
        if changed.rowcount == 0:
            raise _unknown(prefix)


def verify(catalog: Engine, authorization: str, *, secret: str) -> str:
    """Return the name of the key in an ``Authorization: Bearer ...`` header, and note its use.

    Raises
    ------
    AccessError
        If the header is missing or malformed, or the key is unknown, expired or revoked; the
        message does not say which.
    """
    scheme, _, key = authorization.strip().partition(" ")
    key = key.strip()
    parts = key.split("_", 2)
    well_formed = scheme.lower() == "bearer" and len(parts) == 3 and parts[0] == PREFIX
    row = None
    if well_formed and len(key) <= 128:
        with catalog.connect() as connection:
            row = connection.execute(select(_KEYS).where(_KEYS.c.prefix == parts[1])).first()
    # an unknown key costs the same hash and comparison as a known one
    stored = row.digest if row is not None else "0" * 64
    same = hmac.compare_digest(_digest(key, secret), stored)
    if row is None or not same or _state(row.revoked, row.expires) != "valid":
        raise AccessError(NOT_SIGNED_IN)
    if row.used is None or row.used < _now() - _NOTED:
        _note_use(catalog, row.prefix)
    return str(row.name)


def _note_use(catalog: Engine, prefix: str) -> None:
    """Note the time; a catalog that cannot be written refuses nobody who only reads."""
    try:
        with catalog.begin() as connection:
            connection.execute(update(_KEYS).where(_KEYS.c.prefix == prefix).values(used=_now()))
    except (OperationalError, BusyError, DataError) as error:
        _LOG.warning("The last use of key %s cannot be noted: %s", prefix, error)


def _valid(prefix: str, now: dt.datetime) -> ColumnElement[bool]:
    lasting = _KEYS.c.expires.is_(None) | (_KEYS.c.expires > now)
    return (_KEYS.c.prefix == prefix) & _KEYS.c.revoked.is_(None) & lasting


def _state(revoked: dt.datetime | None, expires: dt.datetime | None) -> str:
    if revoked is not None:
        return "revoked"
    return "expired" if expires is not None and expires <= _now() else "valid"


def _unknown(prefix: str) -> UnknownNameError:
    return UnknownNameError(f"No valid API key begins with '{prefix}'. 'tilt key list' shows them.")


def _days(count: int, *, least: int) -> dt.timedelta:
    if not least <= count <= LONGEST_DAYS:
        raise ArgumentError(f"Days of a key are {least} to {LONGEST_DAYS}, not {count}.")
    return dt.timedelta(days=count)


def _digest(key: str, secret: str) -> str:
    if len(secret) < 32:
        raise ArgumentError("TILT_SECRET_KEY must have at least 32 characters to hash API keys.")
    return hmac.new(secret.encode(), key.encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC).replace(tzinfo=None)
