"""Portfolios of a factor through time: by hand, and with nothing that came later."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tilt.errors import DataError
from tilt.optimize.pure import KINDS, Limits, open_factor, pure
from tilt.optimize.pure_history import LAG, performance
from tilt.risk.model import estimate_model

LIMITS = Limits(exposure=0.5, max_turnover=0.15)
CUT = pd.Timestamp("2016-04-29")
DATES = [pd.Timestamp(d) for d in ("2015-12-31", "2016-01-29", "2016-02-29", "2016-03-31")]


def opener(panel):
    def opened(date):
        return open_factor(
            estimate_model(panel.factors, date),
            panel.securities,
            panel.market_cap.loc[date],
            panel.assets[panel.member.loc[date].to_numpy()],
            "Value",
        )

    return opened


@pytest.fixture(scope="module")
def found(panel):
    seen = panel.until(CUT)
    return performance(opener(seen), DATES, seen.returns, LIMITS)


def test_pure_portfolio_earns_what_its_names_earned_from_fill_to_fill(panel, found):
    first = panel.dates.get_loc(DATES[0]) + LAG
    last = panel.dates.get_loc(DATES[1]) + LAG
    w = pure(opener(panel)(DATES[0]))
    grown = (1 + panel.returns.iloc[first + 1 : last + 1][w.index].fillna(0)).prod() - 1
    assert found.returns["pure"].iloc[0] == pytest.approx(w @ grown, rel=1e-9)
    assert found.returns.index[0] == panel.dates[last]
    assert found.returns.index[-1] == CUT


def test_every_kind_has_a_return_a_turnover_and_its_exposure(found):
    assert list(found.returns.columns) == list(KINDS)
    assert found.returns.notna().all(axis=None)
    np.testing.assert_allclose(found.exposure[["simple", "pure", "min_risk"]], 1, atol=1e-6)
    assert found.exposure["investable"].between(0.05, 0.5 + 1e-6).all()


def test_turnover_counts_from_what_the_investable_portfolio_drifted_to(found):
    assert (found.traded["investable"] / 2 <= LIMITS.max_turnover + 1e-6).all()
    assert found.traded["investable"].iloc[1:].gt(0.01).all()


def with_another_future(frame, value):
    changed = frame.copy()
    changed.loc[changed.index > CUT] = value
    return changed


def test_what_comes_later_changes_no_portfolio_and_no_return_before(panel, found):
    history = panel.factors
    later = (history.dates > CUT)[:, None, None]
    shaken = replace(
        history,
        styles=np.where(later, -history.styles, history.styles),
        returns=with_another_future(history.returns, 0.3),
        specific_returns=with_another_future(history.specific_returns, 0.3),
    )
    other = replace(
        panel,
        returns=with_another_future(panel.returns, 0.5),
        market_cap=with_another_future(panel.market_cap, 1.0),
        factor_history=shaken,
    )
    again = performance(opener(other), DATES, other.returns.loc[:CUT], LIMITS)
    pd.testing.assert_frame_equal(again.returns, found.returns, check_exact=True)
    pd.testing.assert_frame_equal(again.traded, found.traded, check_exact=True)


def test_summary_follows_its_definitions(found):
    told = found.summary(12).set_index("measure")["investable"]
    r = found.returns["investable"]
    assert told["mean"] == pytest.approx(12 * r.mean())
    assert told["volatility"] == pytest.approx(np.sqrt(12) * r.std())
    cost = 12 * 0.001 * found.traded["investable"].mean()
    assert told["cost_a_year"] == pytest.approx(cost)
    assert told["mean_net"] == pytest.approx(told["mean"] - cost)


def test_kind_that_cannot_be_made_is_missing_and_the_note_says_why(panel):
    seen = panel.until(CUT)
    tight = Limits(max_weight=0.001)
    found = performance(opener(seen), DATES[-1:], seen.returns, tight)
    assert found.returns["pure"].notna().all()
    assert found.returns["investable"].isna().all()
    assert found.notes[0].startswith("investable, 2016-03-31: ")
    assert "0.1 %" in found.notes[0]


def test_no_session_after_the_first_portfolio_is_an_error(panel):
    with pytest.raises(DataError, match="no session after the first portfolio"):
        performance(opener(panel), [panel.as_of], panel.returns, LIMITS)
