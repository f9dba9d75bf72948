"""The cell about regimes, over HTTP, against the engine."""

import numpy as np
import pandas as pd
import pytest
from cell_tables import fits_of_regimes, frame

from tilt.factors.descriptors import market_return
from tilt.risk.regimes import markov_regimes, threshold_regimes, trailing_volatility, turbulence


def test_regimes_of_a_factor_are_those_of_its_returns(excel, panel):
    shown = frame(excel("regimes", "market", 2, "2015-06-30"))
    expected = markov_regimes(panel.factors.returns.loc["2015-06-30":, "Market"])
    assert list(shown) == ["date", "state", "calm", "turbulent", "note"]
    np.testing.assert_allclose(
        shown["turbulent"].astype(float), expected.probabilities["turbulent"], atol=1e-9
    )
    assert shown["state"].tolist() == expected.state.tolist()
    assert "fits anew on every date" in shown["note"].iloc[0]


def test_smoothed_regimes_carry_a_badge_and_a_summary_its_criterion(excel, panel):
    shown = frame(excel("regimes", "AAPL", 2, "2015-06-30", None, "smoothed=yes;view=summary"))
    expected = markov_regimes(panel.returns.loc["2015-06-30":, "AAPL"], smoothed=True).summary()
    assert list(shown) == [*expected, "note"]
    np.testing.assert_allclose(shown["bic"].astype(float), expected["bic"], rtol=1e-9)
    assert shown["note"].iloc[0].startswith("Look-ahead")


def test_rules_judge_the_level_of_the_market_or_of_its_sectors(excel, panel):
    shown = frame(excel("regimes", None, 2, "2016-12-30", None, "method=threshold;enter=0.7"))
    level = trailing_volatility(market_return(panel))
    expected = threshold_regimes(level, enter=0.7, leave=0.6).loc["2016-12-30":]
    assert shown["state"].tolist() == expected["state"].tolist()
    np.testing.assert_allclose(shown["level"].astype(float), expected["level"], rtol=1e-9)

    shown = frame(excel("regimes", panel.universe, 2, "2016-12-30", None, "method=turbulence"))
    history = panel.factors
    sectors = history.factors.index[history.factors["group"] == "sector"]
    level = turbulence(history.returns[sectors].add(history.returns["Market"], axis=0))
    expected = threshold_regimes(level, enter=0.8, leave=0.6).loc["2016-12-30":]
    np.testing.assert_allclose(shown["level"].astype(float), expected["level"], rtol=1e-9)


def test_factors_in_each_state_are_judged_by_the_state_known_the_day_before(excel, panel):
    shown = frame(excel("regimes", None, 2, "2014-01-02", None, "method=threshold;view=factors"))
    assert set(shown["factor"]) == set(panel.factors.factors.index)
    level = trailing_volatility(market_return(panel))
    state = threshold_regimes(level, enter=0.8, leave=0.6).loc["2014-01-02":, "state"]
    known = state.shift(1)
    r = panel.factors.returns["Momentum"].reindex(state.index)
    calm = r[(known == "calm").to_numpy()].dropna()
    row = shown[(shown["factor"] == "Momentum") & (shown["state"] == "calm")].iloc[0]
    assert row["days"] == len(calm)
    assert row["mean"] == pytest.approx(252 * calm.mean())
    assert row["volatility"] == pytest.approx(np.sqrt(252) * calm.std())
    assert shown.groupby("factor")["days"].sum().eq(len(state) - 1).all()


def test_three_states_are_fitted_by_a_job_whose_result_every_view_shares(excel, panel):
    arguments = ("AAPL", 3, "2016-06-30", None)
    before = fits_of_regimes(excel)
    shown = frame(excel.done("regimes", *arguments))
    fits = fits_of_regimes(excel)
    assert len(fits - before) == 1
    expected = markov_regimes(panel.returns.loc["2016-06-30":, "AAPL"], states=3)
    np.testing.assert_allclose(
        shown["middle"].astype(float), expected.probabilities["middle"], atol=1e-9
    )
    summary = frame(excel.done("regimes", *arguments, "view=summary"))
    np.testing.assert_allclose(summary["mean"].astype(float), expected.mean, rtol=1e-9)
    assert fits_of_regimes(excel) == fits


def test_turbulence_of_many_columns_is_judged_by_a_job(excel):
    grid = np.random.default_rng(3).normal(0, 0.01, (400, 40))
    shown = frame(excel.done("regimes", grid.tolist(), 2, None, None, "method=turbulence"))
    level = turbulence(pd.DataFrame(grid, range(1, 401)))
    expected = threshold_regimes(level, enter=0.8, leave=0.6)
    np.testing.assert_allclose(shown["level"].astype(float), expected["level"], rtol=1e-9)
    jobs = excel.http.get("/api/v1/jobs").json()["jobs"]
    assert "Turbulence of 40 series" in {job["title"] for job in jobs}


def test_range_without_dates_is_numbered_by_its_rows(excel):
    rng = np.random.default_rng(0)
    grid = [[float(r)] for r in rng.standard_normal(300) * np.repeat([0.01, 0.03, 0.01], 100)]
    shown = frame(excel("regimes", grid))
    assert [int(d) for d in shown["date"]] == list(range(1, 301))
    assert (shown["state"].iloc[110:190] == "turbulent").mean() > 0.8


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("AAPX",), "Unknown ticker 'AAPX'"),
        (("AAPL", 4), "states must be 2 or 3; got 4"),
        (("AAPL", 2, None, None, "method=absorption"), "'AAPL' is one series"),
        (("AAPL", 3, None, None, "method=threshold"), "two states and is never smoothed"),
        (("AAPL", 2, None, None, "method=markow"), "markov"),
        (([[0.01]] * 50,), "need 126 returns; there are 50"),
        (([[0.01]] * 50, 2, "-1Y"), "start and end need dates"),
        (("AAPL", 2, "2017-06-30", "2016-06-30"), "is not before end"),
    ],
)
def test_mistakes_are_answered_with_what_to_do(excel, arguments, words):
    assert words in excel.error("regimes", *arguments)[1]
