import numpy as np
import pandas as pd
import pytest

from tilt.errors import DataError
from tilt.risk.health import (
    bias_band,
    bias_statistic,
    forecast_health,
    least_variance,
    past_models,
    qlike,
)
from tilt.risk.model import estimate_model

DATES = pd.bdate_range("2020-01-01", periods=5000)


def test_right_forecasts_have_a_bias_of_one_whatever_the_volatility():
    rng = np.random.default_rng(0)
    sigma = pd.Series(0.01 * np.exp(0.5 * rng.standard_normal(5000)), DATES)
    r = sigma * rng.standard_normal(5000)
    assert bias_statistic(r, sigma) == pytest.approx(1, abs=3 / np.sqrt(2 * 5000))


def test_forecasts_of_half_the_risk_have_a_bias_of_two():
    rng = np.random.default_rng(1)
    r = pd.Series(0.02 * rng.standard_normal(5000), DATES)
    assert bias_statistic(r, pd.Series(0.01, DATES)) == pytest.approx(2, abs=0.07)


def test_dates_without_a_return_or_a_forecast_are_left_out():
    r = pd.Series([0.01, -0.01, np.nan, 0.02], DATES[:4])
    sigma = pd.Series([0.01, 0.01, 0.01], DATES[:3])
    assert bias_statistic(r, sigma) == pytest.approx(np.sqrt(2))


def test_forecast_of_no_risk_is_an_error_that_names_the_date():
    r = pd.Series([0.01, 0.02], DATES[:2])
    with pytest.raises(DataError, match="forecast on 2020-01-02"):
        bias_statistic(r, pd.Series([0.01, 0.0], DATES[:2]))


def test_one_date_is_too_few():
    with pytest.raises(DataError, match="1 dates have a return and a forecast"):
        bias_statistic(pd.Series([0.01], DATES[:1]), pd.Series([0.01], DATES[:1]))


def test_band_narrows_with_the_dates():
    assert bias_band(200) == pytest.approx((0.9, 1.1))


def test_qlike_is_lowest_for_the_true_volatility():
    rng = np.random.default_rng(2)
    r = pd.Series(0.01 * rng.standard_normal(5000), DATES)
    by_sigma = {s: qlike(r, pd.Series(s, DATES)) for s in (0.006, 0.008, 0.01, 0.012, 0.015)}
    assert min(by_sigma, key=by_sigma.__getitem__) == 0.01
    assert by_sigma[0.01] == pytest.approx(np.log(1e-4) + 1, abs=0.05)


def test_least_variance_is_the_solution_with_the_dense_covariance(truth):
    model = estimate_model(truth.history, truth.history.dates[-1])
    aim = pd.Series(np.linspace(-1, 2, 50), model.assets[10:60])
    dense = np.linalg.solve(model.covariance(aim.index).to_numpy(), aim.to_numpy())
    np.testing.assert_allclose(
        least_variance(model, aim), dense / np.abs(dense).sum(), rtol=1e-6, atol=1e-12
    )


def test_health_of_a_right_model_is_in_its_band(truth):
    history = truth.history
    x = history.exposures(history.dates[-1])
    returns = history.returns @ x.T + history.specific_returns
    w = pd.Series(1 / 40, history.assets[:40])
    models = past_models(history, first=800)
    table = forecast_health(models, history, returns, lambda _: {"forty": w}).set_index("name")
    assert list(table.index) == [*(f"factor {f}" for f in history.returns), "forty"]
    assert (table["days"] == len(history.dates) - 801).all()
    assert table["bias"].between(0.88, 1.12).all()
    assert table["high"]["forty"] == pytest.approx(1 + np.sqrt(2 / 699))
