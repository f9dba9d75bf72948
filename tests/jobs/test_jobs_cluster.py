"""Jobs on a real Dask cluster: a scheduler and workers in processes of their own."""

import os
import re
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import job_functions as work
import numpy as np
import pandas as pd
import pytest
from serving import PATIENCE

from tilt.cli import doctor
from tilt.errors import ArgumentError, DataError, NoSolutionError
from tilt.jobs import JobError
from tilt.jobs.cluster import Cluster, connect
from tilt.jobs.where import workers
from tilt.settings import Settings, read_settings


class RealCluster:
    """A scheduler and the workers lent to it, each a process."""

    def __init__(self, folder):
        self.workers = []
        log = folder / "log"
        command = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--no-dashboard"]
        with log.open("wb") as out:
            self.scheduler = subprocess.Popen(
                [*command, "--no-jupyter", "--host", "tcp://127.0.0.1", "--port", "0"],
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        found = None
        while found is None and self.scheduler.poll() is None:
            found = re.search(r"Scheduler at:\s+(tcp://\S+)", log.read_text())
        assert found, log.read_text()
        self.address = found[1]

    def lend(self, *, threads):
        """Start a worker by the command of a user, and wait until it is there."""
        worker = subprocess.Popen(
            [Path(sys.executable).with_name("tilt"), "worker", "--threads", str(threads)],
            env={
                **os.environ,
                "TILT_CLUSTER": self.address,
                "PYTHONPATH": str(Path(__file__).parent),
            },
            stdout=subprocess.PIPE,
            text=True,
        )
        self.workers.append(worker)
        assert "Worker" in worker.stdout.readline()
        return worker

    def close(self):
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()
        for worker in self.workers:
            worker.stdout.close()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """A cluster with a worker for two tasks, for tests that leave it alive."""
    cluster = RealCluster(tmp_path_factory.mktemp("cluster"))
    try:
        cluster.lend(threads=2)
        yield cluster
    finally:
        cluster.close()


@pytest.fixture
def open_cluster(open_jobs, cluster):
    """Open servers' jobs that run on the cluster."""

    def opener(**options):
        return open_jobs(cluster=partial(Cluster, connect(cluster.address, None)), **options)

    return opener


def submit(jobs, function, *args, key="k"):
    return jobs.submit(function, *args, owner="ann", key=key, title="Backtest of momentum")


def outcome(jobs, function, *args, key="k"):
    job = submit(jobs, function, *args, key=key)
    assert not jobs.wait(job.id, "ann", seconds=PATIENCE).pending
    return jobs.result(job.id, "ann")


def gone(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    return Path(f"/proc/{process}/stat").read_text().split()[2] == "Z"


def test_a_job_gives_on_a_cluster_what_it_gives_here(open_cluster, open_jobs, tmp_path):
    frame = pd.DataFrame(
        {"AAPL": [0.1, np.nan, np.pi]}, index=pd.date_range("2024-01-02", periods=3)
    )
    there = outcome(open_cluster(), work.give_back, frame)
    here = outcome(open_jobs(), work.give_back, frame, key="here")
    pd.testing.assert_frame_equal(there, here, check_exact=True)
    drawn = work.draw_in_pieces, str(tmp_path), [3, 1, 2]
    there, here = (outcome(jobs, *drawn, key="pieces") for jobs in (open_cluster(), open_jobs()))
    np.testing.assert_array_equal(there["drawn"], here["drawn"])
    assert not list(Path(tmp_path / "jobs").glob("*.task"))


def test_progress_comes_back_and_an_error_is_itself(open_cluster, until, tmp_path):
    jobs = open_cluster()
    job = submit(jobs, work.step_by_step, str(tmp_path), [(0.2, "prices"), (0.7, "risk")])
    for number, (fraction, stage) in enumerate([(0.2, "prices"), (0.7, "risk")]):
        seen = until(lambda s=stage: (j := jobs.get(job.id, "ann")).stage == s and j)
        assert (seen.state, seen.fraction) == ("running", fraction)
        (tmp_path / f"go{number}").touch()
    assert jobs.wait(job.id, "ann", seconds=PATIENCE).state == "done"
    with pytest.raises(NoSolutionError, match="allows 40 % invested"):
        outcome(jobs, work.no_solution, key="no")
    with pytest.raises(JobError, match=r"\(reference \w{8}\)"):
        outcome(jobs, work.break_down, key="broken")


def test_cancel_kills_what_runs_on_a_worker_and_the_worker_goes_on(open_cluster, until, tmp_path):
    jobs = open_cluster()
    grown = tmp_path / "grown"
    job = submit(jobs, work.write_without_end, str(grown))
    until(lambda: grown.exists() and grown.stat().st_size > 100)
    process = int(grown.with_suffix(".pid").read_text())
    assert jobs.cancel(job.id, "ann").state == "canceled"
    until(lambda: gone(process))
    assert outcome(jobs, work.give_back, 7, key="next") == 7


def test_a_job_that_takes_too_long_is_stopped_on_its_worker(open_cluster, tmp_path):
    with pytest.raises(JobError, match="It was stopped after 2 s"):
        outcome(open_cluster(seconds=2.0), work.write_without_end, str(tmp_path / "grown"))


def test_a_killed_process_costs_one_more_attempt(open_cluster, tmp_path):
    jobs = open_cluster()
    assert outcome(jobs, work.die, str(tmp_path / "deaths"), 1) == 2
    with pytest.raises(JobError, match="It was interrupted twice"):
        outcome(jobs, work.die, str(tmp_path / "more"), 9, key="more")


def test_pieces_wait_for_workers_and_outlive_the_death_of_one(open_jobs, until, tmp_path):
    cluster = RealCluster(tmp_path)
    jobs = open_jobs(cluster=partial(Cluster, connect(cluster.address, None)))
    try:
        folders = [tmp_path / str(number) for number in range(4)]
        for folder in folders:
            folder.mkdir()
        job = submit(jobs, work.wait_in_pieces, [str(f) for f in folders], str(tmp_path / "both"))
        assert jobs.wait(job.id, "ann", seconds=0.5).state == "queued"
        doomed, _ = cluster.lend(threads=1), cluster.lend(threads=1)
        (tmp_path / "both").touch()
        until(lambda: sum(any(f.glob("pid*")) for f in folders) == 2)
        doomed.send_signal(signal.SIGKILL)
        for folder in folders:
            (folder / "go").touch()
        assert not jobs.wait(job.id, "ann", seconds=PATIENCE).pending
        assert jobs.result(job.id, "ann") == 4
        assert sum(len(list(f.glob("pid*"))) for f in folders) == 5  # one was begun twice
    finally:
        jobs.close()
        cluster.close()


def test_a_worker_of_another_version_is_refused_in_words(open_cluster, monkeypatch):
    monkeypatch.setattr("tilt.jobs.cluster.program_id", lambda: "of another")
    with pytest.raises(JobError, match=r"The worker tcp://\S+ of the cluster runs another version"):
        outcome(open_cluster(), work.give_back, 1)


def test_a_scheduler_that_is_not_there_is_named(monkeypatch):
    monkeypatch.setattr("tilt.jobs.cluster._CONNECT", "0.5s")
    with pytest.raises(DataError, match=r"No Dask scheduler answers at tcp://127.0.0.1:9"):
        workers(Settings(cluster="tcp://127.0.0.1:9"))


def test_the_doctor_counts_the_cluster_and_names_what_is_missing(cluster, monkeypatch):
    assert doctor.cluster(Settings(cluster=cluster.address)).status == "ok"
    assert "2 jobs at once" in doctor.cluster(Settings(cluster=cluster.address)).detail
    monkeypatch.setattr("tilt.jobs.cluster._CONNECT", "0.5s")
    missing = doctor.cluster(Settings(cluster="tcp://127.0.0.1:9"))
    assert missing.status == "problem"
    assert "No Dask scheduler answers" in missing.detail


def test_without_a_cluster_jobs_run_here():
    assert workers(Settings()) is None


@pytest.mark.parametrize(
    ("cluster", "words"),
    [
        ("tcp://10.0.0.5:8786", "is not encrypted: use tls://"),
        ("10.0.0.5:8786", "neither 'local' nor an address"),
        ("tls://10.0.0.5:8786", "needs TILT_CLUSTER_CA"),
    ],
)
def test_an_open_cluster_in_the_network_is_refused(monkeypatch, cluster, words):
    monkeypatch.setenv("TILT_CLUSTER", cluster)
    with pytest.raises(ArgumentError, match=words):
        read_settings()
