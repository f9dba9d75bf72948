"""Cells about windows of the past, regimes and three tails, and portfolios that are none."""

import numpy as np
import pandas as pd
import pytest
from cell_tables import RANGE, frame, plain, same

from tilt.factors.descriptors import market_return
from tilt.risk.regimes import markov_regimes, risk_by_regime
from tilt.risk.stress import replay_library
from tilt.risk.tail import replayed_returns

ONE, SHORT = [["AAPL", 1.0]], [["AAPL", 1.2], ["XOM", -0.2]]
STRANGER = [["AAPL", 0.5], ["XOM", 0.4], ["QQQQ", 0.1]]
VALUE, MISSING, ZERO = "#VALUE!", "#N/A", "#DIV/0!"
DAYS = 252


@pytest.fixture(scope="module")
def dense(model):
    """V of all names, a full matrix."""
    return model.covariance(model.assets).to_numpy()


def over(model, weights):
    return weights.reindex(model.assets, fill_value=0.0).to_numpy()


def test_contributions_of_positions_are_those_of_the_full_matrix(
    excel, model, held, benchmark, dense
):
    shown = (
        frame(excel("risk_table", RANGE, "position"))
        .set_index("name")
        .astype(float, errors="ignore")
    )
    b = over(model, benchmark)
    a = over(model, held) - b
    risk = np.sqrt(DAYS * a @ dense @ a)
    marginal = pd.Series(DAYS * dense @ a / risk, model.assets)
    names = shown.index.drop("Total")
    np.testing.assert_allclose(shown.loc[names, "mctr"].astype(float), marginal[names], atol=1e-12)
    funded = marginal - b @ marginal.to_numpy()
    np.testing.assert_allclose(
        shown.loc[names, "mctr_funded"].astype(float), funded[names], atol=1e-12
    )
    for column in ("ctr", "x_sigma_rho"):
        parts = shown.loc[names, column].astype(float)
        np.testing.assert_allclose(
            parts, a[model.assets.get_indexer(names)] * marginal[names], atol=1e-12
        )
        assert parts.sum() == pytest.approx(risk, rel=1e-9)
    assert shown.loc["Total", "ctr"] == pytest.approx(risk, rel=1e-9)


def test_a_row_of_measures_is_that_of_the_full_matrix(excel, model, held, benchmark, dense):
    wanted = "volatility,tracking_error,beta,active_share,effective_n"
    (row,) = excel("risk", RANGE, wanted)
    w, b = over(model, held), over(model, benchmark)
    expected = [
        np.sqrt(DAYS * w @ dense @ w),
        np.sqrt(DAYS * (w - b) @ dense @ (w - b)),
        w @ dense @ b / (b @ dense @ b),
        np.abs(w - b).sum() / 2,
        1 / (w @ w),
    ]
    assert [plain(v) for v in row] == pytest.approx(expected, rel=1e-9)


def test_the_numbers_of_a_batch_are_those_of_single_calls(excel):
    books = [[["AAPL", k / 10], ["XOM", 1 - k / 10]] for k in range(1, 10)]
    calls = [("risk", book, m) for book in books for m in ("volatility", "beta", "active_share")]
    together = excel.batch(*calls)
    for call, answer in zip(calls, together, strict=True):
        alone = excel.single(*call).json()["result"][0][0]
        assert answer["result"][0][0] == pytest.approx(alone, rel=1e-12)


def test_scenarios_replays_the_library_and_names_what_is_not_in_the_data(
    excel, panel, model, held, benchmark
):
    cells = excel("scenarios", RANGE)
    expected, absent = replay_library(model, panel.factors, held, benchmark)
    same(cells, expected)
    note = frame(cells)["note"].iloc[0]
    assert note.startswith("Not in the data (")
    assert absent[0] in note
    total = frame(excel("stress", RANGE, "brexit"))["pnl"].iloc[-1]
    shown = frame(cells).set_index("name")
    assert shown.loc["brexit", "pnl"] == pytest.approx(total)


def test_stress_replays_a_window_of_two_dates(excel):
    named = frame(excel("stress", RANGE, "brexit"))
    dated = frame(excel("stress", RANGE, "2016-06-23 to 2016-06-27"))
    assert dated["pnl"].tolist() == named["pnl"].tolist()


def test_a_sector_is_shocked_by_its_name(excel, model, held, benchmark):
    shown = frame(excel("stress", RANGE, [["energy", -0.1]], None, None, "others=zero"))
    active = over(model, held) - over(model, benchmark)
    expected = -0.1 * active @ model.exposures["Energy"].to_numpy()
    assert shown["pnl"].iloc[-1] == pytest.approx(expected)


