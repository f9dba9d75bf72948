"""The pane worked by keyboard alone in real Chromium, judged by the engine's numbers."""

import re

import pytest

from tilt.optimize.constraints import parse_rules
from tilt.optimize.solve import Problem, solve
from tilt.risk.measures import risk_measure, risk_table

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def held(model, store):
    weights = store.portfolio("SAMPLE")
    assert set(weights.index) <= set(model.assets)
    return weights


def percent(text: str) -> float:
    """Return the first per cent of a text as a fraction."""
    found = re.search(r"([−+]?[\d.,]+)\s*%", text)
    assert found, text
    return float(found[1].replace("−", "-").replace(",", "")) / 100


def table(cells):
    return [dict(zip(cells[0], row, strict=True)) for row in cells[1:]]


# --- data -----------------------------------------------------------------------------------------


def test_the_data_tab_says_what_the_numbers_come_from(session, panel):
    status = session["data"]["status"]
    assert f"Universe {panel.universe}" in status
    assert f"{len(panel.assets)} securities" in status
    assert f"{len(panel.dates):,} days" in status
    assert "Source sample" in status


def test_findings_are_filtered_by_severity(session, store):
    findings = store.findings()
    errors = (findings["severity"] == "error").sum()
    assert f"of {len(findings)} shown" in session["data"]["all"]
    assert f"of {errors} shown" in session["data"]["errors"]
    assert set(session["data"]["tags"]) == {"error"}


def test_a_refresh_shows_its_progress_and_is_canceled(session):
    assert re.search(r"\d+ %, \d+ s Cancel$", session["data"]["job"])
    assert session["data"]["canceled"] == "Canceled. The data is as it was."
    assert session["data"]["focus"] == "refresh"  # the button that had it goes, so it returns


# --- first run ------------------------------------------------------------------------------------


def test_the_first_run_says_what_it_is_for_and_offers_the_sample(session):
    assert "Put the sample portfolio in the sheet" in session["first"]["welcome"]
    assert session["first"]["hidden"]


def test_the_sample_is_put_in_the_sheet_in_one_undo_step(session, held):
    rows = table(session["first"]["holdings"])
    weights = {row["ticker"]: row["weight"] for row in rows}
    cash = weights.pop("CASH")
    assert weights == pytest.approx(held.to_dict())
    assert cash == pytest.approx(1 - held.sum())
    assert session["first"]["steps"] == 1


# --- risk -----------------------------------------------------------------------------------------


def test_the_totals_are_the_engines(session, model, held, benchmark):
    tiles = session["risk"]["tiles"]
    te = risk_measure(model, held, benchmark, "tracking_error")
    volatility = risk_measure(model, held, benchmark, "volatility")
    assert percent(tiles.split("Tracking error")[1]) == pytest.approx(te, abs=5.1e-5)
    assert percent(tiles.split("Volatility")[1]) == pytest.approx(volatility, abs=5.1e-5)


def test_factor_and_single_names_share_the_variance(session):
    shares = [int(n) for n in re.findall(r"(\d+) % \(", session["risk"]["parts"])]
    assert len(shares) == 2
    assert sum(shares) == 100


def test_the_chart_has_its_numbers_as_a_table_too(session, model, held, benchmark):
    shown = {name: percent(value) for name, *_, value in session["risk"]["rows"]}
    rows = risk_table(model, held, benchmark, by="sector").set_index("name")["ctr"]
    assert shown == pytest.approx(rows.to_dict(), abs=5.1e-5)
    assert session["risk"]["chart"].startswith("Contributions to the tracking error of")


# --- optimize -------------------------------------------------------------------------------------


def test_the_live_check_says_which_rules_the_portfolio_breaks(session, panel, held, benchmark):
    sector = panel.securities["sector"]
    active = held.groupby(sector.reindex(held.index)).sum().sub(
        benchmark.groupby(sector.reindex(benchmark.index)).sum(), fill_value=0.0
    )  # fmt: skip
    (name,) = active.index[active.abs() > 0.03]
    over = active[name] - 0.03
    assert session["optimize"]["check"] == "The portfolio in the sheet breaks 1 of 3 rules."
    assert name in session["optimize"]["at"]
    assert percent(session["optimize"]["at"].split(":")[1]) == pytest.approx(over, abs=5.1e-5)


def test_an_edit_in_the_sheet_is_checked_by_itself(session):
    assert session["optimize"]["edited"] == "✗ 6.00 %: 1.00 % too much"


