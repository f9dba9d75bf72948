"""Each function over HTTP, by the single and the batch route, against the engine's own answer."""

import numpy as np
import pandas as pd
import pytest
from cell_tables import RANGE, frame, plain, same

import tilt
from tilt.backtest.parse import parse_strategy
from tilt.backtest.run import backtest
from tilt.optimize.constraints import parse_rules
from tilt.optimize.solve import Problem, solve
from tilt.portfolio.performance import statistics
from tilt.risk.measures import exposure_table, risk_measure, risk_table

RULES = [["rule", "who", "min", "max"], ["weight", "*", 0, 0.05], ["turnover", "", "", 0.9]]


def test_universes_lists_what_the_store_holds(excel, store):
    shown = frame(excel("universes"))
    assert list(shown.columns) == [
        "name", "description", "securities", "first_date", "last_date", "source",
        "survivorship", "parent",
    ]  # fmt: skip
    assert shown["name"].tolist() == store.universes()["name"].tolist()


def test_asof_is_the_last_date_with_data_as_an_excel_date(excel, panel):
    assert plain(excel("asof")[0][0]) == panel.as_of


def test_members_are_ordered_by_cap_weight_which_sums_to_one(excel, panel):
    shown = frame(excel("members"))
    weights = panel.cap_weights(panel.as_of)
    assert shown["weight"].is_monotonic_decreasing
    assert shown["weight"].sum() == pytest.approx(1.0)
    np.testing.assert_allclose(shown.set_index("ticker")["weight"], weights[shown["ticker"]])


def test_security_shows_a_row_per_ticker_and_a_column_per_field(excel, panel):
    cells = excel("security", [["AAPL"], ["XOM"]], [["sector", "close", "Size"]])
    close = panel.close.loc[panel.as_of]
    scores = panel.factors.exposures(panel.as_of)
    assert cells == [
        ["Information Technology", close["AAPL"], scores.loc["AAPL", "Size"]],
        ["Energy", close["XOM"], scores.loc["XOM", "Size"]],
    ]


def test_security_on_a_date_shows_what_was_known_then(excel, panel):
    day = panel.trading_day(pd.Timestamp("2015-06-30"))
    cells = excel("security", "AAPL", "close,market_cap", "2015-06-30")
    assert cells == [[panel.close.loc[day, "AAPL"], panel.market_cap.loc[day, "AAPL"]]]


def test_history_of_closes_is_the_panel_of_a_year(excel, panel):
    shown = frame(excel("history", "AAPL,MSFT"))
    expected = panel.close.loc[panel.as_of - pd.DateOffset(years=1) :, ["AAPL", "MSFT"]]
    assert shown["date"].tolist() == expected.index.tolist()
    np.testing.assert_allclose(shown[["AAPL", "MSFT"]], expected)


def test_monthly_returns_compound_the_daily_ones(excel, panel):
    shown = frame(excel("history", "AAPL", "return", "2016-01-04", "2016-03-31", "M"))
    daily = panel.returns.loc["2016-01-04":"2016-03-31", "AAPL"]
    monthly = (1 + daily).groupby(daily.index.to_period("M")).prod() - 1
    np.testing.assert_allclose(shown["AAPL"], monthly)
    assert [d.day for d in shown["date"]] == [29, 29, 31]


def test_adjusted_closes_change_by_total_returns_and_end_at_the_close(excel, panel):
    shown = frame(excel("history", "AAPL", "adj_close", "2014-05-01", None))["AAPL"]
    daily = panel.returns.loc["2014-05-01":, "AAPL"]
    np.testing.assert_allclose(shown.pct_change().iloc[1:], daily.iloc[1:], rtol=1e-9, atol=1e-12)
    assert shown.iloc[-1] == pytest.approx(panel.close.loc[panel.as_of, "AAPL"])


def test_factors_describes_every_factor_of_the_model(excel, panel):
    shown = frame(excel("factors"))
    assert shown["factor"].tolist() == list(panel.factors.factors.index)
    assert list(shown.columns) == [
        "factor", "group", "description", "descriptors", "sign", "source",
    ]  # fmt: skip


