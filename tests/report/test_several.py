"""Several portfolios in one report: what they share is computed once, one that fails says why."""

from dataclasses import replace

import pytest
from report_kinds import NothingSaved

from tilt.errors import DataError
from tilt.report.kinds import KINDS
from tilt.report.making import Asked, Book, _chapters, check_asked
from tilt.report.record import BacktestAsked, Record

HELD = [["A01", 0.5], ["A02", 0.5]]


class Result:
    def __init__(self, run_id):
        self.run_id = run_id


def chapters(panel, broken, *names):
    """Return the chapters of portfolios of which some cannot be opened."""
    portfolio = KINDS["portfolio"]

    def open_(material):
        if material.portfolio in broken:
            raise DataError(f"{material.portfolio} has no day.")
        return portfolio.open(material)

    books = tuple(Book(name, HELD) for name in names)
    asked = check_asked(Asked(books=books, sections=("holdings",)))
    kind = replace(portfolio, open=open_)
    return _chapters(kind, NothingSaved(), panel, asked, lambda *_: None, Record())


def test_one_portfolio_that_fails_says_why_and_the_others_are_complete(panel):
    good, bad, last = chapters(panel, {"Bad"}, "Good", "Bad", "Last")
    assert [c.subject.name for c in (good, bad, last)] == ["Good", "Bad", "Last"]
    assert all(section.complete for c in (good, last) for section in c.sections)
    (section,) = bad.sections
    assert not section.complete
    assert "Bad has no day." in section.findings[0]
    assert bad.held is None  # nothing to be compared with
    assert good.held is not None


def test_a_report_of_which_nothing_can_be_made_is_an_error(panel):
    with pytest.raises(DataError, match="One has no day"):
        chapters(panel, {"One", "Two"}, "One", "Two")


def test_a_backtest_that_portfolios_share_is_run_once_and_each_has_its_run():
    record, ran = Record(), []

    def run():
        ran.append(1)
        return Result("abc")

    asked = BacktestAsked("min_te", options={"lag": "2"})
    for _ in range(2):
        record.begin()
        assert record.tested(asked, "data", run).run_id == "abc"
        assert record.runs == ("abc",)
    assert len(ran) == 1
    record.tested(asked, "other data", run)
    record.tested(replace(asked, rebalance="Q"), "data", run)
    assert len(ran) == 3
