"""Data that arrives later never changes what was known before."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tilt.data.fundamentals import statement_fields
from tilt.data.known import first_versions, known_from
from tilt.data.panel import build_panel
from tilt.data.schema import STATEMENTS, SYMBOL_CHANGES, check_table, empty
from tilt.data.sources.delivery import Delivery, check_tables
from tilt.refresh import snapshot_id
from tilt.refresh.statements import with_versions

DAYS = pd.bdate_range("2013-01-01", periods=700)
LIKE = pd.DataFrame(1.0, index=DAYS, columns=pd.Index(["A", "B"], name="ticker"))
PERIODS = ["2012-12-31", "2013-12-31", "2014-12-31"]

versions = st.fixed_dictionaries(
    {
        "symbol": st.sampled_from(["A", "B"]),
        "period_end": st.sampled_from(PERIODS),
        "filed": st.one_of(st.none(), st.integers(10, 400)),  # days after the period's end
        "fetched": st.integers(0, 699),  # the session
        "net_income": st.floats(-50, 50),
        "total_equity": st.floats(10, 90),
        "total_assets": st.floats(100, 300),
        "revenue": st.floats(50, 100),
    }
)


def statements(rows) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=STATEMENTS.names)
    table["fetched"] = [DAYS[int(f)] for f in table["fetched"]]
    table["period_end"] = pd.to_datetime(table["period_end"])
    table["filed"] = [
        pd.NaT if pd.isna(f) else e + pd.Timedelta(days=int(f))
        for e, f in zip(table["period_end"], table["filed"], strict=True)
    ]
    unique = table.drop_duplicates(["symbol", "period_end", "filed", "fetched"])
    return check_table(unique, STATEMENTS, origin="made")


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(rows=st.lists(versions, min_size=1, max_size=8), cut=st.integers(100, 690))
def test_versions_seen_after_a_day_change_nothing_that_was_known_on_it(rows, cut):
    """What was first seen later may fill a hole of the past; a restatement may change nothing."""
    table = statements(rows)
    day = DAYS[cut]
    first = first_versions(table)
    then = table[first | (table["fetched"] <= day)]  # no restatement that was seen later
    made = statement_fields(table, empty(SYMBOL_CHANGES), LIKE)
    known = statement_fields(then, empty(SYMBOL_CHANGES), LIKE)
    before = np.asarray(day > DAYS)
    for name, frame in known.items():
        np.testing.assert_array_equal(made[name][before], frame[before], name)


@settings(max_examples=30)
@given(rows=st.lists(versions, min_size=1, max_size=8), lag=st.integers(0, 200))
def test_nothing_is_known_before_its_period_ends_or_a_restatement_before_it_was_seen(rows, lag):
    table = statements(rows)
    known = known_from(table, lag)
    assert (known >= table["period_end"]).all()
    later = ~first_versions(table)
    assert (known[later] >= table["fetched"][later]).all()


small_news = st.lists(
    st.tuples(st.integers(31, 59), st.sampled_from(["close", "split", "dividend"])), max_size=4
)


@settings(max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(news=small_news, cut=st.integers(25, 30), jump=st.floats(0.4, 2.5))
def test_prices_and_events_of_later_days_change_no_earlier_value(make, news, cut, jump):
    close = make.walk(60, [f"N{i}" for i in range(8)])
    day = close.index[cut]
    prices = make.prices(close)
    for row, what in news:
        at = (prices["date"] == close.index[row]) & (prices["ticker"] == "N0")
        prices.loc[at, what] = {"close": jump * close["N0"].iloc[row], "split": 2.0}.get(what, 5.0)
    figures = make.figures(close, "2015-01-20", str(close.index[40].date()))
    whole = {"prices": prices, "key_figures": figures}
    known = {name: table[table["date"] <= day] for name, table in whole.items()}
    later, then = (build_panel(make.delivery(tables)).panel for tables in (whole, known))
    now = later.until(day)
    for name in ("close", "returns", "volume", "market_cap", "member"):
        np.testing.assert_array_equal(
            getattr(now, name).to_numpy(dtype=float), getattr(then, name).to_numpy(dtype=float)
        )
    for name, frame in then.fundamentals.items():
        np.testing.assert_array_equal(now.fundamentals[name], frame, name)


def delivered(**items: float) -> dict[str, pd.DataFrame]:
    row = {"symbol": "A", "period_end": pd.Timestamp("2012-12-31"), "total_assets": 100.0, **items}
    prices = pd.DataFrame({"date": DAYS, "ticker": "A", "close": 10.0, "volume": 1.0})
    return check_tables({"prices": prices, "statements": pd.DataFrame([row])})


def test_a_restatement_stands_beside_the_first_version_and_counts_from_the_day_it_was_seen():
    seen, again, restated = (pd.Timestamp(d) for d in ("2013-02-01", "2013-06-03", "2014-01-15"))
    first = with_versions(delivered(net_income=20.0, total_equity=50.0), None, seen)
    same = with_versions(delivered(net_income=20.0, total_equity=50.0), first, again)
    pd.testing.assert_frame_equal(same["statements"], first["statements"])
    both = with_versions(delivered(net_income=10.0, total_equity=50.0), same, restated)
    assert both["statements"]["fetched"].tolist() == [seen, restated]
    roe = statement_fields(both["statements"], empty(SYMBOL_CHANGES), LIKE)["return_on_equity"]
    assert roe.loc["2013-03-29", "A"] != roe.loc["2013-03-29", "A"]  # 90 days are not over
    assert roe.loc["2013-04-01", "A"] == 0.4
    assert roe.loc["2014-01-14", "A"] == 0.4
    assert roe.loc["2014-01-15", "A"] == 0.2
    back = with_versions(delivered(net_income=20.0, total_equity=50.0), both, restated)
    assert len(back["statements"]) == 2  # on one day the last word counts
    assert back["statements"]["net_income"].tolist() == [20.0, 20.0]


def test_a_filing_day_comes_before_the_assumed_lag_and_the_lag_can_be_set():
    tables = delivered(net_income=20.0, total_equity=50.0)
    assumed = tables["statements"]
    filed = assumed.assign(filed=pd.Timestamp("2013-02-15").as_unit("us"))
    assert known_from(filed).tolist() == [pd.Timestamp("2013-02-15")]
    assert known_from(assumed).tolist() == [pd.Timestamp("2013-03-31")]
    assert known_from(assumed, 60).tolist() == [pd.Timestamp("2013-03-01")]
    given = Delivery("test", "T", "made up", tables)
    panel = build_panel(given, reporting_lag=60).panel
    roe = panel.fundamentals["return_on_equity"]["A"]
    assert roe.first_valid_index() == pd.Timestamp("2013-03-01")


def test_a_restated_past_period_does_not_stand_in_for_the_latest_one():
    tables = delivered(net_income=20.0, total_equity=50.0)
    old = tables["statements"].assign(fetched=pd.Timestamp("2013-01-02").as_unit("us"))
    newer = old.assign(period_end=pd.Timestamp("2013-12-31").as_unit("us"), net_income=30.0)
    late = old.assign(fetched=pd.Timestamp("2014-06-02").as_unit("us"), net_income=5.0)
    rows = pd.concat([old, newer, late], ignore_index=True)
    roe = statement_fields(rows, empty(SYMBOL_CHANGES), LIKE)["return_on_equity"]["A"]
    assert roe.loc["2014-07-01"] == 0.6


@pytest.mark.parametrize("lag", [0, 30])
def test_another_lag_is_another_snapshot(lag):
    given = Delivery("test", "T", "made up", delivered(net_income=1.0))
    assert snapshot_id(given, reporting_lag=lag) != snapshot_id(given)


def test_the_day_of_the_fetch_makes_no_other_snapshot_but_a_restatement_does():
    def made(day, held, **items):
        tables = with_versions(delivered(**items), held, pd.Timestamp(day))
        return tables, snapshot_id(Delivery("test", "T", "made up", tables))

    first, one = made("2013-02-01", None, net_income=20.0)
    _, other = made("2015-08-01", None, net_income=20.0)
    _, restated = made("2014-01-15", first, net_income=10.0)
    _, again = made("2014-01-16", first, net_income=10.0)
    assert one == other
    assert len({one, restated, again}) == 3
