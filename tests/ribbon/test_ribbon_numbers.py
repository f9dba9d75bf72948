"""What buttons write is what the engine computes, from the marked tables and settings."""

import numpy as np
import pandas as pd
import pytest

from tilt.backtest.parse import parse_strategy
from tilt.backtest.run import backtest
from tilt.calendar import EXCEL_EPOCH
from tilt.optimize.constraints import parse_rules
from tilt.optimize.solve import Problem, solve
from tilt.portfolio.performance import monthly_table
from tilt.risk.measures import exposure_table, risk_measure, risk_table
from tilt.risk.stress import replay_library

WEIGHTS = pd.Series({"AAPL": 0.4, "XOM": 0.35, "JPM": 0.2})


def same(written, expected, columns):
    for column in columns:
        left = pd.to_numeric(written[column], errors="coerce").to_numpy(dtype=float)
        np.testing.assert_allclose(left, expected[column].to_numpy(dtype=float), atol=1e-12)


def test_factor_analysis_writes_the_exposures_of_the_engine(ribbon, model, benchmark):
    written = ribbon.press("factor_analysis", ribbon.held())
    expected = exposure_table(model, WEIGHTS, benchmark)
    table = written.tables["TiltExposures"]
    assert table["factor"].tolist() == expected["factor"].tolist()
    same(table, expected, ["portfolio", "benchmark", "active"])
    styles = written.tables["TiltStyles"]
    assert styles["active"].is_monotonic_increasing
    assert len(styles) == (expected["group"] == "style").sum()


def test_risk_writes_tables_that_add_up_to_the_measure(ribbon, model, benchmark):
    written = ribbon.press("risk", ribbon.held())
    total = risk_measure(model, WEIGHTS, benchmark, "tracking_error")
    for by in ("factor", "group", "sector", "position"):
        table = written.tables[f"TiltRisk{by.capitalize()}s"]
        expected = risk_table(model, WEIGHTS, benchmark, by=by).set_index("name")
        same(table, expected.loc[table["name"]], ["ctr", "pct"])
        *parts, last = table["ctr"].tolist()
        assert sum(parts) == pytest.approx(total, rel=1e-9)
        assert last == pytest.approx(total, rel=1e-9)
    summary = written.tables["TiltRiskSummary"].set_index("measure")["value"]
    assert summary["tracking_error"] == pytest.approx(total)
    assert f"Tracking error {total:.2%} a year" in written.said


def test_risk_lists_positions_by_size_and_replays_the_windows_of_the_data(
    ribbon, panel, model, benchmark
):
    written = ribbon.press("risk", ribbon.held())
    sizes = pd.to_numeric(written.tables["TiltRiskPositions"]["ctr"]).abs().iloc[:-1]
    assert sizes.is_monotonic_decreasing
    expected, _ = replay_library(model, panel.factors, WEIGHTS, benchmark)
    windows = written.tables["TiltRiskScenarios"]
    assert windows["name"].tolist() == expected["name"].tolist()
    same(windows, expected, ["pnl", "portfolio_pnl", "benchmark_pnl"])


def test_a_benchmark_of_none_in_the_settings_makes_risk_absolute(ribbon, model):
    written = ribbon.press("risk", ribbon.held(), ribbon.settings(benchmark="NONE"))
    volatility = risk_measure(model, WEIGHTS, None, "volatility")
    assert f"Volatility {volatility:.2%} a year" in written.said


def test_tracking_error_solves_min_te_whatever_the_settings_say(
    ribbon, panel, model, benchmark, rules
):
    written = ribbon.press(
        "tracking_error", ribbon.held(), ribbon.ruled(), ribbon.settings(objective="equal_weight")
    )
    kept = parse_rules(rules, securities=panel.securities, factors=model.factor_cov.index)
    expected = solve(Problem("min_te", model, panel.securities, WEIGHTS, benchmark, rules=kept))
    table = written.tables["TiltTeWeights"].set_index("ticker")["weight"].astype(float)
    pd.testing.assert_series_equal(
        table.sort_index(),
        expected.view("weights").set_index("ticker")["weight"].sort_index(),
        check_index_type=False, atol=1e-9, check_names=False,
    )  # fmt: skip
    limits = written.tables["TiltTeLimits"]
    assert limits["rule"].tolist() == expected.view("constraints")["rule"].tolist()


