import numpy as np
import pandas as pd
import pytest

from tilt.errors import DataError
from tilt.risk.health import bias_statistic
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


def test_model_of_a_simulated_market_is_unbiased_out_of_sample(truth):
    history = truth.history
    w = pd.Series(1 / 40, index=history.assets[:40])
    exposures = history.exposures(history.dates[-1])
    y = exposures.loc[w.index].T @ w
    r = history.returns @ y + history.specific_returns[w.index] @ w
    days = range(300, 1499, 4)
    forecast = {
        history.dates[t + 1]: np.sqrt(estimate_model(history, history.dates[t]).variance(w))
        for t in days
    }
    sigma = pd.Series(forecast)
    # 95 % of right models lie within √(2/300) = 0.08; estimation error adds a little
    assert bias_statistic(r, sigma) == pytest.approx(1, abs=0.12)


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
