"""The models that forecasts of the past are judged by: stored, taken over, never looking ahead."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tilt.refresh.estimates import Before, kept_past, usable_models
from tilt.refresh.identity import engine_id
from tilt.risk.health import forecast_health, model_dates, past_models
from tilt.risk.health_table import health_table, held_throughout, standard_portfolios
from tilt.risk.model import RiskModel, estimate_model
from tilt.risk.stored import past_of_tables, tables_of_past


@pytest.fixture(scope="module")
def models(truth) -> tuple[RiskModel, ...]:
    return past_models(truth.history, first=1300)


def same(one: RiskModel, other: RiskModel) -> None:
    pd.testing.assert_frame_equal(
        one.factor_cov, other.factor_cov, check_exact=True, check_names=False
    )
    pd.testing.assert_frame_equal(
        one.exposures, other.exposures, check_exact=True, check_names=False
    )
    pd.testing.assert_series_equal(
        one.specific_var, other.specific_var, check_exact=True, check_names=False
    )
    np.testing.assert_array_equal(one.links, other.links)


def test_a_forecast_is_made_every_21_days_and_each_has_days_to_be_judged_by(truth):
    dates = model_dates(truth.history, first=1300)
    rows = truth.history.dates.get_indexer(dates)
    assert rows[0] == 1300
    assert set(np.diff(rows)) == {21}
    assert rows[-1] < len(truth.history.dates) - 1
    assert len(model_dates(truth.history, first=1499)) == 0  # no day after it


def test_models_come_back_from_their_tables_to_the_last_bit(truth, models):
    again = past_of_tables(tables_of_past(models), truth.history, universe="", snapshot="")
    assert [m.date for m in again] == [m.date for m in models]
    for one, other in zip(again, models, strict=True):
        same(one, other)


def test_models_of_the_past_stay_and_new_days_add_to_them(truth, models):
    until = truth.history.until(truth.history.dates[1400])
    earlier = past_models(until, first=1300)
    extended = past_models(truth.history, earlier=earlier, first=1300)
    assert all(a is b for a, b in zip(extended, earlier, strict=False))
    assert len(extended) == len(models) > len(earlier)
    for one, other in zip(extended, models, strict=True):
        same(one, other)


def test_the_snapshot_keeps_the_models_of_the_past(store, panel):
    kept = kept_past(store, panel)
    assert [m.date for m in kept] == list(model_dates(panel.factors))
    for i in (0, -1):  # the first knows no Leverage yet
        same(kept[i], estimate_model(panel.factors, kept[i].date))


def test_models_of_another_program_or_another_past_are_not_taken_over(store, panel):
    found = store.findings()
    assert usable_models(store, panel, Before(panel, engine_id(), found))
    assert usable_models(store, panel, Before(panel, "another", found)) == ()
    close = panel.close.copy()
    close.iloc[100, 3] *= 1.001
    assert (
        usable_models(store, replace(panel, close=close), Before(panel, engine_id(), found)) == ()
    )
    assert usable_models(store, panel, None) == ()


def found_for(truth, models, *, scale: float = 1.0) -> pd.DataFrame:
    history = truth.history
    caps = history.market_cap.iloc[-1]
    own = held_throughout(pd.Series(1 / 5, history.assets[:5]))
    scaled = replace(history, returns=history.returns * scale)
    returns = scale * returns_of(history)
    made = standard_portfolios(lambda _: caps / caps.sum())
    judged = [forecast_health(models, scaled, returns, kind) for kind in (made, own)]
    return pd.concat(judged).drop_duplicates("name")


def returns_of(history) -> pd.DataFrame:
    x = history.exposures(history.dates[-1])
    return history.returns @ x.T + history.specific_returns


def test_health_of_a_right_model_is_in_its_band_and_says_so(truth, models):
    found = found_for(truth, models)
    table = health_table(found, models[-1], 1400).set_index("measure")
    biases = table[table.index.str.startswith("bias_")]
    assert len(biases) == 8
    assert biases["value"].between(0.85, 1.15).all()  # 199 days: 0.1 either way, and fat of 8
    assert table.loc["bias_universe", "low"] == pytest.approx(1 - np.sqrt(2 / 199))
    right = int((biases["verdict"] == "in the band").sum())
    assert table["verdict"].iloc[-1] == f"{right} of 8 biases are in their band"
    assert table["value"].iloc[-1] == pytest.approx(right / 8)
    assert right >= 6


def test_risk_that_doubled_unseen_is_called_too_low_by_half(truth, models):
    found = found_for(truth, models, scale=2.0)
    table = health_table(found, models[-1], 1400).set_index("measure")
    assert table.loc["bias_factors", "value"] == pytest.approx(2, abs=0.1)
    assert table.loc["bias_factors", "verdict"].startswith("forecast 5")  # about 50 % too low
    assert table.loc["bias_factors", "verdict"].endswith("% too low")
    assert table.loc["factors_in_band", "verdict"] == "fewer than chance allows"
    assert table.loc["biases_in_band", "value"] == 0


def test_factors_per_day_counts_effective_days(truth, models):
    table = health_table(found_for(truth, models), models[-1], 10_000).set_index("measure")
    kept = 0.5 ** (1 / 504)
    assert table.loc["factors_per_day", "value"] == pytest.approx(
        7 * (1 - kept) / (1 + kept), rel=1e-4
    )
    assert table.loc["factors_per_day", "verdict"] == "in the band"
    short = health_table(found_for(truth, models), models[-1], 30).set_index("measure")
    assert short.loc["factors_per_day", "verdict"] == "too few days"


def test_condition_is_that_of_the_covariance(truth, models):
    table = health_table(found_for(truth, models), models[-1], 1400).set_index("measure")
    assert table.loc["condition", "value"] == pytest.approx(
        np.linalg.cond(models[-1].factor_cov), rel=1e-9
    )


def test_a_portfolio_that_the_past_hardly_knew_is_judged_only_where_it_was_known(truth, models):
    half = models[: len(models) // 2]
    without = [m.only(m.assets[5:]) for m in half]
    found = found_for(truth, [*without, *models[len(half) :]]).set_index("name")
    assert found.loc["portfolio", "days"] == (truth.history.dates > models[len(half)].date).sum()
    assert found.loc["universe", "days"] == (truth.history.dates > models[0].date).sum()


def test_standard_portfolios_are_the_same_every_time_and_against_the_universe(truth, models):
    caps = truth.history.market_cap.iloc[-1]
    made = standard_portfolios(lambda _: caps / caps.sum())
    one, again = made(models[0]), made(models[0])
    pd.testing.assert_frame_equal(one, again, check_exact=True)
    assert one["universe"].sum() == pytest.approx(1)
    against = one.columns.str.match("sector|random|equal")
    np.testing.assert_allclose(one.loc[:, against].sum(), 0, atol=1e-12)
    np.testing.assert_allclose(one.filter(like="optimized").abs().sum(), 1, rtol=1e-12)
