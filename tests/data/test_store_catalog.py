"""The catalog: made and brought up by steps, on SQLite and PostgreSQL; its errors are in words."""

import datetime as dt
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pandas as pd
import pytest
from alembic import command
from serving import PATIENCE
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.engine import make_url

from tilt.data import catalog, migrations
from tilt.data.store import Store
from tilt.errors import ArgumentError, BusyError, DataError
from tilt.jobs.ledger import Ledger
from tilt.jobs.worker import Failed, Task
from tilt.security import create_key, list_keys, verify
from tilt.settings import Settings

SECRET = "s" * 32


@pytest.fixture
def opened(either_database):
    engine = catalog.open_catalog(either_database)
    yield engine
    engine.dispose()


@pytest.fixture
def settings(tmp_path):
    return Settings(data_url=str(tmp_path / "store"), default_universe="TEST")


def test_the_steps_make_the_tables_that_the_program_uses(opened):
    with catalog.writing(opened) as connection:
        command.check(migrations.configured(connection))  # raises where they differ
        assert len(inspect(connection).get_table_names()) > 10
    assert migrations.known()[0] == catalog.HEAD


def test_a_difference_between_steps_and_tables_would_be_noticed(opened):
    with catalog.writing(opened) as connection:
        connection.execute(text("DROP TABLE audit"))
        with pytest.raises(Exception, match=r"New upgrade operations detected.*audit"):
            command.check(migrations.configured(connection))


def before_steps_were_counted(url):
    """Make a catalog as the program made it before, with a snapshot and two portfolios."""
    engine = create_engine(make_url(url).set(drivername=_driver(url)))
    with engine.begin() as connection:
        command.upgrade(migrations.configured(connection), "0001")
        connection.execute(text("DROP TABLE alembic_version"))
        connection.execute(text("DROP TABLE api_keys"))  # made when the first key was
        connection.execute(
            text(
                "INSERT INTO snapshots VALUES ('abc', 'OLD', 'd', 'files', 's', '2015-01-01', "
                "'2015-06-30', 3, '2020-01-02 03:04:05', 7)"
            )
        )
        for name, day in (("DATED", "2015-06-30"), ("PLAIN", None)):
            given = {"name": name, "day": day}
            connection.execute(
                text("INSERT INTO portfolios VALUES (:name, CAST(:day AS DATE), 'me')")
                if day and not url.startswith("sqlite")
                else text("INSERT INTO portfolios VALUES (:name, :day, 'me')"),
                given,
            )
            for place, (ticker, weight) in enumerate((("B", 0.25), ("A", 0.75))):
                connection.execute(
                    text("INSERT INTO positions VALUES (:name, :ticker, :weight, :place)"),
                    {"name": name, "ticker": ticker, "weight": weight, "place": place},
                )
    engine.dispose()


def _driver(url):
    return "sqlite" if url.startswith("sqlite") else "postgresql+psycopg"


def test_a_catalog_of_the_time_before_is_taken_over_with_all_it_holds(either_database, tmp_path):
    before_steps_were_counted(either_database)
    store = Store.open(Settings(data_url=str(tmp_path / "data"), database_url=either_database))
    (found,) = store.snapshots()
    assert (found.id, found.universe, found.securities) == ("abc", "OLD", 3)
    assert found.published == found.created == dt.datetime(2020, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
    assert store.snapshot("OLD") == found
    for name in ("DATED", "PLAIN"):
        assert list(store.portfolio(name).items()) == [("B", 0.25), ("A", 0.75)]
    assert store.portfolio_dates("DATED").tolist() == [pd.Timestamp("2015-06-30")]
    assert store.portfolio_dates("PLAIN").empty
    with catalog.writing(store.catalog) as connection:
        command.check(migrations.configured(connection))
    store.close()


def test_a_catalog_of_a_newer_program_is_refused_in_words(either_database):
    engine = catalog.open_catalog(either_database)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(DataError, match=r"is of a newer Tilt \(version 9999.*Upgrade Tilt"):
        catalog.open_catalog(either_database)


OPENING = """
import sys
from tilt.data import catalog, migrations
sys.stdin.readline()
catalog.open_catalog({url!r}).dispose()
"""


def test_two_processes_may_open_an_empty_catalog_at_once(either_database):
    both = [
        subprocess.Popen(
            [sys.executable, "-c", OPENING.format(url=either_database)], stdin=subprocess.PIPE
        )
        for _ in range(2)
    ]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda process: process.communicate(b"now\n", timeout=PATIENCE), both))
    assert [process.returncode for process in both] == [0, 0]
    engine = catalog.open_catalog(either_database)
    with catalog.reading(engine) as connection:
        versions = connection.execute(text("SELECT version_num FROM alembic_version")).all()
    assert [tuple(v) for v in versions] == [(catalog.HEAD,)]
    engine.dispose()


