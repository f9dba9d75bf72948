"""A server whose catalog a newer program has brought up: it says so and writes nothing."""

import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from serving import PATIENCE, listening
from sqlalchemy import text

from tilt.api.app import create_app
from tilt.data import catalog
from tilt.data.store import Store
from tilt.errors import BusyError
from tilt.settings import Settings

NEWER = "9999"
PUT = "/api/v1/configurations/Mine"


def bring_to(connection, version):
    connection.execute(text("UPDATE alembic_version SET version_num = :v"), {"v": version})


def changes(engine):
    with catalog.reading(engine) as connection:
        return connection.execute(text("SELECT coalesce(sum(count), 0) FROM changes")).scalar()


def test_who_waits_for_the_catalog_while_it_is_brought_up_writes_nothing(either_database):
    newer, before = catalog.open_catalog(either_database), catalog.open_catalog(either_database)
    begun = threading.Event()

    def write():
        begun.set()
        with catalog.writing(before) as connection:
            catalog.count_change(connection, "of the program before")

    with ThreadPoolExecutor(1) as pool:
        with catalog.writing(newer) as connection:  # the lock under which steps are taken
            bring_to(connection, NEWER)
            writing = pool.submit(write)
            assert begun.wait(PATIENCE)
        with pytest.raises(BusyError, match=rf"Nothing is written.*version {NEWER}"):
            writing.result(PATIENCE)
    assert changes(before) == 0
    with before.begin() as connection:
        bring_to(connection, catalog.HEAD)
    write()
    assert changes(before) == 1
    for engine in (newer, before):
        engine.dispose()


def test_a_server_of_before_is_not_ready_and_leaves_writes_to_the_next(tmp_path):
    settings = Settings(data_url=str(tmp_path))
    with (
        listening(create_app(settings)) as address,
        httpx.Client(
            base_url=address, headers={"X-Tilt-Client": "tests"}, timeout=PATIENCE
        ) as http,
    ):
        assert http.put(PUT, json={}).status_code == 200
        store = Store.open(settings)
        with store.catalog.begin() as connection:
            bring_to(connection, NEWER)
        ready = http.get("/health/ready")
        assert ready.status_code == 503
        assert f"of version {NEWER}; this program needs {catalog.HEAD}" in ready.json()["reason"]
        refused = http.put(PUT, json={"model": {"backtest": {"rebalance": "weekly"}}})
        assert refused.status_code == 503
        assert int(refused.headers["Retry-After"]) >= 1
        assert "Nothing is written" in refused.json()["detail"]
        assert http.get("/health/live").status_code == 200
        with store.catalog.begin() as connection:
            bring_to(connection, catalog.HEAD)
        assert http.put(PUT, json={}).status_code == 200, "it fits again without a restart"
        store.close()
