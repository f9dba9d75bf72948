"""What happens to a portfolio when factors or names are shocked."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tilt.errors import ArgumentError, DataError, UnknownNameError
from tilt.risk.model import estimate_model
from tilt.risk.stress import (
    WINDOWS,
    Window,
    named_window,
    replay,
    replay_library,
    stress,
    window_returns,
)

W = pd.Series({"A00": 0.3, "A05": 0.25, "A13": 0.2, "A21": 0.15, "A34": 0.08})


@pytest.fixture(scope="module")
def model(truth):
    return estimate_model(truth.history, truth.history.dates[-1])


@pytest.fixture(scope="module")
def b(model):
    return pd.Series(1 / len(model.assets), index=model.assets)


def by_name(table):
    return table.set_index("name")


def test_a_factor_alone_moves_the_portfolio_by_its_exposure(model, b):
    found = by_name(stress(model, W, b, {"Value": 0.05}, others="zero"))
    x = model.exposures["Value"]
    active = W.reindex(model.assets, fill_value=0.0) - b
    assert list(found.index) == ["Value", "Total"]
    assert found.loc["Total", "pnl"] == pytest.approx(0.05 * float(active @ x))


def test_the_others_move_as_a_regression_on_the_shocked_factor_says(model):
    found = by_name(stress(model, W, None, {"Market": -0.1}))
    f = model.factor_cov
    expected = f["Market"] / f.loc["Market", "Market"] * -0.1
    moved = found.drop(index="Total")["shock"].astype(float)
    np.testing.assert_allclose(moved, expected[moved.index], rtol=1e-9)
    assert found.loc["Market", "shock"] == -0.1
    assert found.loc["Market", "kind"] == "given"


def test_two_shocks_together_are_those_of_the_partitioned_matrix(model):
    shocks = {"Market": -0.1, "Value": 0.03}
    found = by_name(stress(model, W, None, shocks))
    f = model.factor_cov
    given, others = list(shocks), [n for n in f.index if n not in shocks]
    pull = np.linalg.solve(f.loc[given, given], list(shocks.values()))
    np.testing.assert_allclose(
        found.loc[others, "shock"].astype(float), f.loc[others, given] @ pull, rtol=1e-8
    )


def test_a_shocked_name_returns_what_it_was_told_to(model):
    only = pd.Series({"A05": 1.0})
    for others in ("expected", "zero"):
        table = stress(model, only, None, {"A05": -0.3}, others=others)
        assert table["pnl"].iloc[-1] == pytest.approx(-0.3)


def test_a_shocked_name_pulls_the_factors_by_its_covariance_with_them(model):
    found = by_name(stress(model, W, None, {"A05": -0.3}))
    x = model.exposures.loc["A05"]
    own = x @ model.factor_cov @ x + model.specific_var["A05"]
    expected = model.factor_cov @ x / own * -0.3
    moved = found.drop(index=["Total", "Specific"])["shock"].astype(float)
    np.testing.assert_allclose(moved, expected[moved.index], rtol=1e-9)


def test_rows_sum_to_the_total_and_active_is_the_difference(model, b):
    table = stress(model, W, b, {"Market": -0.1, "A00": 0.2, "Energy": -0.05})
    parts, total = table.iloc[:-1], table.iloc[-1]
    for column in ("pnl", "portfolio_pnl", "benchmark_pnl"):
        assert parts[column].sum() == pytest.approx(total[column])
    np.testing.assert_allclose(table["pnl"], table["portfolio_pnl"] - table["benchmark_pnl"])


def test_without_a_benchmark_the_loss_is_absolute(model):
    table = stress(model, W, None, {"Market": -0.1}, others="zero")
    assert table["benchmark_pnl"].eq(0).all()
    assert table["pnl"].iloc[-1] == pytest.approx(-0.1 * W.sum())


def test_a_shocked_name_that_is_not_held_still_moves_what_is_held(model):
    table = by_name(stress(model, W, None, {"A40": -0.3}))
    assert table.loc["Specific", "pnl"] == 0.0
    assert table.loc["Total", "pnl"] != 0.0


def test_shocks_that_repeat_each_other_are_refused(model):
    twin = model.exposures.copy()
    twin.loc["A01"] = twin.loc["A00"]
    silent = model.specific_var.copy()
    silent[["A00", "A01"]] = 1e-30
    doubled = replace(model, exposures=twin, specific_var=silent)
    with pytest.raises(DataError, match="A00, A01"):
        stress(doubled, W, None, {"A00": -0.1, "A01": 0.1})


def test_a_misspelt_name_has_a_suggestion(model):
    with pytest.raises(UnknownNameError, match="Did you mean 'Value'"):
        stress(model, W, None, {"Valeu": 0.1})


@pytest.mark.parametrize("shock", [-20.0, float("nan"), float("inf")])
def test_a_shock_that_is_no_return_is_refused(model, shock):
    with pytest.raises(ArgumentError, match=r"minus 20 % is -0\.2"):
        stress(model, W, None, {"Market": shock})


def test_no_shock_is_refused(model):
    with pytest.raises(ArgumentError, match="There is no shock"):
        stress(model, W, None, {})


def test_a_replay_compounds_what_each_factor_returned(truth, model):
    days = truth.history.dates
    window = Window("test", f"{days[700]:%Y-%m-%d}", f"{days[710]:%Y-%m-%d}", "ten days")
    table = by_name(replay(model, truth.history, W, None, window))
    for factor in ("Market", "Value"):
        daily = truth.history.returns[factor].iloc[701:711]
        assert table.loc[factor, "shock"] == pytest.approx(float(np.prod(1 + daily) - 1))
    assert set(table["kind"]) == {"replayed", "total"}


def test_a_window_outside_of_the_data_says_what_there_is(truth):
    with pytest.raises(UnknownNameError, match=r"not in the data \(2010-01-04 to"):
        window_returns(truth.history, named_window("lehman"))


def test_windows_are_distinct_stretches_in_order_of_time():
    assert len({w.name for w in WINDOWS}) == len(WINDOWS)
    assert [w.start for w in WINDOWS] == sorted(w.start for w in WINDOWS)
    assert all(pd.Timestamp(w.start) < pd.Timestamp(w.end) for w in WINDOWS)


def test_a_window_is_found_by_its_name_in_words():
    assert named_window("Taper tantrum").start == "2013-05-21"
    with pytest.raises(ArgumentError, match="brexit"):
        named_window("brexitt")


def test_the_model_of_an_earlier_day_does_not_see_the_window(truth, model):
    """A replay uses later returns of the factors, today's exposures, and nothing else."""
    days = truth.history.dates
    early = estimate_model(truth.history.until(days[600]), days[600])
    window = Window("test", f"{days[700]:%Y-%m-%d}", f"{days[710]:%Y-%m-%d}", "ten days")
    one = replay(early, truth.history, W, None, window)
    two = replay(model, truth.history, W, None, window)
    assert list(one["shock"].iloc[:-1]) == list(two["shock"].iloc[:-1])


