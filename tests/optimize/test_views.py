"""Black-Litterman: a published table, the textbook formulas, and views as they are typed."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tilt.errors import ArgumentError, DataError, UnknownNameError
from tilt.optimize.constraints import Rule
from tilt.optimize.posterior import blend
from tilt.optimize.solve import Problem, solve
from tilt.optimize.terms import Factors
from tilt.optimize.views import View, parse_text, parse_views, pick
from tilt.risk.model import RiskModel

# He, Litterman (1999), The Intuition Behind Black-Litterman Model Portfolios, tables 1, 2, 4, 5.
COUNTRIES = ["Australia", "Canada", "France", "Germany", "Japan", "UK", "USA"]
VOLATILITY = np.array([16.0, 20.3, 24.8, 27.1, 21.0, 20.0, 18.7]) / 100
MARKET = np.array([1.6, 2.2, 5.2, 5.5, 11.6, 12.4, 61.5]) / 100
EQUILIBRIUM = [3.9, 6.9, 8.4, 9.0, 4.3, 6.8, 7.6]
CORRELATION = np.array(
    [
        [1.000, 0.488, 0.478, 0.515, 0.439, 0.512, 0.491],
        [0.488, 1.000, 0.664, 0.655, 0.310, 0.608, 0.779],
        [0.478, 0.664, 1.000, 0.861, 0.355, 0.783, 0.668],
        [0.515, 0.655, 0.861, 1.000, 0.354, 0.777, 0.653],
        [0.439, 0.310, 0.355, 0.354, 1.000, 0.405, 0.306],
        [0.512, 0.608, 0.783, 0.777, 0.405, 1.000, 0.652],
        [0.491, 0.779, 0.668, 0.653, 0.306, 0.652, 1.000],
    ]
)
GERMANY = View(("Germany",), ("France", "UK"), 0.05)
CANADA = View(("Canada",), ("USA",), 0.03)
PUBLISHED = {
    (GERMANY,): ([4.3, 7.6, 9.3, 11.0, 4.5, 7.0, 8.1], [1.5, 2.1, -4.0, 35.4, 11.0, -9.5, 58.6]),
    (GERMANY, CANADA): (
        [4.4, 8.7, 9.5, 11.2, 4.6, 7.0, 7.5],
        [1.5, 41.9, -3.4, 33.6, 11.0, -8.2, 18.8],
    ),
}
ANYTHING = (Rule("net", "", -9.0, 9.0),)


def countries(views, rules=ANYTHING, **options):
    cov = CORRELATION * np.outer(VOLATILITY, VOLATILITY) / 252
    labels = [f"F{n}" for n in range(7)]
    model = RiskModel(
        universe="WORLD",
        snapshot="",
        date=pd.Timestamp("2016-06-30"),
        horizon="short",
        exposures=pd.DataFrame(np.linalg.cholesky(cov), COUNTRIES, labels),
        factor_cov=pd.DataFrame(np.eye(7), labels, labels),
        specific_var=pd.Series(0.0, COUNTRIES),
        groups=pd.Series("statistical", labels),
        notes=(),
    )
    return Problem(
        "black_litterman",
        model,
        pd.DataFrame({"name": COUNTRIES, "sector": "", "industry": ""}, COUNTRIES),
        pd.Series(dtype=float),
        pd.Series(MARKET, COUNTRIES),
        rules=rules,
        options={"delta": 2.5, "long_short": True, **options},
        views=views,
    )


@pytest.mark.parametrize("views", PUBLISHED, ids=["Germany", "Germany and Canada"])
def test_the_tables_of_he_and_litterman(views):
    returns, weights = PUBLISHED[views]
    solution = solve(countries(views))
    np.testing.assert_allclose(100 * solution.case.alpha, returns, atol=0.06)
    np.testing.assert_allclose(100 * solution.weights, weights, atol=0.1)


def test_without_views_the_equilibrium_returns_are_those_of_he_and_litterman():
    solution = solve(countries((), posterior="S"))
    np.testing.assert_allclose(100 * solution.case.alpha, EQUILIBRIUM, atol=0.06)
    np.testing.assert_allclose(solution.weights, MARKET, atol=1e-6)
    assert "No views are given" in " ".join(solution.messages)


def random_model(n, k, rng):
    root = rng.normal(size=(k, k)) * 0.1
    return Factors(rng.normal(size=(n, k)), root @ root.T, rng.uniform(0.01, 0.1, n), root)


@settings(max_examples=25, deadline=None)
@given(
    n=st.integers(3, 20), k=st.integers(1, 4), views=st.integers(1, 3), seed=st.integers(0, 9999)
)
def test_mean_and_covariance_are_those_of_the_textbook_formulas(n, k, views, seed):
    """[(τS)⁻¹ + P'Ω⁻¹P]⁻¹ and S plus it, with every matrix written out."""
    rng = np.random.default_rng(seed)
    model, market = random_model(n, k, rng), rng.dirichlet(np.ones(n))
    P = np.where(rng.random((views, n)) < 0.3, rng.normal(size=(views, n)), 0.0)
    P[np.arange(views), np.arange(views)] += 1.0
    q, confidence = rng.normal(0, 0.05, views), rng.uniform(0.1, 0.9, views)
    found = blend(model, market, (P, q, confidence), delta=3.0, tau=0.05)
    S = model.exposures @ model.covariance @ model.exposures.T + np.diag(model.specific)
    omega = np.diag(np.diag(P @ (0.05 * S) @ P.T) * (1 - confidence) / confidence)
    M = np.linalg.inv(np.linalg.inv(0.05 * S) + P.T @ np.linalg.inv(omega) @ P)
    pi = 3.0 * S @ market
    mean = M @ (np.linalg.solve(0.05 * S, pi) + P.T @ np.linalg.solve(omega, q))
    np.testing.assert_allclose(found.mean, mean, rtol=1e-6, atol=1e-9)
    after = found.model
    full = after.exposures @ after.covariance @ after.exposures.T + np.diag(after.specific)
    np.testing.assert_allclose(full, S + M, rtol=1e-7, atol=1e-10)
    np.testing.assert_allclose(after.root @ after.root.T, after.covariance, atol=1e-10)
    assert (after.specific >= 0).all()


def test_a_confidence_moves_the_returns_that_share_of_the_way_to_certainty():
    rng = np.random.default_rng(1)
    model, market = random_model(8, 2, rng), np.full(8, 1 / 8)
    P, q = np.eye(8)[:1], np.array([0.1])

    def moved(confidence):
        found = blend(model, market, (P, q, np.array([confidence])), delta=2.5, tau=0.05)
        return found.mean - found.implied

    np.testing.assert_allclose(moved(0.3), 0.3 * moved(1.0), atol=1e-12)
    assert (moved(1.0) + blend(model, market, (P, q, np.ones(1)), delta=2.5, tau=0.05).implied)[
        0
    ] == pytest.approx(0.1)


def test_rules_hold_for_views_as_for_any_objective_and_solvers_agree():
    rules = (Rule("weight", "*", 0.0, 0.3), Rule("net", "", 1.0, 1.0))
    found = [
        solve(countries((GERMANY, CANADA), rules, solver=s)) for s in ("piqp", "clarabel", "cvxpy")
    ]
    assert {s.status for s in found} == {"optimal"}
    assert found[0].weights.between(-1e-6, 0.3 + 1e-6).all()
    for other in found[1:]:
        assert other.objective == pytest.approx(found[0].objective, abs=1e-7)


def test_views_stand_in_for_alpha_in_other_objectives(problem_of):
    cap = Rule("weight", "*", None, 0.2)
    views = (View(("N03",), (), 0.2, 0.9),)
    believed = solve(replace(problem_of("max_return", (cap,)), alpha=None, views=views))
    assert believed.weights["N03"] == pytest.approx(0.2, abs=1e-6)
    alpha = pd.Series(believed.case.alpha, believed.weights.index)
    typed = solve(replace(problem_of("max_return", (cap,)), alpha=alpha))
    np.testing.assert_allclose(typed.weights, believed.weights, atol=1e-6)
    said = " ".join(believed.messages)
    assert "View 'N03 returns 20 % a year'" in said


def test_alpha_is_a_view_on_each_of_its_names_in_black_litterman(problem_of):
    alpha = pd.Series({"N01": 0.12, "N02": 0.01})
    typed = solve(replace(problem_of("black_litterman"), alpha=alpha))
    views = (View(("N01",), (), 0.12), View(("N02",), (), 0.01))
    same = solve(replace(problem_of("black_litterman"), alpha=None, views=views))
    np.testing.assert_allclose(typed.weights, same.weights, atol=1e-9)


NAMES = ["AAPL", "BRK-B", "MSFT", "8306", "Energy"]


def known(text):
    return next((n for n in NAMES if n.casefold() == text.casefold()), None)


@pytest.mark.parametrize(
    "grid",
    [
        [["aapl - msft", 0.02, 0.7]],
        [["AAPL", "MSFT", 0.02, 0.7]],
        [["name", "minus", "view", "confidence"], ["AAPL", "MSFT", 0.02, 0.7]],
        [["View", "Ticker", "Confidence"], [None, None, None], [0.02, "AAPL - MSFT", 0.7]],
    ],
)
def test_one_view_may_be_typed_in_several_ways(grid):
    (view,) = parse_views(grid, known, NAMES)
    assert replace(view, row=0) == View(("AAPL",), ("MSFT",), 0.02, 0.7)


def test_baskets_hyphens_numbers_and_texts_are_read():
    rows = [["BRK-B + Energy", 0.05], [8306.0, -0.01]]
    first, second = parse_views(rows, known, NAMES)
    assert (first.long, first.confidence, second.long) == (("BRK-B", "Energy"), 0.5, ("8306",))
    text = parse_text("BRK-B + Energy=5%, 8306=-0.01@0.8", known, NAMES)
    assert [v.value for v in text] == [0.05, -0.01]
    assert text[1].confidence == 0.8


def test_a_side_is_held_by_market_weight_and_equally_where_it_has_none():
    assets = np.array(["A", "B", "C", "D"])
    views = (View(("S",), ("C", "D"), 0.01),)
    rows, _, _ = pick(views, assets, {"S": np.array([0, 1])}, np.array([0.3, 0.1, 0.0, 0.0]))
    np.testing.assert_allclose(rows, [[0.75, 0.25, -0.5, -0.5]])


@pytest.mark.parametrize(
    ("grid", "error", "message"),
    [
        ([["APPL", 0.02]], UnknownNameError, "row 1: 'APPL' .* Did you mean 'AAPL'?"),
        ([["AAPL", 2.0]], ArgumentError, "Type 2 % as 0.02"),
        ([["AAPL", None]], DataError, "view is blank"),
        ([["AAPL", "high"]], DataError, "view is 'high'"),
        ([["AAPL", "#N/A"]], DataError, "view is #N/A"),
        ([["AAPL", 0.02, 70]], ArgumentError, "confidence must be above 0 and at most 1"),
        ([["AAPL - AAPL", 0.02]], ArgumentError, "'AAPL' is on both sides"),
        ([["AAPL - MSFT - Energy", 0.02]], ArgumentError, "write one name, or A - B"),
        ([["AAPL"]], ArgumentError, "must have the columns name, view"),
        ([["name", "view", "trust"], ["AAPL", 0.1, 1]], ArgumentError, "header 'trust'"),
    ],
)
def test_what_is_wrong_with_a_view_is_said(grid, error, message):
    with pytest.raises(error, match=message):
        parse_views(grid, known, NAMES)


def test_what_views_cannot_be_used_for_is_said(problem_of):
    view = (View(("N01",), (), 0.1),)
    with pytest.raises(ArgumentError, match="Both alpha and views"):
        solve(replace(problem_of("max_utility"), views=view))
    with pytest.raises(ArgumentError, match="views say nothing to min_te"):
        solve(replace(problem_of("min_te"), alpha=None, views=view))
    with pytest.raises(ArgumentError, match="need a benchmark"):
        solve(replace(problem_of("black_litterman"), benchmark=None))
    certain = (View(("N01",), (), 0.1, 1.0), View(("N01",), (), 0.2, 1.0))
    with pytest.raises(ArgumentError, match="contradict or repeat"):
        solve(replace(problem_of("black_litterman"), alpha=None, views=certain))
    with pytest.raises(UnknownNameError, match="Did you mean 'Energy'"):
        solve(replace(problem_of("black_litterman", views="Enrgy=0.1"), alpha=None))


def test_run_ids_tell_views_apart(problem_of):
    def run_id(value):
        return replace(problem_of("black_litterman"), views=(View(("N01",), (), value),)).run_id

    assert run_id(0.1) == run_id(0.1) != run_id(0.2)
