from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tilt.errors import ArgumentError, DataError, NoSolutionError
from tilt.optimize.pure import (
    KINDS,
    FactorCase,
    Limits,
    compare,
    factor_portfolio,
    min_risk,
    open_factor,
    pure,
    simple,
)
from tilt.risk.model import estimate_model


@pytest.fixture(scope="module")
def case(panel) -> FactorCase:
    return at(panel, panel.dates[-2])


def at(panel, date, factor="Value", **more) -> FactorCase:
    return open_factor(
        estimate_model(panel.factors, date),
        panel.securities,
        panel.market_cap.loc[date],
        panel.assets[panel.member.loc[date].to_numpy()],
        factor,
        **more,
    )


def test_pure_portfolio_has_unit_exposure_and_no_other(case):
    held = pure(case) @ case.exposures
    assert held["Value"] == pytest.approx(1, abs=1e-9)
    np.testing.assert_allclose(held.drop("Value"), 0, atol=1e-9)
    assert pure(case).sum() == pytest.approx(0, abs=1e-10)


def test_pure_portfolio_earns_the_factor_return_of_the_next_day(panel, case):
    r = panel.returns.iloc[-1].reindex(case.exposures.index)
    assert r.notna().all()
    assert pure(case) @ r == pytest.approx(panel.factors.returns["Value"].iloc[-1], abs=1e-12)


def test_simple_portfolio_has_unit_exposure_and_earns_the_slope_of_a_regression(panel, case):
    w = simple(case)
    x = case.exposures["Value"]
    assert w @ x == pytest.approx(1)
    assert w.sum() == pytest.approx(0, abs=1e-12)
    r = panel.returns.iloc[-1].reindex(x.index)
    slope = np.polyfit(x, r, 1, w=np.sqrt(np.sqrt(case.caps)))[0]
    assert w @ r == pytest.approx(slope, rel=1e-9)
    assert (w @ case.exposures).drop("Value").abs().max() > 0.05


def test_least_risk_portfolio_has_the_pure_exposures_at_less_risk(case):
    w = min_risk(case)
    np.testing.assert_allclose(w @ case.exposures, pure(case) @ case.exposures, atol=1e-8)
    assert case.model.variance(w) < case.model.variance(pure(case))
    gradient = case.model.only(w.index).specific_times(
        w.to_numpy()
    )  # at the least risk it lies in the span of the exposures
    fit = case.exposures.to_numpy() @ np.linalg.lstsq(case.exposures, gradient, rcond=None)[0]
    np.testing.assert_allclose(fit, gradient, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS[:3])
def test_order_of_the_assets_does_not_matter(case, kind):
    order = np.random.default_rng(0).permutation(case.exposures.index)
    shuffled = FactorCase(
        case.model, case.securities, case.exposures.loc[order], case.caps[order],
        case.sector[order], case.factor,
    )  # fmt: skip
    a, b = (factor_portfolio(c, kind, Limits()) for c in (case, shuffled))
    np.testing.assert_allclose(b[a.index], a, atol=1e-10)


def test_investable_portfolio_keeps_its_limits_and_leans_to_the_factor(case):
    limits = Limits(max_weight=0.04, max_turnover=0.3)
    w = factor_portfolio(case, "investable", limits)
    assert w.sum() == pytest.approx(1, abs=1e-6)
    assert w.min() >= -1e-8
    assert w.max() <= 0.04 + 1e-6
    assert (w - case.benchmark).abs().sum() / 2 <= 0.3 + 1e-6
    tilt = (w - case.benchmark) @ case.exposures
    assert tilt["Value"] > 0.2
    assert tilt[case.styles.columns].drop("Value").abs().max() < tilt["Value"]


def test_long_short_investable_portfolio_finances_itself_within_its_limit(case):
    w = factor_portfolio(case, "investable", Limits(long_only=False, max_weight=0.01))
    assert w.sum() == pytest.approx(0, abs=1e-6)
    assert w.abs().max() <= 0.01 + 1e-6
    held = w @ case.exposures
    assert held["Value"] > 0.5