def test_a_writer_waits_for_another_and_then_says_busy(either_database, opened):
    impatient = catalog.open_catalog(either_database, busy_seconds=0.05)
    with catalog.writing(opened) as connection:
        catalog.count_change(connection, "test")
        with (
            pytest.raises(BusyError, match=r"in use by another process. Try again in a moment"),
            catalog.writing(impatient),
        ):
            pass
        with catalog.reading(impatient) as reader:  # reading goes on meanwhile
            assert reader.execute(text("SELECT count(*) FROM changes")).scalar() == 0
    with catalog.writing(impatient) as connection:
        assert connection.execute(text("SELECT count FROM changes")).scalar() == 1
    impatient.dispose()


def test_a_lost_connection_is_said_and_found_again_by_itself(postgres_server):
    engine = catalog.open_catalog(postgres_server.new_database())

    def write_while_the_server_ends_the_connection():
        with catalog.writing(engine) as connection:
            catalog.count_change(connection, "lost")
            mine = connection.execute(text("SELECT pg_backend_pid()")).scalar()
            postgres_server.run(f"SELECT pg_terminate_backend({mine})")
            catalog.count_change(connection, "lost")

    with pytest.raises(BusyError, match=r"does not answer \(.*\). What was not committed is not"):
        write_while_the_server_ends_the_connection()
    with catalog.writing(engine) as connection:
        assert connection.execute(text("SELECT count(*) FROM changes")).scalar() == 0
        catalog.count_change(connection, "kept")
    with catalog.reading(engine) as connection:
        assert connection.execute(text("SELECT what FROM changes")).scalars().all() == ["kept"]
    engine.dispose()


def test_a_database_server_that_is_not_there_is_said_without_its_password(tmp_path):
    url = "postgresql://someone:hunter2@127.0.0.1:1/tilt"
    with pytest.raises(BusyError, match="Check that the database runs") as error:
        Store.open(Settings(data_url=str(tmp_path), database_url=url))
    assert "hunter2" not in str(error.value)


def test_a_catalog_that_is_no_database_is_named(settings):
    settings.data_path.mkdir(parents=True)
    (settings.data_path / "catalog.sqlite").write_bytes(b"not a database" * 100)
    with pytest.raises(
        DataError, match=r"catalog.sqlite cannot be read \(file is not a database\)"
    ):
        Store.open(settings)


def test_a_data_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DataError, match=r"cannot be made.*Set TILT_DATA_URL"):
        Store.open(Settings(data_url=str(tmp_path / "file" / "store")))


@pytest.mark.parametrize("wrong", ["no url", "nosuchdatabase://host/x", "mysql+pymysql://h/x"])
def test_a_database_url_that_cannot_be_used_is_refused(wrong, tmp_path):
    with pytest.raises(ArgumentError, match="TILT_DATABASE_URL"):
        Store.open(Settings(data_url=str(tmp_path), database_url=wrong))


def test_a_store_of_an_unknown_kind_or_without_a_bucket_is_refused():
    with pytest.raises(ValueError, match="'gs://' is no store: use a folder or s3://bucket"):
        Settings(data_url="gs://bucket/x")
    with pytest.raises(ValueError, match="names no bucket"):
        Settings(data_url="s3://")


def test_a_bucket_that_is_not_there_is_named(s3_server, tmp_path):
    with pytest.raises(DataError, match="there is no bucket 'absent', or these keys may not see"):
        Store.open(
            Settings(
                data_url="s3://absent/x", s3_endpoint=s3_server.address, work_folder=str(tmp_path)
            )
        )


def test_the_ledger_of_jobs_works_on_either_database(opened):
    ledger = Ledger(opened)

    def add(job, key, most=2):
        return ledger.add(
            job=job, key=key, owner="me", title="t", function="f", task="0", most=most,
            snapshot="abc",
        )  # fmt: skip

    assert add("one", "k").state == "queued"
    assert add("two", "k") is None, "the same key is not queued twice"
    add("three", "other")
    with pytest.raises(BusyError, match="2 jobs are waiting already"):
        add("four", "third")
    task = ledger.claim("here")
    assert task == Task("one", 1, "0")
    assert ledger.finish(task, "result")
    assert not ledger.fail(task, Failed("DataError", "late"))
    assert ledger.get("one", "me").state == "done"
    assert {j.id for j in ledger.listed("me", most=5)} == {"one", "three"}


def test_api_keys_work_on_either_database(opened):
    made = create_key(opened, "anna", secret=SECRET)
    assert verify(opened, f"Bearer {made.key}", secret=SECRET) == "anna"
    assert list_keys(opened)["name"].tolist() == ["anna"]


def test_a_sqlite_catalog_locked_by_another_program_is_busy_not_broken(settings):
    opened = Store.open(settings)
    impatient = catalog.open_catalog(settings.catalog_url, busy_seconds=0.05)
    holder = sqlite3.connect(settings.data_path / "catalog.sqlite", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(BusyError, match="in use by another process"), catalog.writing(impatient):
        pass
    assert opened.universes().empty
    holder.close()
    impatient.dispose()
    opened.close()
