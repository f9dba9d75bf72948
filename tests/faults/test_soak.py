"""The soak, for seconds instead of an hour, and that it would see what grows."""

import shutil
import signal

import numpy as np
import pytest
from faults.soak import Seen, Server, restart_under_load, slope, soak

LEAK = 15_000  # kilobytes a second: far above what caches take in as many seconds


@pytest.fixture
def leaking(store, sample_settings, tmp_path):
    """A server of the sample that also keeps what it should not."""
    assert store.snapshot()
    shutil.copytree(sample_settings.data_url, tmp_path / "data")
    server = Server(tmp_path / "data", tmp_path / "log", LEAK)
    yield server
    server.stop()


def test_mixed_load_fails_nothing_a_kill_loses_no_job_and_a_leak_is_seen(leaking):
    seen = soak(leaking, 10, users=2, every=0.5)
    assert seen.failed == []
    assert sum(seen.asked.values()) > 0
    assert "server MiB" in seen.growing()
    assert "temporary files" not in seen.growing()
    assert restart_under_load(leaking, signal.SIGKILL) == []


def test_what_varies_without_a_trend_is_flat_and_what_rises_is_not():
    noise = np.random.default_rng(3).normal(size=300).cumsum() * 0.01
    assert slope(600 + noise).flat
    assert slope(600 + 20 * np.sin(np.arange(300) / 5)).flat
    rising = slope(600 + noise + np.linspace(0, 60, 300))
    assert not rising.flat
    assert rising.rise == pytest.approx(60, abs=3)


def test_only_tables_that_are_kept_for_days_may_grow():
    seen = Seen()
    for day in range(30):
        seen.note({"runs": 10.0 * day, "portfolios": 10.0 * day, "jobs": 5.0})
    assert set(seen.growing()) == {"portfolios"}
