"""What a job is the same as: saving something else while it runs does not begin it anew."""

from dataclasses import replace
from types import SimpleNamespace

import pandas as pd
import pytest

from tilt.api import through_time
from tilt.api.backtests import Asked, asked_id
from tilt.api.configured import Posed
from tilt.errors import UnknownNameError

EARLY, LATE = pd.Timestamp("2015-01-30"), pd.Timestamp("2015-06-30")
ASKED = Asked([["MINE"]], None, None, "M", None, [["THEIRS"]], {})


@pytest.fixture
def saved():
    return {
        "MINE": {EARLY: pd.Series({"AAPL": 1.0}), LATE: pd.Series({"KO": 1.0})},
        "THEIRS": {EARLY: pd.Series({"XOM": 1.0})},
    }


@pytest.fixture
def state(saved):
    """The state of a server with what is saved now."""

    def dates(name):
        if name not in saved:
            raise UnknownNameError(name)
        return list(saved[name])

    store = SimpleNamespace(
        is_universe=lambda _: False,
        portfolio_dates=dates,
        portfolio=lambda name, day: saved[name][day],
        edition=lambda: "",
    )
    return SimpleNamespace(store=store, program=lambda: "1", once=lambda _, compute: compute())


@pytest.fixture
def run_id(state):
    """Return a function that gives the id of a backtest over what is saved now."""
    return lambda asked: asked_id(state, SimpleNamespace(snapshot="0"), asked)


@pytest.mark.parametrize(("name", "day"), [("MINE", EARLY), ("THEIRS", EARLY)])
def test_a_problem_through_time_is_another_one_when_a_day_before_its_last_changes(
    state, saved, name, day
):
    posed = Posed("min_te", benchmark=[["THEIRS"]])
    asked = through_time.Asked([["MINE"]], posed, None, None, (EARLY, LATE))
    panel, of_last_day = SimpleNamespace(universe="ALL", snapshot="0"), SimpleNamespace(run_id="0")
    before = through_time.asked_id(state, asked, panel, of_last_day)
    saved["OTHER"] = {EARLY: pd.Series({"AAPL": 0.5})}
    assert through_time.asked_id(state, asked, panel, of_last_day) == before
    saved[name][day] = pd.Series({"AAPL": 0.9})
    assert through_time.asked_id(state, asked, panel, of_last_day) != before


def test_another_portfolio_that_is_saved_meanwhile_changes_nothing(run_id, saved):
    before = run_id(ASKED)
    saved["OTHER"] = {EARLY: pd.Series({"AAPL": 0.5})}
    assert run_id(ASKED) == before


@pytest.mark.parametrize(("name", "day"), [("MINE", EARLY), ("MINE", LATE), ("THEIRS", EARLY)])
def test_the_content_of_what_it_names_counts_on_every_date(run_id, saved, name, day):
    before = run_id(ASKED)
    saved[name][day] = pd.Series({"AAPL": 0.9})
    assert run_id(ASKED) != before


def test_a_name_of_a_strategy_needs_no_portfolio(run_id):
    momentum = replace(ASKED, strategy=[["quantile:Momentum:5:5"]])
    assert run_id(momentum) != run_id(ASKED)
