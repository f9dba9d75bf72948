"""The days of the data beside those of the exchange; the data decide, findings tell."""

import subprocess
import sys

import pandas as pd
import pytest

from tilt.calendar import expected_sessions, next_session
from tilt.data.sessions import exchange_of, session_findings
from tilt.errors import UnknownNameError

FIRST, LAST = pd.Timestamp("2015-01-02"), pd.Timestamp("2015-12-31")


def new_york() -> pd.DatetimeIndex:
    return expected_sessions("XNYS", FIRST, LAST)


def test_new_york_was_open_252_days_in_2015_and_closed_on_its_holidays():
    days = new_york()
    assert len(days) == 252
    closed = ["2015-01-19", "2015-04-03", "2015-07-03", "2015-11-26", "2015-12-25"]
    assert not days.isin(pd.to_datetime(closed)).any()


def test_a_session_that_is_missing_for_all_is_a_finding_of_its_day():
    gone = pd.Timestamp("2015-06-10")
    (found,) = session_findings(new_york().drop(gone), "XNYS")
    assert (found.date, found.check) == (gone, "missing_session")
    assert "XNYS was open" in found.detail


def test_prices_on_a_holiday_are_a_finding_and_stay():
    holiday = pd.Timestamp("2015-12-25")
    days = new_york().append(pd.DatetimeIndex([holiday])).sort_values()
    (found,) = session_findings(days, "XNYS")
    assert (found.date, found.check) == (holiday, "unexpected_session")
    assert found.action.startswith("Kept")


def test_data_that_agree_with_the_calendar_have_no_finding():
    assert session_findings(new_york(), "XNYS") == []
    assert session_findings(expected_sessions("XTKS", FIRST, LAST), "XTKS") == []


def test_without_a_named_exchange_new_york_is_expected_only_of_data_that_are_like_it():
    gone = pd.Timestamp("2015-06-10")
    assert [f.check for f in session_findings(new_york().drop(gone))] == ["missing_session"]
    (found,) = session_findings(expected_sessions("XTKS", FIRST, LAST))
    assert (found.check, found.severity) == ("no_calendar", "info")


def test_an_exchange_without_a_calendar_is_said_with_the_nearest():
    (found,) = session_findings(new_york(), "XNYZ")
    assert found.check == "no_calendar"
    assert "Did you mean" in found.detail
    with pytest.raises(UnknownNameError, match="There is no calendar 'XNYZ'"):
        expected_sessions("XNYZ", FIRST, LAST)


def test_the_exchange_is_the_one_named_else_that_of_most_securities():
    table = pd.DataFrame({"exchange": ["XLON", "XLON", "XNYS", None]})
    assert exchange_of(table, "XTKS") == "XTKS"
    assert exchange_of(table) == "XLON"
    assert exchange_of(table.iloc[:0]) == ""


def test_the_next_session_is_of_the_data_and_after_them_of_the_exchange():
    days = new_york()
    gapped = days.drop(pd.Timestamp("2015-06-10"))
    assert next_session(pd.Timestamp("2015-06-09"), gapped) == pd.Timestamp("2015-06-11")
    assert next_session(LAST, days) == pd.Timestamp("2016-01-04")  # over New Year and a weekend


def test_the_sample_has_every_session_of_new_york(store):
    checks = set(store.findings()["check"])
    assert not checks & {"missing_session", "unexpected_session", "no_calendar"}


def test_reading_dates_does_not_pay_for_the_calendars():
    code = "import sys, tilt.calendar; sys.exit('exchange_calendars' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
