"""Plain estimators as risk models: the same covariance, in the form of every other model."""

import numpy as np
import pandas as pd
import pytest

from tilt.errors import ArgumentError, DataError
from tilt.optimize.solve import Problem, solve
from tilt.risk.estimators import ESTIMATORS, Tuning, estimate_covariance
from tilt.risk.health import least_variance
from tilt.risk.measures import risk_measure, risk_table
from tilt.risk.returns_model import as_model, root_of, usable

NAMES = [f"A{i}" for i in range(12)]


def simulated(days: int = 120, names: int = 12, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    beta = rng.uniform(0.5, 1.5, names)
    market = 0.01 * rng.standard_normal((days, 1))
    own = rng.uniform(0.005, 0.02, names) * rng.standard_normal((days, names))
    dates = pd.bdate_range("2020-01-01", periods=days)
    return pd.DataFrame(market * beta + own, dates, [f"A{i}" for i in range(names)])


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("days", [120, 30])
def test_model_has_exactly_the_covariance_of_its_estimator(estimator, days):
    returns = simulated(days, 40)  # 30 days of 40 assets: singular unless shrunk
    cov = estimate_covariance(returns, estimator).cov
    model = as_model(returns, estimator)
    np.testing.assert_allclose(
        model.covariance(model.assets), cov, rtol=1e-9, atol=1e-13 * cov.to_numpy().max()
    )
    w = pd.Series(np.linspace(-1, 2, 40), returns.columns)
    assert model.variance(w) == pytest.approx(w @ cov @ w, rel=1e-9)
    assert model.date == returns.index[-1]
    assert model.estimator == estimator


def test_measures_of_a_model_without_factors_are_those_of_the_matrix():
    returns = simulated()
    v = 252 * estimate_covariance(returns, "oas").cov.to_numpy()
    model = as_model(returns, "oas", sectors=pd.Series(["X", "Y"] * 6, NAMES))
    rng = np.random.default_rng(3)
    w, b = (pd.Series(x / x.sum(), NAMES) for x in rng.random((2, 12)))
    a = (w - b).to_numpy()
    te = np.sqrt(a @ v @ a)
    assert risk_measure(model, w, b, "tracking_error") == pytest.approx(te, rel=1e-9)
    assert risk_measure(model, w, b, "beta") == pytest.approx((w @ v @ b) / (b @ v @ b), rel=1e-9)
    assert risk_measure(model, w, b, "factor_te") == 0
    by = risk_table(model, w, b, by="position").set_index("name")
    np.testing.assert_allclose(by.loc[NAMES, "ctr"], a * (v @ a) / te, rtol=1e-7, atol=1e-12)
    sector = risk_table(model, w, b, by="sector").set_index("name")
    assert sector.loc["X", "ctr"] == pytest.approx(by.loc[NAMES[::2], "ctr"].sum(), rel=1e-9)
    assert list(risk_table(model, w, b, by="factor")["name"]) == ["Specific", "Total"]


def test_components_are_factors_whose_contributions_sum():
    model = as_model(simulated(), "pca", Tuning(factors=3))
    assert list(model.factor_cov) == ["Component 1", "Component 2", "Component 3"]
    np.testing.assert_allclose(model.exposures.abs().mean(), 1, rtol=1e-12)
    variance = np.diag(model.factor_cov)
    assert variance.argmax() == 0
    table = risk_table(model, pd.Series(1 / 12, NAMES), None)
    assert table["name"].tolist()[-2:] == ["Specific", "Total"]
    assert table["ctr"].iloc[:-1].sum() == pytest.approx(table["ctr"].iloc[-1], rel=1e-12)


def test_first_component_of_a_one_factor_market_is_the_market():
    returns = simulated(2000, 30)
    model = as_model(returns, "pca")
    assert len(model.factor_cov) == 1
    moved = returns.mean(axis=1)
    seen = returns @ model.exposures["Component 1"] / (model.exposures["Component 1"] ** 2).sum()
    assert np.corrcoef(moved, seen)[0, 1] > 0.99
    assert (model.exposures["Component 1"] > 0).all()


@pytest.mark.parametrize("estimator", ["sample", "ledoit_wolf", "pca"])
def test_optimizer_reaches_the_closed_form(estimator):
    model = as_model(simulated(), estimator)
    securities = pd.DataFrame({"sector": "X", "industry": "Y", "name": NAMES}, index=NAMES)
    problem = Problem(
        "min_risk", model, securities, pd.Series(dtype=float), options={"long_short": "yes"}
    )
    inverse = np.linalg.solve(model.covariance(NAMES).to_numpy(), np.ones(12))
    np.testing.assert_allclose(solve(problem).weights, inverse / inverse.sum(), atol=2e-6)


def test_least_variance_of_a_dense_model_is_the_solution_with_its_matrix():
    model = as_model(simulated(), "ledoit_wolf")
    aim = pd.Series(np.linspace(1, 2, 12), NAMES)
    dense = np.linalg.solve(model.covariance(NAMES).to_numpy(), aim.to_numpy())
    np.testing.assert_allclose(least_variance(model, aim), dense / np.abs(dense).sum(), rtol=1e-8)


def test_root_of_a_singular_covariance_has_no_more_columns_than_its_rank():
    returns = simulated(21, 40)
    assert root_of(estimate_covariance(returns, "sample").cov).shape == (40, 20)


def test_asset_that_never_moved_or_is_new_is_left_out_and_named():
    returns = simulated()
    returns["FLAT"] = 0.0
    returns["NEW"] = np.nan
    returns.loc[returns.index[-10:], "NEW"] = 0.01
    returns.loc[returns.index[5], "A3"] = np.nan
    model = as_model(returns)
    assert list(model.assets) == NAMES
    assert model.notes[:3] == (
        "NEW: too few returns in the lookback to estimate from; left out.",
        "FLAT: the same return on every date, so no risk to estimate; left out.",
        "A3: missing returns that count as zero.",
    )
    filled, _ = usable(returns)
    assert filled.loc[returns.index[5], "A3"] == 0
    assert np.isnan(returns.loc[returns.index[5], "A3"])  # the argument is as it was


def test_fewer_dates_than_assets_are_noted_where_nothing_is_shrunk():
    notes = as_model(simulated(30, 40), "sample").notes
    assert any("30 dates for 40 assets" in n for n in notes)


def test_too_few_dates_and_no_asset_are_errors_that_say_what_to_do():
    with pytest.raises(DataError, match="19 dates of returns; an estimator needs 20"):
        as_model(simulated(19))
    with pytest.raises(DataError, match="No asset has 95% of the 120 returns"):
        as_model(simulated() * 0)


def test_misspelt_estimator_names_the_nearest():
    with pytest.raises(ArgumentError, match="Did you mean 'ledoit_wolf'"):
        as_model(simulated(), "ledoit_wof")


def test_components_beyond_the_dates_are_refused():
    with pytest.raises(ArgumentError, match="factors must be from 1 to 11"):
        as_model(simulated(), "pca", Tuning(factors=12))
