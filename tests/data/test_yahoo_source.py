"""Yahoo, through yfinance's own requests, from a stand-in on this machine."""

import datetime as dt
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import yfinance
from yahoo_server import CRUMB, Company, YahooServer
from yfinance.config import YfConfig

from tilt.data.panel import build_panel
from tilt.data.sources.names import last_day
from tilt.data.sources.registry import find_source
from tilt.data.sources.yahoo import Yahoo, read_yahoo, symbol
from tilt.data.sources.yahoo_web import Pace, PoliteSession, retry_after
from tilt.data.store import Store
from tilt.errors import ArgumentError, BusyError, DataError, StoppedError
from tilt.refresh import refresh, snapshot_id
from tilt.settings import Settings

DAYS = ["2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05", "2024-01-08"]
LAST = pd.Timestamp("2024-01-08")
CHART = "/v8/finance/chart/"
PROFILE = {
    "longName": "Split Inc",
    "sector": "Technology",
    "industry": "Software",
    "financialCurrency": "USD",
    "sharesOutstanding": 4_000_000,
}
# as traded: 100, 104 with a dividend of 0.20, then four shares for one: 27, 26.50, 26
SPLIT = Company(
    close=dict(zip(DAYS, [25.0, 26.0, 27.0, 26.5, 26.0], strict=True)),
    volume=4000,
    dividends={"2024-01-03": 0.05},
    splits={"2024-01-04": (4, 1)},
    shares={"2024-01-02": 1e6},
    annual={
        "TotalRevenue": {"2022-12-31": 52e6, "2023-12-31": 99e6},
        "NetIncomeCommonStockholders": {"2022-12-31": 8e6},
        "StockholdersEquity": {"2022-12-31": 40e6},
        "EBITDA": {"2022-12-31": 13e6},
        "CapitalExpenditure": {"2022-12-31": -2e6},
    },
    profile=PROFILE,
)
PLAIN = Company(close=dict.fromkeys(DAYS, 10.0), profile=PROFILE)


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    monkeypatch.setenv("no_proxy", "yahoo.localhost")


@pytest.fixture
def server():
    with YahooServer({"SPLIT": SPLIT, "PLAIN": PLAIN}) as yahoo:
        yield yahoo


@pytest.fixture
def waited():
    return []


@pytest.fixture
def source(server, tmp_path, waited):
    def make(*tickers, **options):
        asked = ",".join(tickers)
        pace = Pace(pause=0.0, timeout=5.0, sleep=waited.append)
        given = Yahoo(
            tickers, tmp_path / "yahoo", asked, day=LAST, base_url=server.url, pace=pace,
            start=pd.Timestamp("2024-01-01"),
        )  # fmt: skip
        return replace(given, **options)

    return make


def checks(delivery):
    return {(f.ticker, f.check): f for f in delivery.findings}


def prices(delivery, ticker):
    table = delivery.tables["prices"]
    return table[table["ticker"] == ticker].set_index("date")


def test_prices_of_before_a_split_are_those_that_were_traded(source):
    table = prices(source("SPLIT").fetch(), "SPLIT")
    assert table.index.strftime("%Y-%m-%d").tolist() == DAYS
    assert table["close"].tolist() == [100.0, 104.0, 27.0, 26.5, 26.0]
    assert table["volume"].tolist() == [1000, 1000, 4000, 4000, 4000]
    assert table["dividend"].tolist() == [0.0, 0.2, 0.0, 0.0, 0.0]
    assert table["split"].tolist() == [1.0, 1.0, 4.0, 1.0, 1.0]


def test_returns_through_a_split_and_a_dividend_are_the_hand_made_ones(source):
    returns = build_panel(source("SPLIT").fetch()).panel.returns["SPLIT"].iloc[1:]
    made = [104.2 / 100 - 1, 108 / 104 - 1, 26.5 / 27 - 1, 26 / 26.5 - 1]
    np.testing.assert_allclose(returns, made, rtol=1e-12)


def test_a_split_after_the_last_day_is_undone_too(source):
    table = prices(source("SPLIT", day=pd.Timestamp("2024-01-03")).fetch(), "SPLIT")
    assert table["close"].tolist() == [100.0, 104.0]
    assert table["dividend"].tolist() == [0.0, 0.2]
    assert table["split"].tolist() == [1.0, 1.0]