def test_a_shocked_share_class_takes_the_other_one_of_its_company_along(model):
    variance = model.specific_var[["A05", "A06"]]
    shared = np.sqrt(0.9) * np.sqrt(variance)
    linked = replace(model, shared=shared.to_frame("issuer"))
    only = pd.Series({"A06": 1.0})
    x = linked.exposures.loc[["A05", "A06"]].to_numpy()
    v = x @ linked.factor_cov.to_numpy() @ x.T + np.diag(variance)
    v[0, 1] += shared.prod()
    expected = v[0, 1] / v[0, 0] * -0.3  # a regression of one on the other
    assert stress(linked, only, None, {"A05": -0.3})["pnl"].iloc[-1] == pytest.approx(expected)


def test_the_library_is_each_window_replayed_and_names_what_the_data_lack(truth, model, b):
    found, absent = replay_library(model, truth.history, W, b)
    assert sorted([*found["name"], *absent]) == sorted(w.name for w in WINDOWS)
    assert found["start"].is_monotonic_increasing
    for row in found.itertuples():
        total = replay(model, truth.history, W, b, named_window(row.name)).iloc[-1]
        assert row.pnl == pytest.approx(total["pnl"])
        assert row.pnl == pytest.approx(row.portfolio_pnl - row.benchmark_pnl)
    first, last = truth.history.dates[[0, -1]]
    assert ((found["start"] >= first) & (found["end"] <= last)).all()
    assert {"black_monday", "covid_crash"} <= set(absent)


def test_without_a_window_in_the_data_the_library_says_what_there_is(truth, model):
    short = truth.history.until(truth.history.dates[70])
    with pytest.raises(UnknownNameError, match=r"No window of the library .*2010-01-04"):
        replay_library(model, short, W, None)


def test_two_dates_are_a_window_too(truth, model):
    window = named_window("2012-03-01 to 2012-03-30")
    returns = truth.history.returns.loc["2012-03-02":"2012-03-30"]
    np.testing.assert_allclose(
        window_returns(truth.history, window), (1 + returns).prod() - 1, rtol=1e-12
    )
    assert replay(model, truth.history, W, None, window)["kind"].iloc[0] == "replayed"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("2012-03-30 to 2012-03-01", "is not before"),
        ("2012-13-01 to 2012-12-30", "2012-13-01 is no date"),
        ("brexitt", "brexit"),
    ],
)
def test_a_window_that_is_none_is_refused(text, words):
    with pytest.raises(ArgumentError, match=words):
        named_window(text)
