import pandas as pd
import pytest

from tilt.report.kinds.changes import changes_section, important
from tilt.report.kinds.figures import Figures, beside, larger_first, total_moved
from tilt.report.kinds.since import Since
from tilt.report.pack import Subject

MEASURES = {"tracking_error": 0.03, "volatility": 0.15, "beta": 1.0, "active_share": 0.6}


def figures(date="2017-05-31", weights=None, style=0.2, status="slack", value=0.02, **measures):
    return Figures(
        date=pd.Timestamp(date),
        weights=pd.Series(weights or {"A": 0.5, "B": 0.5}),
        exposures=pd.Series({"Value": style}),
        measures=pd.Series(MEASURES | measures),
        contributions=pd.Series({"Value": 0.01, "Specific": 0.02}),
        limits=pd.DataFrame(
            [("sector", "Energy", -0.03, 0.03, value, 0.03 - value, status)],
            columns=["rule", "who", "min", "max", "value", "slack", "status"],
        ),
    )


def test_a_broken_limit_comes_before_everything_else():
    after = figures(
        "2017-06-30", {"A": 0.2, "C": 0.8}, style=1.5, status="violated", value=0.045,
        tracking_error=0.09,
    )  # fmt: skip
    told = [change.words for change in important(figures(), after)]
    assert told[0] == (
        "The limit on sector Energy is broken: 4.50%, 2.00% before; it may be from -3.00% to 3.00%."
    )
    assert told[1] == "C is new, at 80.00%."
    assert "B is gone, from 50.00%." in told
    assert "Tracking error rose from 3.00% to 9.00%." in told
    assert "Active exposure to Value went from +0.20 to +1.50." in told


def test_a_limit_that_is_kept_again_is_said():
    told = important(figures(status="violated", value=0.05), figures("2017-06-30"))
    assert told[0].words.startswith("The limit on sector Energy is kept again: 2.00%, 5.00% before")


def test_changes_too_small_for_a_sentence_are_left_to_the_tables():
    after = figures("2017-06-30", {"A": 0.502, "B": 0.498}, style=0.21)
    assert important(figures(), after) == []
    section = changes_section(Since(figures(), ()), after, Subject("A", "U", "", after.date, "x"))
    assert section.findings == ("Since 2017-05-31 nothing changed that is worth a sentence.",)


def test_checks_of_the_changes_hold_and_notice_a_tampered_contribution():
    after = figures("2017-06-30", {"A": 0.4, "B": 0.4, "C": 0.1})
    section = changes_section(Since(figures(), ()), after, Subject("A", "U", "", after.date, "x"))
    assert all(check.holds for check in section.checks)
    broken = figures("2017-06-30", tracking_error=0.04)
    section = changes_section(Since(figures(), ()), broken, Subject("A", "U", "", after.date, "x"))
    assert [c.claim for c in section.checks if not c.holds] == [
        "Contributions after foot to the tracking error"
    ]


def test_turnover_counts_cash_once():
    table = beside(pd.Series({"A": 0.5, "B": 0.5}), pd.Series({"A": 0.2, "B": 0.5}), "ticker")
    assert total_moved(table) == pytest.approx(0.3)
    assert larger_first(table, 0.1)["ticker"].tolist() == ["A"]
