"""What a backtest is the same as: saving something else while it runs does not begin it anew."""

from dataclasses import replace
from types import SimpleNamespace

import pandas as pd
import pytest

from tilt.api.backtests import Asked, asked_id
from tilt.errors import UnknownNameError

ASKED = Asked([["MINE"]], None, None, "M", None, [["THEIRS"]], {})


@pytest.fixture
def saved():
    return {"MINE": pd.Series({"AAPL": 1.0}), "THEIRS": pd.Series({"XOM": 1.0})}


@pytest.fixture
def run_id(saved):
    """Return a function that gives the id of a backtest over what is saved now."""

    def portfolio(name):
        if name not in saved:
            raise UnknownNameError(name)
        return saved[name]

    store = SimpleNamespace(is_universe=lambda _: False, portfolio=portfolio)
    state = SimpleNamespace(store=store, program=lambda: "1")
    return lambda asked: asked_id(state, SimpleNamespace(snapshot="0"), asked)


def test_another_portfolio_that_is_saved_meanwhile_changes_nothing(run_id, saved):
    before = run_id(ASKED)
    saved["OTHER"] = pd.Series({"AAPL": 0.5})
    assert run_id(ASKED) == before


@pytest.mark.parametrize("name", ["MINE", "THEIRS"])
def test_the_content_of_what_it_names_counts(run_id, saved, name):
    before = run_id(ASKED)
    saved[name] = pd.Series({"AAPL": 0.9})
    assert run_id(ASKED) != before


def test_a_name_of_a_strategy_needs_no_portfolio(run_id):
    momentum = replace(ASKED, strategy=[["quantile:Momentum:5:5"]])
    assert run_id(momentum) != run_id(ASKED)
