"""Two share classes of one company: what is specific to the company is not diversified away."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tilt.frames import FactorHistory
from tilt.optimize.solve import Problem, solve
from tilt.risk.health import least_variance
from tilt.risk.measures import GROUPINGS, risk_measure, risk_table
from tilt.risk.model import RiskModel, estimate_model
from tilt.risk.specific import shared_loadings
from tilt.risk.stored import model_of_tables, tables_of_model

A, B, C = "ONE.A", "ONE.B", "TWO"
SIGMA = pd.Series({A: 0.010, B: 0.012, C: 0.020})  # specific, per day
BETA = pd.Series({A: 1.0, B: 1.0, C: 0.5})
MARKET = 0.008**2


def hand_made() -> RiskModel:
    variance = SIGMA**2
    return RiskModel(
        universe="",
        snapshot="",
        date=pd.Timestamp("2020-01-31"),
        horizon="short",
        exposures=BETA.to_frame("Market"),
        factor_cov=pd.DataFrame(MARKET, ["Market"], ["Market"]),
        specific_var=variance,
        groups=pd.Series("market", ["Market"]),
        notes=(),
        shared=shared_loadings(variance, pd.Series({A: "one", B: "one", C: "two"})),
    )


# by hand: V = β β' 0.008² + S, S off the diagonal 0.9 · 0.010 · 0.012 between the two classes
FULL = pd.DataFrame(
    np.outer(BETA, BETA) * MARKET
    + np.array([[1e-4, 1.08e-4, 0], [1.08e-4, 1.44e-4, 0], [0, 0, 4e-4]]),
    SIGMA.index,
    SIGMA.index,
)


def test_covariance_has_nine_tenths_between_the_classes_and_leaves_the_variances():
    np.testing.assert_allclose(hand_made().covariance(SIGMA.index), FULL, rtol=1e-12)
    np.testing.assert_allclose(hand_made().covariance([C, B]), FULL.loc[[C, B], [C, B]], rtol=1e-12)


def test_one_class_against_the_other_has_little_risk_but_some():
    w = pd.Series({A: 1.0, B: -1.0})
    # no market: √(0.010² + 0.012² - 2 · 0.9 · 0.010 · 0.012)
    expected = np.sqrt(252 * (1e-4 + 1.44e-4 - 2.16e-4))
    model = hand_made()
    assert risk_measure(model, w, None, "volatility") == pytest.approx(expected, rel=1e-12)
    assert risk_measure(model, w, None, "specific_volatility") == pytest.approx(expected, rel=1e-12)
    assert risk_measure(model, w, None, "factor_volatility") == pytest.approx(0, abs=1e-12)


def test_halves_in_two_classes_are_hardly_safer_than_one():
    model = hand_made()
    both = risk_measure(model, pd.Series({A: 0.5, B: 0.5}), None, "specific_volatility")
    alone = (SIGMA[A] + SIGMA[B]) / 2 * np.sqrt(252)
    assert 0.97 * alone < both < alone


def test_beta_and_tracking_error_are_those_of_the_full_matrix():
    model = hand_made()
    w = np.array([0.5, 0.1, 0.4])
    b = np.array([0.0, 0.6, 0.4])
    weights, benchmark = pd.Series(w, SIGMA.index), pd.Series(b, SIGMA.index)
    a, v = w - b, FULL.to_numpy()
    assert risk_measure(model, weights, benchmark, "beta") == pytest.approx(
        (w @ v @ b) / (b @ v @ b), rel=1e-12
    )
    assert risk_measure(model, weights, benchmark, "tracking_error") == pytest.approx(
        np.sqrt(252 * a @ v @ a), rel=1e-12
    )
    assert model.variance(weights) == pytest.approx(w @ v @ w, rel=1e-12)


def test_marginal_contribution_of_a_class_is_that_of_the_full_matrix():
    w = pd.Series({A: 0.5, B: 0.1, C: 0.4})
    table = risk_table(hand_made(), w, None, by="position").set_index("name")
    v = FULL.to_numpy()
    risk = np.sqrt(252 * w.to_numpy() @ v @ w.to_numpy())
    np.testing.assert_allclose(table.loc[w.index, "mctr"], 252 * v @ w / risk, rtol=1e-10)
    assert table.loc["Total", "ctr"] == pytest.approx(risk, rel=1e-12)


@pytest.mark.parametrize("by", GROUPINGS)
def test_contributions_sum_to_the_total(by):
    table = risk_table(hand_made(), pd.Series({A: 0.5, B: 0.1, C: 0.4}), None, by=by)
    assert table["ctr"].iloc[:-1].sum() == pytest.approx(table["ctr"].iloc[-1], rel=1e-10)
    assert "one" not in set(table["name"])  # the company is no factor


def test_optimizer_knows_that_the_classes_are_nearly_one_security():
    problem = Problem(
        "min_risk", hand_made(), securities(), pd.Series(dtype=float), options={"long_short": "yes"}
    )
    inverse = np.linalg.solve(FULL.to_numpy(), np.ones(3))
    np.testing.assert_allclose(solve(problem).weights, inverse / inverse.sum(), atol=1e-6)


def test_swap_of_classes_brings_the_tracking_error_to_nothing():
    held = pd.Series({A: 0.6, C: 0.4})
    benchmark = pd.Series({B: 0.6, C: 0.4})
    found = solve(Problem("min_te", hand_made(), securities(), held, benchmark))
    before = risk_measure(hand_made(), held, benchmark, "tracking_error")
    assert before == pytest.approx(0.6 * np.sqrt(252 * (1e-4 + 1.44e-4 - 2.16e-4)), rel=1e-12)
    assert risk_measure(hand_made(), found.weights, benchmark, "tracking_error") < 1e-3 * before


def test_problem_with_linked_classes_is_another_problem():
    loose = replace(hand_made(), shared=pd.DataFrame())
    one, two = (
        Problem("min_risk", m, securities(), pd.Series(dtype=float)) for m in (hand_made(), loose)
    )
    assert one.run_id != two.run_id


def test_least_variance_is_the_solution_with_the_dense_covariance():
    aim = pd.Series({A: 1.0, B: 0.5, C: 2.0})
    dense = np.linalg.solve(FULL.to_numpy(), aim.to_numpy())
    got = least_variance(hand_made(), aim)
    np.testing.assert_allclose(got, dense / np.abs(dense).sum(), rtol=1e-9)


def test_class_left_alone_has_its_whole_variance():
    model = hand_made().only(pd.Index([A, C]))
    np.testing.assert_allclose(model.covariance([A, C]), FULL.loc[[A, C], [A, C]], rtol=1e-12)


def test_three_classes_are_linked_pair_by_pair():
    sigma = pd.Series([0.01, 0.02, 0.03], list("abc"))
    loading = shared_loadings(sigma**2, pd.Series("one", sigma.index)).to_numpy()[:, 0]
    correlation = np.outer(loading, loading) / np.outer(sigma, sigma)
    np.testing.assert_allclose(correlation, 0.9, rtol=1e-12)


def test_issuers_of_the_history_reach_the_model_and_its_tables(truth):
    history: FactorHistory = replace(truth.history, issuer=issuers(truth.history))
    model = estimate_model(history, history.dates[-1])
    plain = estimate_model(truth.history, history.dates[-1])
    assert plain.links.shape[1] == 0
    pair = ["A00", "A01"]
    between = model.covariance(pair).iloc[0, 1] - plain.covariance(pair).iloc[0, 1]
    assert between == pytest.approx(0.9 * np.sqrt(plain.specific_var[pair].prod()), rel=1e-9)
    again = model_of_tables(tables_of_model(model), universe="", snapshot="")
    pd.testing.assert_frame_equal(
        again.covariance(model.assets), model.covariance(model.assets), check_exact=True
    )


def test_real_share_classes_move_together_as_the_model_says(panel):
    history = panel.factors
    company = history.issuer[history.issuer.duplicated(keep=False) & history.issuer.ne("")]
    pairs = [list(g.index) for _, g in company.groupby(company)]
    assert ["GOOG", "GOOGL"] in pairs
    found = [history.specific_returns[p].corr().iloc[0, 1] for p in pairs]
    assert np.mean(found) == pytest.approx(0.9, abs=0.05)
    model = estimate_model(history, history.dates[-1])
    assert {*company.index} & {*model.assets} == {
        a for a, row in zip(model.assets, model.links, strict=True) if row.any()
    }


def securities() -> pd.DataFrame:
    return pd.DataFrame({"sector": "X", "industry": "Y", "name": SIGMA.index}, index=SIGMA.index)


def issuers(history: FactorHistory) -> pd.Series:
    named = pd.Series([f"of {a}" for a in history.assets], history.assets)
    named[["A00", "A01"]] = "one"
    return named
