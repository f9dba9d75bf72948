"""A database as a source: SQLite and a real PostgreSQL, read and never written."""

import sqlite3
from pathlib import Path

import pandas as pd
import psycopg
import pytest
from sqlalchemy.engine import make_url

from tilt.data.sources.registry import find_source
from tilt.data.sources.sql import open_sql
from tilt.errors import ArgumentError, BusyError, DataError
from tilt.settings import Settings

ROWS = [
    ("2020-01-02", "NA", 1.1, 100),
    ("2020-01-03", "NA", 1.2, 200),
    ("2020-01-02", "TRUE", 2.5, 300),
    ("2020-01-03", "TRUE", 0.1 + 0.2, 400),
]
TABLE = "CREATE TABLE eod (day date, symbol text, px double precision, shares numeric)"
QUERY = "select day as date, symbol as ticker, px as close, shares as volume from eod"
VIEW = f"CREATE VIEW prices_of_day AS {QUERY}"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_url=str(tmp_path / "store"))


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    path = tmp_path / "firm.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute(TABLE)
        connection.execute(VIEW)
        connection.executemany("INSERT INTO eod VALUES (?, ?, ?, ?)", ROWS)
    connection.close()
    return f"sqlite:///{path}"


@pytest.fixture
def postgres_url(postgres_server) -> str:
    url = postgres_server.new_database()
    with psycopg.connect(plain(url)) as connection, connection.cursor() as cursor:
        cursor.execute(TABLE)
        cursor.execute(VIEW)
        cursor.executemany("INSERT INTO eod VALUES (%s, %s, %s, %s)", ROWS)
    return url


def plain(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


@pytest.fixture(params=["sqlite_url", "postgres_url"])
def url(request) -> str:
    return request.getfixturevalue(request.param)


def described(folder: Path, url: str, prices: str = QUERY, more: str = "") -> Path:
    path = folder / "firm.toml"
    path.write_text(f'url = "{url}"\n{more}\n[tables]\nprices = """{prices}"""\n')
    return path


def test_a_query_becomes_the_table_with_every_bit_of_its_numbers(tmp_path, settings, url):
    source = find_source(f"sql:{described(tmp_path, url)}", settings)
    delivery = source.fetch()
    given = sorted((pd.Timestamp(d), t, c, float(v)) for d, t, c, v in ROWS)
    table = delivery.tables["prices"]
    columns = table[["date", "ticker", "close", "volume"]]
    assert list(columns.itertuples(index=False, name=None)) == given
    assert (delivery.universe, source.name) == ("FIRM", f"sql:{tmp_path / 'firm.toml'}")


def test_a_table_may_be_named_instead_of_a_query(tmp_path, settings, url):
    source = open_sql(str(described(tmp_path, url, prices="eod")), settings)
    with pytest.raises(DataError, match=r"no column 'close'. Did you mean 'px'\?"):
        source.fetch()
    by_query = open_sql(str(described(tmp_path, url)), settings).fetch()
    by_name = open_sql(str(described(tmp_path, url, prices="prices_of_day")), settings).fetch()
    assert by_name.tables["prices"].equals(by_query.tables["prices"])


@pytest.mark.parametrize(
    "query", ["delete from eod", "update eod set px = 0", "drop table eod; select 1"]
)
def test_what_is_no_query_is_refused(tmp_path, settings, url, query):
    with pytest.raises(ArgumentError, match="must begin with SELECT or WITH"):
        open_sql(str(described(tmp_path, url, prices=query)), settings).fetch()


def test_a_query_that_writes_is_refused_by_postgres_itself(tmp_path, settings, postgres_url):
    query = "select day as date, symbol as ticker, lo_create(0)::text as close from eod"
    with pytest.raises(DataError, match="read-only transaction"):
        open_sql(str(described(tmp_path, postgres_url, prices=query)), settings).fetch()
    with psycopg.connect(plain(postgres_url)) as connection:
        (count,) = connection.execute("select count(*) from pg_largeobject_metadata").fetchone()
    assert count == 0


def test_a_query_that_fails_says_which_database_and_why(tmp_path, settings, url):
    path = described(tmp_path, url, prices="select 1 from nowhere")
    with pytest.raises(DataError, match="nowhere"):
        open_sql(str(path), settings).fetch()


def test_a_value_that_is_no_price_is_refused_with_its_row(tmp_path, settings, url):
    query = "select day as date, symbol as ticker, 'oops' as close from eod"
    with pytest.raises(DataError, match=r"query 'prices' .*column 'close': .*'oops'"):
        open_sql(str(described(tmp_path, url, prices=query)), settings).fetch()


def test_a_ticker_that_is_no_text_is_refused_with_its_row(tmp_path, settings, sqlite_url):
    query = "select day as date, x'00ff' as ticker, px as close from eod"
    with pytest.raises(DataError, match=r"row 1, column 'ticker': .* is a bytes, not text"):
        open_sql(str(described(tmp_path, sqlite_url, prices=query)), settings).fetch()


def test_a_colon_in_a_query_is_no_parameter(tmp_path, settings, postgres_url):
    query = QUERY.replace("px as close", "px::numeric::float8 as close")
    source = open_sql(str(described(tmp_path, postgres_url, prices=query)), settings)
    assert len(source.fetch().tables["prices"]) == len(ROWS)


def test_a_database_that_is_away_is_busy_and_its_password_stays_unsaid(
    tmp_path, settings, monkeypatch
):
    monkeypatch.setenv("FIRM_PASSWORD", "a-secret-word")
    path = described(
        tmp_path,
        "postgresql+psycopg://reader@127.0.0.1:1/firm",
        more='password_variable = "FIRM_PASSWORD"',
    )
    with pytest.raises(BusyError, match="cannot be reached") as caught:
        open_sql(str(path), settings).fetch()
    assert "a-secret-word" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('url = "sqlite:///x"\n[tables]\nprice = "x"', "Did you mean 'prices'"),
        ('url = "sqlite:///x"\n[tables]\nsecurities = "x"', "no query for 'prices'"),
        ('url = "sqlite:///x"\nulr = "y"\n[tables]\nprices = "x"', "ulr"),
        ("url = ", "is no TOML"),
    ],
)
def test_a_description_that_is_wrong_is_refused(tmp_path, settings, text, message):
    path = tmp_path / "firm.toml"
    path.write_text(text)
    with pytest.raises(ArgumentError, match=message):
        open_sql(str(path), settings)


@pytest.mark.parametrize(
    ("url", "more", "error", "message"),
    [
        ("postgresql+psycopg://a:secret@h/d", "", ArgumentError, "holds a password"),
        ("postgresql+psycopg://a@h/d", 'password_variable = "NOT_SET_HERE"', ArgumentError,
         "NOT_SET_HERE is not set"),
        ("nonsense", "", ArgumentError, "is none"),
        ("nosuch://h/d", "", ArgumentError, "No driver"),
        ("sqlite:////nowhere/at/all.sqlite", "", DataError, "There is no database"),
    ],
)  # fmt: skip
def test_a_url_that_cannot_be_used_is_refused(tmp_path, settings, url, more, error, message):
    with pytest.raises(error, match=message):
        open_sql(str(described(tmp_path, url, more=more)), settings).fetch()
