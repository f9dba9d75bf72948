from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tilt.errors import ArgumentError, DataError, UnknownNameError
from tilt.risk.covariance import HORIZONS, factor_covariance
from tilt.risk.model import PLAIN, RiskModel, estimate_model


@pytest.fixture(scope="module")
def model(truth) -> RiskModel:
    return estimate_model(truth.history, truth.history.dates[-1], universe="U", snapshot="s")


def random_weights(model: RiskModel, seed: int = 0) -> pd.Series:
    w = np.random.default_rng(seed).random(len(model.assets))
    return pd.Series(w / w.sum(), index=model.assets)


def test_factor_form_equals_the_full_matrix(model):
    w = random_weights(model)
    x, f = model.exposures.to_numpy(), model.factor_cov.to_numpy()
    full = x @ f @ x.T + np.diag(model.specific_var)
    assert model.variance(w) == pytest.approx(w @ full @ w, rel=1e-12)
    np.testing.assert_allclose(model.covariance(model.assets), full, rtol=1e-12)
    some = ["A07", "A03"]
    rows = [model.assets.get_loc(a) for a in some]
    np.testing.assert_allclose(model.covariance(some), full[np.ix_(rows, rows)], rtol=1e-12)


def test_simulated_portfolio_has_the_risk_it_was_drawn_with(truth):
    model = estimate_model(truth.history, truth.history.dates[-1], horizon="long")
    x = model.exposures.to_numpy()
    true = x @ truth.factor_cov @ x.T + np.diag(truth.specific_sigma**2)
    for seed in range(5):
        w = random_weights(model, seed)
        active = w - random_weights(model, seed + 50)
        assert np.sqrt(model.variance(w)) == pytest.approx(np.sqrt(w @ true @ w), rel=0.1)
        assert np.sqrt(model.variance(active)) == pytest.approx(
            np.sqrt(active @ true @ active), rel=0.1
        )


def test_covariance_is_positive_definite_and_has_no_hole(model):
    assert (np.linalg.eigvalsh(model.covariance(model.assets)) > 0).all()
    assert model.exposures.notna().all(axis=None)
    assert model.factor_cov.notna().all(axis=None)
    assert model.specific_var.notna().all()
    assert model.notes == ()


def test_later_days_change_nothing(truth, model):
    date = truth.history.dates[900]
    whole = estimate_model(truth.history, date)
    cut = estimate_model(truth.history.until(date), date)
    pd.testing.assert_frame_equal(whole.factor_cov, cut.factor_cov, check_exact=True)
    pd.testing.assert_series_equal(whole.specific_var, cut.specific_var, check_exact=True)
    pd.testing.assert_frame_equal(whole.exposures, cut.exposures, check_exact=True)
    assert not np.allclose(whole.factor_cov, model.factor_cov)


def test_order_of_the_assets_does_not_matter(truth, model):
    history = truth.history
    order = np.random.default_rng(3).permutation(len(history.assets))
    names = history.assets[order]
    shuffled = replace(
        history,
        assets=names,
        styles=history.styles[:, order],
        imputed=history.imputed[:, order],
        specific_returns=history.specific_returns[names],
        market_cap=history.market_cap[names],
    )
    again = estimate_model(shuffled, model.date)
    w = random_weights(model)
    assert again.variance(w) == pytest.approx(model.variance(w), rel=1e-12)
    np.testing.assert_allclose(again.specific_var[model.assets], model.specific_var, rtol=1e-12)


def test_cash_and_names_not_held_have_no_risk(model):
    held = pd.Series({"A01": 0.3, "A02": 0.2, "CASH": 0.5})
    alone = pd.Series({"A01": 0.3, "A02": 0.2})
    assert model.variance(held) == model.variance(alone)
    cov = model.covariance(["A01", "A02"]).to_numpy()
    assert model.variance(alone) == pytest.approx(
        alone.to_numpy() @ cov @ alone.to_numpy(), rel=1e-12
    )


def test_short_horizon_follows_a_calm_market_faster(truth):
    history = truth.history
    returns = history.returns.copy()
    returns.iloc[-120:] *= 0.5
    calm = replace(history, returns=returns)
    date = history.dates[-1]
    short, long = (estimate_model(calm, date, horizon=h) for h in ("short", "long"))
    assert short.factor_cov.loc["Market", "Market"] < long.factor_cov.loc["Market", "Market"]
    assert short.horizon == "short"
    assert long.horizon == "long"


