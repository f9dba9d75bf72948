"""Risk models that somebody else estimated: the same decisions, to the last bit."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tilt.backtest.costs import Costs
from tilt.backtest.run import backtest, decision_dates
from tilt.backtest.strategy import EqualWeight
from tilt.backtest.walk_forward import Optimal
from tilt.optimize.constraints import Rule
from tilt.risk.model import estimate_model

CAP = Rule("weight", "*", None, 0.05)


@pytest.fixture(scope="module")
def asked(market):
    return {
        "start": market.dates[400],
        "end": market.dates[455],
        "rebalance": "M",
        "benchmark": "universe",
        "costs": Costs(),
        "lag": 1,
    }


def test_models_given_decide_as_models_estimated_on_the_way(market, asked):
    dates = decision_dates(market, Optimal("min_te"), **asked)
    models = {date: estimate_model(market.factors, date) for date in dates}
    shared = Optimal("min_te", model_of=models.__getitem__)  # a date too few is a KeyError
    there = backtest(market, shared, rules=(CAP,), **asked)
    here = backtest(market, Optimal("min_te"), rules=(CAP,), **asked)
    assert len(dates) == len(here.ledger.targets) >= 3
    np.testing.assert_array_equal(there.ledger.nav, here.ledger.nav)
    assert there.run_id == here.run_id


def test_the_model_of_a_date_knows_nothing_later(market, asked):
    """It is estimated over the whole history at once, and must not look past its date."""
    date = decision_dates(market, Optimal("min_te"), **asked)[1]
    later = market.factors.returns.index > date
    wild = market.factors.returns.copy()
    wild.loc[later] = 0.3
    other = replace(market.factors, returns=wild)
    known = estimate_model(market.until(date).factors, date)
    for history in (market.factors, other):
        model = estimate_model(history, date)
        pd.testing.assert_frame_equal(model.factor_cov, known.factor_cov, check_exact=True)
        pd.testing.assert_series_equal(model.specific_var, known.specific_var, check_exact=True)


def test_the_dates_of_the_decisions_are_known_beforehand(market, asked):
    seen = []

    class Watching(EqualWeight):
        def weights(self, view, current):
            seen.append(view.as_of)
            return super().weights(view, current)

    backtest(market, Watching(), **asked)
    assert list(decision_dates(market, Watching(), **asked)) == seen
    drift = {**asked, "rebalance": "drift:0.05"}
    assert list(decision_dates(market, Watching(), **drift)) == seen[:1]
