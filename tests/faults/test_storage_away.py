"""A bucket or a database that is away, locked or lies: waited for or said, and never wrong."""

import sqlite3
import threading
from contextlib import closing

import pytest
from real_parts import postgres, settings_of
from serving import PATIENCE
from sqlalchemy import event, text

from tilt.data.catalog import open_catalog
from tilt.data.portfolios import listed
from tilt.data.store import Store
from tilt.errors import BusyError, DataError
from tilt.jobs.ledger import Ledger
from tilt.jobs.repeats import Repeats
from tilt.refresh.lock import only_refresh


@pytest.fixture
def in_bucket(postgres_server, s3_server, tmp_path, make):
    """A store in a bucket with the snapshot of before, and the server of the bucket."""
    store = Store.open(settings_of(postgres_server, s3_server, tmp_path))
    make.publish(store, make.small(), "old")
    yield store, s3_server
    s3_server.watch()
    store.close()


@pytest.mark.parametrize("fault", ["slow down", "reset", "partial"])
def test_requests_that_fail_now_and_then_are_sent_again(fault, in_bucket, make):
    store, server = in_bucket
    server.watch(fault=lambda number: fault if number % 5 == 2 else "")
    make.publish(store, make.small(seed=4), "new")
    assert store.contents("new").damage() == {}
    assert store.panel().snapshot == "new"
    assert len(server.requests) > 20, "the faults were met"


@pytest.mark.parametrize("fault", ["slow down", "reset", "partial"])
def test_a_bucket_that_never_answers_whole_is_said_and_changes_nothing(fault, in_bucket, make):
    store, server = in_bucket
    record = make.record(make.small(seed=4))
    server.watch(fault=lambda _: fault)
    with pytest.raises(DataError):
        store.publish("new", make.small(seed=4), record, parent="old")
    server.watch()
    assert store.snapshot().id == "old"
    assert store.contents("old").damage() == {}
    make.publish(store, make.small(seed=4), "new")
    assert store.snapshot().id == "new"


def test_a_database_that_is_stopped_is_said_and_found_again_by_itself():
    with postgres() as server:
        engine = open_catalog(server.new_database())
        ledger, repeats = Ledger(engine), Repeats(engine)
        assert repeats.begin("ann", "before", "a") is None
        server.stop()
        for ask in (
            lambda: ledger.counts(),
            lambda: ledger.claim("server"),
            lambda: repeats.begin("ann", "meanwhile", "a"),
            lambda: listed(engine),
        ):
            with pytest.raises(BusyError, match="does not answer"):
                ask()
        server.start()
        assert ledger.counts() == {}
        assert repeats.begin("ann", "before", "a").status == 0, "what was committed is there"
        assert repeats.begin("ann", "meanwhile", "a") is None
        engine.dispose()


def test_a_refresh_whose_database_came_back_meanwhile_is_not_said_to_have_failed(
    postgres_server, tmp_path
):
    engine = open_catalog(postgres_server.new_database())
    locks = (
        "SELECT pid FROM pg_locks WHERE locktype = 'advisory' "
        "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    with only_refresh(engine, tmp_path / "locks", "TEST"):
        with engine.connect() as connection:
            (pid,) = connection.execute(text(locks)).scalars()
        postgres_server.run(f"SELECT pg_terminate_backend({pid}, 5000)")
    with only_refresh(engine, tmp_path / "locks", "TEST"):
        pass  # it can be had again
    engine.dispose()


def test_a_sqlite_catalog_that_another_program_locks_is_waited_for(tmp_path):
    url = f"sqlite:///{tmp_path / 'catalog.sqlite'}"
    engine = open_catalog(url, busy_seconds=PATIENCE)
    waiting = threading.Event()

    @event.listens_for(engine, "begin")
    def _told(_):
        waiting.set()

    with closing(sqlite3.connect(tmp_path / "catalog.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        answers = []
        writer = threading.Thread(
            target=lambda: answers.append(Repeats(engine).begin("ann", "k", "a"))
        )
        writer.start()
        assert waiting.wait(PATIENCE)
        other.execute("COMMIT")
        writer.join(PATIENCE)
    assert answers == [None]
    engine.dispose()


def test_a_sqlite_catalog_that_stays_locked_is_said_to_be_in_use(tmp_path):
    engine = open_catalog(f"sqlite:///{tmp_path / 'catalog.sqlite'}", busy_seconds=0.05)
    repeats = Repeats(engine)
    with closing(sqlite3.connect(tmp_path / "catalog.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(BusyError, match="in use by another process"):
            repeats.begin("ann", "k", "a")
        other.execute("ROLLBACK")
    assert repeats.begin("ann", "k", "a") is None
    engine.dispose()