def test_exposure_of_a_ticker_is_its_score(excel, panel):
    scores = panel.factors.exposures(panel.as_of)
    assert excel("exposure", "AAPL", "Value") == [[scores.loc["AAPL", "Value"]]]
    assert excel("exposure", "AAPL", [["Value"], ["Size"]]) == [
        [scores.loc["AAPL", "Value"], scores.loc["AAPL", "Size"]]
    ]


def test_exposure_of_holdings_is_the_weighted_sum_of_scores(excel, panel, held):
    scores = panel.factors.exposures(panel.as_of)["Momentum"]
    expected = sum(w * scores[t] for t, w in held.items())
    assert excel("exposure", RANGE, "Momentum")[0][0] == pytest.approx(expected)


def test_exposures_compare_with_the_benchmark(excel, model, held, benchmark):
    same(excel("exposures", RANGE), exposure_table(model, held, benchmark))


def test_risk_gives_a_number_or_a_row(excel, model, held, benchmark):
    names = ["tracking_error", "beta", "var95"]
    expected = [risk_measure(model, held, benchmark, m) for m in names]
    np.testing.assert_allclose(excel("risk", RANGE, [names]), [expected], rtol=1e-9)
    np.testing.assert_allclose(excel("risk", RANGE), [[expected[0]]], rtol=1e-9)


def test_risk_without_benchmark_is_absolute(excel, model, held):
    shown = excel("risk", RANGE, "tracking_error", None, "NONE")[0][0]
    assert shown == pytest.approx(np.sqrt(252 * model.variance(held)))


@pytest.mark.parametrize("by", ["factor", "group", "sector", "position", "summary"])
def test_risk_table_adds_up_to_its_last_row(excel, model, held, benchmark, by):
    cells = excel("risk_table", RANGE, by)
    same(cells, risk_table(model, held, benchmark, by=by))
    shown = frame(cells)
    assert shown["ctr"].iloc[:-1].sum() == pytest.approx(shown["ctr"].iloc[-1])


@pytest.mark.parametrize("view", ["trades", "weights", "summary", "constraints", "explain"])
def test_optimize_shows_the_views_of_the_engines_solution(
    excel, panel, model, held, benchmark, view
):
    rules = parse_rules(RULES, securities=panel.securities, factors=model.factor_cov.index)
    solution = solve(Problem("min_te", model, panel.securities, held, benchmark, rules=rules))
    same(excel("optimize", "min_te", RANGE, RULES, None, None, None, view), solution.view(view))


def test_another_view_of_a_problem_does_not_solve_again(excel, addin):
    excel("optimize", "min_te", RANGE, [["weight", "*", 0, 0.07]])
    results = addin.state.tilt.state.results
    known = len(results)
    excel("optimize", "min_te", RANGE, [["weight", "*", 0, 0.07]], None, None, None, "summary")
    assert len(results) == known


def test_alpha_may_be_the_name_of_a_factor(excel):
    rules = [["weight", "*", 0, 0.1], ["tracking_error", "", "", 0.03]]
    calls = [
        excel("optimize", "max_return", RANGE, rules, None, alpha, None, "exposures")
        for alpha in ("Value", [["AAPL", 0.05], ["XOM", 0.01]])
    ]
    value = [frame(c).set_index("factor").loc["Value", "active"] for c in calls]
    assert value[0] > 2 * abs(value[1])


@pytest.mark.parametrize("view", ["stats", "series", "assumptions"])
def test_backtest_shows_the_views_of_the_engines_result(excel, panel, store, view):
    result = backtest(
        panel,
        parse_strategy("cap_weight", panel, saved=store.portfolio),
        start=pd.Timestamp("2016-06-30"),
        end=pd.Timestamp("2017-03-31"),
    )
    given = ("cap_weight", "2016-06-30", "2017-03-31", None, None, None, view)
    same(excel("backtest", *given), result.view(view))


