"""Several servers over one catalog: none keeps anything that another one needs."""

import datetime as dt
import json
import os
import pickle
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import job_functions as work
import pytest
from serving import PATIENCE
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

from tilt.errors import BusyError, UnknownNameError
from tilt.jobs import JobError, ledger
from tilt.jobs.table import INDEXES, JOBS
from tilt.jobs.worker import Failed, Task

SERVER = """
import sys
from pathlib import Path
from sqlalchemy import create_engine
from tilt.jobs import Jobs
sys.path.insert(0, sys.argv[3])
import job_functions as work
if __name__ == "__main__":
    jobs = Jobs(create_engine(sys.argv[1]), Path(sys.argv[2]), processes=1)
    go = str(Path(sys.argv[2]).parent)
    job = jobs.submit(work.announce_and_wait, go, owner="ann", key="k", title="Backtest")
    print(job.id, flush=True)
    sys.stdin.read()
"""


ONE_THREAD = """
import sys
import numpy  # so a worker has it before it can be told anything
from pathlib import Path
from sqlalchemy import create_engine
from tilt.jobs import Jobs
sys.path.insert(0, sys.argv[3])
import job_functions as work
if __name__ == "__main__":
    with Jobs(create_engine(sys.argv[1]), Path(sys.argv[2]), processes=1) as jobs:
        job = jobs.submit(work.linear_algebra_threads, owner="ann", key="k", title="Threads")
        print(jobs.result(jobs.wait(job.id, "ann", seconds=60).id, "ann"))
"""


