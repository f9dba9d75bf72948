import logging
import os
import re
import signal
import socket
import stat
import sys
import threading

import job_functions as work
import numpy as np
import pandas as pd
import pytest
from serving import PATIENCE
from sqlalchemy import create_engine

from tilt.errors import BusyError, NoSolutionError, UnknownNameError
from tilt.jobs import JobError, Jobs, pool


def submit(jobs, function, *args, owner="ann", key="k", title="Backtest of momentum"):
    return jobs.submit(function, *args, owner=owner, key=key, title=title)


def ended(jobs, job):
    found = jobs.wait(job.id, job.owner, seconds=PATIENCE)
    assert not found.pending, found
    return found


def outcome(jobs, function, *args, **names):
    return jobs.result(ended(jobs, submit(jobs, function, *args, **names)).id, "ann")


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """Jobs that tests may share which disturb nothing."""
    folder = tmp_path_factory.mktemp("shared")
    engine = create_engine(f"sqlite:///{folder / 'catalog.sqlite'}")
    with Jobs(engine, folder / "jobs", processes=1) as jobs:
        yield jobs
    engine.dispose()


@pytest.fixture
def ask(shared, request):
    """Run a function as a job of an owner of its own, and return its result."""

    def run(function, *args):
        job = submit(shared, function, *args, owner=request.node.name)
        return shared.result(ended(shared, job).id, job.owner)

    return run


def test_jobs_of_all_owners_are_counted_by_state(shared):
    before = shared.counts()
    for owner in ("ann", "bob"):
        ended(shared, submit(shared, work.give_back, owner, owner=owner, key="counted"))
    after = shared.counts()
    assert after["done"] - before.get("done", 0) == 2
    assert {k: n for k, n in after.items() if k != "done"} == {
        k: n for k, n in before.items() if k != "done"
    }


def test_a_result_comes_back_as_it_was_returned(ask):
    frame = pd.DataFrame(
        {"AAPL": [0.1, np.nan]}, index=pd.to_datetime(["2024-01-02", "2024-01-03"])
    )
    pd.testing.assert_frame_equal(ask(work.give_back, frame), frame)


def test_progress_reaches_the_catalog_and_never_falls(open_jobs, until, tmp_path):
    jobs = open_jobs()
    steps = [
        (0.2, "prices"),
        (0.1, "factors"),
        (0.7, "risk"),
        (float("nan"), "solving"),
        (5, "end"),
    ]
    job = submit(jobs, work.step_by_step, str(tmp_path), steps)
    assert (job.state, job.fraction) == ("queued", 0.0)
    seen = []
    for number, (_, stage) in enumerate(steps):
        seen.append(until(lambda s=stage: (j := jobs.get(job.id, "ann")).stage == s and j))
        (tmp_path / f"go{number}").touch()
    assert [s.fraction for s in seen] == [0.2, 0.2, 0.7, 0.7, 1.0]
    assert all(s.state == "running" for s in seen)
    last = ended(jobs, job)
    assert (last.state, last.fraction, last.stage) == ("done", 1.0, "done")
    assert last.submitted <= last.started <= last.finished
    assert last.elapsed == (last.finished - last.started).total_seconds()


def test_a_flood_of_reports_does_not_become_a_flood_of_writes(open_jobs, engine):
    jobs = open_jobs()
    job = ended(jobs, submit(jobs, work.many_stages, 20_000))
    with engine.connect() as connection:
        beats = connection.exec_driver_sql("select beat from jobs").scalar_one()
    # a write each 0.2 s at most, beside the claim and the first sight of the task
    assert beats <= 3 + job.elapsed / 0.2


def test_a_worker_that_is_long_idle_ends_and_the_next_job_has_another(
    open_jobs, until, monkeypatch
):
    monkeypatch.setattr(pool, "IDLE_SECONDS", 0.0)
    jobs = open_jobs()
    process = outcome(jobs, work.process_id)
    until(lambda: gone(process))
    assert outcome(jobs, work.process_id, key="next") != process


def test_a_worker_is_kept_for_the_next_job(open_jobs):
    jobs = open_jobs()
    process = outcome(jobs, work.process_id)
    assert outcome(jobs, work.process_id, key="next") == process


def test_cancel_kills_a_function_that_never_reports(open_jobs, until, tmp_path):
    jobs = open_jobs()
    grown = tmp_path / "grown"
    job = submit(jobs, work.write_without_end, str(grown))
    until(lambda: grown.exists() and grown.stat().st_size > 100)
    process = int(grown.with_suffix(".pid").read_text())
    assert jobs.cancel(job.id, "ann").state == "canceled"
    until(lambda: gone(process))
    size = grown.stat().st_size
    assert outcome(jobs, work.give_back, 7, key="next") == 7  # the pool goes on
    assert grown.stat().st_size == size
    with pytest.raises(JobError, match=r"^'Backtest of momentum' has no result. It was canceled.$"):
        jobs.result(job.id, "ann")