def test_an_event_on_a_day_without_a_close_counts_on_the_next(server, source):
    server.companies["SPLIT"] = replace(
        SPLIT, close={**SPLIT.close, "2024-01-03": None, "2024-01-04": None}
    )
    table = prices(source("SPLIT").fetch(), "SPLIT")
    assert table["close"].tolist() == [100.0, 26.5, 26.0]
    assert table["split"].tolist() == [1.0, 4.0, 1.0]
    assert table["dividend"].tolist() == [0.0, 0.05, 0.0]  # per share after the split


def test_the_cap_is_the_counted_shares_through_the_split_times_the_close(source):
    figures = source("SPLIT").fetch().tables["key_figures"]
    assert figures["date"].tolist() == [LAST]
    row = figures.iloc[0]
    assert row["price"] == 26.0
    assert row["market_cap"] == 4e6 * 26.0
    # of 2022: the statement of 2023 is not out before the end of March
    assert (row["book_value"], row["earnings"], row["ebitda"]) == (10.0, 2.0, 13e6)
    assert row["price_to_sales"] == 2.0


def test_shares_are_not_known_before_the_day_after_their_count(server, source):
    days = [f"{d:%Y-%m-%d}" for d in pd.bdate_range("2023-09-01", "2024-01-08")]
    counts = {"2023-10-31": 5e6, "2023-12-15": 6e6}
    server.companies["SPLIT"] = Company(close=dict.fromkeys(days, 20.0), shares=counts)
    given = source("SPLIT", start=pd.Timestamp("2023-09-01")).fetch()
    caps = given.tables["key_figures"].set_index("date")["market_cap"]
    assert {f"{d:%Y-%m-%d}": v for d, v in caps.items()} == {
        "2023-11-30": 1e8,  # not in October: the count is of that month's last day
        "2023-12-29": 1.2e8,
        "2024-01-08": 1.2e8,
    }
    panel = build_panel(given).panel
    assert panel.market_cap["SPLIT"].first_valid_index() == pd.Timestamp("2023-11-30")
    assert checks(given)["", "caps_begin"].detail.endswith("from 2023-11 on.")


def test_what_comes_later_never_changes_an_earlier_list(server, source, tmp_path):
    days = [f"{d:%Y-%m-%d}" for d in pd.bdate_range("2023-01-02", "2024-01-08")]
    rng = np.random.default_rng(4)
    close = dict(zip(days, 20 + rng.random(len(days)), strict=True))
    early = Company(close=close, shares={"2023-01-10": 5e6}, annual=SPLIT.annual)
    start = pd.Timestamp("2023-01-01")
    server.companies["SPLIT"] = early
    before = source("SPLIT", start=start, day=pd.Timestamp("2023-06-30")).fetch()
    # a split in autumn halves the whole past at Yahoo; then a new count and a new statement
    server.companies["SPLIT"] = replace(
        early,
        close={d: c / 2 if d < "2023-10-02" else c for d, c in close.items()},
        splits={"2023-10-02": (2, 1)},
        shares={"2023-01-10": 5e6, "2023-11-01": 11e6},
        annual={k: {**v, "2023-06-30": 1.0} for k, v in SPLIT.annual.items()},
    )
    after = source("SPLIT", start=start, folder=tmp_path / "later").fetch()
    for table in ("prices", "key_figures"):
        later = after.tables[table]
        again = later[later["date"] <= "2023-06-30"].reset_index(drop=True)
        once = before.tables[table].copy()
        again["volume" if table == "prices" else "sector"] = None
        once["volume" if table == "prices" else "sector"] = None
        pd.testing.assert_frame_equal(again, once)


def test_statements_and_names_arrive_in_the_columns_of_the_schema(source):
    given = source("SPLIT").fetch().tables
    rows = given["statements"].set_index("period_end")
    assert rows.loc["2022-12-31", "capital_expenditure"] == -2e6
    assert rows["revenue"].tolist() == [52e6, 99e6]
    assert rows["total_assets"].isna().all()
    assert given["securities"].iloc[0].dropna().to_dict() == {
        "ticker": "SPLIT", "name": "Split Inc", "sector": "Technology", "industry": "Software",
    }  # fmt: skip