def started(engine, tmp_path, source=SERVER):
    """Start a server in a process of its own; it submits a job and says its id."""
    script = tmp_path / "server.py"
    script.write_text(source)
    arguments = [str(engine.url), str(tmp_path / "jobs"), str(Path(__file__).parent)]
    return subprocess.Popen(
        [sys.executable, str(script), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def submit(jobs, function, *args, owner="ann", key="k"):
    return jobs.submit(function, *args, owner=owner, key=key, title="Backtest")


def ended(jobs, job):
    found = jobs.wait(job.id, job.owner, seconds=PATIENCE)
    assert not found.pending, found
    return found


def gone(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    return False


def announced(tmp_path):
    return [int(p.name.removeprefix("pid")) for p in tmp_path.glob("pid*")]


def change(tmp_path, statement, *values):
    with sqlite3.connect(tmp_path / "catalog.sqlite") as connection:
        connection.execute(statement, values)
    connection.close()


def test_the_jobs_of_a_killed_server_are_run_by_another(engine, open_jobs, until, tmp_path):
    with started(engine, tmp_path) as server:
        job = server.stdout.readline().strip()
        (worker,) = until(lambda: announced(tmp_path))
        os.kill(server.pid, signal.SIGKILL)
    until(lambda: gone(worker))  # it does not outlive its server
    (tmp_path / "go").touch()
    jobs = open_jobs(lease=0.5)
    assert jobs.get(job, "ann").state == "running"
    found = jobs.wait(job, "ann", seconds=PATIENCE)
    assert (found.state, found.attempt) == ("done", 2)
    assert jobs.result(job, "ann") not in (worker, None)


def test_a_server_that_ends_without_closing_hands_its_jobs_back(engine, open_jobs, until, tmp_path):
    with started(engine, tmp_path) as server:
        job = server.stdout.readline().strip()
        (worker,) = until(lambda: announced(tmp_path))
        server.stdin.close()
        assert server.wait(PATIENCE) == 0
    assert gone(worker)
    assert open_jobs(processes=0).get(job, "ann").state == "queued"


def test_a_worker_keeps_to_one_thread_though_its_server_loads_numpy_first(engine, tmp_path):
    with started(engine, tmp_path, ONE_THREAD) as server:
        threads, _ = server.communicate(timeout=PATIENCE)
    assert set(json.loads(threads)) == {1}


def test_signals_meant_for_the_server_do_not_end_its_workers(open_jobs, until, tmp_path):
    jobs = open_jobs()
    job = submit(jobs, work.announce_and_wait, str(tmp_path))
    (worker,) = until(lambda: announced(tmp_path))
    os.kill(worker, signal.SIGINT)
    os.kill(worker, signal.SIGTERM)
    (tmp_path / "go").touch()
    assert ended(jobs, job).attempt == 1


def test_a_server_that_closes_hands_its_jobs_back(open_jobs, until, tmp_path):
    first = open_jobs()
    job = submit(first, work.announce_and_wait, str(tmp_path))
    (worker,) = until(lambda: announced(tmp_path))
    assert first.alive
    first.close()
    assert not first.alive
    assert gone(worker)
    assert first.get(job.id, "ann").state == "queued"
    (tmp_path / "go").touch()
    assert ended(open_jobs(), job).state == "done"


def test_a_job_handed_in_at_one_server_is_run_watched_and_canceled_at_others(
    open_jobs, until, tmp_path
):
    desk, other = open_jobs(processes=0), open_jobs()
    job = submit(desk, work.report_without_end, str(tmp_path))
    until(lambda: desk.get(job.id, "ann").stage == "turning")
    desk.cancel(job.id, "ann")
    until((tmp_path / "tidied").exists)
    following = submit(desk, work.give_back, {"a": 1}, key="next")
    ended(desk, following)
    assert desk.result(following.id, "ann") == other.result(following.id, "ann") == {"a": 1}


def test_a_server_at_work_shows_that_it_lives(engine, open_jobs, until, tmp_path):
    jobs = open_jobs(lease=0.4)
    submit(jobs, work.announce_and_wait, str(tmp_path))
    until(lambda: announced(tmp_path))  # and it reports nothing more
    table = ledger.Ledger(engine)
    ((task, server, beat),) = table.running()
    until(lambda: table.running()[0][2] > beat + 2)
    assert table.running()[0][:2] == (task, server)


def test_a_job_lost_by_two_servers_fails_in_words(open_jobs, until, tmp_path):
    jobs = open_jobs(processes=0, lease=0.3)
    job = submit(jobs, work.give_back, 1)
    for _ in range(2):
        change(tmp_path, "update jobs set state = 'running', server = 'gone', attempt = attempt+1")
        until(lambda: jobs.get(job.id, "ann").state != "running")
    with pytest.raises(JobError, match=r"^'Backtest' has no result. It was interrupted twice"):
        jobs.result(job.id, "ann")


def test_one_who_lost_a_job_can_no_longer_speak_for_it(engine):
    table = ledger.Ledger(engine)
    table.add(job="1", key="k", owner="ann", title="t", function="f", task="0" * 64, most=9)
    first = table.claim("slow")
    table.lose(first, "twice")
    second = table.claim("quick")
    assert (first, second) == (Task("1", 1, "0" * 64), Task("1", 2, "0" * 64))
    assert not table.finish(first, "1" * 64)
    assert not table.fail(first, Failed("JobError", "late"))
    assert not table.hand_back(first)
    assert table.finish(second, "2" * 64)
    assert table.finish(second, "2" * 64)  # as said again when the first answer got lost
    assert table.get("1", "ann").result == "2" * 64


def test_an_owner_with_fewer_jobs_running_goes_first(engine):
    table = ledger.Ledger(engine)
    for number, owner in enumerate(["ann", "ann", "ann", "bob"]):
        given = {"key": str(number), "title": "t", "function": "f", "task": "0" * 64, "most": 9}
        table.add(job=str(number), owner=owner, **given)
    assert [table.claim("here").job for _ in range(4)] == ["0", "3", "1", "2"]
    assert table.claim("here") is None


@pytest.mark.parametrize("harm", ["changed", "gone"])
def test_a_damaged_result_is_not_loaded_and_can_be_had_anew(open_jobs, tmp_path, harm):
    jobs = open_jobs()
    job = ended(jobs, submit(jobs, work.give_back, 5))
    (file,) = (tmp_path / "jobs").glob("*.result")
    if harm == "changed":
        file.write_bytes(pickle.dumps(Touching(str(tmp_path / "loaded"))))
    else:
        file.unlink()
    with pytest.raises(BusyError, match=r"^The result of 'Backtest' is lost: .* Submit it again.$"):
        jobs.result(job.id, "ann")
    assert not (tmp_path / "loaded").exists()
    again = ended(jobs, submit(jobs, work.give_back, 5))
    assert again.id != job.id
    assert jobs.result(again.id, "ann") == 5


def test_damaged_arguments_are_not_loaded(open_jobs, tmp_path):
    job = submit(open_jobs(processes=0), work.give_back, 5)
    (file,) = (tmp_path / "jobs").glob("*.task")
    file.write_bytes(pickle.dumps((Touching(str(tmp_path / "loaded")), ())))
    jobs = open_jobs()
    ended(jobs, job)
    with pytest.raises(BusyError, match="is not the one that was written"):
        jobs.result(job.id, "ann")
    assert not (tmp_path / "loaded").exists()


class Touching:
    """A pickle that leaves a trace when it is loaded."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (Path(self.path),)


def test_a_table_that_is_lost_for_a_while_stops_no_server(open_jobs, caplog, until, tmp_path):
    jobs = open_jobs(lease=0.4)
    job = submit(jobs, work.announce_and_wait, str(tmp_path))
    until(lambda: announced(tmp_path))
    change(tmp_path, "alter table jobs rename to away")
    (tmp_path / "go").touch()
    until(lambda: list((tmp_path / "jobs").glob("*.result")))
    caplog.clear()
    until(lambda: "The catalog or the folder of jobs cannot be used" in caplog.text)
    change(tmp_path, "alter table away rename to jobs")
    assert ended(jobs, job).state == "done"
    assert jobs.alive


def test_old_jobs_are_forgotten_with_their_files_and_no_others(open_jobs, until, tmp_path):
    jobs = open_jobs()
    old, new = (ended(jobs, submit(jobs, work.give_back, 1, key=k)) for k in ("old", "new"))
    waiting = submit(open_jobs(processes=0), work.announce_and_wait, str(tmp_path), key="waits")
    jobs.close()
    eight_days_ago = dt.datetime.now(dt.UTC).replace(tzinfo=None) - dt.timedelta(days=8)
    change(tmp_path, "update jobs set finished = ? where id = ?", str(eight_days_ago), old.id)
    folder = tmp_path / "jobs"
    (folder / "0123456789abcdef.task").touch()  # of a server killed before it told the catalog
    for file in folder.iterdir():
        if new.id not in file.name:
            os.utime(file, (0, eight_days_ago.timestamp()))
    cleaner = open_jobs(processes=0)
    until(lambda: not list(folder.glob("0123456789abcdef*")))
    names = {f.name.split(".")[0].split("-")[0] for f in folder.iterdir()}
    assert names == {new.id, waiting.id}
    with pytest.raises(UnknownNameError, match=r"It may have been removed; submit it again.$"):
        cleaner.get(old.id, "ann")
    assert cleaner.result(new.id, "ann") == 1


def test_the_table_fits_postgresql_too():
    table = str(CreateTable(JOBS).compile(dialect=postgresql.dialect()))
    once = str(CreateIndex(INDEXES[0]).compile(dialect=postgresql.dialect()))
    assert "fraction FLOAT NOT NULL" in table
    assert once.endswith("(owner, key) WHERE state IN ('queued', 'running', 'done')")
