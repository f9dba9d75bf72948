"""The tabs Factors and Pure factor, worked once by keyboard against a real server."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from serving import run_node

pytestmark = pytest.mark.browser

FACTOR = "Momentum"
OWN = "rank(roe) - rank(leverage)"


@pytest.fixture(scope="module")
def worked(pane_address):
    """What somebody saw who worked both tabs by keyboard."""
    return run_node(Path(__file__).parent / "factors_tab.mjs", pane_address)


@pytest.fixture(scope="module")
def year(panel):
    """The factor's daily returns of the last year, as the pane's period says."""
    first = panel.dates[panel.dates <= panel.as_of - pd.DateOffset(years=1)][-1]
    return panel.factors.returns.loc[first:, FACTOR]


def number(text: str) -> float:
    return float(text.replace("−", "-").replace(",", "").rstrip("%\u202f"))


def test_how_far_it_is_is_shown_with_a_way_out(worked):
    assert re.fullmatch(r"[A-Z].+ [1-8] of 8 Cancel", worked["factors"]["busy"])


def test_factors_are_listed_by_group_with_what_they_mean(worked, panel):
    assert worked["factors"]["groups"] == ["Style", "Market", "Sector"]
    about = panel.factors.factors.loc[FACTOR, "description"]
    assert worked["factors"]["about"].startswith(about)
    listed = {row[0]: row[1] for row in worked["listed"]}
    assert listed == panel.factors.factors["group"].to_dict()


def test_the_line_ends_at_the_compounded_return(worked, year):
    title = worked["factors"]["titles"]["returns"]
    shown = re.search(r"compounded: \+?([−\d.]+)", title)[1]
    assert number(shown) == pytest.approx(100 * ((1 + year).prod() - 1), abs=0.005)


def test_statistics_are_of_the_chosen_period(worked, year):
    words = worked["factors"]["statistics"]
    volatility = number(re.search(r"Volatility ([\d.]+)", words)[1])
    assert volatility == pytest.approx(100 * np.sqrt(252) * year.std(), abs=0.005)


def test_every_chart_says_its_main_numbers_in_words(worked):
    for title in worked["factors"]["titles"].values():
        assert FACTOR in title
        assert re.search(r"\d", title)


def test_the_spread_is_the_highest_less_the_lowest(worked):
    rows = dict(worked["factors"]["quantiles"])
    spread = number(rows["5, highest"]) - number(rows["1, lowest"])
    assert number(rows["Highest – lowest"]) == pytest.approx(spread, abs=0.011)


def test_the_shape_has_a_percentile_and_three_years_for_each_measure(worked):
    shape = {row[0]: row[1:] for row in worked["factors"]["shape"]}
    assert {"height", "vigor", "stamina", "eyesight"} <= set(shape)
    percentiles = [number(row[2]) for row in shape.values() if row[2] != "–"]
    assert len(percentiles) > len(shape) / 2
    assert all(0 <= p <= 100 for p in percentiles)


def test_formulas_in_the_sheet_show_what_the_pane_shows(worked, year):
    sheet = worked["sheet"]
    assert sheet["words"] == "Written to the sheet Tilt Factor Research."
    assert sheet["factor"] == FACTOR
    rows = sheet["returns"][2:]
    assert [value for _, value in rows] == pytest.approx(year.tolist())
    formulas = [cell[3] for cell in sheet["cells"] if cell[3]]
    assert len(formulas) == 8
    assert sum("$B$3" in f for f in formulas) == 7  # the matrix is of all factors
    broken = [cell for cell in sheet["cells"] if str(cell[2]).startswith(("#VALUE", "#NAME"))]
    assert broken == []


def test_an_expression_is_judged_as_a_factor_of_the_model_is(worked):
    assert worked["own"]["chosen"] == OWN
    assert "Mean IC" in worked["own"]["ic"]


def test_the_shape_of_an_expression_is_the_engines(worked, api, records):
    def asked(view):
        return records(api.ok("POST", f"factor-research/{view}", {"factor": OWN})["table"])

    assert OWN in worked["own"]["shapeTitle"]
    shown = {row[0]: row[1:] for row in worked["own"]["shape"]}
    shape = {row["measure"].replace("_", " "): row for row in asked("shape")}
    assert shown.keys() == shape.keys()
    assert {"height", "balance", "eyesight"} <= shown.keys()
    for measure, (value, three_years, percentile, rank) in shown.items():
        row = shape[measure]
        assert_shown(value, row["value"])
        assert_shown(three_years, row["three_year"])
        assert_shown(percentile, row["percentile"], scale=100)
        assert_shown(rank, row["rank"])
    year = pd.Series([row[OWN] for row in asked("returns")][-252:], dtype=float)
    assert_shown(shown["height"][0], np.sqrt(252) * year.std())


def assert_shown(text: str, value: float | None, scale: float = 1) -> None:
    """A cell shows a value, rounded to the digits that it shows; a dash where there is none."""
    assert (text == "–") == (value is None)
    if value is not None:
        digits = len(text.rstrip("%\u202f").partition(".")[2])
        assert number(text) == pytest.approx(scale * value, abs=0.501 * 10.0**-digits)


def test_a_misspelt_name_in_an_expression_is_said_once_with_the_nearest(worked):
    wrong = worked["own"]["wrong"]
    assert wrong.startswith("rank(roee) could not be shown.")
    assert "Did you mean 'roe'?" in wrong


def test_a_limit_that_is_no_number_is_named(worked):
    assert worked["pure"]["wrong"] == "At most of a name is 'much', which is no number."


def test_four_portfolios_stand_side_by_side(worked):
    assert worked["pure"]["focus"] == "pure-title"
    rows = {row[0]: row[1:] for row in worked["pure"]["compare"]}
    pure, simple, least, investable = map(number, rows["Exposure"])
    assert (pure, simple, least) == (1, 1, 1)
    assert 0 < investable < 1
    assert number(rows["Largest other style"][0]) == 0
    assert number(rows["Volatility, a year"][2]) <= number(rows["Volatility, a year"][0])


def test_the_four_portfolios_through_time_are_a_chart_and_a_table(worked):
    time = worked["pure"]["time"]
    assert time["focus"] == "pure-time-title"
    rows = {row[0]: row[1:] for row in time["rows"]}
    assert number(rows["Months"][0]) == 12
    last = dict(zip(("pure", "simple", "least", "investable"), time["chart"][0][1:], strict=True))
    # the months added up are twelve times their mean, which is a year's
    assert number(last["pure"]) == pytest.approx(number(rows["Mean, a year"][0]), abs=0.55)
    assert number(rows["Turnover, a year"][0]) > number(rows["Turnover, a year"][3])


def test_the_investable_portfolio_keeps_the_limit_and_becomes_the_holdings(worked):
    pure = worked["pure"]
    assert pure["refused"].startswith("Short positions cannot be loaded")
    assert max(number(row[1]) for row in pure["weights"]) <= 2.0
    held = pd.DataFrame(pure["holdings"][1:], columns=pure["holdings"][0])
    assert held["weight"].between(0, 0.02 + 1e-6).all()
    assert held["weight"].sum() == pytest.approx(1.0, abs=1e-4)
    assert "TiltHoldings" in pure["loaded"]


def test_an_accessibility_scan_finds_nothing_and_both_tabs_fit_320_pixels(worked):
    assert set(worked["looks"]) == {
        f"{tab} {scheme}" for tab in ("factors", "pure") for scheme in ("light", "dark")
    }
    assert {n: seen["scan"] for n, seen in worked["looks"].items() if seen["scan"]} == {}
    assert {seen["width"] for seen in worked["looks"].values()} == {320}


def test_nothing_fails_on_the_page_but_what_was_asked_wrongly(worked):
    assert [e for e in worked["errors"] if "404" not in e] == []
