from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from tilt.errors import ArgumentError, DataError
from tilt.factors import standardize
from tilt.factors.descriptors import descriptors
from tilt.factors.history import estimate_history, left_out
from tilt.factors.regression import cross_section
from tilt.factors.styles import STYLES
from tilt.frames import FactorHistory, Panel

ORTHOGONAL = {s.name for s in STYLES if s.orthogonal_to}


@pytest.fixture(scope="module")
def history(made_up: Panel) -> FactorHistory:
    return estimate_history(made_up)


def test_history_begins_with_the_first_caps_and_returns_a_day_later(made_up, history):
    assert history.dates[0] == made_up.dates[300]
    assert history.returns.iloc[0].isna().all()
    assert history.returns.iloc[1:].notna().all(axis=None)
    assert history.r2.iloc[1:].between(-0.2, 1).all()


def test_factors_are_the_market_the_sectors_and_the_styles(history):
    assert list(history.factors.index) == [
        "Market", "Energy", "Financials", "Health Care", "Utilities",
        "Beta", "Size", "Mid Cap", "Value", "Earnings Yield", "Momentum", "Reversal",
        "Volatility", "Liquidity", "Quality",
    ]  # fmt: skip
    groups = ["market", *["sector"] * 4, *["style"] * 10]
    assert list(history.factors["group"]) == groups
    assert list(history.factors.columns) == [
        "group", "description", "descriptors", "sign", "source",
    ]  # fmt: skip
    assert history.factors.loc["Value", "descriptors"] == "book_to_price"


def test_size_scores_are_standardized_log_caps(made_up, history):
    date = history.dates[50]
    cap = made_up.market_cap.loc[date]
    estu = made_up.member.loc[date] & cap.notna()
    plain = standardize.exposures(
        np.log(cap.dropna()).to_frame("log_cap"), cap.dropna(), {"Size": {"log_cap": 1.0}},
        members=estu,
    )  # fmt: skip
    got = history.exposures(date)["Size"]
    np.testing.assert_allclose(got, plain["Size"].reindex(got.index), atol=1e-12)


def test_factor_returns_are_those_of_a_regression_on_the_exposures_of_the_day_before(
    made_up, history
):
    today, before = history.dates[60], history.dates[59]
    estu = made_up.member.loc[before] & made_up.returns.loc[today].notna()
    exposures = history.exposures(before)
    names = exposures.index[estu[exposures.index].to_numpy()]
    fit = cross_section(
        made_up.returns.loc[today],
        exposures.loc[names, history.style_names],
        made_up.market_cap.loc[before],
        made_up.securities["sector"],
    )
    np.testing.assert_allclose(history.returns.loc[today], fit.factor_returns, atol=1e-13)
    np.testing.assert_allclose(history.t_stats.loc[today], fit.t_values, rtol=1e-8)
    np.testing.assert_allclose(
        history.specific_returns.loc[today, names], fit.specific_returns, atol=1e-13
    )


def test_observed_scores_have_cap_weighted_mean_zero_and_deviation_one(made_up, history):
    for t in (0, 60, 119):
        date = history.dates[t]
        cap = made_up.market_cap.loc[date].to_numpy()
        estu = made_up.member.loc[date].to_numpy() & np.isfinite(cap)
        for i, name in enumerate(history.style_names):
            # what is left after other styles are taken out is scored with the imputed names in
            imputed = history.imputed[t, :, i] & (name not in ORTHOGONAL)
            inside = estu & ~imputed & np.isfinite(history.styles[t, :, i])
            z = history.styles[t, inside, i]
            assert np.average(z, weights=cap[inside]) == pytest.approx(0, abs=1e-10)
            assert z.std(ddof=1) == pytest.approx(1, abs=1e-10)


def test_asset_without_the_data_is_imputed_and_flagged(history):
    quality = history.style_names.index("Quality")
    momentum = history.style_names.index("Momentum")
    a03, a05 = history.assets.get_loc("A03"), history.assets.get_loc("A05")
    assert history.imputed[:, a03, quality].all()  # half of its weight has no data
    assert history.imputed[-1, a05, momentum]
    assert np.isfinite(history.styles[-1, [a03, a05]]).all()


def test_asset_is_not_scored_before_it_has_a_price(history):
    a05 = history.assets.get_loc("A05")
    assert np.isnan(history.styles[:60, a05]).all()
    assert np.isfinite(history.styles[60:, a05]).all()
    assert "A05" not in history.exposures(history.dates[59]).index
    assert np.isnan(history.specific_returns["A05"].iloc[:61]).all()
    assert history.specific_returns["A05"].iloc[61:].notna().all()


