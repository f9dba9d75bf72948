"""The cells about data over HTTP: universes, members, securities, histories, identifiers, books."""

import numpy as np
import pandas as pd
import pytest

from tilt.calendar import period_ends


def table(cells):
    return pd.DataFrame(cells[1:], columns=cells[0])


def day(text):
    return (pd.Timestamp(text) - pd.Timestamp("1899-12-30")).days


def number(cell):
    """Return the number of a cell, missing for the error that stands for a hole."""
    return float(cell) if isinstance(cell, int | float) else np.nan


def test_universes_say_how_biased_they_are_and_what_they_are_made_of(excel, panel):
    shown = table(excel("universes"))
    assert list(shown.columns)[:6] == [
        "name", "description", "securities", "first_date", "last_date", "source",
    ]  # fmt: skip
    (row,) = shown.to_dict("records")
    assert row["name"] == panel.universe
    assert row["survivorship"] == panel.survivorship
    assert "25.7% of the member-days of its lists have no price" in row["survivorship"]
    assert row["parent"] == ""


@pytest.mark.parametrize("date", ["2013-06-28", "2016-12-30", "2016-12-31"])
def test_members_are_those_of_the_date_and_their_weights_are_a_whole(excel, panel, date):
    shown = table(excel("members", None, date))
    traded = panel.trading_day(pd.Timestamp(date))
    weights = panel.cap_weights(traded)
    assert set(shown["ticker"]) == set(weights.index)
    assert sum(shown["weight"]) == pytest.approx(1)
    assert shown["weight"].is_monotonic_decreasing
    assert shown.set_index("ticker").loc["AAPL", "weight"] == pytest.approx(weights["AAPL"])


def test_members_before_the_first_list_are_not_known(excel):
    cell, words = excel.error("members", None, "2011-06-30")
    assert cell == "#N/A"
    assert "market caps on 2011-06-30" in words


def test_a_field_that_the_source_does_not_give_is_said_with_the_reason(excel):
    cell, words = excel.error("security", "AAPL", "isin")
    assert cell == "#N/A"
    assert words.startswith(
        "There is no isin in 'US_LARGE_CAP': its source 'sample' gives none (ISIN; "
    )
    cell, words = excel.error("security", "AAPL", "isinn")
    assert cell == "#VALUE!"
    assert "field must be one of" in words


def test_the_first_and_last_day_of_a_price_and_the_issuer_are_fields(excel, panel):
    (row,) = excel("security", "FB", "first_date,last_date,issuer,name")
    close = panel.close["FB"].dropna()
    first, last = (cell["basicValue"] if isinstance(cell, dict) else cell for cell in row[:2])
    assert (first, last) == (day(close.index[0]), day(close.index[-1]))
    assert row[2:] == [panel.securities.loc["FB", c] for c in ("issuer", "name")]


def test_a_security_may_be_of_another_universe_by_name(excel):
    assert excel("security", "AAPL", "name", None, "us_large_cap") == [["Apple Inc."]]
    cell, words = excel.error("security", "AAPL", "name", None, "EUROPE")
    assert cell == "#N/A"
    assert "Unknown universe 'EUROPE'" in words


@pytest.mark.parametrize("frequency", ["D", "W", "M", "Q", "Y"])
@pytest.mark.parametrize("field", ["close", "adj_close", "market_cap", "Value"])
def test_a_history_has_the_value_at_the_end_of_each_period(excel, panel, frequency, field):
    cells = excel("history", "AAPL", field, "2015-01-02", "2016-12-30", frequency)
    known = pd.DatetimeIndex(
        panel.dates[(panel.dates >= "2015-01-02") & (panel.dates <= "2016-12-30")]
    )
    ends = period_ends(known, frequency)
    assert len(cells) - 1 == len(ends)
    shown = pd.Series([number(row[1]) for row in cells[1:]], index=ends)
    if field == "Value":
        history = panel.factors
        scores = history.styles[:, :, history.style_names.index("Value")]
        daily = pd.DataFrame(scores, index=history.dates, columns=history.assets)["AAPL"]
    elif field == "adj_close":
        growth = (1 + panel.returns["AAPL"].fillna(0)).cumprod()
        daily = growth / growth.iloc[-1] * panel.close["AAPL"].iloc[-1]
    else:
        daily = getattr(panel, field)["AAPL"]
    np.testing.assert_allclose(shown, daily.reindex(ends), rtol=1e-12)


