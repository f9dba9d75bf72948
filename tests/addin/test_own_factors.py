"""Factors of the user's own wherever a factor's name is, over HTTP."""

import numpy as np
import pandas as pd
import pytest
from cell_tables import frame

TEXT = "rank(roe) - rank(leverage)"
SMALL = "min(zscore(roe), zscore(btp))"


@pytest.fixture(scope="module")
def returns(excel):
    return frame(excel("factor_returns", f"{TEXT},Value,{SMALL}", "2015-01-02"))


def test_returns_stand_beside_the_models_under_their_own_text(returns, panel):
    assert list(returns.columns) == ["date", TEXT, "Value", SMALL]
    expected = panel.factors.returns.loc["2015-01-02":, "Value"]
    np.testing.assert_allclose(returns["Value"], expected, rtol=1e-9)
    assert returns[TEXT].notna().all()
    assert 0.1 < returns[TEXT].std() / returns["Value"].std() < 10


def test_statistics_and_correlations_are_of_these_returns(excel, returns):
    told = frame(excel("factor_stats", [[TEXT], ["Value"]], "2015-01-02")).set_index("factor")
    assert told.loc[TEXT, "mean"] == pytest.approx(252 * returns[TEXT].mean())
    alike = frame(excel("factor_correlation", f"{TEXT},Value", "2015-01-02")).set_index("factor")
    expected = returns[TEXT].corr(returns["Value"])
    assert alike.loc[TEXT, "Value"] == pytest.approx(expected, abs=1e-9)


def test_its_shape_has_every_measure_of_a_style(excel):
    own = frame(excel("factor_shape", TEXT)).set_index("measure")
    value = frame(excel("factor_shape", "Value")).set_index("measure")
    assert list(own.index) == list(value.index)
    assert own["value"].notna().all()


def test_it_is_a_field_of_securities_and_of_their_history(excel):
    score = excel("exposure", "AAPL", TEXT)[0][0]
    shown = excel("security", "AAPL", f"name,{TEXT},roe")
    assert shown[0][1] == pytest.approx(score)
    past = frame(excel("history", "AAPL", TEXT, "-5D"))
    assert past["AAPL"].iloc[-1] == pytest.approx(score)


def test_exposures_of_a_book_take_it_beneath_the_models(excel):
    held = [["AAPL", 0.5], ["XOM", 0.3], ["JPM", 0.2]]
    own = f"factors={TEXT},rank(book_to_price)"
    shown = frame(excel("exposures", held, None, None, None, own)).set_index("factor")
    assert list(shown.index[-2:]) == [TEXT, "rank(book_to_price)"]
    last = shown.loc["rank(book_to_price)"]
    assert last["portfolio"] == pytest.approx(excel("exposure", held, "rank(book_to_price)")[0][0])
    assert last["active"] == pytest.approx(last["portfolio"] - last["benchmark"])


def test_it_is_an_alpha_of_the_optimizer(excel):
    names = ["AAPL", "XOM", "JPM", "MSFT", "KO", "PFE"]
    held = [[name, 1 / 6] for name in names]
    shown = frame(excel("optimize", "max_return", held, [["weight", "*", 0, 0.5]], None, TEXT))
    scores = pd.Series({n: excel("exposure", n, TEXT)[0][0] for n in names})
    best = shown.set_index("ticker")["optimal"].sort_values().index[-1]
    assert best not in scores.nsmallest(3).index


def test_dated_range_has_returns_under_the_name_range(excel, panel):
    day = pd.Timestamp("2016-01-04")
    names = [str(t) for t in panel.cap_weights(day).index[:300]]
    rows = [["2016-01-04", t, float((7 * i) % 31)] for i, t in enumerate(names)]
    given = [["date", "ticker", "value"], *rows]
    shown = frame(excel("factor_returns", given, "2016-01-04", "2016-03-31"))
    assert list(shown.columns) == ["date", "range"]
    assert shown["range"].iloc[1:].notna().all()


@pytest.mark.parametrize(
    ("call", "cell", "message"),
    [
        (("factor_returns", "Value,rank(roee)"), "#N/A", "Unknown name 'roee' in the expression."),
        (("factor_stats", "Valu"), "#VALUE!", "Did you mean 'Value'?"),
        (("factor_returns", "book_to_price"), "#VALUE!", "most of all Value"),
        (("security", "AAPL", "rnk(roe)"), "#VALUE!", "There is no function 'rnk'."),
        (
            ("exposures", [["AAPL", 1.0]], None, None, None, "factors=rank(roe"),
            "#VALUE!", "rank(roe",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_with_it_is_named(excel, call, cell, message):
    shown, said = excel.error(*call)
    assert (shown, message in said) == (cell, True), said
