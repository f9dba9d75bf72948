"""A database: one query or table of it for each table that Tilt keeps.

A small TOML file says which::

    url = "postgresql+psycopg://reader@db.firm.example/research"
    password_variable = "RESEARCH_PASSWORD"
    universe = "RESEARCH"

    [tables]
    prices = "select day as date, ticker, close, volume from eod where day >= '2010-01-01'"
    securities = "security_master"

The password is in the environment variable that the file names, never in the file; or it is kept
encrypted in the catalog (``tilt credential set research``), and the file has
``password_credential = "research"`` instead. The queries run in one transaction that can only read,
wherever the database has such a thing.
"""

import os
import re
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import Connection, Engine, TextClause, create_engine, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError as UrlError
from sqlalchemy.exc import DBAPIError, NoSuchModuleError, SQLAlchemyError

from tilt.data import credentials
from tilt.data.catalog import open_configured
from tilt.data.reading.notes import Asked, Note, Reading
from tilt.data.reading.raw import Raw
from tilt.data.reading.shaping import shape
from tilt.data.reading.units import in_whole_units
from tilt.data.reading.unreadable import together
from tilt.data.schema import PRICES, SCHEMAS
from tilt.data.sources.delivery import Delivery, Progress, Source, Vendor, quiet
from tilt.data.sources.files import deliver
from tilt.errors import ArgumentError, BusyError, DataError, one_of
from tilt.settings import Settings

CHUNK = 100_000  # rows that are in memory before they are made columns
SECONDS = 30
_NAME = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*){0,2}")
_READS = re.compile(r"\s*(select|with|values|table)\b", re.IGNORECASE)
_READ_ONLY = {
    "postgresql": "SET TRANSACTION READ ONLY",
    "mysql": "SET TRANSACTION READ ONLY",
    "mariadb": "SET TRANSACTION READ ONLY",
    "oracle": "SET TRANSACTION READ ONLY",
    "sqlite": "PRAGMA query_only = ON",
}


