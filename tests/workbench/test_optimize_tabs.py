"""Optimization in the add-in, worked once in the workbench in Chromium, by clicking."""

import re
import shutil
from pathlib import Path

import pytest
from serving import listening, run_node

from tilt.api.app import create_app
from tilt.settings import Settings

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def seen(built, store, sample_settings, tmp_path_factory):
    """What somebody saw who optimized once; every test looks at its own part."""
    assert (built / "office.js").is_file()
    assert store.snapshot()
    folder = tmp_path_factory.mktemp("optimize_tabs") / "data"
    shutil.copytree(sample_settings.data_url, folder)
    with listening(create_app(Settings(data_url=str(folder)))) as address:
        return run_node(Path(__file__).parent / "optimize_tabs.mjs", address)


def cells(sheet):
    """Return every value of a sheet."""
    return [value for row in sheet.values() for value in row.values()]


def below(sheet, header):
    """Return the numbers below a header, which may stand anywhere."""
    row, column = next(
        (int(i), j) for i, line in sheet.items() for j, value in line.items() if value == header
    )
    under = [sheet[i].get(column) for i in sorted(sheet, key=int) if int(i) > row]
    return [value for value in under if isinstance(value, int | float)]


def percents(text):
    """Return the percentages of a text as fractions."""
    return [float(n.replace("−", "-")) / 100 for n in re.findall(r"(−?[\d.]+)\s%", text)]


def broken(sheet):
    return [v for v in cells(sheet) if str(v).startswith("#")]


def test_the_starter_solves_a_problem_explains_an_impossible_one_and_draws_a_frontier(seen):
    starter = seen["starter"]
    assert {name: broken(sheet) for name, sheet in starter.items() if broken(sheet)} == {}
    assert {"trade", "shadow_price", "explanation"} <= set(cells(starter["Optimize"]))
    told = [str(value) for value in cells(starter["Infeasible"])]
    assert any(line.startswith("No solution: 'each weight at most 2 %'") for line in told)
    assert any(line.startswith("To repair it alone, raise the max of turnover") for line in told)
    risk, gained = below(starter["Frontier"], "risk"), below(starter["Frontier"], "return")
    assert len(risk) >= 15
    assert risk == sorted(risk)
    assert gained == sorted(gained)


def test_an_impossible_problem_is_explained_and_its_rules_are_marked(seen):
    repaired = seen["repaired"]
    assert repaired["title"] == "No weights keep all rules"
    assert repaired["words"].startswith("No solution: 'each weight at most 2 %' and 'turnover")
    assert repaired["marked"] == ["weight", "turnover"]
    assert len(repaired["offered"]) >= 2


def test_an_accepted_repair_changes_the_rule_in_pane_and_sheet_and_solves(seen):
    repaired = seen["repaired"]
    (to,) = percents(repaired["offered"][0])
    assert percents(repaired["max"]) == [pytest.approx(to)]
    assert repaired["price"].startswith("Binds at ")
    assert repaired["rules"]["6"]["3"] == pytest.approx(to)  # the first rule's max
    *_, turnover = percents(re.search(r"Turnover.*?%", repaired["tiles"])[0])
    assert turnover == pytest.approx(0.02, abs=6e-4)


def test_the_answer_is_written_to_its_own_sheet(seen):
    written = seen["written"]
    assert written["words"] == (
        "Wrote summary, trades, weights and limits to the sheet Tilt Optimize."
    )
    weights = below(written["sheet"], "weight")
    (to,) = percents(seen["repaired"]["offered"][0])
    assert sum(weights) == pytest.approx(0.98, abs=1e-6)
    assert max(weights) <= to + 1e-6


def test_the_frontier_stands_beside_portfolio_and_benchmark_and_is_read_out_by_key(seen):
    frontier = seen["frontier"]
    assert frontier["marks"] == ["Portfolio", "Benchmark"]
    first, last = percents(frontier["first"]), percents(frontier["last"])
    assert last[0] > first[0]  # more risk
    assert last[1] > first[1]  # for more return
    assert frontier["last"].startswith("Point 20 of 20: ")
    assert "Weights of point 20" in frontier["weights"]


def test_the_frontier_is_written_as_formulas_that_give_the_same(seen):
    frontier = seen["frontier"]
    assert frontier["written"] == "Written to the sheet Tilt Frontier."
    assert broken(frontier["sheet"]) == []
    risk = below(frontier["sheet"], "risk")
    assert len(risk) == 20
    assert risk[-1] == pytest.approx(percents(frontier["last"])[0], abs=5.1e-5)


def test_a_point_of_the_turnover_curve_is_what_the_next_solve_reaches(seen):
    tracking = seen["tracking"]
    turnover, error = percents(tracking["readout"])
    assert percents(tracking["wanted"])[0] == pytest.approx(turnover, abs=1e-3)
    before, after = percents(tracking["total"])
    assert percents(tracking["now"])[0] == pytest.approx(before, abs=1e-4)
    assert after == pytest.approx(error, abs=2e-4)
    assert after < before


def test_nothing_fails_on_the_page(seen):
    assert seen["errors"] == []


def test_the_run_below_the_answer_tells_what_is_behind_it_and_is_the_same_again(seen):
    told = seen["traced"]
    assert {"snapshot", "objective", "turnover", "numpy"} <= set(told["table"].split())
    assert re.fullmatch(r"Computed again: all [\d,]+ numbers are equal\.", told["verdict"])