def test_priced_asset_outside_the_universe_is_scored_too(history):
    assert {"A70", "A71", "A72"} <= set(history.exposures(history.dates[-1]).index)
    assert history.specific_returns["A70"].iloc[1:].notna().all()


def test_market_caps_go_with_the_exposures(made_up, history):
    pd.testing.assert_frame_equal(history.market_cap, made_up.market_cap.iloc[300:])
    assert len(history.until(history.dates[9]).market_cap) == 10


def assert_same_bits(a: FactorHistory, b: FactorHistory) -> None:
    np.testing.assert_array_equal(a.styles, b.styles)
    np.testing.assert_array_equal(a.imputed, b.imputed)
    for name in ("factors", "returns", "t_stats", "specific_returns", "market_cap"):
        pd.testing.assert_frame_equal(getattr(a, name), getattr(b, name), check_exact=True)
    pd.testing.assert_series_equal(a.r2, b.r2, check_exact=True)


@pytest.mark.parametrize("row", [330, 377, 418])
def test_deleting_the_future_changes_no_bit_of_the_past(made_up, history, row):
    date = made_up.dates[row]
    assert_same_bits(estimate_history(made_up.until(date)), history.until(date))


def test_spoiling_the_future_changes_no_bit_of_the_past(made_up, history):
    row = 370
    rng = np.random.default_rng(5)

    def spoilt(frame: pd.DataFrame) -> pd.DataFrame:
        out = frame.copy()
        out.iloc[row:] = rng.permuted(out.iloc[row:].to_numpy(), axis=1) * 1.7
        return out

    member = made_up.member.copy()
    member.iloc[row:] = member.iloc[row:, ::-1].to_numpy()
    panel = replace(
        made_up,
        close=spoilt(made_up.close),
        returns=spoilt(made_up.returns),
        market_cap=spoilt(made_up.market_cap),
        member=member,
        fundamentals={k: spoilt(f) for k, f in made_up.fundamentals.items()},
    )
    date = made_up.dates[row - 1]
    assert_same_bits(estimate_history(panel).until(date), history.until(date))


def test_shuffled_assets_give_the_same_factor_returns(made_up, history):
    order = np.random.default_rng(2).permutation(made_up.assets)
    panel = replace(
        made_up,
        close=made_up.close[order],
        returns=made_up.returns[order],
        market_cap=made_up.market_cap[order],
        member=made_up.member[order],
        fundamentals={k: f[order] for k, f in made_up.fundamentals.items()},
    )
    again = estimate_history(panel)
    np.testing.assert_allclose(again.returns, history.returns, atol=1e-12)
    pd.testing.assert_frame_equal(
        again.exposures(again.dates[-1]).loc[history.exposures(history.dates[-1]).index],
        history.exposures(history.dates[-1]),
    )


def test_style_without_data_is_left_out(made_up, caplog):
    nothing = {k: f * np.nan for k, f in made_up.fundamentals.items()}
    short = estimate_history(replace(made_up, fundamentals=nothing))
    assert short.style_names == [
        "Beta", "Size", "Mid Cap", "Momentum", "Reversal", "Volatility", "Liquidity",
    ]  # fmt: skip
    assert "Value is left out of MADE_UP: no data for it (book_to_price)" in caplog.text


def test_style_that_is_known_for_too_few_names_is_left_out_with_its_reason(made_up):
    thin = made_up.fundamentals["book_to_price"].copy()
    thin.iloc[:, 20:] = np.nan
    panel = replace(made_up, fundamentals={**made_up.fundamentals, "book_to_price": thin})
    assert "Value" not in estimate_history(panel).style_names
    assert "known for under half of the members" in left_out(panel)["Value"]
    assert left_out(panel)["Dividend Yield"] == "no data for it (dividend_yield)"


def test_universe_with_too_few_members_has_no_factor_model(made_up):
    member = made_up.member.copy()
    member.iloc[:, 25:] = False
    with pytest.raises(DataError, match="too few members with a price, a market cap and a sector"):
        estimate_history(replace(made_up, member=member))


@pytest.fixture(scope="module")
def late_value(made_up):
    """A history whose Value begins sixty days after the other styles."""
    late = made_up.fundamentals["book_to_price"].copy()
    late.iloc[:360] = np.nan
    panel = replace(made_up, fundamentals={**made_up.fundamentals, "book_to_price": late})
    return panel, estimate_history(panel)


