"""API keys: made of 256 random bits, shown once, kept only as a keyed hash."""

import datetime as dt
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd
from sqlalchemy import ColumnElement, Connection, Engine, insert, select, update

from tilt import audit
from tilt.errors import AccessError, ArgumentError, UnknownNameError, cut
from tilt.security import people
from tilt.security.deciding import LOCAL
from tilt.security.tables import KEYS, NOTED, note_if_it_can, now, writing

PREFIX = "tilt"
NOT_SIGNED_IN = "Not signed in: open the Tilt pane."
LONGEST_DAYS = 3650
OVERLAP_DAYS = 7  # both keys of a rotation are good, so that nobody is locked out


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


def create_key(
    catalog: Engine,
    name: str,
    *,
    secret: str,
    days: int | None = None,
    roles: Iterable[str] = (),
) -> NewKey:
    """Make a key for ``name`` and store its hash; it is good for ``days``, or until revoked.

    Parameters
    ----------
    roles : for ``name``, in place of those given before; none leaves them as they are

    Raises
    ------
    ArgumentError
        If the name is empty or longer than 80 characters, the days are no sensible number, a role
        is none, or there is no secret to hash with; no key is made.
    """
    name = name.strip()
    if not 1 <= len(name) <= 80 or not name.isprintable():
        raise ArgumentError("The name of a key has 1 to 80 printable characters.")
    if name == LOCAL.id:
        raise ArgumentError(f"'{name}' is who works without signing in. Choose another name.")
    given = list(roles)
    with writing(catalog) as connection:
        made = _make(connection, name, secret, days)
        if given:
            people.give_roles(connection, name, given)
    return made


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
    moment, left = now(), _days(overlap, least=0)
    with writing(catalog) as connection:
        old = connection.execute(select(KEYS).where(_valid(prefix, moment))).first()
        if old is None:
            raise _unknown(prefix)
        new = _make(connection, old.name, secret, days)
        until = moment + left if old.expires is None else min(old.expires, moment + left)
        connection.execute(update(KEYS).where(KEYS.c.prefix == prefix).values(expires=until))
        audit.note(connection, "replaced", f"API key {prefix}", {"by": new.prefix})
    return new


def list_keys(catalog: Engine) -> pd.DataFrame:
    """Return prefix, name, created, revoked, expires, used, state of every key, the oldest first.

    Times are in UTC; ``used`` is true to the hour. ``state`` is valid, expired or revoked.
    """
    columns = [KEYS.c[name] for name in ("prefix", "name", "created", "revoked", "expires", "used")]
    with catalog.connect() as connection:
        rows = connection.execute(select(*columns).order_by(KEYS.c.created)).all()
    table = pd.DataFrame([tuple(r) for r in rows], columns=[c.name for c in columns])
    return table.assign(state=[_state(row.revoked, row.expires) for row in rows])


def revoke_key(catalog: Engine, prefix: str) -> None:
    """Make a key invalid from now on.

    Raises
    ------
    UnknownNameError
        If no valid key has that prefix.
    """
    moment = now()
    with writing(catalog) as connection:
        mine = update(KEYS).where(_valid(prefix, moment))
        if connection.execute(mine.values(revoked=moment)).rowcount == 0:
            raise _unknown(prefix)
        audit.note(connection, "revoked", f"API key {prefix}")


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
            row = connection.execute(select(KEYS).where(KEYS.c.prefix == parts[1])).first()
    # an unknown key costs the same hash and comparison as a known one
    stored = row.digest if row is not None else "0" * 64
    same = hmac.compare_digest(_digest(key, secret), stored)
    if row is None or not same or _state(row.revoked, row.expires) != "valid":
        raise AccessError(NOT_SIGNED_IN)
    if row.used is None or row.used < now() - NOTED:
        used = update(KEYS).where(KEYS.c.prefix == row.prefix).values(used=now())
        note_if_it_can(catalog, used, f"The last use of key {row.prefix}")
    return str(row.name)


def _make(connection: Connection, name: str, secret: str, days: int | None) -> NewKey:
    made = now()
    expires = None if days is None else made + _days(days, least=1)
    prefix = secrets.token_hex(6)
    key = f"{PREFIX}_{prefix}_{secrets.token_urlsafe(32)}"
    row = {"prefix": prefix, "name": name, "digest": _digest(key, secret), "created": made}
    connection.execute(insert(KEYS).values(**row, expires=expires))
    audit.note(connection, "made", f"API key {prefix}", {"of": name})
    return NewKey(prefix, name, key, expires)


def _valid(prefix: str, moment: dt.datetime) -> ColumnElement[bool]:
    lasting = KEYS.c.expires.is_(None) | (KEYS.c.expires > moment)
    return (KEYS.c.prefix == prefix) & KEYS.c.revoked.is_(None) & lasting


def _state(revoked: dt.datetime | None, expires: dt.datetime | None) -> str:
    if revoked is not None:
        return "revoked"
    return "expired" if expires is not None and expires <= now() else "valid"


def _unknown(prefix: str) -> UnknownNameError:
    return UnknownNameError(
        f"No valid API key begins with '{cut(prefix)}'. 'tilt key list' shows them."
    )


def _days(count: int, *, least: int) -> dt.timedelta:
    if not least <= count <= LONGEST_DAYS:
        raise ArgumentError(f"Days of a key are {least} to {LONGEST_DAYS}, not {count}.")
    return dt.timedelta(days=count)


def _digest(key: str, secret: str) -> str:
    if len(secret) < 32:
        raise ArgumentError("TILT_SECRET_KEY must have at least 32 characters to hash API keys.")
    return hmac.new(secret.encode(), key.encode("utf-8", "replace"), hashlib.sha256).hexdigest()
