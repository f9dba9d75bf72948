"""The catalog: a database that says which snapshots are complete, and keeps all that is small.

SQLite in the data folder unless another URL is set, or PostgreSQL. A transaction with the execution
option ``write`` takes the catalog's one write lock when it begins, so that two processes never find
out at the end that both have written. Under that lock it looks whether the catalog is still of its
program's version: a newer program may have brought it up meanwhile, under the same lock.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import (
    Connection,
    Engine,
    create_engine,
    event,
    insert,
    inspect,
    text,
    update,
)
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection, ExceptionContext
from sqlalchemy.exc import ArgumentError as UrlError
from sqlalchemy.exc import DBAPIError, NoSuchModuleError
from sqlalchemy.pool import ConnectionPoolEntry

from tilt import audit
from tilt.data.tables import changes
from tilt.errors import ArgumentError, BusyError, DataError
from tilt.sealing import NONE, Seal, give_seal, read_seal
from tilt.settings import Settings

BUSY_SECONDS = 10.0
NO_KEYS = audit.Keys()
HEAD = "0009"  # the last step of ``migrations``
_VERSION = "alembic_version"
_LOCK = 0x74696C74  # "tilt": names the advisory lock of writers
_HELD = ("locked", "could not obtain lock", "lock timeout")
_BROKEN = ("unable to open", "not a database", "malformed", "disk I/O", "is full", "readonly")


def open_catalog(
    url: str,
    *,
    busy_seconds: float = BUSY_SECONDS,
    seal: Seal = NONE,
    audit_keys: audit.Keys = NO_KEYS,
) -> Engine:
    """Return the catalog's engine, its tables made or brought up to this program.

    Parameters
    ----------
    busy_seconds : how long a writing waits for another one to end
    seal : the data keys, for whoever reads or writes what may be encrypted
    audit_keys : for whoever adds an entry to the audit

    Raises
    ------
    ArgumentError
        If the URL is none, or names a database that no driver is installed for.
    DataError
        If a newer program has written the catalog.
    BusyError, DataError
        If the database cannot be used: see :func:`catalog_errors`.
    """
    engine = _engine(url, busy_seconds)
    give_seal(engine, seal)
    audit.give_keys(engine, audit_keys)
    try:
        with reading(engine) as connection:
            current = _version(connection) == HEAD
        if not current:
            upgrading = engine.execution_options(write=True, upgrading=True)
            with catalog_errors(engine), upgrading.begin() as connection:
                _bring_up(connection, engine.url)  # of two that find it old, one finds it current
    except BaseException:
        engine.dispose()
        raise
    return engine


def _engine(url: str, busy_seconds: float) -> Engine:
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
        if backend == "postgresql" and parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")  # the driver that is installed
        patience: dict[str, object] = {}
        if backend == "sqlite":
            patience = {"timeout": busy_seconds}
        elif backend == "postgresql":
            limits = f"-c lock_timeout={int(1000 * busy_seconds)}"
            patience = {"connect_timeout": max(2, int(busy_seconds)), "options": limits}
        engine = create_engine(parsed, connect_args=patience, pool_pre_ping=True)
    except (UrlError, NoSuchModuleError, ModuleNotFoundError) as error:
        raise ArgumentError(
            f"TILT_DATABASE_URL cannot be used: {error}. Use a URL such as "
            "sqlite:////data/catalog.sqlite or postgresql+psycopg://user@host/tilt."
        ) from None
    if backend == "sqlite":
        event.listen(engine, "connect", _on_connect)
    elif backend != "postgresql":
        raise ArgumentError(
            f"TILT_DATABASE_URL names {backend}; a catalog is kept in SQLite or PostgreSQL. Use a "
            "URL such as sqlite:////data/catalog.sqlite or postgresql+psycopg://user@host/tilt."
        )
    _tell(engine)
    event.listen(engine, "begin", _begin_sqlite if backend == "sqlite" else _begin_postgresql)
    return engine


def _bring_up(connection: Connection, url: URL) -> None:
    version = _version(connection)
    if version == HEAD:
        return
    from tilt.data import migrations  # here, as Alembic takes long to load and is rarely needed

    if version and version not in migrations.known():
        raise DataError(
            f"The catalog {url.render_as_string(hide_password=True)} is of a newer Tilt (version "
            f"{version}; this program knows up to {HEAD}). Upgrade Tilt here, or set "
            "TILT_DATABASE_URL to another catalog."
        )
    migrations.upgrade(connection)


def _version(connection: Connection) -> str:
    """Return the last step that the catalog has taken; empty if it has taken none."""
    if not inspect(connection).has_table(_VERSION):
        return ""
    return str(connection.execute(text(f"SELECT version_num FROM {_VERSION}")).scalar() or "")  # noqa: S608 - a constant


def open_configured(settings: Settings) -> Engine:
    """Return the catalog of an installation, with its data keys and those of its audit.

    Raises
    ------
    ArgumentError
        If a key cannot be used; else as :func:`open_catalog`.
    """
    return open_catalog(
        settings.catalog_url,
        seal=settings_seal(settings),
        audit_keys=audit.read_keys(settings.audit_secrets),
    )


def settings_seal(settings: Settings) -> Seal:
    """Return the data keys of an installation."""
    old = [key.get_secret_value() for key in settings.data_keys_old]
    return read_seal(settings.data_key.get_secret_value(), old, on=bool(settings.encrypt))


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Give a connection in the catalog's one write transaction, committed at the block's end."""
    with catalog_errors(engine), engine.execution_options(write=True).begin() as connection:
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Give a connection to read with."""
    with catalog_errors(engine), engine.connect() as connection:
        yield connection


def version_problem(engine: Engine) -> str:
    """Return why a catalog that was opened does not fit this program any more, or an empty text.

    Raises
    ------
    BusyError, DataError
        If it cannot be read.
    """
    with reading(engine) as connection:
        version = _version(connection)
    return "" if version == HEAD else _misfit(version)


def _misfit(version: str) -> str:
    return (
        f"The catalog is of version {version or 'none'}; this program needs {HEAD}. Start the "
        "program of the catalog's version, or restart this one, which brings an older one up."
    )


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
        If another process holds the catalog, or its server does not answer.
    DataError
        If the catalog cannot be opened or written, or is no database.
    """
    try:
        yield
    except DBAPIError as error:
        told = _told(engine.url, error)
        if told is None:
            raise
        raise told from None


