"""A backup holds everything, whatever holds the store; what goes wrong leaves nothing behind."""

import datetime as dt
import errno
import json
import os
import stat

import pandas as pd
import pytest
import real_parts
from sqlalchemy import insert, select
from typer.testing import CliRunner

from tilt import security
from tilt.cli import app
from tilt.data import retention, tables
from tilt.data.backup import copy_store
from tilt.data.catalog import reading, writing
from tilt.data.disk import Disk
from tilt.data.store import Store
from tilt.errors import ArgumentError, DataError
from tilt.settings import Settings

SECRET = "s" * 32
KEPT = [*tables.metadata.sorted_tables, security.METADATA.tables["api_keys"]]
AUDITED = {"action": "prune", "subject": "s0", "detail": "{}"}


@pytest.fixture
def filled(settings, make):
    """A store with two universes, portfolios of several dates, keys and records."""
    store = Store.open(settings)
    given = make.small()
    for snapshot in ("s1", "s2"):
        store.publish(snapshot, given, make.record(given))
    make.publish(store, make.small("OTHER"), "o1")
    weights = pd.Series({"N0": 0.1 + 0.2, "N1": 0.7})
    for day in (None, pd.Timestamp("2015-02-02")):
        store.save_portfolio("Mine", weights, "tests", as_of=day)
    security.create_key(store.catalog, "Ada", secret=SECRET, days=30)
    with writing(store.catalog) as connection:
        at = dt.datetime(2026, 3, 1, 23, 30, tzinfo=dt.timezone(dt.timedelta(hours=-5)))
        connection.execute(insert(tables.audit).values(at=at.astimezone(dt.UTC), **AUDITED))
    yield store
    store.close()


@pytest.fixture
def empty(tmp_path):
    store = Store.open(Settings(data_url=str(tmp_path / "copy"), default_universe="TEST"))
    yield store
    store.close()


def everything(store):
    """Return the rows of every table but the count of writings, by table; times in UTC."""
    with reading(store.catalog) as connection:
        return {
            table.name: sorted(
                repr([plain(value) for value in row]) for row in connection.execute(select(table))
            )
            for table in KEPT
            if table is not tables.changes
        }


def plain(value):
    if isinstance(value, dt.datetime) and value.tzinfo:
        return value.astimezone(dt.UTC).replace(tzinfo=None)
    return value


def files(store):
    return {
        (s.id, f.name): store.contents(s.id).content(f)
        for s in store.snapshots()
        for f in store.contents(s.id).files
    }


def test_there_and_back_through_a_bucket_and_postgresql_nothing_is_lost(
    filled, empty, postgres_server, s3_server, tmp_path
):
    other = Store.open(real_parts.settings_of(postgres_server, s3_server, tmp_path))
    told = []
    copied = copy_store(filled, other, lambda share, words: told.append((share, words)))
    assert (copied.snapshots, copied.portfolios) == (3, 1)
    assert copied.bytes == sum(len(content) for content in files(filled).values())
    assert [share for share, _ in told] == [0, 1 / 3, 2 / 3, 1]
    copy_store(other, empty)
    for store in (other, empty):
        assert everything(store) == everything(filled)
        assert files(store) == files(filled)
        assert retention.verify(store, store.snapshots()).empty
        pd.testing.assert_frame_equal(store.panel().close, filled.panel().close)
        assert store.snapshot("OTHER").id == "o1"
    with writing(other.catalog) as connection:  # a restored store is written on
        row = insert(tables.audit).values(at=dt.datetime.now(dt.UTC), **AUDITED)
        assert connection.execute(row).inserted_primary_key == (2,)
    other.close()


def test_what_is_used_already_is_refused_and_stays_as_it_is(filled, empty, make):
    make.publish(empty, make.small(), "mine")
    before = everything(empty)
    with pytest.raises(ArgumentError, match=r"is in use: its catalog has .*snapshots"):
        copy_store(filled, empty)
    assert everything(empty) == before


def test_a_damaged_file_is_named_and_nothing_is_copied(filled, empty, settings):
    file = next(settings.data_path.glob("snapshots/s2/*.parquet"))
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(DataError, match=f"{file.name} of snapshot s2 is damaged"):
        copy_store(filled, empty)
    assert not any(everything(empty).values())
    assert empty.universes().empty


class FullDisk(Disk):
    """A disk that takes so many calls more and is full."""

    def __init__(self, calls):
        self.left = calls

    def _count(self):
        self.left -= 1
        if self.left < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def write(self, path, content):
        self._count()
        super().write(path, content)

    def rename(self, old, new):
        self._count()
        super().rename(old, new)


def test_a_disk_that_is_full_at_any_step_leaves_an_empty_store(filled, tmp_path):
    for calls in range(100):
        given = Settings(data_url=str(tmp_path / f"full{calls}"), default_universe="TEST")
        target = Store.open(given, disk=FullDisk(calls))
        said = ""
        try:
            copy_store(filled, target)
        except DataError as error:
            said = str(error)
        left = everything(target)
        target.close()
        if not said:
            break
        assert "No space left on device" in said
        assert not any(left.values())
    assert left == everything(filled)
    assert calls > len(files(filled)), "each file and each renaming was refused once"


@pytest.fixture
def run(monkeypatch):
    def run(data, *arguments):
        monkeypatch.setenv("TILT_DATA_URL", str(data))
        monkeypatch.setenv("TILT_DEFAULT_UNIVERSE", "TEST")
        return CliRunner().invoke(app, [str(a) for a in arguments])

    return run


def test_the_commands_copy_to_a_folder_of_the_users_own_and_back(filled, settings, run, tmp_path):
    folder = tmp_path / "saved" / "monday"
    done = run(settings.data_path, "backup", folder, "--json")
    assert json.loads(done.stdout)["snapshots"] == "3"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert "is not empty" in str(run(settings.data_path, "backup", folder).exception)
    done = run(tmp_path / "new", "restore", folder, "--json")
    assert json.loads(done.stdout)["portfolios"] == "1"
    restored = Store.open(Settings(data_url=str(tmp_path / "new"), default_universe="TEST"))
    assert everything(restored) == everything(filled)
    restored.close()


def test_a_folder_without_a_backup_is_said_and_stays_as_it_was(run, tmp_path):
    there = tmp_path / "photos"
    there.mkdir()
    done = run(tmp_path / "new", "restore", there)
    assert f"{there} holds no backup" in str(done.exception)
    assert not list(there.iterdir())
