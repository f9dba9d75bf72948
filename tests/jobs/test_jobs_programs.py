"""Another program computes anew; a warmed pool has its worker before the first job."""

import multiprocessing

import job_functions as work
from serving import PATIENCE

from tilt.jobs.program import program_id


def submit(jobs, function, *args):
    job = jobs.submit(function, *args, owner="ann", key="k", title="Backtest")
    return jobs.wait(job.id, "ann", seconds=PATIENCE)


def test_a_result_of_the_program_before_an_upgrade_is_computed_anew(open_jobs):
    old = submit(open_jobs(program="old"), work.give_back, "a number of the old program")
    upgraded = open_jobs(program="new")
    new = submit(upgraded, work.give_back, "a number of the new program")
    assert new.id != old.id
    assert upgraded.result(new.id, "ann") == "a number of the new program"


def test_the_same_program_finds_its_results_again(open_jobs):
    first = submit(open_jobs(program="same"), work.give_back, 1)
    assert submit(open_jobs(program="same"), work.give_back, 1).id == first.id


def test_any_changed_line_of_code_makes_another_program(tmp_path):
    ids = []
    for name, code in (("one", "a = 1\n"), ("two", "a = 2\n"), ("three", "a = 1\n")):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "module.py").write_text(code)
        ids.append(program_id(folder))
    assert ids[0] == ids[2] != ids[1]
    assert program_id() not in ids


def test_a_warmed_pool_runs_its_first_job_in_the_worker_it_has(open_jobs, until):
    before = {child.pid for child in multiprocessing.active_children()}
    jobs = open_jobs(processes=1)
    jobs.warm()
    warmed = until(lambda: {c.pid for c in multiprocessing.active_children()} - before)
    done = submit(jobs, work.process_id)
    assert {jobs.result(done.id, "ann")} == warmed
