"""The master of securities: codes that can be trusted, what is absent, what is out of order."""

import pandas as pd
import pytest

from tilt.data.schema import SECURITIES, check_table
from tilt.data.securities import absence, known_columns, review_securities
from tilt.data.survivorship import missing_share, survivorship

DAY = pd.Timestamp("2017-06-30")
ASSETS = pd.Index(["AAPL", "MSFT", "XOM"], name="ticker")


def review(**columns):
    table = pd.DataFrame({"ticker": ASSETS, **columns})
    return review_securities(check_table(table, SECURITIES, origin="test"), ASSETS, DAY)


def test_a_code_with_a_wrong_check_digit_is_a_finding_and_left_out():
    master, findings = review(isin=["US0378331005", "US5949181046", None])
    assert master["isin"].dropna().to_dict() == {"AAPL": "US0378331005"}
    (found,) = findings
    assert (found.ticker, found.check) == ("MSFT", "wrong_check_digit")
    assert "ISIN US5949181046" in found.detail
    assert found.action.startswith("Quarantined")


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("cusip", "037833100"),
        ("sedol", "2046251"),
        ("figi", "BBG000B9XRY4"),
        ("isin", "US0378331005"),
    ],
)
def test_each_kind_of_code_is_kept_with_its_own_check_digit_and_refused_with_the_next(kind, code):
    right, none = review(**{kind: [code, None, None]})
    assert right[kind]["AAPL"] == code
    assert none == []
    wrong, (found,) = review(**{kind: [code[:-1] + str((int(code[-1]) + 1) % 10), None, None]})
    assert wrong[kind].isna().all()
    assert found.check == "wrong_check_digit"


def test_a_code_that_two_companies_claim_is_matched_by_neither():
    master, findings = review(cusip=["037833100", "037833100", None])
    assert master["cusip"].isna().all()
    assert [(f.ticker, f.check) for f in findings] == [
        ("AAPL", "same_identifier"),
        ("MSFT", "same_identifier"),
    ]
    assert "is that of MSFT too" in findings[0].detail


def test_a_security_that_ended_before_it_began_is_a_finding():
    _, (found,) = review(listed=["2015-01-02", None, None], delisted=["2014-01-02", None, None])
    assert (found.ticker, found.check) == ("AAPL", "delisted_first")


def test_only_columns_with_a_value_are_kept_and_the_others_are_explained(make):
    master, _ = review(country=["US", None, None])
    assert list(known_columns(master)) == ["name", "sector", "industry", "country"]
    panel = make.panel(prices=make.prices(make.walk(30, ["A", "B"]))).panel
    words = absence("ISIN", panel, "test")
    assert words.startswith("There is no isin in 'TEST': its source 'test' gives none")
    assert "with the column 'isin'" in words
    assert absence("close", panel, "test") == ""


def test_the_panel_carries_the_master_and_the_changes_of_symbols(make):
    close = make.walk(30, ["AAPL", "META"])
    changes = pd.DataFrame({"symbol": ["FB"], "ticker": ["META"], "until": ["2022-06-08"]})
    securities = pd.DataFrame({"ticker": ["AAPL"], "isin": ["US0378331005"], "currency": ["USD"]})
    built = make.panel(
        prices=make.prices(close), securities=securities, symbol_changes=changes
    ).panel
    assert built.securities.loc["AAPL", ["isin", "currency"]].tolist() == ["US0378331005", "USD"]
    assert built.symbol_changes["symbol"].tolist() == ["FB"]


def test_survivorship_counts_listed_days_without_a_price_and_names_that_ended():
    days = pd.bdate_range("2015-01-05", periods=10)
    close = pd.DataFrame(1.0, index=days, columns=["A", "B"])
    close.loc[days[6] :, "B"] = float("nan")
    lists = pd.DataFrame({"date": [days[0]] * 3 + [days[5]] * 2, "symbol": [*"ABC", *"AB"]})
    none = pd.DataFrame({"symbol": [], "ticker": [], "until": pd.to_datetime([])})
    # five days of three names, one of them never priced, then five of two, one priced for one day
    assert missing_share(lists, none, close) == pytest.approx(1 - (10 + 6) / (15 + 10))
    words = survivorship(lists, none, close)
    assert "36.0% of the member-days of its lists have no price" in words
    assert "1 of 2 securities have their last price before" in words
    assert "no lists of members" in survivorship(lists.iloc[:0], none, close)