def test_the_dividend_yield_is_of_a_whole_year_or_missing(server, source):
    days = [f"{d:%Y-%m-%d}" for d in pd.bdate_range("2022-12-01", "2024-01-08")]
    server.companies["SPLIT"] = Company(
        close=dict.fromkeys(days, 20.0),
        dividends={"2023-01-03": 0.4, "2023-06-01": 0.6},
        shares={"2022-12-01": 1e6, "2023-11-01": 1e6},
    )
    given = source("SPLIT", start=pd.Timestamp("2022-12-01")).fetch()
    rows = given.tables["key_figures"].set_index("date")["dividend_yield"]
    assert rows[:"2023-11-30"].isna().all()
    assert rows["2023-12-29"] == pytest.approx(1.0 / 20)
    assert rows["2024-01-08"] == pytest.approx(0.6 / 20)


def test_today_s_shares_alone_give_a_cap_on_the_last_day_alone(source):
    given = source("PLAIN").fetch()
    assert given.tables["key_figures"][["date", "market_cap"]].to_numpy().tolist() == [[LAST, 4e7]]
    assert "cap on the last day only" in checks(given)["PLAIN", "no_past_shares"].action


def test_a_delisted_name_is_a_finding_and_the_others_are_delivered(server, source):
    server.companies["EMPTY"] = Company(close={})
    given = source("GONE", "SPLIT", "EMPTY").fetch()
    assert set(given.tables["prices"]["ticker"]) == {"SPLIT"}
    found = checks(given)
    assert found["GONE", "not_at_yahoo"].severity == "error"
    said = "It has no prices at Yahoo: {}."
    assert found["GONE", "not_at_yahoo"].detail == said.format("Yahoo does not know it")
    assert found["EMPTY", "not_at_yahoo"].detail == said.format("there are none in this time")


def test_a_name_that_stopped_trading_is_kept_until_then(source):
    given = source("SPLIT", day=pd.Timestamp("2024-02-01")).fetch()
    assert checks(given)["SPLIT", "prices_end"].detail == "Its last price is of 2024-01-08."


def test_too_many_requests_are_waited_out_as_long_as_yahoo_says(server, source, waited):
    server.answers[CHART] = [(429, {"Retry-After": "7"}, "wait"), (429, {}, "wait")]
    given = source("SPLIT").fetch()
    assert waited[:2] == [7.0, 20.0]  # as told; then the second of our own waits
    assert len(prices(given, "SPLIT")) == 5
    assert server.count(CHART) == 4  # the time zone, twice refused, and the prices


def test_a_refusal_that_lasts_stops_and_keeps_what_came(server, source, waited):
    server.answers["chart/PLAIN"] = [(429, {}, "no")]
    server.forever.add("chart/PLAIN")
    with pytest.raises(BusyError, match=r"429.*1 of 3 names are here and are kept.*Refresh again"):
        source("SPLIT", "PLAIN", "GONE").fetch()
    assert waited == [5.0, 20.0, 60.0]
    assert server.count("PLAIN") == 4
    assert server.count("GONE") == 0
    server.answers.clear()
    server.asked.clear()
    assert len(source("SPLIT", "PLAIN").fetch().tables["securities"]) == 2
    assert server.count("SPLIT") == 0


def test_a_wait_of_an_hour_is_not_waited(server, source, waited):
    server.answers[CHART] = [(429, {"Retry-After": "3600"}, "no")]
    with pytest.raises(BusyError, match="Too Many Requests"):
        source("SPLIT").fetch()
    assert waited == []


@pytest.mark.parametrize("body", ["<html>oops", "{}", '{"chart": {"result": [{"meta": {}}]}}'])
def test_an_unreadable_answer_costs_one_name_and_is_asked_for_again(server, source, body):
    server.answers["chart/PLAIN"] = [(200, {}, body)]
    server.forever.add("chart/PLAIN")
    given = source("SPLIT", "PLAIN").fetch()
    assert set(given.tables["prices"]["ticker"]) == {"SPLIT"}
    (finding,) = [f for f in given.findings if f.ticker == "PLAIN"]
    assert finding.severity == "error"
    assert "the answer cannot be read" in finding.detail
    server.answers.clear()
    assert len(source("SPLIT", "PLAIN").fetch().tables["securities"]) == 2


