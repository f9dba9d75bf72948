"""The cells that judge factors, over HTTP, against the engine's kernels and other libraries."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

RANGE_HEAD = ["date", "ticker", "value"]


def frame(cells):
    """Return a table of cells as a frame, #N/A as NaN, dates as dates."""
    return pd.DataFrame([[plain(v) for v in row] for row in cells[1:]], columns=cells[0])


def plain(value):
    if isinstance(value, dict):
        if value["type"] == "Error":
            assert value["errorType"] == "NotAvailable"
            return np.nan
        return pd.Timestamp("1899-12-30") + pd.Timedelta(days=value["basicValue"])
    return value


def test_factor_returns_are_those_of_the_model(excel, panel):
    shown = frame(excel("factor_returns", "Value,Momentum", "2016-01-04", "2016-03-31"))
    assert list(shown.columns) == ["date", "Value", "Momentum"]
    expected = panel.factors.returns.loc["2016-01-04":"2016-03-31", ["Value", "Momentum"]]
    np.testing.assert_allclose(shown[["Value", "Momentum"]], expected, rtol=1e-9)


def test_factor_returns_of_months_are_compounded(excel, panel):
    shown = frame(excel("factor_returns", "Value", "2016-01-04", "2016-03-31", "M"))
    daily = panel.factors.returns["Value"]
    assert shown["Value"].iloc[1] == pytest.approx((1 + daily["2016-02"]).prod() - 1)
    assert len(shown) == 3


def test_factor_that_begins_late_is_na_before(excel):
    shown = frame(excel("factor_returns", "Investment,Size", "2013-01-03", "2013-01-10"))
    assert shown["Investment"].isna().all()
    assert shown["Size"].notna().all()


def test_factor_stats_cover_all_factors_and_follow_their_definitions(excel, panel):
    shown = frame(excel("factor_stats")).set_index("factor")
    assert list(shown.index) == list(panel.factors.factors.index)
    r = panel.factors.returns["Momentum"].dropna()
    assert shown.loc["Momentum", "mean"] == pytest.approx(252 * r.mean())
    assert shown.loc["Momentum", "observations"] == len(r)
    assert shown["p_value_bh"].between(0, 1).all()


def test_factor_correlation_is_a_matrix_with_headers(excel, panel):
    shown = frame(excel("factor_correlation", "Value,Quality")).set_index("factor")
    r = panel.factors.returns[["Value", "Quality"]].dropna()
    assert shown.loc["Value", "Quality"] == pytest.approx(np.corrcoef(r.T)[0, 1])
    assert shown.loc["Value", "Value"] == pytest.approx(1)


def test_ic_of_a_day_is_spearmans_of_the_members(excel, panel):
    shown = frame(excel("factor_ic", "Momentum", 5, None, None, None, "view=series"))
    day = pd.Timestamp("2016-05-16")
    at = panel.dates.get_loc(day)
    style = panel.factors.style_names.index("Momentum")
    x = panel.factors.styles[panel.factors.dates.get_loc(day), :, style]
    forward = (1 + panel.returns.iloc[at + 2 : at + 7]).prod(skipna=False) - 1
    both = np.isfinite(x) & forward.notna().to_numpy() & panel.member.loc[day].to_numpy()
    expected = stats.spearmanr(x[both], forward[both]).statistic
    assert shown.set_index("date")["ic"][day] == pytest.approx(expected, abs=1e-10)


def test_ic_summary_has_the_promised_measures(excel):
    shown = frame(excel("factor_ic", "Momentum")).set_index("measure")["value"]
    assert list(shown.index) == [
        "mean_ic", "sd_ic", "icir", "icir_annual", "t_hac", "hit_rate", "observations", "half_life",
    ]  # fmt: skip
    assert shown["icir"] == pytest.approx(shown["mean_ic"] / shown["sd_ic"])
    assert shown["icir_annual"] == pytest.approx(shown["icir"] * np.sqrt(12))


def test_ics_of_several_factors_stand_with_p_values_adjusted_for_their_number(excel):
    shown = frame(excel("factor_ic", "*", 21, "2015-01-02", None, None, "view=factors"))
    shown = shown.set_index("factor")
    assert "Momentum" in shown.index
    assert len(shown) == 14
    alone = frame(excel("factor_ic", "Value", 21, "2015-01-02")).set_index("measure")["value"]
    assert shown.loc["Value", "t_hac"] == pytest.approx(alone["t_hac"])
    p = 2 * stats.t.sf(shown["t_hac"].abs(), shown["observations"] - 1)
    np.testing.assert_allclose(shown["p_value_bh"], stats.false_discovery_control(p), rtol=1e-9)
    two = frame(excel("factor_ic", "Value,min(roe, btp)", 21, None, None, None, "view=factors"))
    assert two["factor"].tolist() == ["Value", "min(roe, btp)"]


