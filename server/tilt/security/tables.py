"""The catalog's tables of keys, people and grants, and how they are written.

Every engine given to this package comes from ``tilt.data.catalog.open_catalog``.
"""

import datetime as dt
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import (
    Column,
    Connection,
    DateTime,
    Engine,
    MetaData,
    String,
    Table,
    Text,
    Update,
)
from sqlalchemy.exc import OperationalError

from tilt.errors import BusyError, DataError

LONGEST_ID = 200
NOTED = dt.timedelta(hours=1)  # how old the note of a key's last use, or a sign-in, may be
_LOG = logging.getLogger("tilt.security")

METADATA = MetaData()
KEYS = Table(
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
PEOPLE = Table(
    "people",
    METADATA,
    Column("id", String(LONGEST_ID), primary_key=True),
    Column("name", String(LONGEST_ID), nullable=False),
    Column("roles", Text, nullable=False),  # given here; JSON
    Column("claimed", Text, nullable=False),  # by the last token, roles and groups; JSON
    Column("seen", DateTime, nullable=True),  # in UTC, true to the hour
)
GRANTS = Table(
    "grants",
    METADATA,
    Column("id", String(16), primary_key=True),
    Column("to_kind", String(8), nullable=False),
    Column("to_id", String(LONGEST_ID), nullable=False, index=True),
    Column("kind", String(16), nullable=False),
    Column("name", Text, nullable=False),  # sealed where names of portfolios are
    Column("verbs", String(64), nullable=False),
    Column("by_id", String(LONGEST_ID), nullable=False),
    Column("at", DateTime, nullable=False),
)
RESTS = Table(  # what a job, run, file or kept answer rests on
    "rests",
    METADATA,
    Column("id", String(32), primary_key=True),  # of what, its id and its owner; tells none of them
    Column("things", Text, nullable=False),  # JSON of kind and name; sealed where names are
    Column("at", DateTime, nullable=False, index=True),
)


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Give a connection that holds the catalog's one write lock from its beginning."""
    with engine.execution_options(write=True).begin() as connection:
        yield connection


def note_if_it_can(engine: Engine, news: Update, words: str) -> None:
    """Note what is good to know; a catalog that cannot be written refuses nobody who only reads."""
    try:
        with engine.begin() as connection:
            connection.execute(news)
    except (OperationalError, BusyError, DataError) as error:
        _LOG.warning("%s cannot be noted: %s", words, error)


def now() -> dt.datetime:
    """Return the time in UTC, as these tables keep it."""
    return dt.datetime.now(dt.UTC).replace(tzinfo=None)