def test_backtest_writes_curve_and_months_of_the_engine(ribbon, panel, holdings):
    written = ribbon.press("backtest", ribbon.held(), ribbon.settings(start="2015-01-02"))
    strategy = parse_strategy(holdings, panel, saved={}, date=panel.as_of)
    expected = backtest(panel, strategy, start=pd.Timestamp("2015-01-02"))
    series = written.tables["TiltBacktestSeries"]
    same(series, expected.view("series"), ["nav", "benchmark_nav", "drawdown", "turnover"])
    days = EXCEL_EPOCH + pd.to_timedelta(series["date"].to_numpy(), unit="D")
    assert list(days) == list(expected.view("series")["date"])
    months = monthly_table(expected.returns)
    same(written.tables["TiltBacktestMonths"], months, ["year", "total"])
    assert written.charts == [
        "TiltBacktestCurve", "TiltBacktestWhyChart", "TiltBacktestFactorChart",
        "TiltBacktestRiskChart",
    ]  # fmt: skip
    earned = {
        table: written.tables[table].set_index(name)[column].astype(float)
        for table, name, column in (
            ("TiltBacktestWhy", "group", "total"),
            ("TiltBacktestFactors", "name", "contribution"),
        )
    }
    stats = expected.stats.set_index("measure").loc["total_return"]
    for rows in earned.values():
        assert rows["Total"] == pytest.approx(stats["portfolio"] - stats["benchmark"], abs=1e-12)
        assert rows.drop(["Residual", "Total"]).sum() == pytest.approx(rows["Total"], abs=1e-10)
    risk = written.tables["TiltBacktestRisk"].set_index("period")
    assert float(risk["days"]["All"]) == len(expected.returns)
    assert list(written.tables["TiltBacktestRegimes"]["state"])[-1] == "All"


def test_backtest_of_todays_holdings_says_that_it_is_hindsight(ribbon):
    words = [
        a["values"]
        for a in ribbon.press("backtest", ribbon.held()).actions
        if a["func"] == "setValues" and len(a["values"][0]) == 1
    ]
    assert "chosen with hindsight" in words[0][3][0]


def test_backtest_runs_the_strategy_of_the_settings(ribbon, panel):
    written = ribbon.press(
        "backtest", ribbon.settings(strategy="equal_weight", start="2016-01-04"), ribbon.held()
    )
    strategy = parse_strategy("equal_weight", panel, saved={})
    expected = backtest(panel, strategy, start=pd.Timestamp("2016-01-04")).view("stats")
    same(written.tables["TiltBacktestStats"], expected, ["portfolio"])


def test_as_of_says_date_universe_and_snapshot(ribbon, own_store):
    written = ribbon.press("as_of")
    snapshot = own_store.snapshot()
    for part in (f"{snapshot.as_of:%Y-%m-%d}", snapshot.universe, snapshot.id):
        assert part in written.said
    table = written.tables["TiltUniverses"].set_index("name")
    assert table.loc[snapshot.universe, "snapshot"] == snapshot.id
    versions = written.tables["TiltSnapshots"]
    assert versions["snapshot"].tolist() == [s.id for s in own_store.snapshots(snapshot.universe)]
    current = versions.loc[versions["state"] == "current", "snapshot"]
    assert current.tolist() == [snapshot.id]


def test_quality_counts_what_it_lists(ribbon, own_store):
    written = ribbon.press("quality")
    findings = own_store.findings().iloc[::-1]
    listed = written.tables["TiltQuality"]
    assert listed["ticker"].tolist() == findings["ticker"].fillna("").tolist()
    counts = written.tables["TiltQualityCounts"]
    assert counts["count"].sum() == len(findings)
    severities = list(dict.fromkeys(counts["severity"]))
    assert severities == [s for s in ("error", "warning", "info") if s in severities]
    assert f"{len(findings)} findings" in written.said


def test_the_settings_of_the_pane_count_where_the_table_has_none(ribbon):
    from_pane = [["benchmark", "NONE"], ["objective", "min_te"]]
    body_tables = (ribbon.held(), ribbon.settings(objective="equal_weight"))
    answer = ribbon.post("risk", *body_tables, pane={"settings": from_pane, "rules": []})
    assert answer.status_code == 200
    said = next(a["args"][1] for a in answer.json()["actions"] if a["func"] == "runMacro")
    assert "Volatility" in said


def test_the_table_of_settings_goes_before_the_pane(ribbon):
    answer = ribbon.post(
        "risk", ribbon.held(), ribbon.settings(benchmark="US_LARGE_CAP"),
        pane={"settings": [["benchmark", "NONE"]], "rules": []},
    )  # fmt: skip
    said = next(a["args"][1] for a in answer.json()["actions"] if a["func"] == "runMacro")
    assert "Tracking error" in said


def test_a_renamed_sheet_of_an_old_result_stays_as_it_is(ribbon):
    old = ribbon.sheet("Kept", [["factor", "active"], ["x", 1]], tables=["TiltExposures"])
    written = ribbon.press("factor_analysis", ribbon.held(), old)
    assert written.sheets == ["Tilt Factors"]
    assert set(written.tables) == {"TiltExposures2", "TiltStyles", "TiltSectors"}
    kept = 2  # the sheets are Sheet1, Book, Kept
    assert not [a for a in written.actions if a.get("sheet_position") == kept]