def test_a_slow_answer_is_given_up_after_two_tries(server, source):
    server.slow["chart/PLAIN"] = 0.4
    pace = Pace(pause=0.0, timeout=0.2)
    given = source("SPLIT", "PLAIN", pace=pace).fetch()
    detail = checks(given)["PLAIN", "not_fetched"].detail
    assert detail == "Its prices did not come: no answer within 0.2 seconds."
    assert server.count("chart/PLAIN") == 2


def test_three_failures_in_a_row_stop_the_fetch(server, source):
    server.answers[CHART] = [(200, {}, "<html>down</html>")]
    server.forever.add(CHART)
    names = ("N1", "N2", "N3", "N4", "N5")
    with pytest.raises(BusyError, match=r"3 names in a row, last for N3.*0 of 5 names"):
        source(*names).fetch()


def test_an_error_of_the_server_is_tried_again_and_then_one_finding(server, source, waited):
    server.answers["chart/PLAIN"] = [(503, {}, '{"chart": {"error": {"description": "down"}}}')]
    server.forever.add("chart/PLAIN")
    given = source("SPLIT", "PLAIN").fetch()
    assert checks(given)["PLAIN", "not_fetched"].detail.endswith("Yahoo answered 503.")
    assert waited[:3] == [5.0, 20.0, 60.0]


def test_no_network_is_said_and_nothing_more_is_asked(source):
    with pytest.raises(BusyError, match=r"Yahoo cannot be reached.*0 of 2 names"):
        source("SPLIT", "PLAIN", base_url="http://127.0.0.1:9").fetch()


@pytest.mark.parametrize(
    ("path", "check"),
    [("quoteSummary", "no_profile"), ("timeseries", "no_statements")],
)
def test_a_missing_part_is_a_finding_and_the_prices_are_delivered(server, source, path, check):
    server.answers[path] = [(200, {}, "nonsense")]
    server.forever.add(path)
    given = source("SPLIT").fetch()
    assert len(prices(given, "SPLIT")) == 5
    assert "cannot be read" in checks(given)["SPLIT", check].detail


def test_a_fetch_that_crashed_goes_on_where_it_was(server, source, tmp_path):
    def stop(fraction):
        if fraction > 0.5:
            raise StoppedError("The user stopped it.")

    names = ("SPLIT", "PLAIN", "GONE")
    with pytest.raises(StoppedError):
        source(*names).fetch(stop)
    assert server.count("PLAIN") > 0
    server.asked.clear()
    (kept,) = (tmp_path / "yahoo").iterdir()
    cut_off = kept / "t PLAIN.json"
    cut_off.write_bytes(cut_off.read_bytes()[:100])
    given = source(*names).fetch()
    assert server.count("SPLIT") == 0
    assert server.count("PLAIN") > 0
    assert len(given.tables["securities"]) == 2


def test_the_same_day_asks_nothing_and_gives_the_same_snapshot(server, source):
    first = source("SPLIT", "GONE").fetch()
    server.asked.clear()
    assert snapshot_id(source("SPLIT", "GONE").fetch()) == snapshot_id(first)
    assert server.asked == []


def test_the_next_day_asks_anew_and_leaves_no_older_answers(server, source, tmp_path):
    source("SPLIT").fetch()
    server.asked.clear()
    source("SPLIT", day=pd.Timestamp("2024-01-09")).fetch()
    assert server.count("SPLIT") > 5
    assert [p.name for p in (tmp_path / "yahoo").iterdir()] == ["2024-01-09 from 2024-01-01"]


LATER = pd.Timestamp("2024-01-10")
MORE = {"2024-01-09": 25.0, "2024-01-10": 24.0}


def statements(delivery):
    return delivery.tables["statements"]


def test_the_next_refresh_asks_for_the_last_days_alone_and_gives_the_same(server, source, tmp_path):
    held = source("SPLIT", "PLAIN").fetch().tables
    server.companies["SPLIT"] = replace(SPLIT, close={**SPLIT.close, **MORE})
    server.asked.clear()
    server.since.clear()
    more = source("SPLIT", "PLAIN", day=LATER).fetch_since(held)
    assert min(server.since) >= int(pd.Timestamp("2023-12-20").timestamp())
    assert server.count("timeseries") == 0
    assert server.count("quoteSummary") == 0
    anew = source("SPLIT", "PLAIN", day=LATER, folder=tmp_path / "anew").fetch()
    for table in ("prices", "key_figures", "securities"):
        pd.testing.assert_frame_equal(more.tables[table], anew.tables[table])
    assert statements(more)["fetched"].eq(LAST).all()
    assert statements(anew)["fetched"].eq(LATER).all()


