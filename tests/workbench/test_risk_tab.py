"""Risk in the add-in, worked once in the workbench in Chromium."""

import re
import shutil
from pathlib import Path

import pytest
from serving import listening, run_node

from tilt.api.app import create_app
from tilt.risk.measures import risk_measure, risk_table
from tilt.risk.stress import stress
from tilt.settings import Settings

pytestmark = pytest.mark.browser

OWN_SHEETS = {
    "factor_analysis": ["Tilt Factors"],
    "risk": ["Tilt Risk"],
    "what_if": ["Tilt Inputs", "Tilt What-if"],
}
BELOW = 6  # row of the tables on a sheet of formulas, counted from nought


@pytest.fixture(scope="module")
def seen(built, store, sample_settings, tmp_path_factory):
    """What somebody saw who worked with risk once; every test looks at its own part."""
    assert (built / "office.js").is_file()
    assert store.snapshot()
    folder = tmp_path_factory.mktemp("risk_tab") / "data"
    shutil.copytree(sample_settings.data_url, folder)
    with listening(create_app(Settings(data_url=str(folder)))) as address:
        return run_node(Path(__file__).parent / "risk_tab.mjs", address)


@pytest.fixture(scope="module")
def held(store):
    return store.portfolio("SAMPLE")


def cells(sheet):
    """Return every value of a sheet."""
    return [value for row in sheet.values() for value in row.values()]


def broken(sheet):
    return [v for v in cells(sheet) if str(v).startswith(("#VALUE", "#NAME", "#SPILL", "#GETTING"))]


def rows(sheet, left, right):
    """Return the rows of the table whose header stands in a block of columns, by its first cell."""
    table = {}
    for row in sorted(sheet, key=int):
        line = [sheet[row].get(str(c)) for c in range(left, right)]
        if int(row) >= BELOW and line[0] not in (None, ""):
            table[line[0]] = line
    return table


def number(text):
    return float(text.replace("−", "-")) / 100


def per_cents(text):
    return [number(n) for n in re.findall(r"([+−]?[\d.]+)\u202f?\s?%", text)]


def test_the_starter_opens_with_risk_and_stress(seen):
    for sheet in seen["starter"].values():
        assert broken(sheet) == []
    assert {"Total", "historical", "calm", "out in 1, 5, 20 days"} <= set(
        cells(seen["starter"]["Risk"])
    )
    assert {"Market", "Energy", "brexit", "Total"} <= set(cells(seen["starter"]["Stress"]))


@pytest.mark.parametrize("button", OWN_SHEETS)
def test_a_button_writes_its_sheets_and_one_undo_takes_all_of_them_back(seen, button):
    pressed = seen["buttons"][button]
    assert pressed["kind"] == "done", pressed
    assert pressed["added"] == OWN_SHEETS[button]
    assert pressed["undone"] == pressed["added"]


def test_the_button_and_the_tab_say_the_same_tracking_error(seen, model, held, benchmark):
    expected = risk_measure(model, held, benchmark, "tracking_error")
    (said,) = re.findall(r"Tracking error ([\d.]+)% a year", seen["buttons"]["risk"]["text"])
    assert number(said) == pytest.approx(expected, abs=5.1e-5)
    assert per_cents(seen["risk"]["tiles"])[0] == pytest.approx(expected, abs=5.1e-5)


def test_each_way_to_divide_the_risk_names_its_largest_contribution(seen, model, held, benchmark):
    for by, title in seen["risk"]["chart"].items():
        table = risk_table(model, held, benchmark, by=by.lower()).iloc[:-1]
        largest = table.loc[table["ctr"].abs().idxmax()]
        name = "Single names" if largest["name"] == "Specific" else largest["name"]
        assert name.casefold() in title.casefold()
        assert largest["ctr"] == pytest.approx(per_cents(title)[1], abs=5.1e-5)


def test_the_badge_says_the_times_and_how_sure_that_is(seen, panel):
    assert re.match(
        rf"(Calm|Turbulent) times ?{panel.universe} since \d{{4}}-", seen["risk"]["now"]
    )


def test_a_shock_that_is_no_number_is_named(seen):
    assert seen["stress"]["wrong"] == "The shock of Energy is lots: type -10 %."


def test_a_stress_by_clicking_is_the_engines(seen, model, held, benchmark):
    total = stress(model, held, benchmark, {"Market": -0.1, "Energy": -0.05}).iloc[-1]
    wanted = [total["portfolio_pnl"], total["benchmark_pnl"], total["pnl"]]
    assert per_cents(seen["stress"]["totals"]) == pytest.approx(wanted, abs=5.1e-5)
    assert seen["stress"]["brexit"] == "Brexit"


def test_the_stress_in_the_sheet_follows_its_shocks(seen, model, held, benchmark):
    for name, market in (("sheet", -0.1), ("changed", -0.2)):
        sheet = seen["stress"][name]
        assert broken(sheet) == []
        shown = rows(sheet, 3, 10)
        expected = stress(model, held, benchmark, {"Market": market, "Energy": -0.05})
        total = expected.iloc[-1]
        assert shown["Market"][1] == market
        assert shown["Total"][3] == pytest.approx(total["pnl"], rel=1e-9)


def test_every_part_of_the_tab_stands_in_a_sheet_as_formulas(seen):
    for name, sheet in seen["parts"].items():
        assert broken(sheet) == [], name
    assert {"tracking_error", "Total", "mctr_funded"} <= set(cells(seen["parts"]["risk"]))
    assert {"brexit", "growth_scare"} <= set(cells(seen["parts"]["library"]))
    assert {"parametric", "historical", "montecarlo"} <= set(cells(seen["parts"]["tail"]))
    assert "out in 1, 5, 20 days" in cells(seen["parts"]["liquidity"])
    assert {"calm", "turbulent", "all"} <= set(cells(seen["parts"]["times"]))


def test_nothing_fails_on_the_page_but_what_was_asked_wrongly(seen):
    assert seen["errors"] == []
