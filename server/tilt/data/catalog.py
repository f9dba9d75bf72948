"""The catalog: which snapshots are complete, their files, and the saved portfolios.

SQLite in the data folder unless another URL is set; the types are those PostgreSQL has too. A
transaction with the execution option ``write`` takes SQLite's write lock when it begins, so that
two processes never find out at the end that both have written.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Date,
    DateTime,
    Double,
    Engine,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    event,
    insert,
    update,
)
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError as UrlError
from sqlalchemy.exc import DatabaseError, NoSuchModuleError
from sqlalchemy.pool import ConnectionPoolEntry

from tilt.errors import ArgumentError, BusyError, DataError

BUSY_SECONDS = 10.0
metadata = MetaData()

snapshots = Table(
    "snapshots",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("universe", String(200), nullable=False, index=True),
    Column("description", Text, nullable=False),
    Column("source", String(200), nullable=False),
    Column("survivorship", Text, nullable=False),
    Column("first_date", Date, nullable=False),
    Column("as_of", Date, nullable=False),
    Column("securities", Integer, nullable=False),
    Column("created", DateTime(timezone=True), nullable=False),
    Column("published", BigInteger, nullable=False),  # the greatest number is the current one
)
files = Table(
    "files",
    metadata,
    Column("snapshot", String(32), ForeignKey("snapshots.id"), primary_key=True),
    Column("name", String(200), primary_key=True),
    Column("sha256", String(64), nullable=False),
    Column("bytes", BigInteger, nullable=False),
)
portfolios = Table(
    "portfolios",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("as_of", Date),
    Column("source", String(200), nullable=False),
)
positions = Table(
    "positions",
    metadata,
    Column("portfolio", String(200), ForeignKey("portfolios.name"), primary_key=True),
    Column("ticker", String(64), primary_key=True),
    Column("weight", Double, nullable=False),
    Column("position", Integer, nullable=False),  # the order of the user's list
)

changes = Table(
    "changes",
    metadata,
    Column("what", String(40), primary_key=True),
    Column("count", BigInteger, nullable=False),  # of writings; only ever rises
)


def open_catalog(url: str, *, busy_seconds: float = BUSY_SECONDS) -> Engine:
    """Return the catalog's engine, its tables made where they are missing.

    Raises
    ------
    ArgumentError
        If the URL is none, or names a database that no driver is installed for.
    BusyError, DataError
        If the database cannot be used: see :func:`catalog_errors`.
    """
    try:
        parsed = make_url(url)
        is_sqlite = parsed.get_backend_name() == "sqlite"
        engine = create_engine(
            parsed, connect_args={"timeout": busy_seconds} if is_sqlite else {}, pool_pre_ping=True
        )
    except (UrlError, NoSuchModuleError, ModuleNotFoundError) as error:
        raise ArgumentError(
            f"TILT_DATABASE_URL cannot be used: {error}. Use a URL such as "
            "sqlite:////data/catalog.sqlite or postgresql+psycopg://user@host/tilt."
        ) from None
    if is_sqlite:
        event.listen(engine, "connect", _on_connect)
        event.listen(engine, "begin", _on_begin)
    with writing(engine) as connection:
        metadata.create_all(connection)
    return engine


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Give a connection in one write transaction, committed at the end of the block."""
    with catalog_errors(engine), engine.execution_options(write=True).begin() as connection:
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Give a connection to read with."""
    with catalog_errors(engine), engine.connect() as connection:
        yield connection


def count_change(connection: Connection, what: str) -> None:
    """Count a writing of ``what``, in the transaction that writes."""
    mine = changes.c.what == what
    counted = connection.execute(
        update(changes).where(mine).values(count=changes.c.count + 1)
    ).rowcount
    if not counted:
        connection.execute(insert(changes).values(what=what, count=1))


@contextmanager
def catalog_errors(engine: Engine) -> Iterator[None]:
    """Turn what a user can mend in a database error into words.

    Raises
    ------
    BusyError
        If another process holds the catalog.
    DataError
        If the catalog cannot be opened, or is no database.
    """
    try:
        yield
    except DatabaseError as error:
        where = engine.url.render_as_string(hide_password=True)
        said = str(error.orig)
        if "locked" in said or "could not obtain lock" in said:
            raise BusyError(
                f"The catalog {where} is in use by another process. Try again in a moment."
            ) from None
        if "unable to open" in said or "not a database" in said or "malformed" in said:
            raise DataError(
                f"The catalog {where} cannot be read ({said}). Check TILT_DATA_URL and "
                "TILT_DATABASE_URL, or move the file away and run 'tilt refresh'."
            ) from None
        raise


def _on_connect(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # the driver begins no transaction of its own
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _on_begin(connection: Connection) -> None:
    write = connection.get_execution_options().get("write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
