"""Forecast against realized risk: by hand, with models that are right, and without the future."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tilt.errors import UnknownNameError
from tilt.portfolio.forecast_risk import forecast_table
from tilt.portfolio.track import Track, in_cash
from tilt.risk.model import RiskModel

DAYS = pd.bdate_range("2019-01-01", periods=64)
ASSETS = pd.Index(["A", "B"])
SIGMA = 0.01


def model_of(date, scale=1.0, assets=ASSETS):
    """A model in which names have nothing in common but the market."""
    names = pd.Index(["Market"], name="factor")
    return RiskModel(
        universe="TINY",
        snapshot="0",
        date=date,
        horizon="short",
        exposures=pd.DataFrame(1.0, assets, names),
        factor_cov=pd.DataFrame([[0.5 * (scale * SIGMA) ** 2]], names, names),
        specific_var=pd.Series(0.5 * (scale * SIGMA) ** 2, assets),
        groups=pd.Series("market", names),
        notes=(),
    )


def book(seed=0, days=DAYS[1:], **held):
    rng = np.random.default_rng(seed)
    returns = pd.DataFrame(rng.normal(0.0, SIGMA, (len(days), 2)), days, ASSETS)
    weights = pd.DataFrame({a: held.get(a, 0.0) for a in ASSETS}, days)
    return Track(weights, returns, (weights * returns).sum(axis=1))


MODELS = [model_of(DAYS[0]), model_of(DAYS[21], 2.0), model_of(DAYS[42])]


def test_each_month_is_judged_by_the_model_of_its_start():
    mine, base = book(A=1.0), book(A=0.5, B=0.5)
    table, notes = forecast_table(mine, base, MODELS[::-1])
    assert table["period"].to_list() == [f"{DAYS[d]:%Y-%m-%d}" for d in (1, 22, 43)] + ["All"]
    assert table["model"].iloc[:3].to_list() == list(DAYS[[0, 21, 42]])
    assert table["days"].to_list() == [21, 21, 21, 63]
    year = np.sqrt(252)
    np.testing.assert_allclose(table["volatility"][:3], year * SIGMA * np.array([1, 2, 1]))
    # half of A against half of B: the market cancels, two specific risks of a quarter stay
    te = year * np.sqrt(2 * 0.25 * 0.5) * SIGMA
    np.testing.assert_allclose(table["tracking_error"][:3], te * np.array([1, 2, 1]))
    second = mine.earned.iloc[21:42].to_numpy()
    realized = year * np.std(second, ddof=1)
    assert table["realized_volatility"][1] == pytest.approx(realized)
    assert table["bias"][1] == pytest.approx(realized / (2 * SIGMA * year))
    assert notes == ()


def test_the_last_row_pools_the_days():
    mine = book(A=1.0)
    last = forecast_table(mine, in_cash(mine.dates), MODELS)[0].iloc[-1]
    sigma = np.repeat([1.0, 2.0, 1.0], 21) * SIGMA
    assert last["volatility"] == pytest.approx(np.sqrt(252 * np.mean(sigma**2)))
    assert last["bias"] == pytest.approx(np.std(mine.earned / sigma, ddof=1))
    assert (last["low"], last["high"]) == pytest.approx((1 - np.sqrt(2 / 63), 1 + np.sqrt(2 / 63)))
    assert np.isnan(last["tracking_error"])
    assert pd.isna(last["model"])


def test_a_right_model_has_a_bias_within_its_band_about_nineteen_times_of_twenty():
    inside = []
    for seed in range(60):
        mine = book(seed, A=1.0)
        row = forecast_table(mine, in_cash(mine.dates), MODELS[:1])[0].iloc[-1]
        inside.append(row["low"] <= row["bias"] <= row["high"])
    assert 0.85 <= np.mean(inside) <= 1.0


def test_what_comes_later_changes_no_earlier_row():
    mine, base = book(A=0.7, B=0.3), book(A=0.2, B=0.8)
    short = [t.between(DAYS[0], DAYS[42]) for t in (mine, base)]
    whole, _ = forecast_table(mine, base, MODELS)
    before, _ = forecast_table(*short, MODELS)
    pd.testing.assert_frame_equal(whole.iloc[:2], before.iloc[:2])


def test_the_first_days_belong_to_the_model_known_before_them():
    mine = book(A=1.0).between(DAYS[30], DAYS[50])
    table, notes = forecast_table(mine, in_cash(mine.dates), MODELS)
    assert table["model"].iloc[:2].to_list() == [DAYS[21], DAYS[42]]
    assert notes == ()
    table, notes = forecast_table(mine, in_cash(mine.dates), MODELS[2:])
    assert table["days"].to_list() == [8, 8]
    assert len(notes) == 1
    assert notes[0].startswith(f"No model was known before {DAYS[43]:%Y-%m-%d}")
    with pytest.raises(UnknownNameError, match="No risk model was known before"):
        forecast_table(mine, in_cash(mine.dates), [model_of(DAYS[60])])


def test_a_name_that_the_model_does_not_know_counts_as_cash_and_is_said():
    mine = book(A=0.5, B=0.5)
    blind = [model_of(DAYS[0], assets=ASSETS[:1])]
    table, notes = forecast_table(mine, in_cash(mine.dates), blind)
    assert table["volatility"][0] == pytest.approx(np.sqrt(252) * 0.5 * SIGMA)
    assert notes == ("B: unknown to some models, where it counts as cash.",)


def test_a_book_that_is_its_benchmark_has_no_active_risk_to_judge():
    mine = book(A=0.5, B=0.5)
    table, _ = forecast_table(mine, replace(mine), MODELS)
    active = table[["tracking_error", "realized_tracking_error", "active_bias"]]
    assert active.isna().all(axis=None)
    assert table["bias"].notna().all()