def test_returns_of_a_month_compound_those_of_its_days(excel, panel):
    cells = excel("history", "MSFT", "return", "2016-01-04", "2016-06-30", "M")
    days = panel.returns["MSFT"]["2016-01-04":"2016-06-30"]
    expected = (1 + days).groupby(days.index.to_period("M")).prod() - 1
    np.testing.assert_allclose([row[1] for row in cells[1:]], expected, rtol=1e-12)


def test_a_hole_is_an_error_until_it_is_filled_and_is_never_zero(excel, panel):
    close = panel.close["FB"]
    start = close.first_valid_index() - pd.Timedelta(days=10)
    plain = [row[1] for row in excel("history", "FB", None, f"{start:%Y-%m-%d}", "2012-06-29")[1:]]
    assert isinstance(plain[0], dict) or plain[0] == "#N/A"
    assert 0 not in plain
    blank = excel("history", "FB", None, f"{start:%Y-%m-%d}", "2012-06-29", "D", "na=blank")
    assert blank[1][1] in ("", None)


def test_a_history_is_cut_sorted_and_headed_as_the_options_ask(excel):
    cells = excel(
        "history", "AAPL,MSFT", "close", "2016-01-04", "2016-06-30", "M",
        "sort=-date;top=2;headers=off",
    )  # fmt: skip
    assert len(cells) == 2
    assert len(cells[0]) == 3
    same = excel("history", "AAPL", "close", "-5D", None, "D", "universe=US_LARGE_CAP;fill=ffill")
    assert len(same) == 7


def test_match_reads_a_column_as_it_was_pasted(excel):
    ids = [["aapl us equity"], ["BRK/B"], ["PCLN"], ["Procter and Gamble Co"], [""], ["APPL"]]
    shown = table(excel("match", ids))
    assert list(shown.columns) == ["given", "ticker", "name", "kind", "confidence", "note"]
    assert shown["ticker"].tolist()[:4] == ["AAPL", "BRK.B", "BKNG", "PG"]
    assert shown["kind"].tolist() == ["suffix", "spelling", "former", "name", "none", "none"]
    assert "Did you mean 'AAPL'?" in shown["note"][5]
    assert "Priceline became Booking" in shown["note"][2]


def test_match_knows_what_a_symbol_meant_on_a_day(excel):
    (row,) = excel("match", "GOOG", None, "asof=2013-06-28;headers=off")
    assert row[1] == "GOOGL"
    (row,) = excel("match", "GOOG", None, "headers=off")
    assert row[1] == "GOOG"


def test_match_with_names_and_a_least_confidence(excel):
    (row,) = excel("match", "AAPL", "Microsoft Corp", "min_confidence=0.9;headers=off;na=blank")
    assert row[1] in ("", None)
    assert "AAPL at a confidence of 0.50" in row[5]
    cell, words = excel.error("match", [["AAPL"], ["MSFT"]], "Apple")
    assert cell == "#VALUE!"
    assert "names has 1 cells and ids has 2" in words
    cell, words = excel.error("match", [["AAPL"], ["#REF!"]])
    assert cell == "#VALUE!"
    assert words.startswith("ids row 2 is #REF!.")


def test_ten_thousand_identifiers_come_back_in_their_order(excel, panel):
    names = [str(t) for t in panel.assets]
    ids = [[f"{names[i % len(names)]} US Equity"] for i in range(10_000)]
    shown = table(excel.single("match", ids).json()["result"])
    assert shown["ticker"].tolist() == [names[i % len(names)] for i in range(10_000)]


def test_saved_portfolios_are_listed_and_shown(excel, store):
    saved = store.portfolio("SAMPLE")
    (row,) = table(excel("portfolios")).to_dict("records")
    assert (row["name"], row["names"]) == ("SAMPLE", len(saved))
    shown = table(excel("portfolio", "sample"))
    assert list(shown.columns) == ["ticker", "weight"]
    assert dict(shown.to_numpy()) == pytest.approx(saved.to_dict())
    cell, words = excel.error("portfolio", "SAMPEL")
    assert cell == "#N/A"
    assert "Did you mean 'SAMPLE'?" in words
