"""What cells show, and what they ask for, while data change and the server comes and goes."""

import json

import pytest

from tilt.data.store import Store
from tilt.risk.measures import risk_measure
from tilt.settings import Settings

pytestmark = pytest.mark.browser

MEASURES = ["volatility", "tracking_error", "beta", "active_share"]


@pytest.fixture(scope="module")
def seen(served, copied, panel, talk, tmp_path_factory):
    """A session in Chromium; every test looks at its own part."""
    own = Store.open(Settings(data_url=str(copied)))
    weights = own.portfolio("SAMPLE")
    held = [[ticker, weight] for ticker, weight in weights.items()]
    scored = list(panel.factors.exposures(panel.dates[-80]).index)
    file = tmp_path_factory.mktemp("session") / "given.json"
    file.write_text(json.dumps({"holdings": held, "tickers": scored}))

    def save():
        half = weights.copy()
        half.iloc[::2] = 0.0
        own.save_portfolio("SAMPLE", half / half.sum(), "test")

    steps = {"save": save, "kill": served.kill, "start": served.start}
    try:
        return talk("session.mjs", served.address, str(file), **steps)
    finally:  # other tests read the same store
        own.save_portfolio("SAMPLE", weights, "sample")
        own.close()


def test_cells_show_the_engines_numbers(seen, store, model):
    shown = [row[0] for row in seen["cached"]["first"]["values"]]
    weights, benchmark = store.portfolio("SAMPLE"), store.panel().cap_weights(model.date)
    benchmark = benchmark[benchmark.index.isin(model.assets)]
    benchmark = benchmark / benchmark.sum()
    expected = [risk_measure(model, weights, benchmark, measure) for measure in MEASURES]
    assert shown == pytest.approx(expected, rel=1e-9)


def test_a_range_that_four_cells_have_is_one_post(seen):
    assert [post["calls"] for post in seen["cached"]["first"]["posts"] if post["calls"]] == [4]


def test_recalculating_and_copying_a_formula_cost_no_request(seen):
    assert seen["cached"]["again"]["posts"] == []
    assert seen["cached"]["again"]["values"] == seen["cached"]["first"]["values"]
    assert seen["cached"]["copy"] == seen["cached"]["first"]["values"][2][0]


def test_a_portfolio_saved_anew_is_asked_for_anew(seen):
    assert seen["edition"]["posts"] >= 1
    assert seen["edition"]["after"] != seen["edition"]["before"]


def test_a_paused_sheet_asks_for_nothing_and_keeps_its_values(seen):
    assert seen["paused"]["asked"] == 0
    assert seen["paused"]["kept"] == seen["paused"]["before"]
    assert seen["paused"]["missing"]["value"] == "#N/A"
    assert seen["paused"]["missing"]["message"].startswith("Tilt is paused")


def test_a_resumed_sheet_fills_what_was_missing(seen):
    assert isinstance(seen["paused"]["after"], int | float)


def test_a_refresh_of_the_selection_asks_for_its_cells_alone(seen):
    assert seen["refreshed"] == [2]


def test_ten_thousand_cells_take_few_posts_and_a_recalculation_none(seen):
    many = seen["many"]
    assert many["numbers"] == 10_000
    assert many["calls"] <= 10_000
    assert many["posts"] <= 24
    assert many["again"] == 0


def test_a_backtest_in_a_cell_shows_its_statistics(seen):
    header, *rows = seen["backtest"]
    assert header[:2] == ["measure", "portfolio"]
    assert {"cagr", "volatility", "max_drawdown"} <= {row[0] for row in rows}


def test_values_stay_when_the_server_is_killed(seen):
    away = seen["killed"]
    first = [row[0] for row in seen["cached"]["first"]["values"]]
    assert [row[0] for row in away["kept"]] == pytest.approx(first, rel=1e-12)
    assert away["waiting"] >= 4
    assert away["live"] == seen["live"]["first"]


def test_a_new_cell_says_that_the_server_is_away(seen):
    assert seen["killed"]["fresh"]["value"] == "#N/A"
    assert seen["killed"]["fresh"]["message"].startswith("The Tilt server does not answer.")


def test_cells_recover_by_themselves_when_the_server_is_back(seen, store):
    assert seen["killed"]["back"] == pytest.approx(store.panel().close["MSFT"].iloc[-1])
    then, kept = ([row[0] for row in seen["killed"][when]] for when in ("then", "kept"))
    assert then == pytest.approx(kept, rel=1e-12), "computed anew: the last bit may differ"


def test_a_live_cell_shows_the_price_of_the_source(seen, store):
    assert seen["live"]["first"] == pytest.approx(store.panel().close["AAPL"].iloc[-1])


def test_a_live_cell_of_an_unknown_ticker_says_so(seen):
    assert seen["live"]["unknown"]["value"] == "#N/A"
    assert seen["live"]["unknown"]["message"].startswith("Unknown ticker 'APPL'. Did you mean")