def test_limits_that_cannot_be_kept_say_what_conflicts(case):
    with pytest.raises(NoSolutionError, match=r"each weight at most 0\.1 %"):
        factor_portfolio(case, "investable", Limits(max_weight=0.001))


def test_comparison_shows_what_each_departure_costs(panel, case):
    before = at(panel, panel.dates[-23])
    table = compare((case, before), Limits(), cost=0.001).set_index("measure")
    assert list(table.columns) == list(KINDS)
    assert table.loc["exposure", list(KINDS[:3])].to_numpy() == pytest.approx(1)
    assert table.loc["largest_other_style", "pure"] == pytest.approx(0, abs=1e-8)
    assert table.loc["correlation_with_pure", "pure"] == pytest.approx(1)
    assert table.loc["volatility", "min_risk"] < table.loc["volatility", "pure"]
    assert table.loc["exposure", "investable"] < 1
    traded = 2 * table.loc["turnover_a_month", "pure"]
    assert table.loc["cost_a_year", "pure"] == pytest.approx(12 * traded * 0.001)
    model = case.model
    assert table.loc["volatility", "pure"] == pytest.approx(
        np.sqrt(252 * model.variance(pure(case)))
    )


def test_factor_of_the_users_own_is_pure_beside_the_models(panel):
    date = panel.dates[-2]
    scores = pd.Series(np.random.default_rng(1).standard_normal(len(panel.assets)), panel.assets)
    own = at(panel, date, "mine", scores=scores)
    held = pure(own) @ own.exposures
    assert held["mine"] == pytest.approx(1)
    np.testing.assert_allclose(held.drop("mine"), 0, atol=1e-9)


def test_market_and_sectors_have_portfolios_too(panel, case):
    market = pure(at(panel, case.model.date, "Market"))
    assert market.sum() == pytest.approx(1)
    energy = pure(at(panel, case.model.date, "Energy"))
    assert energy.sum() == pytest.approx(0, abs=1e-10)
    assert energy[case.sector[energy.index] == "Energy"].sum() > 0.8


def test_unknown_factor_or_kind_is_named(panel, case):
    with pytest.raises(ArgumentError, match="Did you mean 'Value'"):
        at(panel, case.model.date, "Valeu")
    with pytest.raises(ArgumentError, match="option kind must be one of simple, pure"):
        factor_portfolio(case, "purest", Limits())


def test_factor_that_is_the_same_for_all_has_no_portfolio(panel):
    same = pd.Series(1.0, panel.assets)
    flat = at(panel, panel.dates[-2], "flat", scores=same)
    with pytest.raises(DataError, match="same exposure to flat"):
        simple(flat)
    with pytest.raises(DataError, match="collinear"):
        pure(flat)


def test_turnover_is_limited_from_what_is_held(case):
    names = case.exposures.index[:50]
    held = pd.Series(1 / 50, names)
    limits = Limits(max_turnover=0.2)
    w = factor_portfolio(replace(case, held=held), "investable", limits)
    moved = w.sub(held, fill_value=0).abs().sum() / 2
    assert moved <= 0.2 + 1e-6
    assert w[names].sum() > 0.75  # and not the benchmark's
    told = compare((replace(case, held=held), case), limits).set_index("measure")["investable"]
    assert told["turnover_to_start"] == pytest.approx(moved, abs=1e-6)
    assert told["cost_to_start"] == pytest.approx(2 * 0.001 * moved, abs=1e-8)


def test_risk_beyond_the_pure_portfolio_is_that_of_the_difference(case):
    told = compare((case, case), Limits()).set_index("measure")
    assert told.loc["risk_beyond_pure", "pure"] == pytest.approx(0, abs=1e-7)
    beyond = simple(case) - pure(case)
    expected = np.sqrt(252 * case.model.variance(beyond))
    assert told.loc["risk_beyond_pure", "simple"] == pytest.approx(expected)


def test_held_name_without_risk_data_is_named(panel):
    with pytest.raises(DataError, match="NOBODY is held and has no risk data on"):
        at(panel, panel.dates[-2], held=pd.Series({"NOBODY": 1.0}))