def test_a_new_split_changes_no_close_that_was_traded(server, source):
    held = source("SPLIT").fetch().tables
    halved = {day: close / 2 for day, close in SPLIT.close.items()}
    server.companies["SPLIT"] = replace(
        SPLIT, close={**halved, "2024-01-09": 13.0}, splits={**SPLIT.splits, "2024-01-09": (2, 1)}
    )
    given = source("SPLIT", day=LATER).fetch_since(held)
    assert prices(given, "SPLIT")["close"].tolist() == [100.0, 104.0, 27.0, 26.5, 26.0, 13.0]
    assert "restated" not in {check for _, check in checks(given)}


def test_a_past_that_yahoo_changed_is_asked_for_in_full_and_said(server, source):
    held = source("SPLIT").fetch().tables
    changed = {**SPLIT.close, "2024-01-02": 24.0, "2024-01-08": 26.6, **MORE}
    server.companies["SPLIT"] = replace(SPLIT, close=changed)
    given = source("SPLIT", day=LATER).fetch_since(held)
    assert prices(given, "SPLIT")["close"].iloc[[0, 4]].tolist() == [96.0, 26.6]
    finding = checks(given)["SPLIT", "restated"]
    assert "close of 2024-01-02 24 and not 25" in finding.detail
    assert finding.action.startswith("Kept as Yahoo has them now")


def test_statements_are_asked_for_again_after_a_week(server, source):
    held = source("SPLIT").fetch().tables
    annual = {**SPLIT.annual, "TotalRevenue": {"2022-12-31": 51e6, "2023-12-31": 99e6}}
    server.companies["SPLIT"] = replace(SPLIT, close={**SPLIT.close, **MORE}, annual=annual)
    for day, revenue in (("2024-01-14", 52e6), ("2024-01-15", 51e6)):
        rows = statements(source("SPLIT", day=pd.Timestamp(day)).fetch_since(held))
        assert rows["revenue"].tolist() == [revenue, 99e6]
    assert rows["fetched"].eq(pd.Timestamp("2024-01-15")).all()


def test_a_list_that_was_published_stays_as_it_was(server, source):
    days = [f"{d:%Y-%m-%d}" for d in pd.bdate_range("2023-09-01", "2024-01-08")]
    company = Company(close=dict.fromkeys(days, 20.0), shares={"2023-09-10": 5e6})
    server.companies["SPLIT"] = company
    start = pd.Timestamp("2023-09-01")
    held = source("SPLIT", start=start).fetch().tables
    later = {"2023-09-10": 5e6, "2023-09-20": 7e6}
    server.companies["SPLIT"] = replace(company, shares=later)
    week = pd.Timestamp("2024-01-16")
    lists = source("SPLIT", start=start, day=week).fetch_since(held).tables["key_figures"]
    assert lists["market_cap"].tolist() == [1e8] * len(lists)


def test_a_name_not_asked_for_before_is_asked_for_in_full(source):
    held = source("SPLIT").fetch().tables
    given = source("SPLIT", "PLAIN", day=pd.Timestamp("2024-01-09")).fetch_since(held)
    assert len(prices(given, "PLAIN")) == 5


def test_names_in_another_currency_are_left_out_by_name(server, source):
    server.companies["EURO"] = replace(PLAIN, currency="EUR")
    given = source("EURO", "SPLIT", "PLAIN").fetch()
    assert set(given.tables["prices"]["ticker"]) == {"SPLIT", "PLAIN"}
    assert "in EUR, most others in USD" in checks(given)["EURO", "other_currency"].detail
    assert given.description.endswith("prices in USD")


