"""Objectives over one's own data: each against a computation of its own."""

import cvxpy as cp
import httpx
import numpy as np
import pandas as pd
import pytest
from serving import PATIENCE, listening

from tilt.api.app import create_app
from tilt.settings import Settings

RNG = np.random.default_rng(8)
NAMES = ["AA", "BB", "CC", "DD", "EE", "FF"]
RETURNS = pd.DataFrame(
    RNG.normal(0.0004, 0.01, (500, 1)) + RNG.normal(0, 0.012, (500, 6)) * [1, 2, 1, 1, 3, 2],
    columns=NAMES,
)
COV = RETURNS.cov()
YEAR = 252 * COV.to_numpy()


@pytest.fixture(scope="module")
def ask(tmp_path_factory):
    """Ask a server whose store is empty: these routes need none."""
    folder = tmp_path_factory.mktemp("own")
    with (
        listening(create_app(Settings(data_url=str(folder)))) as address,
        httpx.Client(
            base_url=address, headers={"X-Tilt-Client": "tests"}, timeout=PATIENCE
        ) as http,
    ):
        yield lambda **body: http.post("/api/v1/compute/optimize", json=body)


@pytest.fixture(scope="module")
def ok(ask):
    def asked(objective, **body):
        answer = ask(objective=objective, covariance=split(COV), **body)
        assert answer.status_code == 200, answer.text
        result = answer.json()["result"]
        assert result["status"] == "optimal", result["refusal"]
        held = pd.Series(result["weights"]["data"], result["weights"]["index"])
        return result, held.reindex(NAMES).fillna(0.0).to_numpy()

    return asked


def split(frame):
    labels = [str(i) for i in frame.index]
    return {"index": labels, "columns": list(frame.columns), "data": frame.to_numpy().tolist()}


def column(values):
    return {"index": NAMES, "data": list(values)}


def test_risk_parity_has_equal_contributions(ok):
    result, w = ok("risk_parity")
    np.testing.assert_allclose(w * (COV.to_numpy() @ w) / (w @ COV @ w), 1 / 6, atol=1e-8)
    assert result["objective"] == pytest.approx(0.0, abs=1e-9)


def test_sector_budgets_use_the_groups_that_are_sent(ok):
    sectors = {"AA": "Tech", "BB": "Tech", "CC": "Oil", "DD": "Oil", "EE": "Oil", "FF": "Tech"}
    _, w = ok("risk_budget", groups={"sector": sectors}, options={"budgets": "Tech=0.75, Oil=0.25"})
    share = w * (COV.to_numpy() @ w) / (w @ COV @ w)
    assert share[[0, 1, 5]].sum() == pytest.approx(0.75, abs=1e-8)


def test_the_tangency_portfolio_of_a_covariance(ok):
    alpha = np.array([0.05, 0.08, 0.04, 0.06, 0.07, 0.05])
    result, w = ok("max_sharpe", expected_returns=column(alpha), options={"risk_free": 0.01})
    y = cp.Variable(6, nonneg=True)
    problem = cp.Problem(cp.Minimize(cp.quad_form(y, YEAR)), [(alpha - 0.01) @ y == 1])
    problem.solve(solver=cp.CLARABEL)
    np.testing.assert_allclose(w, y.value / y.value.sum(), atol=1e-5)
    assert result["objective"] == pytest.approx(1 / np.sqrt(problem.value), rel=1e-6)


def test_cvar_over_scenarios_that_are_sent(ok):
    result, w = ok("min_cvar", scenarios=split(RETURNS), options={"confidence": 0.9})
    losses = np.sort(-(RETURNS.to_numpy() @ w))[::-1]
    assert result["objective"] == pytest.approx(losses[:50].mean(), abs=1e-9)
    x, edge = cp.Variable(6, nonneg=True), cp.Variable()
    beyond = cp.sum(cp.pos(-RETURNS.to_numpy() @ x - edge)) / 50
    problem = cp.Problem(cp.Minimize(edge + beyond), [cp.sum(x) == 1])
    problem.solve(solver=cp.CLARABEL)
    assert result["objective"] == pytest.approx(problem.value, abs=1e-7)