def test_ic_decays_over_disjoint_windows(excel):
    shown = frame(excel("factor_ic", "Reversal", 5, None, None, None, "view=decay"))
    assert shown["first_day"].tolist()[:2] == [2, 7]
    assert len(shown) == 12


def test_target_residual_takes_the_sector_out(excel):
    plain_ic = frame(excel("factor_ic", "Value", 21)).set_index("measure")["value"]
    left = frame(excel("factor_ic", "Value", 21, None, None, None, "target=residual"))
    left = left.set_index("measure")["value"]
    assert left["sd_ic"] < plain_ic["sd_ic"]


def test_quantiles_end_with_their_spread(excel):
    shown = frame(excel("factor_quantiles", "Value", 4, 21))
    assert shown["quantile"].tolist() == [1, 2, 3, 4, "spread"]
    assert list(shown.columns)[:6] == [
        "quantile", "mean_return", "volatility", "sharpe", "turnover", "count",
    ]  # fmt: skip
    top, bottom = shown["mean_return"].iloc[3], shown["mean_return"].iloc[0]
    assert shown["mean_return"].iloc[-1] == pytest.approx(top - bottom)
    assert -1 <= shown["monotonicity"].iloc[-1] <= 1
    assert shown["turnover"].iloc[:-1].between(0, 1).all()


def test_quantiles_through_time_are_disjoint_windows(excel):
    shown = frame(
        excel("factor_quantiles", "Value", 3, 21, "2015-01-02", None, None, "view=series")
    )
    assert list(shown.columns) == ["date", "1", "2", "3", "spread"]
    np.testing.assert_allclose(shown["spread"], shown["3"] - shown["1"])
    assert len(shown) < 31  # two and a half years in months


def test_expression_is_a_factor_like_any_other(excel):
    shown = frame(excel("factor_ic", "rank(book_to_price)", 21)).set_index("measure")["value"]
    value = frame(excel("factor_ic", "Value", 21)).set_index("measure")["value"]
    assert shown["mean_ic"] == pytest.approx(value["mean_ic"], abs=0.005)
    mixed = frame(excel("factor_quantiles", "zscore(roe) - rank(leverage)"))
    assert len(mixed) == 6


def test_dated_values_of_a_range_are_used_from_their_date(excel, panel):
    day = pd.Timestamp("2016-01-04")
    names = [str(t) for t in panel.cap_weights(day).index[:60]]
    rows = [["2016-01-04", t, float(i)] for i, t in enumerate(names)]
    shown = frame(
        excel("factor_ic", [RANGE_HEAD, *rows], 5, None, "2016-02-29", None, "view=series")
    )
    assert shown["date"].iloc[0] == day
    at = panel.dates.get_loc(day)
    forward = ((1 + panel.returns.iloc[at + 2 : at + 7]).prod(skipna=False) - 1)[names]
    inside = panel.member.loc[day, names].to_numpy() & forward.notna().to_numpy()
    expected = stats.spearmanr(np.arange(60)[inside], forward[inside]).statistic
    assert shown["ic"].iloc[0] == pytest.approx(expected, abs=1e-10)


def test_past_ics_are_the_same_when_asked_with_an_earlier_end(excel):
    whole = frame(excel("factor_ic", "Quality", 5, None, None, None, "view=series"))
    cut = frame(excel("factor_ic", "Quality", 5, None, "2015-06-30", None, "view=series"))
    assert cut["date"].iloc[-1] < pd.Timestamp("2015-06-30")
    np.testing.assert_array_equal(cut["ic"], whole["ic"].iloc[: len(cut)])