def test_a_function_that_reports_can_tidy_up_and_its_process_lives_on(open_jobs, until, tmp_path):
    jobs = open_jobs()
    job = submit(jobs, work.report_without_end, str(tmp_path))
    (process,) = until(lambda: [p.name for p in tmp_path.glob("pid*")])
    jobs.cancel(job.id, "ann")
    until((tmp_path / "tidied").exists)
    assert f"pid{outcome(jobs, work.process_id, key='next')}" == process
    assert jobs.get(job.id, "ann").state == "canceled"


def test_a_canceled_job_that_waited_never_starts(open_jobs, tmp_path):
    waiting = open_jobs(processes=0)
    job = submit(waiting, work.note, str(tmp_path / "noted"), "x")
    assert waiting.cancel(job.id, "ann").state == "canceled"
    assert outcome(open_jobs(), work.give_back, 1, key="next") == 1
    assert not (tmp_path / "noted").exists()


def test_cancel_leaves_an_ended_job_as_it_is(open_jobs):
    jobs = open_jobs()
    job = ended(jobs, submit(jobs, work.give_back, 1))
    assert jobs.cancel(job.id, "ann") == job


def test_the_same_key_is_run_once_and_anew_only_after_a_failure(open_jobs, tmp_path):
    jobs = open_jobs()
    noted = tmp_path / "noted"
    first = submit(jobs, work.note, str(noted), "x")
    again = submit(jobs, work.note, str(noted), "x")
    ended(jobs, first)
    assert submit(jobs, work.note, str(noted), "x").id == again.id == first.id
    assert noted.read_text() == "x"
    failed = ended(jobs, submit(jobs, work.no_solution, key="other"))
    assert submit(jobs, work.no_solution, key="other").id != failed.id
    assert submit(jobs, work.give_back, 1, owner="bob").id != first.id


