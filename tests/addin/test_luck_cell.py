"""What a cell shows of luck: jobs in pieces that give what one process gives."""

import pytest
from cell_tables import frame

from tilt.api.backtests import Asked, backtest_job, run_backtest
from tilt.api.luck import Luck, tables_here
from tilt.api.places import Place
from tilt.api.sweeps import Axis, spread_out, sweep_job, sweep_part
from tilt.jobs import Pieces
from tilt.jobs.pieces import finish_here

START, END = "2015-01-05", "2016-12-30"


@pytest.fixture
def ask(excel):
    def asked(view, options=None, benchmark="universe"):
        given = "quantile:Value:5:5", START, END, "M", None, benchmark, view, options
        return frame(excel.done("backtest", *given))

    return asked


def test_intervals_and_horizons_come_from_the_pool_as_from_one_process(ask, addin):
    intervals = ask("monte_carlo", "draws=600;seed=4").set_index("measure")
    horizons = ask("horizons", "draws=600;seed=4").set_index("periods").astype({"loss": float})
    state = addin.state.tilt.state
    key = Asked([["quantile:Value:5:5"]], START, END, "M", None, [["universe"]], {})
    here = tables_here(run_backtest(state, key), Luck(600, 4))
    for name in ("observed", "p05", "p95", "error"):
        assert intervals[name].astype(float).tolist() == here["monte_carlo"][name].tolist()
    assert horizons["loss"].tolist() == here["horizons"]["loss"].tolist()
    assert "600 draws of 502 sessions" in intervals["note"].iloc[0]
    stats = ask("stats").set_index("measure")["portfolio"].astype(float)
    for name in ("cagr", "sharpe", "max_drawdown", "information_ratio"):
        assert float(intervals.loc[name, "observed"]) == pytest.approx(stats[name], rel=1e-9)


def test_random_books_stand_beside_the_ranking(ask):
    table = ask("permutation", "draws=100").set_index("measure")
    assert list(table.index) == ["cagr", "sharpe", "information_ratio", "max_drawdown"]
    assert table["p_value"].astype(float).between(1 / 101, 1).all()
    assert (table["p05"].astype(float) < table["p95"].astype(float)).all()


def test_capacity_falls_as_the_book_grows_and_its_sizes_are_no_trials(ask):
    tried = ask("trials")["run"].tolist()
    table = ask("capacity").astype({"capital": float, "cagr": float, "cost_per_year": float})
    assert table["capital"].is_monotonic_increasing
    assert table["cagr"].is_monotonic_decreasing
    assert table["cost_per_year"].is_monotonic_increasing
    assert ask("trials")["run"].tolist() == tried


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("draws=50", "draws must be a whole number from 100"),
        ("seed=-1", "option seed must be a whole number from 0"),
        ("block=400", "block must be from 1 to 167 periods"),
    ],
)
def test_draws_that_cannot_be_made_are_refused(ask, excel, options, words):
    ask("stats")
    cell, text = excel.error(
        "backtest", "quantile:Value:5:5", START, END, "M", None, None, "monte_carlo", options
    )
    assert (cell, words in text) == ("#VALUE!", True), text


def test_a_walk_forward_with_shared_models_is_the_one_of_one_process(addin, monkeypatch):
    monkeypatch.setattr("tilt.api.backtests.LEAST_SHARED", 2)
    state = addin.state.tilt.state
    place = Place.of(state, state.panel(None))
    asked = Asked([["min_te"]], "2016-10-03", END, "M", [["weight", "*", 0, 0.03]], None, {})
    pieces = backtest_job(lambda *_: None, place, asked)
    assert isinstance(pieces, Pieces)
    assert len(pieces.each) == 3
    there = finish_here(pieces)
    here = run_backtest(state, asked)
    assert there.run_id == here.run_id
    assert there.ledger.nav.tolist() == here.ledger.nav.tolist()


def test_a_sweep_gives_the_same_in_whatever_number_of_pieces(addin):
    state = addin.state.tilt.state
    asked = Asked([["quantile:Value:{b}:1"]], "2016-06-01", END, "M", None, [["NONE"]], {})
    every = spread_out(asked, Axis("b", ("3", "4", "5")), None)
    place = Place.of(state, state.panel(None))
    whole = sweep_part(lambda *_: None, place, every)
    pieces = finish_here(sweep_job(lambda *_: None, place, every))
    for one, other in zip(whole, pieces, strict=True):
        assert one.run_id == other.run_id
        assert one.returns.tolist() == other.returns.tolist()
