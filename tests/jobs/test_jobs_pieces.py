"""A job in pieces: nothing is lost, nothing is done twice, and who did it cannot be told."""

import job_functions as work
import numpy as np
import pytest
from serving import PATIENCE
from sqlalchemy import select

from tilt.errors import NoSolutionError
from tilt.jobs import JobError
from tilt.jobs.pieces import finish_here, runs
from tilt.jobs.table import JOBS

SEEDS = [5, 1, 4, 2, 3]


def submit(jobs, function, *args, key="k", owner="ann"):
    return jobs.submit(function, *args, owner=owner, key=key, title="Sweep")


def outcome(jobs, job):
    found = jobs.wait(job.id, "ann", seconds=PATIENCE)
    assert not found.pending, found
    return jobs.result(job.id, "ann")


def rows(engine, *where):
    with engine.connect() as connection:
        return connection.execute(select(JOBS).where(*where)).all()


def made(folder, names):
    """Make a folder for each letter."""
    folders = [folder / name for name in names]
    for one in folders:
        one.mkdir()
    return folders


def test_the_parts_come_in_order_from_the_pool_that_their_job_waits_in(open_jobs, engine, tmp_path):
    jobs = open_jobs(processes=1)
    job = submit(jobs, work.draw_in_pieces, str(tmp_path), SEEDS)
    here = finish_here(work.draw_in_pieces(lambda *_: None, str(tmp_path / ".."), SEEDS))
    np.testing.assert_array_equal(outcome(jobs, job)["drawn"], here["drawn"])
    assert [(tmp_path / f"runs{n}").read_text() for n in range(5)] == ["x"] * 5
    assert len(jobs.listed("ann")) == 1
    assert [row.id for row in rows(engine)] == [job.id]
    left = {path.name for path in (tmp_path / "jobs").iterdir()}
    assert left == {f"{job.id}-2.result"}


def test_parts_may_be_cut_again(open_jobs, tmp_path):
    found = outcome(jobs := open_jobs(), submit(jobs, work.cut_twice, str(tmp_path), SEEDS))
    expected = [np.random.default_rng(s).standard_normal(3) for s in SEEDS[1:]]
    np.testing.assert_array_equal(found["after 1"], np.concatenate(expected))


def test_a_piece_that_dies_is_run_again_alone(open_jobs, tmp_path):
    jobs = open_jobs()
    assert outcome(jobs, submit(jobs, work.die_in_a_piece, str(tmp_path), 1)) == [1, 2, 1]
    with pytest.raises(JobError, match="interrupted twice"):
        outcome(jobs, submit(jobs, work.die_in_a_piece, str(tmp_path), 9, key="more"))


def test_a_piece_that_fails_ends_its_job_and_the_others(open_jobs, engine, until, tmp_path):
    jobs = open_jobs(processes=2)
    job = submit(jobs, work.fail_in_a_piece, str(tmp_path))
    with pytest.raises(NoSolutionError, match="allows 40 % invested"):
        outcome(jobs, job)
    until(lambda: {row.state for row in rows(engine)} == {"failed", "canceled"})


def test_cancel_ends_every_piece(open_jobs, engine, until, tmp_path):
    jobs = open_jobs()
    folders = made(tmp_path, "abc")
    job = submit(jobs, work.wait_in_pieces, [str(folder) for folder in folders])
    until(lambda: any(folders[0].glob("pid*")))
    seen = until(lambda: (j := jobs.get(job.id, "ann")).stage == "computing, 0 of 3 parts" and j)
    assert seen.state == "running"
    assert jobs.cancel(job.id, "ann").state == "canceled"
    assert {row.state for row in rows(engine)} == {"canceled"}
    assert outcome(jobs, submit(jobs, work.give_back, 7, key="next")) == 7


def test_a_whole_job_goes_before_the_pieces_of_another(open_jobs, until, tmp_path):
    jobs = open_jobs()
    folders = made(tmp_path, "ab")
    long = submit(jobs, work.wait_in_pieces, [str(folder) for folder in folders])
    until(lambda: any(folders[0].glob("pid*")))
    short = submit(jobs, work.note, str(tmp_path / "noted"), "short", key="short")
    (folders[0] / "go").touch()
    assert outcome(jobs, short) == "short"
    assert jobs.get(long.id, "ann").pending
    (folders[1] / "go").touch()
    assert outcome(jobs, long) == 2


def test_another_server_ends_what_one_began(open_jobs, until, tmp_path):
    first = open_jobs()
    folders = made(tmp_path, "ab")
    job = submit(first, work.wait_in_pieces, [str(folder) for folder in folders])
    (folders[0] / "go").touch()
    until(lambda: any(folders[1].glob("pid*")))
    first.close()
    (folders[1] / "go").touch()
    assert outcome(open_jobs(), job) == 2
    assert len(list(folders[0].glob("pid*"))) == 1  # its part was kept


def test_a_part_that_is_damaged_is_made_again(open_jobs, engine, until, tmp_path):
    jobs = open_jobs()
    folders = made(tmp_path, "ab")
    job = submit(jobs, work.wait_in_pieces, [str(folder) for folder in folders])
    (folders[0] / "go").touch()
    until(lambda: any(folders[1].glob("pid*")))
    done = JOBS.c.parent == job.id, JOBS.c.state == "done"
    (part,) = rows(engine, *done)
    (tmp_path / "jobs" / f"{part.id}-1.result").write_bytes(b"nonsense")
    (folders[1] / "go").touch()
    assert outcome(jobs, job) == 2


def test_a_queue_that_is_full_of_pieces_takes_jobs(open_jobs, tmp_path):
    jobs = open_jobs(processes=1, queued=2)
    job = submit(jobs, work.draw_in_pieces, str(tmp_path), range(10))
    jobs.wait(job.id, "ann", seconds=0.0)
    assert outcome(jobs, submit(jobs, work.give_back, 1, key="one")) == 1
    assert len(outcome(jobs, job)["drawn"]) == 30


@pytest.mark.parametrize(("items", "most"), [(10, 3), (2, 64), (1, 1), (64, 64), (0, 5)])
def test_runs_keep_every_item_in_order(items, most):
    cut = list(runs(range(items), most=most))
    assert [i for run in cut for i in run] == list(range(items))
    assert len(cut) == min(items, most)
    assert max(map(len, cut), default=0) - min(map(len, cut), default=0) <= 1