def test_three_tails_stand_side_by_side_and_say_what_was_scaled(excel):
    shown = frame(excel("var", RANGE, 0.99, 10, None, None, "view=compare")).set_index("method")
    for method in ("parametric", "historical", "montecarlo"):
        for measure in ("var", "cvar"):
            cell = excel("var", RANGE, 0.99, 10, method, None, f"measure={measure}")[0][0]
            assert shown.loc[method, measure] == pytest.approx(plain(cell))
    assert "square root of time" in shown.loc["parametric", "note"]
    assert "overlapping windows" in shown.loc["historical", "note"]
    assert "square root" not in shown.loc["historical", "note"] + shown.loc["montecarlo", "note"]


def test_a_tail_that_history_is_too_short_for_says_so_beside_the_others(excel):
    told = "view=compare;lookback=10"
    shown = frame(excel("var", RANGE, 0.99, 1, None, None, told)).set_index("method")
    assert np.isnan(shown.loc["historical", "var"])
    assert "are needed" in shown.loc["historical", "note"]
    assert shown.loc["parametric", "var"] > 0


def test_risk_by_regime_replays_holdings_through_the_states_of_the_market(
    excel, panel, model, held, benchmark
):
    cells = excel("regime_risk", RANGE, None, None, "lookback=500")
    states = markov_regimes(market_return(panel).loc[: panel.as_of]).state
    past = panel.returns.tail(500)
    own, its = (replayed_returns(model, past, panel.factors.returns, w) for w in (held, benchmark))
    same(cells, risk_by_regime(own, its, states))
    assert (
        f"The market of {panel.universe} is {states.iloc[-1]} since" in frame(cells)["note"].iloc[0]
    )


def test_one_position_has_every_figure(excel, model):
    volatility = np.sqrt(DAYS * model.covariance(["AAPL"]).iloc[0, 0])
    (row,) = excel("risk", ONE, "volatility,effective_n,names", None, "NONE")
    assert row == pytest.approx([volatility, 1, 1])
    total = frame(excel("risk_table", ONE, "position", None, "NONE")).iloc[-1]
    assert total["ctr"] == pytest.approx(volatility)


def test_all_cash_has_no_risk_and_ratios_say_so(excel):
    (row,) = excel("risk", "CASH", "volatility,r_squared,beta")
    assert plain(row[0]) == 0
    assert np.isnan(plain(row[1]))
    assert plain(row[2]) == 0
    assert plain(excel("var", "CASH")[0][0]) == 0
    total = frame(excel("stress", "CASH", [["Market", -0.1]])).iloc[-1]
    assert total["portfolio_pnl"] == 0
    assert total["pnl"] == pytest.approx(-total["benchmark_pnl"])


def test_a_benchmark_of_cash_is_no_benchmark(excel):
    (row,) = excel("risk", RANGE, "volatility,tracking_error", None, "CASH")
    assert row[0] == pytest.approx(row[1])


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (("risk_table", STRANGER, "summary"), "Unknown ticker 'QQQQ'. Left out; its 10 % counts"),
        (("stress", STRANGER, [["Market", -0.1]]), "QQQQ"),
        (("var", STRANGER, 0.95, 1, None, None, "view=compare"), "QQQQ"),
        (("risk_table", SHORT, "summary"), "XOM is held short, 0.2 of the capital in all."),
        (("whatif", SHORT, [["MSFT", 0.01]]), "XOM is held short"),
    ],
)
def test_what_does_not_fit_is_noted_by_name(excel, call, words):
    assert words in " ".join(str(n) for n in frame(excel(*call))["note"])


@pytest.mark.parametrize(
    ("call", "cell", "words"),
    [
        (("risk", [["AAPL", 0.5], ["QQQQ", 0.5]]), MISSING, "Unknown ticker 'QQQQ'"),
        (("risk", RANGE, "volatility", "1999-01-04"), MISSING, "is before the first date"),
        (("risk", RANGE, "volatility", "2011-02-01"), MISSING, "2011-02-01"),
        (("risk", RANGE, "beta", None, "CASH"), ZERO, "the benchmark has no risk"),
        (("risk", "CASH", "effective_n"), ZERO, "the portfolio holds nothing"),
        (("risk_table", "CASH", "factor", None, "NONE"), ZERO, "has no risk"),
        (("risk", RANGE, "volatilty"), VALUE, "Did you mean 'volatility'?"),
        (("var", RANGE, 0.95, 1, None, None, "view=comparison"), VALUE, "compare"),
        (("stress", RANGE, "2016-06-27 to 2016-06-23"), VALUE, "is not before"),
        (("stress", RANGE, "2016-13-01 to 2016-12-30"), VALUE, "is no date"),
        (("stress", RANGE, [["Markt", -0.1]]), MISSING, "Did you mean 'Market'?"),
        (("regime_risk", RANGE, None, None, "states=4"), VALUE, "2 or 3"),
        (("regime_risk", RANGE, None, None, "lookback=0"), VALUE, "lookback"),
        (("scenarios", [["APPL", 1.0]]), MISSING, "Did you mean 'AAPL'?"),
    ],
)
def test_what_cannot_be_computed_is_refused_in_words(excel, call, cell, words):
    shown, message = excel.error(*call)
    assert shown == cell
    assert words in message