def test_black_litterman_by_its_formula(ok):
    market = np.array([0.3, 0.1, 0.2, 0.2, 0.1, 0.1])
    _, w = ok(
        "black_litterman",
        benchmark=column(market),
        views=[{"name": "AA - CC", "view": 0.03}, {"name": "BB", "view": 0.2, "confidence": 0.25}],
        constraints=[{"rule": "net", "min": -9, "max": 9}],
        options={"delta": 2.5, "tau": 0.1, "long_short": True, "posterior": "S"},
    )
    P = np.array([[1.0, 0, -1, 0, 0, 0], [0, 1.0, 0, 0, 0, 0]])
    prior = np.diag(P @ (0.1 * YEAR) @ P.T)
    omega = np.diag(prior * [1, 3])  # a confidence of a quarter: three times the prior's variance
    inverse = np.linalg.inv
    M = inverse(inverse(0.1 * YEAR) + P.T @ inverse(omega) @ P)
    pi = 2.5 * YEAR @ market
    mean = M @ (inverse(0.1 * YEAR) @ pi + P.T @ inverse(omega) @ [0.03, 0.2])
    np.testing.assert_allclose(w, inverse(2.5 * YEAR) @ mean, atol=1e-5)


def test_factors_that_are_sent_can_be_bounded(ok):
    exposures = pd.DataFrame({"Green": [1.0, 0, 0, 0, 0.5, -1]}, NAMES)
    rule = [{"rule": "factor", "who": "Green", "min": 0.4}]
    _, w = ok("min_risk", factors=split(exposures), constraints=rule)
    x = cp.Variable(6, nonneg=True)
    bound = [cp.sum(x) == 1, exposures["Green"].to_numpy() @ x >= 0.4]
    cp.Problem(cp.Minimize(cp.quad_form(x, YEAR)), bound).solve(solver=cp.CLARABEL)
    np.testing.assert_allclose(w, x.value, atol=1e-4)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"factors": split(pd.DataFrame({"G": [1.0]}, ["AA"]))}, "no exposure of 'BB'"),
        ({"scenarios": split(RETURNS.rename(columns={"AA": "AB"}))}, "scenarios has 'AB'"),
        ({"views": [{"name": "AA", "view": 3}]}, "Type 3 % as 0.03"),
        ({"views": [{"name": "AX", "view": 0.03}]}, "'AX' is no ticker"),
        ({"views": [{"who": "AA", "view": 0.03}]}, "it may have name, minus, view, confidence"),
        ({"current": column(np.full(6, 1 / 6)) | {"index": ["ZZ", *NAMES[1:]]}}, "has 'ZZ'"),
        ({"expected_returns": {"index": ["ZZ"], "data": [0.1]}}, "has 'ZZ'"),
    ],
)
def test_what_is_wrong_with_a_table_is_said(ask, body, message):
    answer = ask(objective="min_risk", covariance=split(COV), **body)
    assert answer.status_code in (400, 404, 422)
    assert message in answer.json()["detail"]


def test_a_covariance_is_mended_where_rounding_broke_it_and_refused_beyond(ask):
    values, vectors = np.linalg.eigh(COV.to_numpy())
    largest = values[-1]

    def with_smallest(value):
        spectrum = np.append([value], values[1:])
        made = (vectors * spectrum) @ vectors.T
        return split(pd.DataFrame((made + made.T) / 2, NAMES, NAMES))

    mended = ask(objective="min_risk", covariance=with_smallest(-1e-10 * largest))
    assert mended.status_code == 200
    assert "raised to keep it positive" in " ".join(mended.json()["notes"])
    refused = ask(objective="min_risk", covariance=with_smallest(-1e-3 * largest))
    assert refused.status_code == 400
    assert f"smallest eigenvalue is {-1e-3 * largest:.3g}" in refused.json()["detail"]
    crooked = COV.copy()
    crooked.iloc[0, 1] *= 1.1
    said = ask(objective="min_risk", covariance=split(crooked)).json()["detail"]
    assert said.startswith("covariance is not symmetric: AA, BB is")