def test_a_bound_that_is_no_number_is_said_at_its_rule(session):
    assert session["optimize"]["wrong"] == "✗ max is the text 'much'. Type it as a number."


def test_a_changed_bound_is_checked_and_written_to_the_sheet(session, held):
    tight = session["optimize"]["tight"]
    assert percent(tight["verdict"].split(":")[1]) == pytest.approx(held.max() - 0.004, abs=5.1e-5)
    assert table(tight["sheet"])[0]["max"] == pytest.approx(0.004)
    assert [row["rule"] for row in table(tight["sheet"])] == ["weight", "sector", "turnover"]


def test_rules_that_cannot_hold_are_explained_with_repairs(session):
    conflict = session["optimize"]["conflict"]
    assert conflict["title"] == "No weights keep all rules"
    assert conflict["focus"] == "solution-title"
    assert conflict["words"].startswith(
        "No solution: 'each weight at most 0.4 %' and 'turnover at most 20 %' conflict."
    )
    assert conflict["marked"] == [
        ["answer-0", "In conflict: max (each weight at most 0.4 %)."],
        ["answer-2", "In conflict: max (turnover at most 20 %)."],
    ]
    assert len(conflict["repairs"]) == 2
    assert "each weight to " in conflict["repairs"][0]


def test_an_applied_repair_changes_the_rule_in_pane_and_sheet_and_solves(session):
    repaired = percent(session["optimize"]["conflict"]["repairs"][0])
    solved = session["optimize"]["solved"]
    assert percent(solved["max"]) == pytest.approx(repaired)
    assert table(solved["sheet"])[0]["max"] == pytest.approx(repaired)
    assert solved["binding"].startswith("Binds at 2.11 %; 0.5 % looser gains ")
    assert solved["priced"] == "priced"
    assert solved["trades"] > 0


def test_caps_that_do_not_add_up_are_repaired_by_cash_and_the_rules_stay(session, model):
    repaired = session["optimize"]["underinvested"]
    most = 0.001 * len(model.assets)
    assert percent(repaired["cash"]) == pytest.approx(1 - most, abs=2e-4)
    assert percent(repaired["kept"]) == 0.001
    assert f"→ {len(model.assets)}" in repaired["names"], "every name is needed at its cap"


def test_the_solution_is_the_engines(session, panel, model, held, benchmark):
    cells = session["optimize"]["solved"]["sheet"]
    rules = parse_rules(
        [[None if cell == "" else cell for cell in row] for row in cells],
        securities=panel.securities,
        factors=model.factor_cov.index,
    )
    best = solve(Problem("min_te", model, panel.securities, held, benchmark, rules=rules))
    before, after = session["optimize"]["solved"]["tiles"].split("Volatility")[0].split("→")
    assert percent(after) == pytest.approx(best.objective, abs=5.1e-5)
    assert percent(before) > percent(after)


def test_an_answer_to_another_problem_is_marked_as_such(session):
    assert session["optimize"]["stale"] == "Something has changed since: solve again."


def test_the_weights_are_written_to_their_own_sheet_in_one_undo_step(session):
    written = session["optimize"]["written"]
    assert written["words"] == (
        "Wrote summary, trades, weights and limits to the sheet Tilt Optimize."
    )
    assert written["steps"] == 1
    own = next(s for s in written["sheets"] if s["name"] == "Tilt Optimize")
    assert set(own["tables"]) == {"TiltSummary", "TiltTrades", "TiltWeights", "TiltLimits"}
    weights = [row["weight"] for row in table(written["weights"])]
    assert sum(weights) == pytest.approx(0.98, abs=1e-6)
    assert max(weights) <= percent(session["optimize"]["solved"]["max"]) + 1e-6


def test_a_name_excluded_from_the_trades_is_solved_without_and_compared(session):
    seen = session["optimize"]["excluded"]
    assert seen["listed"].startswith(f"{seen['ticker']} is not to be held")
    sold = {ticker: percent(best) for ticker, best in seen["weights"]}
    assert sold[seen["ticker"]] == 0
    assert "without pins" in seen["tiles"]
    assert not seen["released"]


def test_rules_saved_under_a_name_come_back(session):
    assert session["optimize"]["sets"] == {"before": "20 %", "note": "Loaded Mandate."}


# --- portfolio ------------------------------------------------------------------------------------