def test_statements_in_another_currency_give_no_figures_against_the_price(server, source):
    profile = {**PROFILE, "financialCurrency": "TWD"}
    server.companies["SPLIT"] = replace(SPLIT, profile=profile)
    given = source("SPLIT").fetch()
    row = given.tables["key_figures"].iloc[0]
    assert row["market_cap"] == 4e6 * 26.0
    assert row[["book_value", "earnings", "price_to_sales", "ebitda"]].isna().all()
    assert "TWD" in checks(given)["SPLIT", "statement_currency"].detail


def test_every_request_goes_to_the_given_address_with_one_cookie_and_one_crumb(server, source):
    source("SPLIT", "PLAIN").fetch()
    assert server.hosts == {server.url.removeprefix("http://")}
    assert server.count("^/$") <= 2
    assert server.count("getcrumb") == 1
    assert set(server.crumbs) == {CRUMB}


def test_requests_keep_their_distance(server, waited):
    session = PoliteSession(Pace(pause=9.0, sleep=waited.append), base_url=server.url)
    for _ in range(3):
        session.get("https://query2.finance.yahoo.com/v8/finance/chart/SPLIT")
    session.close()
    assert len(waited) == 2
    assert all(8 < wait <= 9 for wait in waited)


def test_yfinance_is_afterwards_as_it_was_and_has_written_nothing(server, source, tmp_path):
    def state():
        caches = yfinance.cache.get_tz_cache, yfinance.cache.get_cookie_cache
        return *caches, YfConfig.debug.hide_exceptions

    before = state()
    yfinance.set_tz_cache_location(str(tmp_path / "cache"))
    source("SPLIT").fetch()
    server.answers[CHART] = [(429, {"Retry-After": "999"}, "no")]
    with pytest.raises(BusyError):
        source("PLAIN").fetch()
    assert state() == before
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize(
    ("header", "wait"),
    [(None, None), ("12", 12.0), ("soon", None), ("Mon, 01 Jan 2024 00:00:00 GMT", 0.0)],
)
def test_retry_after_is_seconds_or_a_date(header, wait):
    assert retry_after(header) == wait


@pytest.mark.parametrize(
    ("now", "day"),
    [
        ("2024-01-08T21:59:00+00:00", "2024-01-07"),  # 16:59 in New York
        ("2024-01-08T22:00:00+00:00", "2024-01-08"),
        ("2024-07-08T21:00:00+00:00", "2024-07-08"),  # summer time
    ],
)
def test_a_day_counts_once_it_is_five_in_the_afternoon_in_new_york(now, day):
    assert last_day(dt.datetime.fromisoformat(now)) == pd.Timestamp(day)


def test_share_classes_are_asked_for_as_yahoo_writes_them(server, source):
    server.companies["BRK-B"] = PLAIN
    given = source("BRK.B", "SPLIT").fetch()
    assert set(given.tables["prices"]["ticker"]) == {"BRK.B", "SPLIT"}
    assert [symbol(t) for t in ("BRK/B", "BRK B", "SAP.DE", "BARC.L")] == [
        "BRK-B", "BRK-B", "SAP.DE", "BARC.L",
    ]  # fmt: skip


def test_a_list_is_read_from_commas_or_from_a_file(tmp_path):
    read = read_yahoo("yahoo: aapl, MSFT,aapl @2015-01-01", tmp_path)
    assert read.tickers == ("AAPL", "MSFT")
    assert read.first == pd.Timestamp("2015-01-01")
    assert read.universe == "YAHOO"
    (tmp_path / "tech.csv").write_text("\ufeffSymbol,Name\nNA,Nano\nTRUE,True\nBRK.B,Berkshire\n")
    (tmp_path / "own.txt").write_text("AAPL\n\n# later\nMSFT  # Microsoft\n")
    tech = read_yahoo("yahoo:tech.csv", tmp_path)
    assert (tech.tickers, tech.universe) == (("NA", "TRUE", "BRK.B"), "TECH")
    assert read_yahoo("YAHOO:own.txt", tmp_path).tickers == ("AAPL", "MSFT")
    assert tech.name == "yahoo:tech.csv"
    day = pd.Timestamp("2024-05-05")
    assert replace(tech, day=day).first == pd.Timestamp("2014-01-01")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("yahoo:", "no ticker to ask Yahoo for"),
        ("yahoo:none.txt", "no file 'none.txt' with tickers"),
        ("yahoo:AAPL,MS FT", "'MS FT' is no ticker"),
        ("yahoo:US0378331005", "'US0378331005' is no ticker"),
        ("yahoo:AAPL@yesterday", "first day must be a date such as 2015-01-01; got 'yesterday'"),
        ("yahoo:" + ",".join(f"T{i}" for i in range(60)), "Write it to a file"),
    ],
)
def test_a_list_that_cannot_be_asked_for_is_refused(tmp_path, name, said):
    with pytest.raises(ArgumentError, match=said):
        find_source(name, Settings(data_url=str(tmp_path)))


