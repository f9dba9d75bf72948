"""Clarabel is asked to correct its steps little, and in full where that is not enough."""

from types import SimpleNamespace

import clarabel
import numpy as np
import pytest
import scipy.sparse as sp

from tilt.optimize import native
from tilt.optimize.constraints import Rule
from tilt.optimize.limits import halves, lay_out
from tilt.optimize.posing import open_case
from tilt.optimize.program import build


@pytest.fixture
def capped(problem_of):
    """The program of the largest return within a tracking error that binds."""
    rules = (Rule("weight", "*", None, 0.2), Rule("tracking_error", "", None, 0.03))
    layout = lay_out(case := open_case(problem_of("max_return", rules)))
    return build(layout, halves(layout, case.rules), case.goal)


def test_the_answer_is_the_one_of_steps_corrected_in_full(capped):
    """The plain twin: everything as Clarabel has it, but tighter tolerances."""
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = 1e-9
    matrix, bound, cones = native._conic_form(capped)
    quadratic = sp.triu(capped.quadratic, format="csc")
    twin = clarabel.DefaultSolver(quadratic, capped.linear, matrix, bound, cones, settings).solve()
    answer = native.solve_clarabel(capped)
    assert answer.status == "optimal"
    assert answer.prices[capped.cones[0].half][0] > 0.1
    np.testing.assert_allclose(answer.x, twin.x, atol=1e-6)
    np.testing.assert_allclose(capped.linear @ answer.x, twin.obj_val, rtol=1e-7)


@pytest.mark.parametrize("ended", ["AlmostSolved", "InsufficientProgress", "NumericalError"])
def test_steps_are_corrected_in_full_where_the_residuals_stay_large(capped, monkeypatch, ended):
    asked = []
    honest = native._run_clarabel

    def failing(program, form, settings):
        asked.append(settings.iterative_refinement_max_iter)
        found = honest(program, form, settings)
        if asked[-1] > 1:
            return found
        return SimpleNamespace(status=ended, x=np.full(len(found.x), np.nan), z=found.z)

    monkeypatch.setattr(native, "_run_clarabel", failing)
    answer = native.solve_clarabel(capped)
    assert asked == [1, 10]
    assert answer.status == "optimal"
    assert np.isfinite(answer.x).all()


def test_an_answer_with_small_residuals_is_not_asked_for_again(capped, monkeypatch):
    asked = []
    honest = native._run_clarabel

    def counting(program, form, settings):
        asked.append(settings.iterative_refinement_max_iter)
        return honest(program, form, settings)

    monkeypatch.setattr(native, "_run_clarabel", counting)
    assert native.solve_clarabel(capped).status == "optimal"
    assert asked == [1]