def test_messy_holdings_are_matched_and_the_rest_listed(session):
    seen = session["portfolio"]
    assert seen["title"] == "4 holdings matched, 1 to mend"
    assert "Row 5 Unknown ticker 'MSTF'" in seen["fixes"]
    assert "JPM JPMorgan Chase & Co. 10.00 %" in seen["table"]
    assert "XOM Exxon Mobil Corp. 10.00 %" in seen["table"]  # twice 5 %
    assert "Cash 10.00 %" in seen["table"]


def test_a_fix_is_applied_with_one_press(session):
    mended = session["portfolio"]["mended"]
    assert "MSFT Microsoft Corp. 45.00 %" in mended["table"]
    assert "MSTF" not in mended["pasted"]


def test_a_saved_portfolio_works_in_a_cell_by_its_name(session, model, pane_store):
    saved = pane_store.portfolio("Mine & yours")
    assert saved.to_dict() == pytest.approx({"AAPL": 0.3, "MSFT": 0.45, "JPM": 0.1, "XOM": 0.1})
    expected = risk_measure(model, saved, None, "volatility")
    assert session["portfolio"]["cell"]["value"] == pytest.approx(expected, rel=1e-9)
    assert '=TILT.RISK("Mine & yours")' in session["portfolio"]["note"]


def test_holdings_are_put_in_the_sheet_with_their_cash(session):
    rows = {row["ticker"]: row["weight"] for row in table(session["portfolio"]["put"])}
    assert rows == pytest.approx({"AAPL": 0.3, "MSFT": 0.45, "JPM": 0.1, "XOM": 0.1, "CASH": 0.05})


def test_an_excel_file_of_a_custodian_is_read(session):
    seen = session["portfolio"]["file"]
    assert seen["title"] == "2 holdings matched, nothing to mend"
    assert "AAPL Apple Inc. 60.00 %" in seen["table"]
    assert "Cash 10.00 %" in seen["table"]


# --- documentation, settings, errors --------------------------------------------------------------


def test_functions_are_found_by_words_and_lead_to_their_page(session):
    assert re.match(r"[1-9]\d* of \d+ functions", session["documentation"]["found"])
    assert "/help/" in session["documentation"]["link"]


def test_guides_are_searched_too_and_open_at_the_heading(session):
    guides = session["documentation"]["guides"]
    assert ["When something goes wrong", "/help/pane#when-something-goes-wrong"] in guides


def test_recalculating_asks_for_the_cells_of_its_scope_alone(session):
    seen = session["calculation"]
    assert seen["quiet"] is None, "nothing waits, so nothing is said"
    assert seen["selection"] == 1
    assert seen["sheet"] == 3


def test_a_paused_add_in_says_so_and_how_many_cells_wait(session):
    seen = session["calculation"]
    assert seen["paused"] == "Paused. Cells keep their last values."
    assert seen["waiting"] == "Paused. Cells keep their last values. 1 cell waits for a new one."
    assert seen["button"] == "Resume"
    assert seen["asked"] == 0
    assert seen["disabled"] is True
    assert seen["scan"] == []


def test_a_resumed_add_in_asks_for_what_was_missing(session, model):
    assert session["calculation"]["value"] == pytest.approx(model.exposures.at["MSFT", "Size"])


def test_settings_stay_with_the_workbook_when_the_pane_is_opened_anew(session):
    assert session["settings"] == {"benchmark": "NONE", "size": False, "value": True}


def test_the_kept_benchmark_is_used(session):
    assert session["errors"]["tiles"].startswith("Volatility")
    assert "Tracking error" not in session["errors"]["tiles"]


def test_a_failing_server_is_said_with_what_happened_and_its_id(session):
    failed = session["errors"]["failed"]
    assert failed.startswith("The risk could not be shown.")
    assert "Id 0123456789abcdef" in failed
    assert session["errors"]["copied"] == "Copied"


def test_a_server_that_is_away_is_said_with_what_to_do(session):
    away = session["errors"]["away"]
    assert "The Tilt server does not answer. Check that it runs" in away["words"]
    assert re.search(r"Id [0-9a-f]{16}", away["words"])
    assert away["state"] == "Server away"
    assert session["errors"]["again"] is None  # once it is back, the error goes


def test_the_pane_complains_only_of_what_the_server_refused(session):
    assert all("status of 400" in line for line in session["complaints"])


def test_every_request_of_the_pane_names_its_client(session):
    asked = [r for r in session["requests"] if r["path"].startswith("/api/v1/")]
    assert len(asked) > 20
    assert {r["client"] for r in asked} == {"excel"}
