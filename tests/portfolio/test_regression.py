"""Regressions of returns on factor returns."""

import numpy as np
import pandas as pd
import pytest

from tilt.errors import ArgumentError, DataError
from tilt.portfolio.regression import regress

DAYS = pd.bdate_range("2020-01-01", periods=400)


@pytest.fixture(scope="module")
def given():
    random = np.random.default_rng(5)
    factors = pd.DataFrame(random.normal(0, 0.01, (400, 2)), DAYS, ["Market", "Value"])
    noise = pd.Series(random.normal(0, 0.004, 400), DAYS)
    return 0.0002 + factors @ np.array([1.1, -0.4]) + noise, factors


def by_name(table):
    return table.set_index("name")


def normal_equations(returns, factors):
    x = np.column_stack([np.ones(len(factors)), factors.to_numpy()])
    bread = np.linalg.inv(x.T @ x)
    b = bread @ x.T @ returns.to_numpy()
    return x, bread, b, returns.to_numpy() - x @ b


def test_coefficients_solve_the_normal_equations(given):
    _, _, b, u = normal_equations(*given)
    table = by_name(regress(*given))
    assert table.loc["Market", "coefficient"] == pytest.approx(b[1], rel=1e-9)
    assert table.loc["alpha", "coefficient"] == pytest.approx(252 * b[0], rel=1e-9)
    y = given[0].to_numpy()
    r2 = 1 - (u @ u) / ((y - y.mean()) @ (y - y.mean()))
    assert table.loc["r_squared", "coefficient"] == pytest.approx(r2, rel=1e-9)
    assert table.loc["observations", "coefficient"] == 400


def test_newey_west_errors_by_hand(given):
    x, bread, _, u = normal_equations(*given)
    lags = 3
    xu = x * u[:, None]
    meat = xu.T @ xu
    for lag in range(1, lags + 1):
        cross = xu[lag:].T @ xu[:-lag]
        meat += (1 - lag / (lags + 1)) * (cross + cross.T)
    errors = np.sqrt(np.diag(bread @ meat @ bread) * 400 / 397)
    table = by_name(regress(*given, lags=lags))
    assert table.loc["Market", "std_error"] == pytest.approx(errors[1], rel=1e-9)
    assert table.loc["Value", "std_error"] == pytest.approx(errors[2], rel=1e-9)


def test_hc1_and_classical_errors_by_hand(given):
    x, bread, _, u = normal_equations(*given)
    meat = (x * u[:, None]).T @ (x * u[:, None])
    hc1 = np.sqrt(np.diag(bread @ meat @ bread) * 400 / 397)
    plain = np.sqrt(np.diag(bread) * (u @ u) / 397)
    for kind, errors in (("hc1", hc1), ("ols", plain)):
        table = by_name(regress(*given, errors=kind))
        assert table.loc["Value", "std_error"] == pytest.approx(errors[2], rel=1e-9)


def test_the_number_of_lags_is_newey_and_wests_and_said(given):
    assert regress(*given).attrs["notes"][0] == f"Newey-West errors, {int(4 * 4 ** (2 / 9))} lags."


def test_alpha_is_annualized_by_the_frequency(given):
    daily, monthly = (by_name(regress(*given, frequency=f)) for f in ("D", "M"))
    assert daily.loc["alpha", "coefficient"] == pytest.approx(
        21 * monthly.loc["alpha", "coefficient"]
    )
    assert daily.loc["alpha", "t_stat"] == pytest.approx(monthly.loc["alpha", "t_stat"])


def test_dates_that_miss_a_return_are_left_out_and_counted(given):
    returns, factors = given
    holed = factors.copy()
    holed.iloc[:5, 0] = np.nan
    table = regress(returns, holed)
    assert "5 dates miss a return" in table.attrs["notes"][1]
    pd.testing.assert_frame_equal(table, regress(returns.iloc[5:], factors.iloc[5:]))


def test_true_betas_are_covered_by_their_intervals():
    random = np.random.default_rng(8)
    inside = 0
    for _ in range(200):
        x = pd.DataFrame(random.normal(0, 0.01, (120, 1)), columns=["Market"])
        y = 0.8 * x["Market"] + random.normal(0, 0.01, 120)
        row = by_name(regress(y, x)).loc["Market"]
        inside += abs(row["coefficient"] - 0.8) < 1.98 * row["std_error"]
    assert 0.88 < inside / 200 < 0.99


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: f.assign(Copy=2 * f["Market"]), "Copy is constant or a combination"),
        (lambda f: f.assign(Flat=1.0), "Flat is constant"),
        (lambda f: f.iloc[:10], "10 dates have all returns; at least 20"),
    ],
)
def test_factors_that_cannot_be_told_apart_are_named(given, change, words):
    returns, factors = given
    with pytest.raises(DataError, match=words):
        regress(returns, change(factors))


@pytest.mark.parametrize("told", [{"errors": "hca"}, {"frequency": "X"}, {"lags": -1}])
def test_senseless_options_are_refused(given, told):
    with pytest.raises(ArgumentError):
        regress(*given, **told)
