"""Processes of one server: each tells what all did, and none forgets what a dead one did."""

import os
import subprocess
import sys
import time

import numpy as np
import pytest

from tilt.monitoring.processes import NOW, Processes, figures_folder

OTHER = """
import sys, time
from pathlib import Path
from tilt.monitoring.processes import Processes
other = Processes(Path(sys.argv[1]))
other.durations.record("risk", 4.0, calls=10)
other.note({"pending": 7}, {"refused_busy": 3})
print(flush=True)
time.sleep(600)
"""


def refused(processes):
    return sum(float(p.figures["ever"]["refused_busy"]) for p in processes.every())


def test_durations_are_those_of_all_processes_whichever_is_asked(tmp_path):
    first, second = Processes(tmp_path), Processes(tmp_path)
    took = np.linspace(0.1, 1.0, 40)
    for seconds in took[:30]:
        first.durations.record("risk", seconds)
    for seconds in took[30:]:
        second.durations.record("risk", seconds, calls=5)
    for asked in (first, second):
        row = asked.durations.summary().loc["risk"]
        assert row["calls"] == 30 + 10 * 5
        expected = [took.mean(), took.max(), took.min(), np.quantile(took, 0.99)]
        np.testing.assert_allclose(row[["avg", "max", "min", "p99"]].astype(float), expected)
        assert asked.durations.totals()["risk"] == (80, pytest.approx(took.sum()))


def test_what_a_killed_process_did_counts_on_and_what_it_was_doing_does_not(tmp_path):
    own = Processes(tmp_path)
    own.durations.record("risk", 2.0)
    command = [sys.executable, "-c", OTHER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as other:
        try:
            assert other.stdout.readline()
            assert own.beside("pending") == 7
            assert [p.alive for p in own.every()] == [True, True]
        finally:
            other.kill()
    assert own.beside("pending") == 0
    assert [p.alive for p in own.every()] == [True, False]
    assert own.durations.totals()["risk"] == (11, 6.0)

    files = sorted(file.name for file in tmp_path.iterdir())
    instead = Processes(tmp_path)
    assert sorted(file.name for file in tmp_path.iterdir()) == files  # it has taken its place
    assert own.beside("pending") == 0, "what the dead one was doing is not the new one's"
    instead.durations.record("risk", 1.0)
    instead.note(dict.fromkeys(NOW, 0.0), {"refused_busy": 2})
    assert own.durations.totals()["risk"] == (12, 7.0)
    assert refused(own) == refused(instead) == 3 + 2
    assert [int(p.figures["pid"]) for p in own.every()] == [os.getpid(), os.getpid()]


def test_the_answers_of_a_process_stay_in_their_buckets(tmp_path):
    own, other = Processes(tmp_path), Processes(tmp_path)
    for seconds in (0.001, 0.005, 0.02, 99.0):
        other.answered("cells 2xx", seconds)
    (row,) = [p.figures["answers"][0] for p in own.others()]
    assert row["within"].tolist() == [2, 0, 1, *[0] * 9, 1]
    assert row["total"] == pytest.approx(99.026)


def test_more_operations_than_there_are_rows_for_are_counted_together():
    durations = Processes().durations
    for number in range(400):
        durations.record(f"operation {number}", 1.0)
    totals = durations.totals()
    assert sum(calls for calls, _ in totals.values()) == 400
    assert totals["other"] == (400 - (len(totals) - 1), pytest.approx(400 - (len(totals) - 1)))


def test_a_servers_folder_goes_with_it_and_that_of_a_killed_server_with_the_next(tmp_path):
    long_ago = time.time() - 3600
    with figures_folder(tmp_path) as running:
        os.utime(running, (long_ago, long_ago))
        killed, begun = tmp_path / "tilt-figures-killed", tmp_path / "tilt-figures-begun"
        for folder in (killed, begun):
            folder.mkdir()
            (folder / "server").touch()
        os.utime(killed, (long_ago, long_ago))
        with figures_folder(tmp_path) as mine:
            assert sorted(tmp_path.iterdir()) == sorted([running, mine, begun])
        os.utime(begun, (long_ago, long_ago))
        with figures_folder(tmp_path) as mine:
            assert sorted(tmp_path.iterdir()) == sorted([running, mine])
        assert list(tmp_path.iterdir()) == [running]
    assert not list(tmp_path.iterdir())