def test_the_same_key_submitted_at_once_by_many_is_one_job(open_jobs):
    servers = [open_jobs(processes=0) for _ in range(2)]
    start = threading.Barrier(8)
    found = []

    def one(jobs):
        start.wait()
        found.append(submit(jobs, work.give_back, 1).id)

    threads = [threading.Thread(target=one, args=(servers[n % 2],)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1
    assert len(servers[0].listed("ann")) == 1


@pytest.mark.parametrize(
    ("function", "kind", "words"),
    [
        (work.no_solution, NoSolutionError, "'names at most 2' allows 40 % invested at most."),
        (work.nearly_unknown, UnknownNameError, "^Unknown ticker 'APPL'.$"),
    ],
)
def test_an_error_for_the_user_comes_back_as_itself(ask, function, kind, words):
    with pytest.raises(kind, match=words) as caught:
        ask(function)
    assert type(caught.value) is kind


@pytest.mark.parametrize("function", [work.break_down, work.leave, work.not_picklable])
def test_a_bug_shows_a_reference_to_the_user_and_its_trace_to_the_log(ask, caplog, function):
    with caplog.at_level(logging.ERROR), pytest.raises(JobError) as caught:
        ask(function)
    assert not re.search(r"Traceback|line \d|Error|vault|job_functions|pickle", str(caught.value))
    reference = re.search(r"\(reference (\w{8})\)", str(caught.value))[1]
    assert f"reference {reference}" in caplog.text
    assert "Traceback (most recent call last)" in caplog.text
    assert caught.value.status == 422


def test_a_killed_process_costs_one_more_attempt(open_jobs, tmp_path):
    jobs = open_jobs()
    job = ended(jobs, submit(jobs, work.die, str(tmp_path / "deaths"), 1))
    assert (job.state, job.attempt) == ("done", 2)
    assert jobs.result(job.id, "ann") == 2


def test_a_job_whose_process_dies_twice_fails_in_words(open_jobs, tmp_path):
    jobs = open_jobs()
    with pytest.raises(JobError, match=r"It was interrupted twice: .* perhaps for lack of memory"):
        outcome(jobs, work.die, str(tmp_path / "deaths"), 9)
    assert (tmp_path / "deaths").read_text() == "xx"
    assert outcome(jobs, work.give_back, 1, key="next") == 1


def test_the_death_of_an_idle_worker_goes_unnoticed(open_jobs, until):
    jobs = open_jobs()
    process = outcome(jobs, work.process_id)
    os.kill(process, signal.SIGKILL)
    until(lambda: gone(process))
    assert outcome(jobs, work.process_id, key="next") != process


def test_a_job_that_takes_too_long_is_stopped(open_jobs, until, tmp_path):
    jobs = open_jobs(seconds=2.0, preload=[work.__name__])  # importing takes none of the time
    with pytest.raises(JobError, match=r"It was stopped after 2 s, the longest a job may take"):
        outcome(jobs, work.write_without_end, str(tmp_path / "grown"))
    until(lambda: gone(int((tmp_path / "grown.pid").read_text())))


def test_another_owners_job_cannot_be_told_from_none(open_jobs):
    jobs = open_jobs(processes=0)
    job = submit(jobs, work.give_back, 1)
    for call in (jobs.get, jobs.cancel, jobs.result):
        words = []
        for name in (job.id, "0" * 16):
            with pytest.raises(UnknownNameError) as caught:
                call(name, "bob")
            words.append(str(caught.value).replace(name, "..."))
        assert words[0] == words[1]
    assert jobs.listed("bob") == []
    assert [j.id for j in jobs.listed("ann")] == [job.id]
    assert jobs.get(job.id, "ann").state == "queued"


def test_a_result_that_is_not_ready_says_how_far_it_is(open_jobs):
    jobs = open_jobs(processes=0)
    job = submit(jobs, work.give_back, 1)
    with pytest.raises(BusyError, match=r"^'Backtest of momentum' is not ready: waiting, 0%."):
        jobs.result(job.id, "ann")


def test_more_jobs_than_may_wait_are_refused(open_jobs, tmp_path):
    jobs = open_jobs(processes=0, queued=2)
    first = submit(jobs, work.give_back, 1, key="1")
    submit(jobs, work.give_back, 1, key="2")
    with pytest.raises(BusyError, match=r"^2 jobs are waiting already. Try again when"):
        submit(jobs, work.give_back, 1, key="3")
    assert submit(jobs, work.give_back, 1, key="1").id == first.id
    assert len(list((tmp_path / "jobs").iterdir())) == 2  # nothing of the refused one stays
    jobs.cancel(first.id, "ann")
    submit(jobs, work.give_back, 1, key="3")


def test_one_owner_cannot_fill_the_queue(open_jobs):
    jobs = open_jobs(processes=0, queued=4)
    for key in "123":
        submit(jobs, work.give_back, 1, key=key)
    with pytest.raises(BusyError, match=r"^3 of your jobs are waiting already. Try again when"):
        submit(jobs, work.give_back, 1, key="4")
    other = jobs.submit(work.give_back, 1, owner="bob", key="1", title="Backtest")
    assert other.state == "queued"


@pytest.mark.skipif(sys.platform != "linux", reason="memory is watched on Linux")
def test_a_job_that_takes_too_much_memory_ends_with_words_and_others_go_on(open_jobs):
    jobs = open_jobs(memory=600 * 2**20)
    large = ended(jobs, submit(jobs, work.take_memory_without_end, key="large"))
    assert large.state == "failed"
    assert "held more than 600 MB" in large.error
    assert "TILT_JOB_BYTES" in large.error
    assert ended(jobs, submit(jobs, work.give_back, 1, key="small")).state == "done"


def test_whoever_is_asked_for_a_job_all_servers_see_it(open_jobs):
    one, other = open_jobs(processes=0), open_jobs(processes=0)
    job = submit(one, work.give_back, 1)
    one.ask(job)
    first = other.asked()
    assert list(first) == [job.id]
    other.ask(job)
    assert one.asked()[job.id] >= first[job.id]
    other.abandon(job.id)
    assert one.get(job.id, "ann").state == "canceled"
    assert one.asked() == {}


def test_a_worker_has_none_of_the_servers_sockets(open_jobs):
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.set_inheritable(True)
        inode = os.fstat(server.fileno()).st_ino
        found = outcome(open_jobs(), work.sockets)
    assert inode not in found
    assert len(found) == 1  # its pipe


def test_a_worker_computes_on_one_thread(open_jobs):
    threads = outcome(open_jobs(preload=["numpy"]), work.linear_algebra_threads)
    assert threads
    assert set(threads) == {1}


def test_files_are_for_their_owner_alone(open_jobs, until, tmp_path):
    jobs, folder = open_jobs(), tmp_path / "jobs"
    steps = [(0.5, "half")]
    job = submit(jobs, work.step_by_step, str(tmp_path), steps)
    (arguments,) = folder.glob("*.task")
    assert stat.S_IMODE(arguments.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    (tmp_path / "go0").touch()
    ended(jobs, job)
    until(lambda: not arguments.exists())  # arguments may be holdings
    (result,) = folder.iterdir()
    assert stat.S_IMODE(result.stat().st_mode) == 0o600


@pytest.mark.parametrize("function", [lambda _: 1, "".join, work.Path.home])
def test_only_a_function_that_a_worker_can_import_is_taken(open_jobs, function):
    jobs = open_jobs(processes=0)
    with pytest.raises(ValueError, match="is not a top-level function of an importable module"):
        submit(jobs, function)
    assert jobs.listed("ann") == []


def gone(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    return False