class Described(BaseModel):
    """What the TOML file says; an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = Field(description="SQLAlchemy URL, without the password.")
    password_variable: str = Field(default="", description="Variable that holds the password.")
    password_credential: str = Field(
        default="", description="Name under which 'tilt credential set' has saved it."
    )
    universe: str = Field(default="", description="Name of the universe; else the file's.")
    description: str = ""
    dates: str = Field(default="", description="day-first or month-first, of dates kept as text.")
    decimal: str = Field(default="", description="Decimal sign of numbers kept as text.")
    tables: dict[str, str] = Field(description="A query, or a table's name, for each table.")


@dataclass(frozen=True)
class Sql:
    """Queries of a database.

    described : of the file
    universe  : the name cells will know the universe by
    given     : how the file was named, to find it again
    password  : gives the one that the catalog keeps, if the file names one
    """

    described: Described = field(repr=False)
    universe: str
    given: str
    password: Callable[[], str] = field(default=str, repr=False)

    @property
    def name(self) -> str:
        return f"sql:{self.given}"

    def fetch(self, progress: Progress = quiet) -> Delivery:
        """Return the tables of the database, read in one transaction.

        Raises
        ------
        BusyError
            If the database cannot be reached.
        DataError
            If a query fails, or gives what its table does not take.
        """
        tables: dict[str, pd.DataFrame] = {}
        notes: list[Note] = []
        unreadable: list[pd.DataFrame] = []
        engine = _engine(self.described, self.password)
        try:
            with _reading(engine) as connection:
                for done, (name, query) in enumerate(self.described.tables.items()):
                    progress(done / len(self.described.tables))
                    tables[name], read = _table(connection, name, query, self.described)
                    notes += read.notes
                    unreadable += read.unreadable
        finally:
            engine.dispose()
        progress(1.0)
        return deliver(
            Reading(tables, tuple(notes), together(unreadable)),
            source=self.name,
            universe=self.universe,
            description=self.described.description or f"Database of {Path(self.given).name}",
        )


def _engine(described: Described, kept: Callable[[], str]) -> Engine:
    url = _url(described, kept)
    try:
        return create_engine(url, connect_args=_timeout(url), hide_parameters=True)
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise ArgumentError(
            f"No driver is installed for {url.render_as_string(hide_password=True)}: {error}. "
            "Install it beside Tilt with pip."
        ) from None


def _url(described: Described, kept: Callable[[], str]) -> URL:
    try:
        url = make_url(described.url)
    except UrlError:
        raise ArgumentError(
            "The url of the database is none. Write it as postgresql+psycopg://user@host/database "
            "or sqlite:////data/prices.sqlite."
        ) from None
    if url.password:
        raise ArgumentError(
            "The url of the database holds a password. Put the password into an environment "
            "variable and its name into password_variable."
        )
    if described.password_credential:
        return url.set(password=kept())
    if not described.password_variable:
        return url
    password = os.environ.get(described.password_variable)
    if not password:
        raise ArgumentError(
            f"The environment variable {described.password_variable} is not set; it holds the "
            "password of the database."
        )
    return url.set(password=password)


def _timeout(url: URL) -> dict[str, object]:
    key = {"postgresql": "connect_timeout", "mysql": "connect_timeout", "sqlite": "timeout"}
    name = key.get(url.get_backend_name())
    return {name: SECONDS} if name else {}


@contextmanager
def _reading(engine: Engine) -> Iterator[Connection]:
    """Give a connection whose one transaction only reads, and say in words what fails."""
    where = engine.url.render_as_string(hide_password=True)
    backend = engine.url.get_backend_name()
    if backend == "sqlite" and not Path(engine.url.database or "").is_file():
        raise DataError(f"There is no database {engine.url.database}. Check the url.")
    try:
        with engine.connect() as connection:
            if backend in _READ_ONLY:
                connection.exec_driver_sql(_READ_ONLY[backend])
            yield connection
            connection.rollback()
    except DBAPIError as error:
        said = str(error.orig).strip().splitlines()[0]
        if error.statement is None or error.connection_invalidated:
            raise BusyError(
                f"The database {where} cannot be reached ({said}). Check the url, the password "
                "and the network."
            ) from None
        raise DataError(f"The database {where} refuses a query: {said}.") from None
    except SQLAlchemyError as error:
        raise DataError(f"The database {where} cannot be read: {error}.") from None


def _table(
    connection: Connection, name: str, query: str, described: Described
) -> tuple[pd.DataFrame, Raw]:
    """Return what a query gives as one of our tables, made column by column a chunk at a time.

    With it what was found out of all chunks, without their cells.
    """
    asked = Asked(kind=name, dates=described.dates, decimal=described.decimal)
    result = connection.execution_options(stream_results=True, yield_per=CHUNK).execute(
        _statement(connection, name, query)
    )
    headers = list(result.keys())
    whole = Raw(f"query '{name}'", name, headers, [], _RowAfter(0))
    parts: list[pd.DataFrame] = []
    read = 0
    for rows in result.partitions():
        columns = [_column([row[i] for row in rows]) for i in range(len(headers))]
        raw = Raw(f"query '{name}'", name, headers, columns, _RowAfter(read))
        parts.append(shape(raw, asked, table=name)[1])
        whole.notes.extend(n for n in raw.notes if not read or n.what == "cells")
        whole.unreadable.extend(raw.unreadable)
        read += len(rows)
    if not parts:
        whole.note("rows", "no rows")
        return pd.DataFrame(columns=SCHEMAS[name].names), whole
    table, said = in_whole_units(name, pd.concat(parts, ignore_index=True), {})
    for phrase in said:
        whole.note("numbers", phrase)
    return table, whole


@dataclass(frozen=True)
class _RowAfter:
    """Counts rows from 1, after those of the chunks before."""

    read: int

    def __call__(self, place: int) -> int:
        return self.read + place + 1


def _column(cells: list[object]) -> "pd.Series[str]":
    plain = [float(c) if isinstance(c, Decimal) else c for c in cells]
    return pd.Series(plain, dtype="object")


def _statement(connection: Connection, name: str, query: str) -> TextClause:
    if _NAME.fullmatch(query.strip()):
        quote = connection.dialect.identifier_preparer.quote
        table = ".".join(quote(part) for part in query.strip().split("."))
        return text(f"SELECT * FROM {table}")  # noqa: S608 - a name, quoted by the dialect
    if not _READS.match(query):
        raise ArgumentError(
            f"The query of '{name}' must begin with SELECT or WITH, or be the name of a table."
        )
    return text(query.replace(":", r"\:"))


def open_sql(asked: str, settings: Settings) -> Source:
    """Return the source that a TOML file describes, here or in the data folder.

    Raises
    ------
    ArgumentError
        If there is no such file, or it is not as the head of this module shows.
    """
    paths = (Path(asked).expanduser(), settings.data_path / asked)
    path = next((p for p in paths if asked and p.is_file()), None)
    if path is None:
        raise ArgumentError(f"There is no file '{asked}', here or in {settings.data_path}.")
    described = read_description(path)

    def password() -> str:
        catalog = open_configured(settings)
        try:
            return credentials.read(catalog, described.password_credential)
        finally:
            catalog.dispose()

    return Sql(described, described.universe or path.stem.upper(), asked, password)


def read_description(path: Path) -> Described:
    """Return what a TOML file says of a database.

    Raises
    ------
    ArgumentError
        If it is no TOML, a key is missing or unknown, or a table is none of ours.
    """
    try:
        described = Described.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ArgumentError(f"{path.name} is no TOML: {error}.") from None
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(str(p) for p in e['loc'])}: {e['msg']}"
            for e in error.errors(include_input=False)
        )
        raise ArgumentError(f"{path.name} does not describe a database: {problems}.") from None
    tables = {one_of("A table", name, SCHEMAS): q for name, q in described.tables.items()}
    if PRICES.name not in tables:
        raise ArgumentError(f"{path.name} has no query for 'prices' under [tables].")
    return described.model_copy(update={"tables": tables})


VENDOR = Vendor(
    title="A database (SQL)",
    kind="database",
    gives=tuple(SCHEMAS),
    example="sql:research.toml",
    open=open_sql,
)