def _told(url: URL, error: DBAPIError, *, lost: bool = False) -> BusyError | DataError | None:
    """Return a database error in words; None for one that nobody can mend."""
    where = url.render_as_string(hide_password=True)
    said = " ".join(str(error.orig).split())
    if any(words in said for words in _HELD):
        return BusyError(
            f"The catalog {where} is in use by another process. Try again in a moment."
        )
    if any(words in said for words in _BROKEN):
        return DataError(
            f"The catalog {where} cannot be read ({said}). Check TILT_DATA_URL and "
            "TILT_DATABASE_URL, or move the file away and run 'tilt refresh'."
        )
    if lost or error.connection_invalidated or "connection" in said:
        return BusyError(
            f"The catalog {where} does not answer ({said}). What was not committed is not "
            "there. Check that the database runs and TILT_DATABASE_URL, and try again."
        )
    return None


def _tell(engine: Engine) -> None:
    """Let whoever uses the engine be told in words: jobs, keys and repeated writes are not ours."""

    def in_words(context: ExceptionContext) -> None:
        error = context.sqlalchemy_exception
        if context.is_pre_ping or not isinstance(error, DBAPIError):
            return  # a connection of the pool that has died is replaced
        told = _told(engine.url, error, lost=context.is_disconnect)
        if told is not None:
            raise told

    event.listen(engine, "handle_error", in_words)


def _on_connect(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # the driver begins no transaction of its own
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    write = connection.get_execution_options().get("write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
    _check_version(connection)


def _begin_postgresql(connection: Connection) -> None:
    if connection.get_execution_options().get("write", False):
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        _check_version(connection)


def _check_version(connection: Connection) -> None:
    """Refuse to write into a catalog that another program has brought to another version.

    Raises
    ------
    BusyError
        If it is of another version: a server of the right program may answer the same request.
    """
    options = connection.get_execution_options()
    if not options.get("write", False) or options.get("upgrading", False):
        return
    version = connection.exec_driver_sql(f"SELECT version_num FROM {_VERSION}").scalar()  # noqa: S608 - a constant
    if version != HEAD:
        raise BusyError(f"Nothing is written. {_misfit(str(version))}")