@pytest.mark.parametrize(
    ("call", "cell", "message"),
    [
        (("factor_returns", "Momentm"), "#VALUE!", "Did you mean 'Momentum'?"),
        (("factor_ic", "Momentm"), "#N/A", "Unknown factor 'Momentm'. Did you mean 'Momentum'?"),
        (("factor_ic", "rank(levrage)"), "#N/A", "Unknown name 'levrage' in the expression."),
        (("factor_ic", "rnk(roe)"), "#VALUE!", "There is no function 'rnk'. Did you mean 'rank'?"),
        (("factor_ic", "Value", 0), "#VALUE!", "horizon must be a whole number from 1 to 756"),
        (("factor_ic", "Value", 21, None, None, None, "view=sumary"), "#VALUE!", "'summary'"),
        (("factor_ic", "Value", 21, None, None, None, "lagg=2"), "#VALUE!", "option 'lagg'"),
        (("factor_ic", [["AAPL", 1], ["XOM", 2]]), "#VALUE!", "Give date, ticker and value"),
        (
            ("factor_ic", [["2016-01-04", "APPL", 1.0]]), "#N/A",
            "Unknown ticker 'APPL' (factor row 1). Did you mean 'AAPL'?",
        ),
        (
            ("factor_ic", [RANGE_HEAD, ["2016-01-04", "AAPL", "#REF!"]]), "#VALUE!",
            "factor row 2: the value is #REF!",
        ),
        (("factor_ic", "close * 0 + 1"), "#VALUE!", "the values differ"),
        (("factor_quantiles", "Value", 1), "#VALUE!", "quantiles must be a whole number from 2"),
        (("factor_returns", "Value", "2017-01-03", "2016-01-04"), "#VALUE!", "is after end"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(excel, call, cell, message):
    shown, said = excel.error(*call)
    assert shown == cell
    assert message in said


def test_pure_factor_lists_weights_that_sum_to_zero_the_largest_first(excel):
    shown = frame(excel("pure_factor", "Value"))
    assert list(shown.columns) == ["ticker", "weight"]
    assert shown["weight"].sum() == pytest.approx(0, abs=1e-6)
    assert shown["weight"].abs().is_monotonic_decreasing


def test_pure_portfolio_is_that_of_the_engine(excel, panel):
    date = pd.Timestamp("2016-06-30")
    shown = frame(excel("pure_factor", "Momentum", "2016-06-30")).set_index("ticker")["weight"]
    after = panel.returns.loc[date:].iloc[1][shown.index]
    assert after.notna().all()
    expected = panel.factors.returns["Momentum"].loc[date:].iloc[1]
    assert shown @ after == pytest.approx(expected, abs=1e-7)


def test_investable_kind_keeps_the_options(excel):
    shown = frame(
        excel(
            "pure_factor", "Value", None, None, "kind=investable;max_weight=0.04;max_turnover=0.2"
        )
    )
    assert shown["weight"].between(0, 0.04 + 1e-6).all()
    assert shown["weight"].sum() == pytest.approx(1, abs=1e-5)


def test_compare_puts_four_kinds_side_by_side(excel):
    shown = frame(excel("pure_factor", "Quality", None, None, "view=compare")).set_index("measure")
    assert list(shown.columns) == ["simple", "pure", "min_risk", "investable"]
    assert shown.loc["exposure", "pure"] == pytest.approx(1)


def test_expression_has_a_pure_portfolio(excel):
    shown = frame(excel("pure_factor", "rank(roe) - rank(leverage)"))
    assert shown["weight"].sum() == pytest.approx(0, abs=1e-6)


def test_factor_shape_has_the_promised_columns(excel):
    shown = frame(excel("factor_shape", "momentum"))
    assert list(shown.columns) == [
        "measure", "value", "three_year", "percentile", "rank", "meaning",
    ]  # fmt: skip
    assert shown["measure"].is_unique


@pytest.mark.parametrize(
    ("call", "cell", "message"),
    [
        (("factor_shape", "Momentm"), "#N/A", "Did you mean 'Momentum'?"),
        (("factor_shape", "Value", "2013-03-28"), "#N/A", "needs 252 days of returns"),
        (("pure_factor", "Value", None, None, "kind=purest"), "#VALUE!", "Did you mean 'pure'?"),
        (("pure_factor", "Value", None, None, "max_weight=5"), "#VALUE!", "0.05 for 5 %"),
        (
            ("pure_factor", "Value", None, None, "kind=investable;max_weight=0.001"), "#N/A",
            "each weight at most 0.1 %",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_portfolio_or_a_shape_is_named(excel, call, cell, message):
    shown, said = excel.error(*call)
    assert shown == cell
    assert message in said


def test_exposure_to_an_expression_is_its_score_alone_or_beside_the_models(excel):
    text = "rank(book_to_price)"
    names = [["AAPL"], ["XOM"], ["JPM"]]
    scores = [excel("exposure", name[0], text)[0][0] for name in names]
    held = [[name[0], weight] for name, weight in zip(names, (0.5, 0.3, 0.2), strict=True)]
    both = excel("exposure", held, f"{text},Value")
    assert both[0][0] == pytest.approx(np.dot(scores, (0.5, 0.3, 0.2)))
    assert both[0][1] == excel("exposure", held, "Value")[0][0]


def test_exposure_to_what_a_holding_has_no_value_of_names_the_holding(excel):
    cell, said = excel.error("exposure", "C", "gross_profitability / 2")
    assert cell == "#N/A"
    assert said.startswith("C has no value of 'gross_profitability / 2' on")
    assert excel.error("exposure", "AAPL", "rank(levrage)")[0] == "#N/A"