def test_style_without_data_yet_has_no_scores_and_no_returns_and_the_others_have(late_value):
    _, history = late_value
    assert history.dates[0] == pd.bdate_range("2012-01-02", periods=301)[-1]
    others = history.returns.drop(columns="Value")
    assert history.returns["Value"].iloc[:61].isna().all()
    assert history.returns["Value"].iloc[61:].notna().all()
    assert others.iloc[1:].notna().all(axis=None)
    early = history.exposures(history.dates[59])
    assert early["Value"].isna().all()
    assert early.drop(columns="Value").notna().all(axis=None)
    assert history.exposures(history.dates[60])["Value"].notna().all()


def test_returns_without_the_late_style_are_those_of_a_model_without_it(late_value):
    panel, history = late_value
    without = estimate_history(panel, styles=[s for s in STYLES if s.name != "Value"])
    np.testing.assert_allclose(
        history.returns.drop(columns="Value").iloc[1:60], without.returns.iloc[1:60], atol=1e-14
    )
    assert not np.allclose(history.returns["Size"].iloc[-1], without.returns["Size"].iloc[-1])


def test_descriptor_that_is_constant_on_a_day_leaves_that_day_without_the_factor(made_up):
    flat = made_up.fundamentals["book_to_price"].copy()
    flat.iloc[380] = 0.5
    got = estimate_history(
        replace(made_up, fundamentals={**made_up.fundamentals, "book_to_price": flat})
    )
    assert np.isnan(got.returns["Value"].iloc[81])  # the return after it
    assert got.returns.drop(columns="Value").iloc[81].notna().all()
    assert got.returns["Value"].iloc[82:].notna().all()


def test_panel_without_caps_has_no_factor_model(made_up):
    with pytest.raises(DataError, match="no member with a price, a market cap and a sector"):
        estimate_history(replace(made_up, market_cap=made_up.market_cap * np.nan))


def test_asset_without_a_sector_carries_the_market_and_the_styles(made_up):
    securities = made_up.securities.copy()
    securities.loc["A00", "sector"] = None
    got = estimate_history(replace(made_up, securities=securities))
    row = got.exposures(got.dates[-1]).loc["A00"]
    assert row[["Energy", "Financials", "Health Care", "Utilities"]].eq(0).all()
    assert row["Market"] == 1
    assert got.specific_returns["A00"].iloc[1:].notna().all()


@pytest.mark.parametrize("style", [s for s in STYLES if s.orthogonal_to], ids=lambda s: s.name)
def test_orthogonal_style_has_no_part_of_the_styles_it_is_orthogonal_to(made_up, history, style):
    date = history.dates[-1]
    x = history.exposures(date)
    x = x[made_up.member.loc[date, x.index].to_numpy()]
    cap = made_up.market_cap.loc[date, x.index]
    others = list(style.orthogonal_to)
    fit = sm.WLS(x[style.name], sm.add_constant(x[others]), weights=np.sqrt(cap)).fit()
    np.testing.assert_allclose(fit.params[others], 0, atol=1e-10)


def test_style_orthogonal_to_one_without_data_is_orthogonal_to_the_rest(made_up):
    size = next(s for s in STYLES if s.name == "Size")
    growth = next(s for s in STYLES if s.name == "Growth")  # no data for it here
    value = replace(next(s for s in STYLES if s.name == "Value"), orthogonal_to=("Growth", "Size"))
    momentum = next(s for s in STYLES if s.name == "Momentum")
    got = estimate_history(made_up, styles=[size, growth, value, momentum])
    assert got.style_names == ["Size", "Value", "Momentum"]


def test_orthogonal_to_a_later_style_is_an_error(made_up):
    beta = replace(STYLES[0], orthogonal_to=("Size",))
    with pytest.raises(ArgumentError, match="Beta is orthogonal to Size, which is not declared"):
        estimate_history(made_up, styles=[beta, *STYLES[1:]])


def test_descriptors_at_a_date_do_not_look_ahead(made_up):
    date = made_up.dates[350]
    short = descriptors(made_up.until(date))
    for name, frame in descriptors(made_up).items():
        pd.testing.assert_frame_equal(short[name], frame.loc[:date], check_exact=True)


def test_universe_of_one_sector_has_no_sector_factor(made_up):
    got = estimate_history(
        replace(made_up, securities=made_up.securities.assign(sector="Not classified"))
    )
    assert list(got.factors["group"]) == ["market", *["style"] * 10]
    assert list(got.returns.columns) == list(got.exposures(got.dates[-1]).columns)
    assert got.returns.iloc[1:].notna().all(axis=None)


def test_outliers_are_logged_with_their_number(made_up, caplog):
    caplog.set_level("INFO")
    slip = {k: f.copy() for k, f in made_up.fundamentals.items()}
    slip["book_to_price"].iloc[:, 20] *= 1e6
    estimate_history(replace(made_up, fundamentals=slip))
    assert f"book_to_price: {len(made_up.dates) - 300} of" in caplog.text
