"""Several sources for one universe: who is believed, where a value came from, who disagrees."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from tilt.data.panel import build_panel
from tilt.data.sources.agreement import figures_against_statements, statement_disagreements
from tilt.data.sources.delivery import Delivery, check_tables
from tilt.data.sources.merge import Merge, open_merge
from tilt.data.sources.merging import Order, merged, one_spelling
from tilt.data.sources.registry import find_source
from tilt.data.sources.sample import Sample
from tilt.data.store import Store
from tilt.errors import ArgumentError, BusyError, UnknownNameError
from tilt.refresh import refresh
from tilt.settings import MergeSettings, Settings

DAYS = pd.bdate_range("2024-01-01", periods=4)


def prices(ticker, close, days=DAYS, **columns):
    rows = {"date": days, "ticker": ticker, "close": close, "volume": 1000.0, **columns}
    return pd.DataFrame(rows)


@dataclasses.dataclass
class Given:
    """A source with the tables it is given; it notes what it was asked."""

    name: str
    tables: dict
    fails: bool = False
    held: object = None
    findings: tuple = ()

    def delivery(self):
        return Delivery(self.name, "X", "given", check_tables(self.tables), f"Bias of {self.name}.")

    def fetch(self, progress=None):
        if self.fails:
            raise BusyError("It does not answer.")
        if progress is not None:
            progress(1.0)
        return self.delivery()

    def fetch_since(self, held, progress=None):
        self.held = held
        return self.fetch(progress)


def merge(*parts, **rules):
    names = tuple(p.name for p in parts)
    return Merge("BOTH", parts, MergeSettings(sources=names, **rules))


FIRST = Given("first", {"prices": prices("A", [10.0, 11.0, np.nan, 12.0]).dropna()})
SECOND = Given(
    "second",
    {
        "prices": pd.concat(
            [prices("A", [10.0, 11.5, 11.7, 12.0]), prices("B", [5.0, 6.0, 7.0, 8.0])]
        ),
        "securities": pd.DataFrame({"ticker": ["A"], "sector": ["Energy"]}),
    },
)


def close(delivery, ticker="A"):
    table = delivery.tables["prices"]
    return table[table["ticker"] == ticker]["close"].tolist()


def test_the_first_source_is_believed_and_the_second_fills_what_it_lacks():
    given = merge(FIRST, SECOND).fetch()
    assert close(given) == [10.0, 11.0, 11.7, 12.0]
    assert close(given, "B") == [5.0, 6.0, 7.0, 8.0]
    assert given.tables["securities"]["sector"].tolist() == ["Energy"]


def test_a_stated_precedence_of_a_field_comes_before_the_order():
    given = merge(FIRST, SECOND, precedence={"prices.close": ("second",)}).fetch()
    assert close(given) == [10.0, 11.5, 11.7, 12.0]


def test_provenance_says_the_source_of_each_stretch_of_days():
    table = merge(FIRST, SECOND).fetch().tables["provenance"]
    rows = table[(table["field"] == "close")].drop(columns=["table", "field"])
    said = rows.astype(str).to_numpy().tolist()
    assert said == [
        ["A", "2024-01-01", "2024-01-02", "first", "2"],
        ["A", "2024-01-03", "2024-01-03", "second", "1"],
        ["A", "2024-01-04", "2024-01-04", "first", "1"],
        ["B", "2024-01-01", "2024-01-04", "second", "4"],
    ]


def test_a_difference_beyond_the_tolerance_is_a_finding_with_both_values():
    given = merge(FIRST, SECOND).fetch()
    (finding,) = [f for f in given.findings if f.check == "sources_disagree"]
    assert (finding.ticker, finding.date) == ("A", pd.Timestamp("2024-01-02"))
    assert finding.detail == ("prices.close differs on 2024-01-02: first has 11, second 11.5.")
    assert finding.action == "Kept that of first; both stay in the record."
    (row,) = given.tables["disagreements"].to_dict("records")
    assert (row["value"], row["other_value"]) == ("11.0", "11.5")


def test_a_difference_within_the_tolerance_is_none():
    given = merge(FIRST, SECOND, tolerance={"prices.close": 0.05}).fetch()
    assert given.findings == ()
    assert given.tables["disagreements"].empty


def test_other_words_for_sectors_are_one_finding_for_all_names():
    def source(name, sector):
        named = pd.DataFrame({"ticker": ["A", "B"], "sector": sector})
        both = pd.concat([prices("A", 1.0), prices("B", 1.0)])
        return Given(name, {"prices": both, "securities": named})

    given = merge(source("x", "Tech"), source("y", "Technology"), source("z", " tech ")).fetch()
    (finding,) = given.findings
    assert finding.severity == "info"
    assert finding.detail == (
        "securities.sector differs for 2 names, such as A: x has 'Tech', y 'Technology'."
    )


def test_the_raw_values_of_all_sources_stay_in_the_record():
    tables = merge(FIRST, SECOND).fetch().tables
    assert tables["sources"].to_numpy().tolist() == [[1, "first"], [2, "second"]]
    pd.testing.assert_frame_equal(tables["raw.1.prices"], FIRST.delivery().tables["prices"])
    pd.testing.assert_frame_equal(tables["raw.2.prices"], SECOND.delivery().tables["prices"])


def test_the_merged_tables_make_a_panel():
    panel = build_panel(merge(FIRST, SECOND).fetch()).panel
    assert panel.assets.tolist() == ["A", "B"]
    np.testing.assert_allclose(panel.close["A"], [10.0, 11.0, 11.7, 12.0])


def test_a_class_of_shares_is_one_name_however_it_is_written():
    one = Given("one", {"prices": prices("BRK.B", 300.0)})
    other = Given("other", {"prices": prices("BRK-B", 330.0)})
    given = merge(one, other).fetch()
    assert set(given.tables["prices"]["ticker"]) == {"BRK.B"}
    assert len(given.tables["prices"]) == len(DAYS)
    assert set(given.tables["raw.2.prices"]["ticker"]) == {"BRK-B"}
    (finding,) = given.findings
    assert "differs 4 times, most on 2024-01-01: one has 300, other 330." in finding.detail


def test_a_source_that_fails_stops_the_merge_by_name():
    broken = Given("broken", {}, fails=True)
    with pytest.raises(BusyError, match=r"broken: It does not answer"):
        merge(FIRST, broken).fetch()


def test_each_source_is_asked_for_what_it_lacks_itself():
    one = dataclasses.replace(FIRST)
    two = dataclasses.replace(SECOND)
    both = merge(one, two)
    first = both.fetch()
    both.fetch_since(first.tables)
    assert set(one.held) == {"prices"}
    pd.testing.assert_frame_equal(two.held["prices"], first.tables["raw.2.prices"])


def test_the_lists_of_members_are_those_of_the_first_source_that_has_any():
    def figures(name, *dates, **columns):
        rows = [{"date": pd.Timestamp(d), "symbol": "A", **columns} for d in dates]
        return Given(name, {"prices": prices("A", 1.0), "key_figures": pd.DataFrame(rows)})

    one = figures("one", "2024-01-02", market_cap=5.0)
    two = figures("two", "2024-01-02", "2024-01-04", market_cap=5.0, ebitda=2.0)
    table = merge(one, two).fetch().tables["key_figures"]
    assert table[["market_cap", "ebitda"]].to_numpy().tolist() == [[5.0, 2.0]]


def test_versions_of_a_statement_stand_beside_each_other_in_their_order():
    def stated(name, *rows):
        table = pd.DataFrame(rows, columns=["revenue", "fetched"])
        table = table.assign(symbol="A", period_end=pd.Timestamp("2023-12-31"))
        return Given(name, {"prices": prices("A", 1.0), "statements": table})

    one = stated("one", (10.0, "2024-02-01"), (11.0, "2024-05-01"))
    two = stated("two", (10.0, "2024-03-01"))
    table = merge(one, two).fetch().tables["statements"]
    assert table["revenue"].tolist() == [10.0, 11.0]


values = st.lists(st.one_of(st.none(), st.floats(1, 100)), min_size=4, max_size=4)


@examples(max_examples=12)
@given(mine=values, other=values)
def test_every_merged_value_is_its_sources_own_and_none_is_lost(mine, other):
    def table(closes):
        rows = [(d, "A", c, 1.0) for d, c in zip(DAYS, closes, strict=True) if c is not None]
        return pd.DataFrame(rows, columns=["date", "ticker", "close", "volume"])

    tables = {
        name: {"prices": check_tables({"prices": t})["prices"]}
        for name, t in (("m", table(mine)), ("o", table(other)))
        if len(t)
    }
    found = merged(one_spelling(tables), Order(tuple(tables) or ("m",), {}, {})) if tables else None
    got = {} if found is None else found.tables["prices"].set_index("date")["close"].to_dict()
    pairs = zip(DAYS, mine, other, strict=True)
    wanted = {d: o if m is None else m for d, m, o in pairs if (m, o) != (None, None)}
    assert got == wanted
    counted = 0 if found is None else found.provenance.query("field == 'close'")["values"].sum()
    assert counted == len(wanted)


@pytest.fixture
def settings(tmp_path):
    def make(**merges):
        for name in ("mine", "yours"):
            folder = tmp_path / name
            folder.mkdir(exist_ok=True)
            prices("A", 10.0 if name == "mine" else 12.0).to_csv(folder / "prices.csv", index=False)
        return Settings(data_url=str(tmp_path), merge=merges)

    return make


def test_a_merge_of_the_settings_is_found_by_its_name(settings):
    found = find_source("merge:us", settings(US={"sources": ["files:mine", "files:yours"]}))
    given = found.fetch()
    assert (found.name, given.universe) == ("merge:US", "US")
    assert close(given) == [10.0] * 4
    assert {f.check for f in given.findings} >= {"sources_disagree"}


def test_the_record_keeps_the_raw_values_and_where_each_came_from(settings):
    given = settings(US={"sources": ["files:mine", "files:yours"]})
    store = Store.open(given)
    made = refresh(store, given, source="merge:us").snapshot
    files = store.contents(made.id)
    assert made.source == "merge:US"
    assert files.table("raw.2.prices.parquet")["close"].to_pylist() == [12.0] * 4
    assert set(files.table("provenance.parquet")["source"].to_pylist()) == {"files:mine"}
    found = store.findings("US")
    (row,) = found[found["check"] == "sources_disagree"].to_dict("records")
    assert "differs 4 times" in row["detail"]
    assert refresh(store, given, source=made.source).snapshot.id == made.id
    store.close()


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ({"precedence": {"price.close": ["files:mine"]}}, "got 'price.close'. Did you mean 'pric"),
        ({"precedence": {"prices": ["files:min"]}}, "got 'files:min'. Did you mean 'files:mine'"),
        ({"tolerance": {"prices.clos": 0.1}}, "Did you mean 'prices.close'"),
        ({"sources": ["files:mine", "merge:X"]}, "cannot merge a merge: 'merge:X'"),
        ({"sources": ["files:mine", "files:mine"]}, "names a source twice"),
    ],
)
def test_a_rule_about_what_is_not_there_is_refused(settings, rules, said):
    given = {"sources": ["files:mine", "files:yours"], **rules}
    with pytest.raises(ArgumentError, match=said):
        open_merge("US", settings(US=given))


def test_an_unknown_merge_is_refused_with_the_nearest(settings):
    given = settings(EUROPE={"sources": ["files:mine", "files:yours"]})
    with pytest.raises(UnknownNameError, match=r"no \[merge.EUROP\].*Did you mean 'EUROPE'"):
        open_merge("EUROP", given)


def test_key_figures_are_held_against_the_statement_of_their_year():
    day = pd.Timestamp("2024-03-15")
    figures = pd.DataFrame(
        {
            "date": [day, day + pd.Timedelta(days=30)], "symbol": "A", "price": 10.0,
            "market_cap": 1000.0, "earnings": 1.0, "book_value": 5.0, "price_to_sales": 0.5,
        }
    )  # fmt: skip
    statements = pd.DataFrame(
        {
            "symbol": ["A"], "period_end": [pd.Timestamp("2023-12-31")], "net_income": [100.0],
            "total_equity": [400.0], "revenue": [2100.0],
        }
    )  # fmt: skip
    tables = check_tables(
        {"prices": prices("A", 10.0), "key_figures": figures, "statements": statements}
    )
    table = figures_against_statements(tables).set_index("field")
    assert table["date"].tolist() == [day] * 3  # the first list that knows it, alone
    assert table["difference"].to_dict() == pytest.approx(
        {"earnings": 0.0, "book_value": 0.25, "sales": 2000 / 2100 - 1}
    )
    (finding,) = statement_disagreements(tables)
    assert finding.detail.startswith("book_value: the key figures say 500 (book value a share")
    assert "the statement of 2023-12-31 400" in finding.detail


def test_the_sample_s_figures_and_statements_disagree_where_a_statement_is_of_another_company():
    tables = Sample().fetch().tables
    table = figures_against_statements(tables)
    assert table.groupby("field").size().min() > 800
    # most agree: the two were made apart, so agreement is no accident
    assert table.groupby("field")["difference"].median().abs().max() < 0.02
    off = table[table["difference"].abs() > 2].groupby("ticker")["field"].nunique()
    # three statements are of another entity of nearly that name: all of their items are off
    assert set(off[off == 3].index) == {"KEY", "PG", "USB"}
    found = statement_disagreements(tables)
    assert len(found) == (table["difference"].abs() > 0.10).sum()
