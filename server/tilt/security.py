"""API keys: made of 256 random bits, shown once, kept only as a keyed hash."""

import datetime as dt
import hashlib
import hmac
import secrets
from dataclasses import dataclass

import pandas as pd
from sqlalchemy import Column, DateTime, Engine, MetaData, String, Table, insert, select, update

from tilt.errors import AccessError, ArgumentError, UnknownNameError

PREFIX = "tilt"
NOT_SIGNED_IN = "Not signed in: open the Tilt pane."

METADATA = MetaData()
_KEYS = Table(
    "api_keys",
    METADATA,
    Column("prefix", String(16), primary_key=True),
    Column("name", String(80), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("created", DateTime, nullable=False),
    Column("revoked", DateTime, nullable=True),
)


@dataclass(frozen=True)
class NewKey:
    """A key as its owner sees it, once.

    prefix : names the key in lists and for revocation; no secret
    key    : the whole key; it cannot be shown again
    """

    prefix: str
    name: str
    key: str


def create_key(catalog: Engine, name: str, *, secret: str) -> NewKey:
    """Make a key for ``name`` and store its hash.

    Raises
    ------
    ArgumentError
        If the name is empty or longer than 80 characters, or there is no secret to hash with.
    """
    name = name.strip()
    if not 1 <= len(name) <= 80 or not name.isprintable():
        raise ArgumentError("The name of a key has 1 to 80 printable characters.")
    prefix = secrets.token_hex(6)
    key = f"{PREFIX}_{prefix}_{secrets.token_urlsafe(32)}"
    METADATA.create_all(catalog)
    with catalog.begin() as connection:
        connection.execute(
            insert(_KEYS).values(
                prefix=prefix, name=name, digest=_digest(key, secret), created=_now()
            )
        )
    return NewKey(prefix, name, key)


def list_keys(catalog: Engine) -> pd.DataFrame:
    """Return prefix, name, created, revoked of every key, the oldest first."""
    METADATA.create_all(catalog)
    columns = [_KEYS.c.prefix, _KEYS.c.name, _KEYS.c.created, _KEYS.c.revoked]
    with catalog.connect() as connection:
        rows = connection.execute(select(*columns).order_by(_KEYS.c.created)).all()
    return pd.DataFrame([tuple(r) for r in rows], columns=[c.name for c in columns])


def revoke_key(catalog: Engine, prefix: str) -> None:
    """Make a key invalid from now on.

    Raises
    ------
    UnknownNameError
        If no valid key has that prefix.
    """
    METADATA.create_all(catalog)
    with catalog.begin() as connection:
        changed = connection.execute(
            update(_KEYS)
            .where(_KEYS.c.prefix == prefix, _KEYS.c.revoked.is_(None))
            .values(revoked=_now())
        )
        if changed.rowcount == 0:
            raise UnknownNameError(
                f"No valid API key begins with '{prefix}'. 'tilt key list' shows them."
            )


def verify(catalog: Engine, authorization: str, *, secret: str) -> str:
    """Return the name of the key in an ``Authorization: Bearer ...`` header.

    Raises
    ------
    AccessError
        If the header is missing or malformed, or the key is unknown or revoked; the message does
        not say which.
    """
    scheme, _, key = authorization.strip().partition(" ")
    key = key.strip()
    parts = key.split("_", 2)
    well_formed = scheme.lower() == "bearer" and len(parts) == 3 and parts[0] == PREFIX
    row = None
    if well_formed and len(key) <= 128:
        METADATA.create_all(catalog)
        with catalog.connect() as connection:
            row = connection.execute(select(_KEYS).where(_KEYS.c.prefix == parts[1])).first()
    # an unknown key costs the same hash and comparison as a known one
    stored = row.digest if row is not None else "0" * 64
    same = hmac.compare_digest(_digest(key, secret), stored)
    if row is None or not same or row.revoked is not None:
        raise AccessError(NOT_SIGNED_IN)
    return str(row.name)


def _digest(key: str, secret: str) -> str:
    if len(secret) < 32:
        raise ArgumentError("TILT_SECRET_KEY must have at least 32 characters to hash API keys.")
    return hmac.new(secret.encode(), key.encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC).replace(tzinfo=None)
