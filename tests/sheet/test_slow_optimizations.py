"""Optimizations: quick ones at once, slow ones as jobs that a cell asks for until they are done."""

import os
import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from serving import PATIENCE

from tilt.api import optimizations
from tilt.api.app import create_app
from tilt.api.books import open_book, state_problem
from tilt.api.cell_jobs import RunningError
from tilt.api.optimizations import QUICK, ask_solution, effort
from tilt.api.state import enter
from tilt.optimize import solve as solving
from tilt.optimize.solve import solve

sys.path.insert(0, str(Path(__file__).parent))  # where workers find the job that is held
from held_jobs import solve_when_let

RULES = [["weight", "*", 0, 0.06, None, None], ["turnover", None, None, 0.2, None, None]]


@pytest.fixture(scope="module")
def state(store, sample_settings):
    assert store.snapshot()
    found = create_app(sample_settings).state.tilt.state
    enter(found, "anna")
    yield found
    found.jobs.close()


@pytest.fixture
def problem(state):
    enter(state, "anna")
    book = open_book(state, [["SAMPLE"]], None, None, None)
    return state_problem(state, book, "min_te", constraints=RULES, options={})


def ended(state, ask):
    """Return what is asked for, after the job behind it has ended."""
    with pytest.raises(RunningError) as running:
        ask()
    state.jobs.wait(running.value.job.id, "anna", seconds=PATIENCE)
    return ask()


def test_a_quick_problem_is_answered_without_a_job(state, problem):
    before = len(state.jobs.listed("anna"))
    assert ask_solution(state, problem, "constraints", "").solved
    assert len(state.jobs.listed("anna")) == before


def test_a_slow_problem_says_how_far_it_is_and_then_gives_its_answer(
    state, problem, monkeypatch, tmp_path
):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    problem = replace(problem, securities=problem.securities.copy())
    problem.securities.attrs["pipe"] = str(pipe)
    monkeypatch.setattr(optimizations, "QUICK", 0)
    monkeypatch.setattr(optimizations, "solve_job", solve_when_let)
    with pytest.raises(RunningError, match=r"^Optimization of min_te: ") as first:
        ask_solution(state, problem, "trades", "")
    with pytest.raises(RunningError) as again:
        ask_solution(state, problem, "weights", "")
    assert again.value.job.id == first.value.job.id, "another view waits for the same job"
    pipe.write_text("go")  # which waits until the job reads
    state.jobs.wait(first.value.job.id, "anna", seconds=PATIENCE)
    shown = ask_solution(state, problem, "trades", "").view("trades")
    pd.testing.assert_frame_equal(shown, solve(problem).view("trades"))


def test_prices_of_the_rules_come_from_a_job_of_their_own(state, problem, monkeypatch):
    expected = solve(problem).view("constraints")
    monkeypatch.setattr(optimizations, "effort", lambda _, solves: 0 if solves == 1 else QUICK + 1)
    solution = ended(state, lambda: ask_solution(state, problem, "constraints", ""))

    def never(*_):
        raise AssertionError("the job has solved it already")

    monkeypatch.setattr(solving, "step_rules", never)
    pd.testing.assert_frame_equal(solution.view("constraints"), expected)
    assert len(solution.view("explain")) > len(RULES)


def test_large_problems_with_many_binding_rules_and_general_solvers_are_slow(problem):
    names = len(problem.model.assets)
    assert effort(problem, 3) == 3 * names
    problem.options["solver"] = "CVXPY"
    assert effort(problem, 3) == 30 * names
