"""What a report is compared with, and how restated data stand apart from what the book did."""

import datetime as dt
from dataclasses import replace

import pandas as pd
import pytest

from tilt.data.packs import Pack, Whose
from tilt.report.kinds.changes import changes_section
from tilt.report.kinds.figures import LIMITS, Figures, from_json, to_json
from tilt.report.kinds.since import SinceAsked, find_since, restated_block, restated_words
from tilt.report.pack import Subject
from tilt.report.record import Record

WHOSE = Whose("bert", "Core", saved=True)
MADE = dt.datetime(2017, 6, 1, 9, 30, tzinfo=dt.UTC)
MAY, JUNE = pd.Timestamp("2017-05-31"), pd.Timestamp("2017-06-30")


def figures(date, weights=None, style=0.2, **measures):
    usual = {"tracking_error": 0.03, "volatility": 0.15, "beta": 1.0, "active_share": 0.6,
             "var95": 0.01, "effective_n": 2.0, "names": 2.0}  # fmt: skip
    limit = ("sector", "Energy", -0.03, 0.03, 0.02, 0.01, "slack")
    return Figures(
        pd.Timestamp(date),
        pd.Series(weights or {"A": 0.5, "B": 0.5}),
        pd.Series({"Value": style}),
        pd.Series(usual | measures),
        pd.Series({"Value": 0.01, "Specific": 0.02}),
        pd.DataFrame([limit], columns=list(LIMITS)),
    )


class Shelf(Record):
    """Packs in a list, the last one last."""

    def __init__(self, *packs):
        super().__init__()
        self.packs = packs

    def last(self, whose, kind, universe, date):
        return next((p for p in reversed(self.packs) if p.as_of < date), None)

    def last_of_day(self, whose, kind, universe, date):
        return next((p for p in reversed(self.packs) if p.as_of == date), None)


def kept(held, snapshot="s1", owner="anna"):
    whose = replace(WHOSE, owner=owner)
    return Pack(whose, "month_end", "US", held.date, snapshot, MADE, to_json(held))


def asked(now, snapshot="s2", since=None):
    return SinceAsked(WHOSE, "month_end", "month-end pack", "US", snapshot, since, MAY, now)


def refuse(*_):
    raise AssertionError("nothing has to be computed again")


def test_figures_come_back_from_json_to_the_last_bit():
    now = figures("2017-05-31", tracking_error=0.1 + 0.2, beta=float("nan"))
    now = replace(now, limits=now.limits.assign(min=-float("inf")))
    back = from_json(to_json(now))
    for name in ("weights", "exposures", "measures", "contributions"):
        pd.testing.assert_series_equal(getattr(back, name), getattr(now, name), check_exact=True)
    pd.testing.assert_frame_equal(back.limits, now.limits, check_dtype=False)


def test_without_a_report_on_record_the_model_a_month_earlier_is_compared_with_and_said():
    model = figures("2017-05-31")
    since = find_since(Shelf(), asked(figures("2017-06-30")), lambda *_: model)
    assert since.before is model
    assert since.words == (
        "No earlier month-end pack is on record: compared with the model on 2017-05-31.",
    )
    assert since.reported is None


def test_the_last_report_is_named_with_its_time_and_its_maker():
    then = figures("2017-05-31")
    since = find_since(Shelf(kept(then)), asked(figures("2017-06-30"), "s1"), refuse)
    pd.testing.assert_series_equal(since.before.weights, then.weights)
    (said,) = since.words
    assert said == (
        "Compared with the month-end pack of 2017-05-31, made 2017-06-01 09:30 UTC by anna from "
        f"snapshot s1 (report {kept(then).id})."
    )


def test_what_the_data_changed_stands_apart_from_what_the_book_did():
    then = figures("2017-05-31", tracking_error=0.03)
    again = figures("2017-05-31", style=0.25, tracking_error=0.04)
    now = figures("2017-06-30", {"A": 0.9, "B": 0.1}, style=0.45, tracking_error=0.045)
    seen = []

    def by_data_of_today(date, weights):
        seen.append((date, weights.to_dict()))
        return again

    since = find_since(Shelf(kept(then)), asked(now), by_data_of_today)
    assert seen == [(MAY, then.weights.to_dict())]
    section = changes_section(since, now, Subject("Core", "US", "", JUNE, "s2"))
    words = [text for part in section.sheets[0].parts for text in getattr(part, "rows", ())]
    assert "Tracking error rose from 4.00% to 4.50%." in words  # of the book, not 3.00%
    assert (
        "Tracking error of 2017-05-31 was reported as 3.00% and is 4.00% by the data of today."
        in words
    )
    table = restated_block(since, now, None).table.set_index("figure")
    moved = table["reported"] + table["by_data"] + table["by_book"] - table["now"]
    assert moved.abs().max() < 1e-15
    assert table.loc["Exposure to Value", "by_data"] == pytest.approx(0.05)
    assert table.loc["Exposure to Value", "by_book"] == pytest.approx(0.2)


def test_data_that_changed_elsewhere_only_restates_nothing():
    then = figures("2017-05-31")
    since = find_since(Shelf(kept(then)), asked(figures("2017-06-30")), lambda *_: then)
    assert since.reported is None
    assert since.words[1] == "The data of 2017-05-31 has not changed since."
    assert restated_words(since) is None
    assert restated_block(since, then, None) is None


def test_the_same_report_made_again_is_not_compared_with_itself():
    now, model = figures("2017-06-30"), figures("2017-05-31")
    since = find_since(Shelf(kept(now, "s1")), asked(now, "s1"), lambda *_: model)
    assert since.before is model


def test_of_the_same_date_and_other_data_the_data_alone_has_changed():
    then, now = figures("2017-06-30"), figures("2017-06-30", tracking_error=0.05)
    since = find_since(Shelf(kept(then)), asked(now), lambda *_: now)
    section = changes_section(since, now, Subject("Core", "US", "", JUNE, "s2"))
    assert "nothing changed that is worth a sentence" in section.findings[0]
    assert since.reported.measures["tracking_error"] == 0.03


def test_a_report_of_this_date_from_other_data_is_told_beside_the_last_months():
    may, june = figures("2017-05-31"), figures("2017-06-30")
    now = figures("2017-06-30", tracking_error=0.05)
    since = find_since(Shelf(kept(may), kept(june)), asked(now), lambda *_: may)
    assert since.pack == kept(may).id
    assert since.words[-1].startswith("Same date, data changed: a month-end pack of 2017-06-30")
    assert since.words[-1].endswith("had a tracking error of 3.00%; it is 5.00% now.")


def test_a_date_that_is_asked_for_takes_its_own_report_or_says_there_is_none():
    april, may = figures("2017-04-28"), figures("2017-05-31")
    shelf, now = Shelf(kept(april), kept(may)), figures("2017-06-30")
    wanted = asked(now, "s1", since=april.date)
    assert find_since(shelf, wanted, refuse).pack == kept(april).id
    none = find_since(shelf, asked(now, since=pd.Timestamp("2017-03-31")), lambda *_: may)
    assert "No earlier month-end pack of 2017-03-31 is on record" in none.words[0]