def test_stats_measures_a_range_of_returns(excel):
    rng = np.random.default_rng(7)
    own, base = rng.normal(0.004, 0.04, 36), rng.normal(0.003, 0.03, 36)
    cells = excel("stats", [[r] for r in own], [[r] for r in base], "M", 0.01)
    expected = statistics(pd.Series(own), pd.Series(base), frequency="M", risk_free=0.01)
    same(cells, expected)


def test_stats_aligns_dated_returns(excel):
    dated = [["date", "fund"], [42005, 0.01], [42036, 0.02], [42064, -0.01]]
    later = [["date", "index"], [42036, 0.01], [42064, 0.0], [42095, 0.03]]
    shown = frame(excel("stats", dated, later, "M")).set_index("measure")
    assert shown.loc["total_return", "portfolio"] == pytest.approx(1.02 * 0.99 - 1)


def test_check_names_the_unknown_ticker_and_its_row(excel):
    shown = frame(excel("check", [["AAPL", 0.5], ["APPL", 0.1], ["MSFT", 0.4]]))
    assert shown[["row", "severity", "problem"]].to_numpy().tolist() == [
        [2, "warning", "Unknown ticker 'APPL'"]
    ]


def test_status_says_what_is_served_and_how_long_it_takes(excel, store):
    excel("version")
    shown = frame(excel.single("status").json()["result"]).set_index("item")["value"]
    assert shown["connected"] is True
    assert shown["version"] == tilt.__version__
    assert shown["snapshot"] == store.snapshot().id
    assert "p99" in shown["duration version"]


def test_version_is_the_packages(excel):
    assert excel("version") == [[tilt.__version__]]


def test_help_explains_one_function_or_lists_all(excel):
    one = frame(excel("help", "risk"))
    assert one["signature"].tolist() == [
        "TILT.RISK(holdings,[measure],[date],[benchmark],[universe],[options])"
    ]
    assert len(frame(excel("help"))) > 15


def test_options_sort_cut_and_head_a_table(excel):
    top = excel("members", None, None, "top=3;sort=-weight;headers=off")
    assert len(top) == 3
    assert top == excel("members", None, None, [["top", 3], ["headers", "off"]])


def test_a_total_stays_last_when_a_table_is_sorted_and_cut(excel):
    cells = excel("risk_table", RANGE, "factor", None, None, None, "sort=-ctr;top=2")
    assert [row[0] for row in cells][-1] == "Total"
    assert len(cells) == 4


def test_missing_numbers_are_na_errors_or_what_the_options_say(excel):
    start = ("2011-01-03", "2011-01-05")
    cells = excel("history", "FB", "close", *start)
    assert cells[1][1] == {"type": "Error", "errorType": "NotAvailable"}
    assert excel("history", "FB", "close", *start, None, "na=blank")[1][1] == ""
    assert excel("history", "FB", "close", *start, None, "na=zero")[1][1] == 0


def test_an_old_runtime_gets_serial_numbers_and_texts(excel):
    body = excel.body("history", "FB", "close", "2011-01-03", "2011-01-05", runtime="1.1")
    row = excel.post("/xlwings/custom-functions-call", body).json()["result"][1]
    assert row == [40546.0, "#N/A"]


def test_a_batch_of_scalars_equals_its_calls_one_by_one(excel):
    calls = [
        *[("exposure", t, f) for t in ("AAPL", "XOM", "JPM") for f in ("Value", "Size")],
        *[("risk", [[t, 1]], m) for t in ("AAPL", "XOM") for m in ("volatility", "beta")],
        *[("security", t, "close") for t in ("AAPL", "XOM")],
        ("exposure", "NOPE", "Value"),
        ("risk", [["AAPL", 1]], "volx"),
        ("security", "AAPL", "close"),
    ]
    together = excel.batch(*calls)
    for call, answer in zip(calls, together, strict=True):
        alone = excel.single(str(call[0]), *call[1:]).json()
        assert answer.get("error") == alone.get("detail")
        if "result" in alone:
            np.testing.assert_allclose(answer["result"], alone["result"], rtol=1e-12)
