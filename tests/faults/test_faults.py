"""Whatever stops a writing, a reader sees the snapshot of before or the one after, whole."""

import itertools
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from real_parts import settings_of
from serving import PATIENCE
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from tilt.data.disk import Disk
from tilt.data.named import open_files
from tilt.data.store import Store
from tilt.errors import BusyError, ConflictError, DataError
from tilt.settings import Settings


class Failing(Disk):
    """A disk that takes so many steps and then no more; ``done`` names those it took."""

    def __init__(self, good: int) -> None:
        self.left = good
        self.done: list[str] = []

    def _step(self, name: str) -> None:
        if self.left == 0:
            raise OSError(28, "No space left on device")
        self.left -= 1
        self.done.append(name)

    def make_folder(self, path):
        self._step("make")
        super().make_folder(path)

    def write(self, path, content):
        if self.left == 1:  # some of it reaches the disk
            path.write_bytes(bytes(content)[: len(content) // 2])
        self._step("write")
        super().write(path, content)

    def sync(self, handle):
        self._step("sync")
        super().sync(handle)

    def rename(self, old, new):
        self._step("rename")
        super().rename(old, new)


@pytest.fixture
def settings(tmp_path):
    return Settings(data_url=str(tmp_path / "store"), default_universe="TEST")


@pytest.fixture
def old(either_settings, make):
    """A store of either kind with the snapshot of before."""
    store = Store.open(either_settings)
    make.publish(store, make.small(), "old")
    yield store
    store.close()


def assert_whole(store, expected):
    assert store.snapshot().id == expected
    for kept in store.snapshots():
        assert store.contents(kept.id).damage() == {}
    assert store.panel().snapshot == expected


def refusal(store, given, record, snapshot="new"):
    """Return why a snapshot is not published; empty if it is."""
    try:
        store.publish(snapshot, given, record, parent=store.parent("TEST"))
    except DataError as error:
        return str(error)
    return ""


def test_each_write_sync_and_rename_that_fails_leaves_the_data_of_before(settings, make):
    before = Store.open(settings)
    make.publish(before, make.small(), "old")
    given = make.small(seed=4)
    record = make.record(given)
    for good in itertools.count(2):  # opening makes two folders
        disk = Failing(good)
        broken = Store.open(settings, disk=disk)
        said = refusal(broken, given, record)
        broken.close()
        if not said:
            break
        assert "(No space left on device). Make room" in said
        assert_whole(before, "old")
    assert_whole(before, "new")
    tables = len(open_files(settings).listed("snapshots/new"))
    steps = {name: disk.done.count(name) for name in ("make", "write", "sync", "rename")}
    assert steps == {"make": 3, "write": tables, "sync": tables + 2, "rename": 1}
    assert good == sum(steps.values()), "each step was the one that failed, once"
    before.close()


def test_each_request_that_a_bucket_refuses_leaves_the_data_of_before(
    postgres_server, s3_server, tmp_path, make
):
    settings = settings_of(postgres_server, s3_server, tmp_path)
    store = Store.open(settings)
    make.publish(store, make.small(), "old")
    given = make.small(seed=4)
    record = make.record(given)
    for number in itertools.count():
        s3_server.watch(refused=number)
        said = refusal(store, given, record)
        s3_server.watch()
        if not said:
            break
        assert "ACCESS_DENIED" in said
        assert store.snapshot().id == "old"
        assert store.holds("old")
    assert number > 2 * len(open_files(settings).listed("snapshots/new")), "written and looked at"
    assert_whole(store, "new")
    store.close()


def test_a_catalog_that_cannot_commit_leaves_the_data_of_before(old, make):
    def fail(_):
        raise OperationalError("COMMIT", {}, Exception("disk I/O error"))

    event.listen(old.catalog, "commit", fail)
    with pytest.raises(DataError, match=r"cannot be read \(disk I/O error\)"):
        make.publish(old, make.small(seed=4), "new")
    event.remove(old.catalog, "commit", fail)
    assert_whole(old, "old")
    make.publish(old, make.small(seed=4), "new")
    assert_whole(old, "new")


def test_a_connection_lost_at_the_commit_leaves_the_data_of_before(
    postgres_server, s3_server, tmp_path, make
):
    store = Store.open(settings_of(postgres_server, s3_server, tmp_path))
    make.publish(store, make.small(), "old")

    def lose(connection):
        mine = connection.connection.dbapi_connection.info.backend_pid
        postgres_server.run(f"SELECT pg_terminate_backend({mine}, 5000)")

    event.listen(store.catalog, "commit", lose)
    with pytest.raises(BusyError, match="does not answer"):
        make.publish(store, make.small(seed=4), "new")
    event.remove(store.catalog, "commit", lose)
    assert_whole(store, "old")
    make.publish(store, make.small(seed=4), "new")
    assert_whole(store, "new")
    store.close()


def test_a_disk_that_is_really_full_leaves_the_data_of_before(tmp_path, make):
    small = tmp_path / "small"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", str(small)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root of a system that lets it can mount a small disk")
    try:
        catalog = f"sqlite:///{tmp_path / 'catalog.sqlite'}"
        settings = Settings(data_url=str(small), database_url=catalog, default_universe="TEST")
        store = Store.open(settings)
        make.publish(store, make.small(), "s0")
        given = make.small(seed=4)
        record = make.record(given)
        for written in itertools.count(1):
            said = refusal(store, given, record, f"s{written}")
            if said:
                break
        assert "No space left on device" in said
        assert written > 1
        assert_whole(store, f"s{written - 1}")
        store.close()
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_of_two_writers_each_is_told_when_it_lost_and_no_commit_is_lost(old, either_settings, make):
    """Two stores, as two processes have them, commit three times each, beginning anew when told."""
    record, both = make.record(make.small()), threading.Barrier(2, timeout=PATIENCE)

    def write(writer):
        store, lost = Store.open(either_settings), 0
        mine = []
        for number in range(3):
            snapshot = f"{writer}{number}"
            while snapshot not in mine:
                parent = store.parent("TEST")
                if not mine and not lost:
                    both.wait()  # both begin from the same snapshot
                try:
                    made = store.publish(snapshot, make.small(), record, parent=parent)
                except ConflictError:
                    lost += 1
                    continue
                assert made.parent == parent
                mine.append(snapshot)
        store.close()
        return lost

    with ThreadPoolExecutor(2) as pool:
        lost = list(pool.map(write, "ab"))
    every = old.snapshots()
    assert len(every) == 7
    parents = [s.parent for s in every]
    assert parents == [*(s.id for s in every[1:]), ""], "each one follows the one before"
    assert sum(lost) > 0, "the writers met"


def test_every_damaged_file_is_named_and_the_next_writing_mends_it(old, either_settings, make):
    kept = open_files(either_settings)
    for name in kept.listed("snapshots/old"):
        content = bytearray(kept.read(name))
        content[len(content) // 2] ^= 1
        kept.write(name, bytes(content))
        damaged = old.contents("old").damage()
        assert list(damaged) == [f"{name.split('/')[2].split('.')[0]}.parquet"]
        assert "is damaged" in next(iter(damaged.values()))
        assert "Run 'tilt refresh'" in next(iter(damaged.values()))
        content[len(content) // 2] ^= 1
        kept.write(name, bytes(content))
    assert old.contents("old").damage() == {}
    kept.write(name, b"")
    assert not old.holds("old")
    make.publish(old, make.small(), "old")
    assert_whole(old, "old")
