from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tilt.errors import ArgumentError, UnknownNameError, ZeroDenominatorError
from tilt.risk.measures import (
    COLUMNS,
    GROUPINGS,
    MEASURES,
    exposure,
    exposure_table,
    risk_measure,
    risk_measure_many,
    risk_shares,
    risk_table,
)
from tilt.risk.model import RiskModel, estimate_model


@pytest.fixture(scope="module")
def model(truth) -> RiskModel:
    return estimate_model(truth.history, truth.history.dates[-1])


@pytest.fixture(scope="module")
def b(model) -> pd.Series:
    w = np.random.default_rng(0).random(len(model.assets)) ** 3
    return pd.Series(w / w.sum(), index=model.assets)


W = pd.Series({"A00": 0.3, "A05": 0.25, "A13": 0.2, "A21": 0.15, "A34": 0.08})  # 2 % cash


def dense(model: RiskModel, w: pd.Series) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Full matrices: V, its factor part, and the weights over all assets."""
    x, f = model.exposures.to_numpy(), model.factor_cov.to_numpy()
    factor = x @ f @ x.T
    return (
        factor + np.diag(model.specific_var),
        factor,
        w.reindex(model.assets, fill_value=0).to_numpy(),
    )


def test_measures_are_those_of_the_full_matrix(model, b):
    v, factor, w = dense(model, W)
    a = w - b.to_numpy()
    day = np.sqrt(w @ v @ w)
    groups = model.groups.to_numpy()

    def of_group(weights: np.ndarray, group: str) -> float:
        x = model.exposures.to_numpy()[:, groups == group]
        f = model.factor_cov.to_numpy()[np.ix_(groups == group, groups == group)]
        return np.sqrt(252 * weights @ x @ f @ x.T @ weights)

    expected = {
        "volatility": np.sqrt(252 * w @ v @ w),
        "tracking_error": np.sqrt(252 * a @ v @ a),
        "beta": (w @ v @ b) / (b @ v @ b),
        "factor_volatility": np.sqrt(252 * w @ factor @ w),
        "specific_volatility": np.sqrt(252 * w @ (v - factor) @ w),
        "factor_te": np.sqrt(252 * a @ factor @ a),
        "specific_te": np.sqrt(252 * a @ (v - factor) @ a),
        "r_squared": (w @ factor @ w) / (w @ v @ w),
        "active_r_squared": (a @ factor @ a) / (a @ v @ a),
        "var95": 1.6448536269514722 * day,
        # the mean of a normal beyond its 5 % quantile, by integration
        "cvar95": -stats.norm(0, day).expect(lambda x: x, ub=-1.6448536269514722 * day) / 0.05,
        "active_share": (np.abs(a).sum() + 0.02) / 2,
        "effective_n": 1 / (w @ w),
        "names": 5,
        "market_risk": of_group(w, "market"),
        "market_te": of_group(a, "market"),
        "sector_te": of_group(a, "sector"),
        "style_te": of_group(a, "style"),
    }
    assert set(expected) == set(MEASURES)
    for measure, value in expected.items():
        assert risk_measure(model, W, b, measure) == pytest.approx(value, rel=1e-6), measure


def test_every_measure_has_its_formula_in_words():
    for words in MEASURES.values():
        assert len(words) > 15


def test_beta_of_the_benchmark_is_one_and_a_half_in_cash_is_a_half(model, b):
    assert risk_measure(model, b, b, "beta") == pytest.approx(1, abs=1e-12)
    assert risk_measure(model, b / 2, b, "beta") == pytest.approx(0.5, abs=1e-12)


def test_active_share_of_cash_is_one(model, b):
    cash = pd.Series({"CASH": 1.0})
    assert risk_measure(model, cash, b, "active_share") == pytest.approx(1, abs=1e-12)
    assert risk_measure(model, b, b, "active_share") == pytest.approx(0, abs=1e-12)


def test_without_a_benchmark_risk_is_absolute(model):
    assert risk_measure(model, W, None, "tracking_error") == pytest.approx(
        risk_measure(model, W, None, "volatility"), rel=1e-14
    )


def test_cash_changes_no_risk(model, b):
    with_cash = pd.concat([W, pd.Series({"CASH": 0.02})])
    for measure in MEASURES:
        assert risk_measure(model, with_cash, b, measure) == risk_measure(model, W, b, measure)


def test_parts_of_the_variance_add_up(model, b):
    part = {m: risk_measure(model, W, b, m) for m in MEASURES}
    assert part["factor_te"] ** 2 + part["specific_te"] ** 2 == pytest.approx(
        part["tracking_error"] ** 2, rel=1e-12
    )
    assert part["factor_volatility"] ** 2 + part["specific_volatility"] ** 2 == pytest.approx(
        part["volatility"] ** 2, rel=1e-12
    )


@pytest.mark.parametrize("by", GROUPINGS)
@pytest.mark.parametrize("relative", [True, False])
def test_rows_sum_to_the_total_in_the_last_row(model, b, by, relative):
    table = risk_table(model, W, b if relative else None, by=by)
    risk = risk_measure(model, W, b if relative else None, "tracking_error")
    assert list(table.columns) == [*COLUMNS, *(["mctr_funded"] if by == "position" else [])]
    rows, total = table.iloc[:-1], table.iloc[-1]
    assert total["name"] == "Total"
    assert total["ctr"] == pytest.approx(risk, rel=1e-12)
    assert rows["ctr"].sum() == pytest.approx(risk, rel=1e-10)
    assert rows["pct"].sum() == pytest.approx(1, rel=1e-10)


@pytest.mark.parametrize("by", ["factor", "group", "position", "summary"])
def test_contribution_is_exposure_times_volatility_times_correlation(model, b, by):
    table = risk_table(model, W, b, by=by)
    product = table["exposure"] * table["volatility"] * table["correlation"]
    np.testing.assert_allclose(product, table["ctr"], rtol=1e-10, atol=1e-15)
    np.testing.assert_allclose(table["exposure"] * table["mctr"], table["ctr"], atol=1e-15)
    assert table["correlation"].abs().le(1 + 1e-12).all()


def test_position_marginals_are_the_derivative_of_tracking_error(model, b):
    table = risk_table(model, W, b, by="position").set_index("name")
    step = 1e-6
    for name in ("A00", "A07"):
        bump = pd.Series({name: step})
        up = risk_measure(model, W.add(bump, fill_value=0), b, "tracking_error")
        down = risk_measure(model, W.sub(bump, fill_value=0), b, "tracking_error")
        assert table.loc[name, "mctr"] == pytest.approx((up - down) / (2 * step), rel=1e-5)


@pytest.mark.parametrize("by", GROUPINGS)
def test_contributions_are_x_sigma_rho(model, b, by):
    table = risk_table(model, W, b, by=by)
    np.testing.assert_allclose(table["x_sigma_rho"], table["ctr"], rtol=1e-10, atol=1e-15)


def test_a_funded_marginal_is_what_a_trade_against_the_benchmark_changes(model, b):
    table = risk_table(model, W, b, by="position").set_index("name")
    step = 1e-6
    for name in ("A00", "A07"):
        trade = (pd.Series({name: 1.0}).sub(b, fill_value=0)) * step
        up = risk_measure(model, W.add(trade, fill_value=0), b, "tracking_error")
        down = risk_measure(model, W.sub(trade, fill_value=0), b, "tracking_error")
        assert table.loc[name, "mctr_funded"] == pytest.approx((up - down) / (2 * step), rel=1e-5)
    held = table.drop(index="Total")
    cash = (1 - W.sum()) * -(b @ held["mctr"].reindex(b.index))  # is no row, and no risk of its own
    total = held["exposure"] @ held["mctr_funded"] + cash
    assert total == pytest.approx(table.loc["Total", "ctr"], rel=1e-10)


def test_factor_rows_show_volatility_and_correlation_of_the_factor(model, b):
    table = risk_table(model, W, b).set_index("name")
    v, _, w = dense(model, W)
    a = w - b.to_numpy()
    f = model.factor_cov
    y = model.exposures.to_numpy().T @ a
    for name in ("Market", "Energy", "Value"):
        assert table.loc[name, "volatility"] == pytest.approx(np.sqrt(252 * f.loc[name, name]))
        covariance = f.loc[name].to_numpy() @ y
        expected = covariance / np.sqrt(f.loc[name, name] * (a @ v @ a))
        assert table.loc[name, "correlation"] == pytest.approx(expected, rel=1e-10)
    assert list(table["group"])[-2:] == ["specific", "total"]


def test_sector_rows_gather_the_positions_of_the_sector(model, b):
    positions = risk_table(model, W, b, by="position").iloc[:-1]
    sectors = risk_table(model, W, b, by="sector").iloc[:-1].set_index("name")
    gathered = positions.groupby("group")[["exposure", "ctr"]].sum()
    np.testing.assert_allclose(sectors["exposure"], gathered["exposure"], atol=1e-14)
    np.testing.assert_allclose(sectors["ctr"], gathered["ctr"], atol=1e-14)
    v, _, w = dense(model, W)
    a = np.where(model.sector == "Energy", w - b.to_numpy(), 0)
    assert sectors.loc["Energy", "volatility"] == pytest.approx(np.sqrt(252 * a @ v @ a))


def test_position_rows_are_the_names_held_or_in_the_benchmark(model):
    table = risk_table(model, W, None, by="position")
    assert list(table["name"]) == [*sorted(W.index), "Total"]


def test_group_rows_gather_the_factors_of_the_group(model, b):
    factors = risk_table(model, W, b).iloc[:-1]
    groups = risk_table(model, W, b, by="group").iloc[:-1].set_index("name")
    gathered = factors.groupby("group")["ctr"].sum()
    for group in ("market", "sector", "style"):
        assert groups.loc[group, "ctr"] == pytest.approx(gathered[group], rel=1e-10)


def test_portfolio_that_is_its_benchmark_has_nothing_to_decompose(model, b):
    assert risk_measure(model, b, b, "tracking_error") == 0
    for by in GROUPINGS:
        with pytest.raises(ZeroDenominatorError, match="no active risk: it is its benchmark"):
            risk_table(model, b, b, by=by)
    with pytest.raises(ZeroDenominatorError, match="portfolio is its benchmark"):
        risk_measure(model, b, b, "active_r_squared")


def test_empty_portfolio_has_no_risk_and_no_ratios(model):
    cash = pd.Series({"CASH": 1.0})
    assert risk_measure(model, cash, None, "volatility") == 0
    with pytest.raises(ZeroDenominatorError, match="No effective_n: the portfolio holds nothing"):
        risk_measure(model, cash, None, "effective_n")
    with pytest.raises(ZeroDenominatorError, match="The portfolio has no risk"):
        risk_table(model, cash, None)


def test_beta_needs_a_benchmark_with_risk(model):
    with pytest.raises(ZeroDenominatorError, match="No beta: the benchmark has no risk"):
        risk_measure(model, W, None, "beta")


def test_misspelt_measure_names_the_nearest(model):
    with pytest.raises(ArgumentError, match=r"got 'volatilty'. Did you mean 'volatility'\?"):
        risk_measure(model, W, None, "volatilty")


def test_misspelt_grouping_and_factor_name_the_known_ones(model):
    with pytest.raises(ArgumentError, match="by must be one of factor, group"):
        risk_table(model, W, None, by="faktor")
    with pytest.raises(ArgumentError, match=r"got 'Vlaue'. Did you mean 'Value'\?"):
        exposure(model, W, "Vlaue")


def test_held_name_without_risk_data_is_an_error(model, b):
    with pytest.raises(UnknownNameError, match="ZZZ in the portfolio has no risk data"):
        risk_measure(model, pd.Series({"ZZZ": 0.5}), b, "volatility")
    with pytest.raises(UnknownNameError, match="ZZZ in benchmark has no risk data"):
        risk_measure(model, W, pd.Series({"ZZZ": 0.5}), "volatility")


def test_name_held_twice_is_an_error(model):
    with pytest.raises(ArgumentError, match="A01 is in the portfolio twice"):
        risk_measure(model, pd.Series([0.5, 0.5], index=["A01", "A01"]), None, "volatility")


@pytest.mark.parametrize("measure", MEASURES)
def test_many_portfolios_at_once_agree_with_one_at_a_time(model, b, measure):
    rng = np.random.default_rng(6)
    many = pd.DataFrame(rng.random((20, 7)), index=model.assets[:20], columns=list("abcdefg"))
    many /= many.sum()
    many.iloc[:5, 2] = np.nan  # not held
    got = risk_measure_many(model, many, b, measure)
    one = [risk_measure(model, many[c].dropna(), b, measure) for c in many]
    np.testing.assert_allclose(got, one, rtol=1e-10, atol=1e-15)
    assert list(got.index) == list(many.columns)


def test_one_empty_portfolio_does_not_sink_the_others(model, b):
    many = pd.DataFrame({"full": [0.5, 0.5], "empty": [0.0, 0.0]}, index=["A01", "A02"])
    got = risk_measure_many(model, many, b, "effective_n")
    assert got["full"] == pytest.approx(2)
    assert np.isnan(got["empty"])


def test_exposures_are_weighted_sums(model, b):
    table = exposure_table(model, W, b).set_index("factor")
    assert list(table.columns) == ["group", "portfolio", "benchmark", "active"]
    assert table.loc["Market", "portfolio"] == pytest.approx(0.98)
    assert table.loc["Market", "active"] == pytest.approx(-0.02)
    held = (W * model.exposures.loc[W.index, "Value"]).sum()
    assert table.loc["Value", "portfolio"] == pytest.approx(held)
    assert exposure(model, W, "value") == pytest.approx(held)
    assert table.loc[["Energy", "Utilities"], "portfolio"].sum() <= 0.98
    assert exposure_table(model, W, None)["benchmark"].eq(0).all()


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), scale=st.floats(0.1, 3.0))
def test_contributions_add_up_and_risk_scales_with_the_bets(truth, seed, scale):
    model = estimate_model(truth.history, truth.history.dates[200])
    rng = np.random.default_rng(seed)
    a = pd.Series(rng.standard_normal(12) / 10, index=rng.permutation(model.assets)[:12])
    te = risk_measure(model, a, None, "tracking_error")
    assert risk_measure(model, a * scale, None, "tracking_error") == pytest.approx(scale * te)
    for by in GROUPINGS:
        table = risk_table(model, a, None, by=by)
        assert table["ctr"].iloc[:-1].sum() == pytest.approx(te, rel=1e-9)


def test_order_of_the_assets_does_not_matter(model, b):
    order = np.random.default_rng(1).permutation(model.assets)
    shuffled = replace(
        model, exposures=model.exposures.loc[order], specific_var=model.specific_var.loc[order]
    )
    for measure in MEASURES:
        assert risk_measure(shuffled, W, b, measure) == pytest.approx(
            risk_measure(model, W, b, measure), rel=1e-12
        )


def test_asset_without_a_sector_has_its_own_row(model):
    exposures = model.exposures.copy()
    exposures.loc["A00", ["Energy", "Financials", "Health Care", "Utilities"]] = 0.0
    table = risk_table(replace(model, exposures=exposures), W, None, by="sector")
    assert "No sector" in set(table["name"])
    assert table["pct"].iloc[:-1].sum() == pytest.approx(1)


def test_shares_of_many_portfolios_are_those_of_their_tables(model):
    benchmark = pd.Series(1 / 30, model.assets[:30])
    rng = np.random.default_rng(9)
    weights = pd.DataFrame(rng.dirichlet(np.ones(len(model.assets)), 3).T, model.assets)
    weights.iloc[:, 2] = benchmark.reindex(model.assets).fillna(0.0)
    risk, shares = risk_shares(model, weights, benchmark)
    for i in (0, 1):
        table = risk_table(model, weights[i], benchmark, by="position").set_index("name")
        assert risk[i] == pytest.approx(table.loc["Total", "ctr"], rel=1e-12)
        np.testing.assert_allclose(
            shares[i], table["pct"].reindex(model.assets).fillna(0.0), atol=1e-12
        )
    assert shares[2].isna().all()  # the benchmark against itself has no risk to share
