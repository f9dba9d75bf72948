"""QUALITY over both routes against the findings of the store."""

import pandas as pd
import pytest
from cell_tables import frame

COLUMNS = ["date", "ticker", "check", "severity", "detail", "action"]


@pytest.fixture(scope="module")
def findings(store):
    return store.findings().iloc[::-1].reset_index(drop=True)


def texts(table: pd.DataFrame) -> list[tuple[str, ...]]:
    return list(table[COLUMNS[1:]].fillna("").itertuples(index=False, name=None))


def test_every_finding_is_listed_the_newest_first(excel, findings):
    shown = frame(excel("quality"))
    assert shown.columns.tolist() == COLUMNS
    assert texts(shown) == texts(findings)


def test_findings_are_chosen_by_severity_check_ticker_and_day(excel, findings):
    errors = frame(excel("quality", None, "error"))
    assert texts(errors) == texts(findings[findings["severity"] == "error"])
    mine = frame(excel("quality", "US_LARGE_CAP", "all", "ticker=hbi;check=doubled_event"))
    assert mine[["ticker", "check"]].to_numpy().tolist() == [["HBI", "doubled_event"]]
    some = "check=unbooked_split,event_denied_by_price;start=2013-01-01;end=2014-12-31;sort=date"
    chosen = findings[
        findings["check"].isin(["unbooked_split", "event_denied_by_price"])
        & findings["date"].between("2013-01-01", "2014-12-31")
    ]
    assert len(chosen) == 2
    assert texts(frame(excel("quality", None, None, some))) == texts(chosen.sort_values("date"))


def test_the_top_rows_come_without_the_rest(excel):
    assert len(excel("quality", None, "warning", "top=3;headers=off")) == 3


@pytest.mark.parametrize(
    ("arguments", "cell", "said"),
    [
        ((None, "eror"), "#VALUE!", "Did you mean 'error'?"),
        ((None, None, "check=unbooked_splits"), "#VALUE!", "Did you mean 'unbooked_split'?"),
        ((None, None, "chekc=large_move"), "#VALUE!", "Did you mean 'check'?"),
        ((None, None, "ticker=APPL"), "#N/A", "Did you mean 'AAPL'?"),
        ((None, None, "start=01/02/2015"), "#VALUE!", "2015"),
        (("US_LARGE",), "#N/A", "Did you mean 'US_LARGE_CAP'?"),
    ],
)
def test_what_is_misspelt_is_refused_with_the_nearest_name(excel, arguments, cell, said):
    shown, words = excel.error("quality", *arguments)
    assert shown == cell
    assert said in words
