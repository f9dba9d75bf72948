import datetime as dt

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tilt.calendar import calendar_day, parse_date, period_ends
from tilt.errors import ArgumentError, UnknownNameError

SESSIONS = pd.bdate_range("2015-01-01", "2017-06-30")


def parsed(given: object) -> str:
    return f"{parse_date(given, SESSIONS):%Y-%m-%d}"


@pytest.mark.parametrize(
    "given",
    [
        42898,  # what Excel shows as 2017-06-12
        42898.75,
        "42898",
        "2017-06-12",
        " 2017-06-12 ",
        "2017-06-12T15:30:00",
        "2017-06-12T15:30:00Z",
        20170612,
        "20170612",
        20170612.0,
        dt.date(2017, 6, 12),
        dt.datetime(2017, 6, 12, 15, 30),  # noqa: DTZ001
        dt.datetime(2017, 6, 12, 15, 30, tzinfo=dt.UTC),
        pd.Timestamp("2017-06-12"),
    ],
)
def test_every_way_to_write_a_date_means_the_same_day(given):
    assert parsed(given) == "2017-06-12"


@pytest.mark.parametrize("given", [None, "", "  "])
def test_a_blank_is_the_last_session_or_the_default(given):
    assert parse_date(given, SESSIONS) == SESSIONS[-1]
    assert parse_date(given, SESSIONS, default=SESSIONS[3]) == SESSIONS[3]


def test_a_day_without_trade_is_the_session_before_it():
    assert parsed("2017-06-11") == "2017-06-09"  # a Sunday
    assert parsed("2030-01-01") == "2017-06-30"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("0D", "2017-06-30"),
        ("-1D", "2017-06-29"),
        ("5d", "2017-06-23"),
        ("-1W", "2017-06-23"),
        ("-1M", "2017-05-30"),
        ("-4M", "2017-02-28"),
        ("-1ME", "2017-05-31"),
        ("0ME", "2017-06-30"),
        ("-1Q", "2017-03-30"),
        ("-1QE", "2017-03-31"),
        ("-1Y", "2016-06-30"),
        ("-1YE", "2016-12-30"),
        ("MTD", "2017-05-31"),
        ("QTD", "2017-03-31"),
        ("ytd", "2016-12-30"),
        ("SI", "2015-01-01"),
        ("-9999D", "2015-01-01"),
    ],
)
def test_relative_dates_count_from_the_last_session(given, expected):
    assert parsed(given) == expected


def test_period_ends_of_relative_dates_are_those_of_completed_periods():
    sessions = SESSIONS[SESSIONS <= "2017-06-14"]
    assert parse_date("-1ME", sessions) == pd.Timestamp("2017-05-31")
    assert parse_date("-1QE", sessions) == pd.Timestamp("2017-03-31")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("01/02/2016", "date '01/02/2016' could mean 2016-01-02 or 2016-02-01. Type 2016-01-02"),
        ("1.2.16", "could mean 2016-01-02 or 2016-02-01"),
        ("31/12/2016", "date '31/12/2016' could mean 2016-12-31. Type 2016-12-31"),
        ("45/45/2016", "date '45/45/2016' is not a date"),
        ("yesterday", "date 'yesterday' is not a date. Use an Excel date, 2026-01-31, 20260131"),
        ("2016-13-01", "'2016-13-01' is not a date"),
        (20161301, "date 20161301 is not a date of the form YYYYMMDD"),
        (True, "date must be a date; got TRUE"),
        (-5, "date -5 is not an Excel date"),
        (3e6, "date 3e+06 is not an Excel date"),
        (float("nan"), "date nan is not an Excel date"),
        (float("inf"), "date inf is not an Excel date"),
        ([1], "date must be a date; got list"),
        ("+5D", "'+5D' is not a date"),
        ("-99999999999Y", "date '-99999999999Y' goes back too far: the data starts on 2015-01-01"),
    ],
)
def test_what_is_no_date_is_refused_in_words(given, said):
    with pytest.raises(ArgumentError) as caught:
        parse_date(given, SESSIONS)
    assert said in str(caught.value)


@pytest.mark.parametrize("given", ["2014-12-31", "2014/12/31", "-200Y", "-800QE", 2016])
def test_a_date_before_the_data_is_not_known_rather_than_wrong(given):
    with pytest.raises(UnknownNameError, match="before the first date with data, 2015-01-01"):
        parse_date(given, SESSIONS)


@pytest.mark.parametrize("given", ["2016/01/04", "2016.1.4", "2016-1-4", "'2016-01-04", 42373.99])
def test_a_text_with_the_year_first_has_one_reading(given):
    assert parsed(given) == "2016-01-04"


@pytest.mark.parametrize(
    ("cell", "day"),
    [(42373, "2016-01-04"), (20160104, "2016-01-04"), ("2016-1-4", "2016-01-04")],
)
def test_a_cell_may_mean_a_day_by_itself(cell, day):
    assert calendar_day(cell) == pd.Timestamp(day)


@pytest.mark.parametrize("cell", [None, True, "", "x", "01/02/2016", "-1M", 3, 2016, 20161301, 1e9])
def test_what_means_no_day_by_itself_is_none(cell):
    assert calendar_day(cell) is None


def test_messages_name_the_argument():
    with pytest.raises(ArgumentError, match=r"^start 'x' is not a date"):
        parse_date("x", SESSIONS, "start")


@given(st.dates(dt.date(2015, 1, 1), dt.date(2030, 12, 31)))
def test_a_date_never_means_a_later_day_or_no_session(day):
    made = parse_date(day, SESSIONS)
    assert made in SESSIONS
    assert made <= pd.Timestamp(day)
    assert made == parse_date(day.isoformat(), SESSIONS) == parse_date(f"{day:%Y%m%d}", SESSIONS)
    assert made == parse_date((pd.Timestamp(day) - pd.Timestamp("1899-12-30")).days, SESSIONS)


@given(st.text(max_size=12))
def test_any_text_is_a_session_or_is_refused_in_words(text):
    try:
        assert parse_date(text, SESSIONS) in SESSIONS
    except (ArgumentError, UnknownNameError) as refused:
        said = str(refused)
        assert said.startswith("date ")


@pytest.mark.parametrize(
    ("frequency", "expected"),
    [
        ("M", ["2017-04-28", "2017-05-31", "2017-06-30"]),
        ("Q", ["2016-12-30", "2017-03-31", "2017-06-30"]),
        ("Y", ["2015-12-31", "2016-12-30", "2017-06-30"]),
        ("W", ["2017-06-16", "2017-06-23", "2017-06-30"]),
        ("D", ["2017-06-28", "2017-06-29", "2017-06-30"]),
    ],
)
def test_period_ends_are_the_last_sessions(frequency, expected):
    assert period_ends(SESSIONS, frequency)[-3:].strftime("%Y-%m-%d").tolist() == expected


def test_a_week_with_a_holiday_on_friday_ends_on_thursday():
    sessions = SESSIONS[SESSIONS != "2017-06-23"]
    assert pd.Timestamp("2017-06-22") in period_ends(sessions, "W")


def test_no_sessions_have_no_period_ends():
    assert period_ends(SESSIONS[:0], "M").empty