def test_names_that_are_all_unknown_are_refused_by_name(source):
    with pytest.raises(
        DataError, match=r"no prices for any of the 2 names. GONE: .*does not know it"
    ):
        source("GONE", "LOST").fetch()


def universe(names, days):
    """Companies that move with a market of their own; from a seed."""
    rng = np.random.default_rng(11)
    dates = [f"{d:%Y-%m-%d}" for d in pd.bdate_range(end=LAST, periods=days)]
    market = 0.008 * rng.standard_normal(days)
    companies = {}
    for i in range(names):
        steps = market * rng.uniform(0.5, 1.5) + 0.01 * rng.standard_normal(days)
        close = rng.uniform(20, 200) * np.exp(steps.cumsum())
        money = {
            "StockholdersEquity": rng.uniform(1, 5) * 1e9, "TotalAssets": rng.uniform(6, 9) * 1e9,
            "NetIncomeCommonStockholders": rng.uniform(0.1, 0.9) * 1e9, "TotalRevenue": 4e9,
            "CostOfRevenue": 2e9, "GrossProfit": 2e9, "LongTermDebt": 1e9, "CurrentDebt": 1e8,
            "OperatingCashFlow": 5e8,
        }  # fmt: skip
        companies[f"N{i:02}"] = Company(
            close=dict(zip(dates, close.tolist(), strict=True)),
            volume=1e6,
            shares={"2022-06-30": float(rng.integers(50, 500) * 1e6)},
            annual={item: {"2021-12-31": v, "2022-12-31": v * 1.1} for item, v in money.items()},
            profile={**PROFILE, "sector": ["Technology", "Energy", "Utilities"][i % 3]},
        )
    return companies


@pytest.fixture
def stand_in(server, monkeypatch):
    """Let the source of a name be asked at the stand-in, on its last day."""

    def find(name, settings):
        given = read_yahoo(name, settings.data_path, base_url=server.url)
        return replace(given, day=LAST, pace=Pace(pause=0.0))

    monkeypatch.setattr("tilt.refresh.run.find_source", find)


@pytest.mark.usefixtures("stand_in")
def test_forty_names_become_a_snapshot_with_a_panel_and_factors(server, tmp_path):
    server.companies = universe(40, 400)
    settings = Settings(data_url=str(tmp_path))
    (tmp_path / "forty.txt").write_text("\n".join([*server.companies, "GONE"]))
    store = Store.open(settings)
    told = []
    made = refresh(
        store, settings, source="yahoo:forty.txt@2022-01-01", progress=lambda *a: told.append(a)
    ).snapshot
    assert (made.universe, made.securities, made.source) == (
        "FORTY", 40, "yahoo:forty.txt@2022-01-01",
    )  # fmt: skip
    panel = store.panel("FORTY")
    assert panel.returns.shape == (400, 40)
    assert panel.as_of == LAST
    assert panel.factors.dates[-1] == LAST
    assert {"Size", "Value", "Technology"} <= set(panel.factors.returns.columns)
    found = store.findings("FORTY")
    assert found[found["check"] == "not_at_yahoo"]["ticker"].tolist() == ["GONE"]
    fetching = [share for stage, share in told if stage == "fetch"]
    assert len(fetching) > 40
    assert fetching == sorted(fetching)
    assert fetching[-1] == pytest.approx(0.2)
    store.close()


def test_an_answer_in_the_folder_is_plain_json(source, tmp_path):
    source("SPLIT").fetch()
    (path,) = (tmp_path / "yahoo").rglob("*.json")
    kept = json.loads(path.read_text())
    assert kept["prices"]["close"] == [25.0, 26.0, 27.0, 26.5, 26.0]  # as Yahoo said it
    assert kept["currency"] == "USD"