def test_unknown_horizon_names_the_known_ones(truth):
    with pytest.raises(ArgumentError, match="horizon must be one of short, long; got 'lnog'"):
        estimate_model(truth.history, truth.history.dates[-1], horizon="lnog")


def test_first_possible_date_is_named(truth):
    history = truth.history
    first = history.dates[63]  # the first date has no return
    with pytest.raises(UnknownNameError, match=f"first possible date is {first:%Y-%m-%d}"):
        estimate_model(history, history.dates[62])
    model = estimate_model(history, first)
    assert model.specific_var.notna().all()
    assert (np.linalg.eigvalsh(model.covariance(model.assets)) > 0).all()


def test_short_history_as_a_whole_is_refused(truth):
    with pytest.raises(UnknownNameError, match="needs 63 days of factor returns; there are 9"):
        estimate_model(truth.history.until(truth.history.dates[9]), truth.history.dates[9])


def test_date_without_exposures_is_refused(truth):
    with pytest.raises(UnknownNameError, match="No exposures on 2015-01-03"):
        estimate_model(truth.history, pd.Timestamp("2015-01-03"))


def test_date_on_which_no_asset_is_scored_is_refused(truth):
    styles = truth.history.styles.copy()
    styles[700] = np.nan
    with pytest.raises(UnknownNameError, match="No asset has exposures on"):
        estimate_model(replace(truth.history, styles=styles), truth.history.dates[700])


def test_asset_without_risk_data_is_named(model):
    with pytest.raises(UnknownNameError, match="ZZZ in weights has no risk data"):
        model.variance(pd.Series({"ZZZ": 1.0}))
    with pytest.raises(UnknownNameError, match="ZZZ has no risk data on"):
        model.covariance(["A01", "ZZZ"])


def test_days_without_a_sector_leave_its_covariance_to_the_other_days(truth):
    history = truth.history
    returns = history.returns.copy()
    returns.iloc[300:340, returns.columns.get_loc("Energy")] = np.nan
    model = estimate_model(replace(history, returns=returns), history.dates[-1], adjustments=PLAIN)
    full = factor_covariance(history.returns.iloc[1:], HORIZONS["short"]).cov
    assert model.factor_cov.loc["Energy", "Energy"] == pytest.approx(
        full.loc["Energy", "Energy"], rel=0.02
    )
    assert model.factor_cov.loc["Market", "Value"] == pytest.approx(
        full.loc["Market", "Value"], rel=1e-9
    )


def test_new_sector_is_left_out_with_a_note(truth):
    history = truth.history
    returns = history.returns.copy()
    returns.iloc[:-20, returns.columns.get_loc("Energy")] = np.nan
    model = estimate_model(replace(history, returns=returns), history.dates[-1])
    assert "Energy" not in model.factor_cov
    assert "Energy" not in model.exposures
    assert "Energy has under 63 returns and is left out of the model." in model.notes


def test_thin_sector_and_short_history_are_noted(truth):
    history = truth.history
    sector = history.sector.copy()
    sector[sector == "Utilities"] = "Energy"
    sector.iloc[:3] = "Utilities"
    returns = history.specific_returns.copy()
    returns.iloc[:-30, 5] = np.nan
    model = estimate_model(
        replace(history, sector=sector, specific_returns=returns), history.dates[-1]
    )
    assert any(n.startswith("Utilities has only 3 names") for n in model.notes)
    assert any(n.startswith("A05: history too short") for n in model.notes)


def test_history_without_caps_says_that_specific_risk_is_not_shrunk(truth):
    history = replace(truth.history, market_cap=pd.DataFrame(index=truth.history.dates))
    model = estimate_model(history, history.dates[-1])
    assert "80 assets without a market cap keep their own specific risk." in model.notes


def test_sector_of_each_asset_comes_from_its_exposures(truth, model):
    assert (model.sector == truth.history.sector).all()


def test_a_weight_that_is_missing_among_all_assets_is_refused(model):
    weights = random_weights(model)
    weights.iloc[3] = np.nan
    with pytest.raises(DataError, match=f"{model.assets[3]} in weights has no weight"):
        model.variance(weights)
