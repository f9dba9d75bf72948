"""A portfolio is saved whole, with a date or without one, and found whatever its case."""

import numpy as np
import pandas as pd
import pytest

from tilt.data.store import Store
from tilt.errors import ArgumentError, DataError, UnknownNameError


@pytest.fixture
def opened(either_settings):
    store = Store.open(either_settings)
    yield store
    store.close()


def test_a_portfolio_comes_back_in_order_and_replaces_the_one_of_its_name(opened):
    weights = pd.Series({"B": 0.6, "A": 0.38})
    opened.save_portfolio("Mine", weights, "upload", as_of=pd.Timestamp("2017-06-30"))
    made = opened.portfolio(" mine ")
    assert list(made.items()) == [("B", 0.6), ("A", 0.38)]
    opened.save_portfolio("MINE", weights.iloc[:1], "cell")
    table = opened.portfolios()
    assert table.columns.tolist() == ["name", "as_of", "names", "source"]
    assert table[["name", "names", "source"]].to_numpy().tolist() == [["MINE", 1, "cell"]]


def test_an_unknown_portfolio_is_refused_with_the_nearest_name(opened):
    opened.save_portfolio("SAMPLE", pd.Series({"A": 1.0}), "test")
    with pytest.raises(UnknownNameError, match=r"No portfolio 'SAMPEL'. Did you mean 'SAMPLE'?"):
        opened.portfolio("SAMPEL")


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        (pd.Series([0.5, 0.5], index=["A", "A"]), "A is in 'P' twice"),
        (pd.Series({"A": np.nan}), "A in 'P' has no weight"),
    ],
)
def test_a_portfolio_that_is_none_is_not_saved(opened, weights, said):
    with pytest.raises(DataError, match=said):
        opened.save_portfolio("P", weights, "test")
    for name in (" ", "two\nlines", "\x1b[2Jgone", "x" * 201):
        with pytest.raises(ArgumentError, match=r"1 to 200 characters.*Choose another") as refused:
            opened.save_portfolio(name, pd.Series({"A": 1.0}), "test")
        assert str(refused.value).isprintable()
    assert opened.portfolios().empty


def test_holdings_of_several_dates_are_kept_and_read_as_of_a_date(opened):
    march, june = pd.Timestamp("2017-03-31"), pd.Timestamp("2017-06-30")
    opened.save_portfolio("Mine", pd.Series({"A": 1.0}), "june", as_of=june)
    opened.save_portfolio("mine", pd.Series({"B": 0.5, "A": 0.5}), "march", as_of=march)
    assert opened.portfolio_dates("MINE").tolist() == [march, june]
    assert list(opened.portfolio("mine").items()) == [("A", 1.0)]
    for day in ("2017-03-31", "2017-06-29"):
        held = opened.portfolio("mine", pd.Timestamp(day))
        assert list(held.items()) == [("B", 0.5), ("A", 0.5)]
    with pytest.raises(UnknownNameError, match=r"no holdings on 2017-03-30: they begin on 2017-03"):
        opened.portfolio("mine", pd.Timestamp("2017-03-30"))
    assert opened.portfolios().to_numpy().tolist() == [["mine", june, 1, "june"]]
    opened.save_portfolio("mine", pd.Series({"C": 1.0}), "again", as_of=june)
    assert opened.portfolio("mine").index.tolist() == ["C"]
    assert len(opened.portfolio_dates("mine")) == 2


def test_holdings_without_a_date_are_those_of_before_any_date_or_of_all(opened):
    day = pd.Timestamp("2017-06-30")
    opened.save_portfolio("P", pd.Series({"A": 1.0}), "undated")
    assert opened.portfolio("P", day).index.tolist() == ["A"]
    opened.save_portfolio("P", pd.Series({"B": 1.0}), "dated", as_of=day)
    assert opened.portfolio("P").index.tolist() == ["B"]
    assert opened.portfolio("P", day - pd.Timedelta(days=1)).index.tolist() == ["A"]
    opened.save_portfolio("P", pd.Series({"C": 1.0}), "undated again")
    assert opened.portfolio_dates("P").empty
    assert opened.portfolio("P", day).index.tolist() == ["C"]


def test_a_deleted_portfolio_is_gone_with_all_its_dates(opened):
    for day in ("2017-03-31", "2017-06-30"):
        opened.save_portfolio("P", pd.Series({"A": 1.0}), "test", as_of=pd.Timestamp(day))
    opened.delete_portfolio("p")
    assert opened.portfolios().empty
    with pytest.raises(UnknownNameError, match="None is saved yet"):
        opened.portfolio("P")
