"""The machine's clock is set back and forth: nothing hangs, is done twice, or locks anybody out.

What lasts some time is measured by a clock that only rises. What is a date stays one: a key ends on
its day by the clock on the wall.
"""

import datetime as dt
from types import SimpleNamespace

import job_functions as work
import pytest
from serving import PATIENCE

from tilt.api.rates import CountsHere
from tilt.data.catalog import open_catalog
from tilt.jobs import Jobs, ledger, repeats, runner, table
from tilt.jobs.repeats import Repeats, steady

HOUR = dt.timedelta(hours=1)


class Wall(dt.datetime):
    """A clock on the wall that is set."""

    off = dt.timedelta()

    @classmethod
    def now(cls, tz=None):
        return super().now(tz) + cls.off


@pytest.fixture
def wall(monkeypatch):
    """Set the clock of the jobs and of the writes that may be sent again."""
    set_clock = SimpleNamespace(**{**vars(dt), "datetime": Wall})
    for module in (ledger, repeats, runner, table):
        monkeypatch.setattr(module, "dt", set_clock)
    monkeypatch.setattr(Wall, "off", dt.timedelta())
    return Wall


@pytest.fixture
def engine(tmp_path):
    engine = open_catalog(f"sqlite:///{tmp_path / 'catalog.sqlite'}")
    yield engine
    engine.dispose()


@pytest.mark.parametrize("by", [-30 * HOUR, 30 * HOUR])
def test_a_job_runs_once_though_the_clock_is_set_while_it_runs(by, engine, tmp_path, wall):
    with Jobs(engine, tmp_path / "jobs", processes=1, lease=5.0) as jobs:
        job = jobs.submit(work.give_back, 7, owner="ann", key="k", title="Seven")
        wall.off = by
        found = jobs.wait(job.id, "ann", seconds=PATIENCE)
        assert (found.state, found.attempt) == ("done", 1)
        assert found.elapsed >= 0
        assert jobs.result(job.id, "ann") == 7


@pytest.mark.parametrize("by", [-30 * HOUR, 30 * HOUR])
def test_a_write_is_not_done_again_because_the_clock_was_set(by, engine, wall):
    kept = Repeats(engine)
    assert kept.begin("ann", "k", "a") is None
    wall.off = by
    assert kept.begin("ann", "k", "a").status == 0, "it is still carried out"


def test_the_clock_of_repeated_writes_only_rises(wall):
    now = steady()
    before = now()
    wall.off = -30 * HOUR
    assert now() >= before


def test_who_asked_often_waits_a_minute_at_most_whatever_the_clock_on_the_wall_says():
    at = [1000.0]
    counts = CountsHere(2, lambda: at[0])
    assert [counts.wait_for("ann") for _ in range(3)] == [0, 0, 60]
    assert counts.wait_for("ben") == 0
    at[0] += 59.5
    assert counts.wait_for("ann") == 1
    at[0] += 0.5
    assert [counts.wait_for("ann") for _ in range(3)] == [0, 0, 60]
    assert list(counts._asked) == ["ann"], "ben has not asked for a minute and is forgotten"
