# ruff: noqa: ARG001, ARG005 - the stand-in for xbbg takes what xbbg takes
"""Bloomberg, from a stand-in that delivers blpapi's requests, events and elements."""

import datetime as dt
import sys
from dataclasses import replace
from types import ModuleType, SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from bloomberg_stand_in import LIMIT, Event, Message, dividend, factor
from bloomberg_stand_in import Bloomberg as StandIn

from tilt.data.panel import build_panel
from tilt.data.sources.bloomberg import Bloomberg, missing, module, open_bloomberg
from tilt.data.sources.bloomberg_answers import security
from tilt.data.sources.bloomberg_terminal import Courtesy, Terminal
from tilt.data.sources.bloomberg_xbbg import XbbgTerminal
from tilt.errors import BusyError, DataError
from tilt.settings import Settings

DAYS = [dt.date(2024, 1, d) for d in (2, 3, 4, 5, 8)]
LAST = pd.Timestamp("2024-01-08")
FIELDS = {
    "LONG_COMP_NAME": "Split Inc", "GICS_SECTOR_NAME": "Information Technology",
    "GICS_INDUSTRY_NAME": "Software", "CRNCY": "USD", "EQY_FUND_CRNCY": "USD",
    "ID_ISIN": "US0378331005", "ID_BB_COMPANY": 101743, "LISTING_DATE": dt.date(1980, 12, 12),
}  # fmt: skip


def company(close, *, shares=1e6, volume=1000.0, years=None, **fields):
    """As traded; ``shares`` one number or one for each day."""
    each = shares if isinstance(shares, list) else [shares] * len(close)
    history = {
        day: {"PX_LAST": c, "PX_VOLUME": volume, "CUR_MKT_CAP": c * n / 1e6}
        for day, c, n in zip(DAYS, close, each, strict=False)
        if c is not None
    }
    years = years or {}
    return {"history": history, "years": years, "fields": {**FIELDS, **fields}}


# 104 with a dividend of 0.20, then four shares for one; Bloomberg has it as 0.05 of today's shares
SPLIT = company(
    [100.0, 104.0, 27.0, 26.5, 26.0],
    shares=[1e6, 1e6, 4e6, 4e6, 4e6],
    years={
        dt.date(2022, 12, 31): {
            "SALES_REV_TURN": 52.0, "EARN_FOR_COMMON": 8.0, "TOT_COMMON_EQY": 40.0, "EBITDA": 13.0,
            "ANNOUNCEMENT_DT": 20230202.0,
        }
    },
    DVD_HIST_ALL=[dividend(DAYS[1], 0.05), dividend(DAYS[2], 4.0, "Stock Split")],
    EQY_DVD_ADJUST_FACT=[factor(DAYS[2], 4.0, 1, 3), factor(DAYS[1], 0.998, 2, 1)],
)  # fmt: skip
PLAIN = company([10.0] * 5)


@pytest.fixture
def blpapi():
    return StandIn({"SPLIT US Equity": SPLIT, "PLAIN US Equity": PLAIN})


@pytest.fixture
def source(blpapi, tmp_path):
    def make(*tickers, **options):
        courtesy = Courtesy(pause=0.0, sleep=lambda _: None)
        given = Bloomberg(
            tickers, tmp_path / "bloomberg", ",".join(tickers), day=LAST,
            connect=lambda: Terminal(blpapi, "localhost", 8194, courtesy=courtesy),
            start=pd.Timestamp("2024-01-01"),
        )  # fmt: skip
        return replace(given, **options)

    return make


def prices(delivery, ticker="SPLIT"):
    table = delivery.tables["prices"]
    return table[table["ticker"] == ticker].set_index("date")


def checks(delivery):
    return {(f.ticker, f.check): f for f in delivery.findings}


def test_closes_are_asked_for_and_arrive_as_traded(blpapi, source):
    table = prices(source("SPLIT").fetch())
    assert table["close"].tolist() == [100.0, 104.0, 27.0, 26.5, 26.0]
    request = blpapi.asked("HistoricalDataRequest")[0]
    flags = ("adjustmentNormal", "adjustmentAbnormal", "adjustmentSplit", "adjustmentFollowDPDF")
    assert [request.settings[f] for f in flags] == [False] * 4
    assert request.settings["startDate"] == "20240101"
    assert request.settings["endDate"] == "20240108"
    assert request.lists["securities"] == ["SPLIT US Equity"]


def test_splits_and_dividends_are_of_the_shares_of_their_day(source):
    table = prices(source("SPLIT").fetch())
    assert table["split"].tolist() == [1.0, 1.0, 4.0, 1.0, 1.0]
    # 0.05 of today's shares are 0.20 of that day's: so says the factor, 1 - 0.20 / 100
    assert table["dividend"].tolist() == [0.0, 0.2, 0.0, 0.0, 0.0]


@pytest.mark.parametrize("amount", [0.05, 0.20])
def test_whether_a_dividend_is_of_today_s_shares_is_read_from_its_factor(blpapi, source, amount):
    fields = {**SPLIT["fields"], "DVD_HIST_ALL": [dividend(DAYS[1], amount)]}
    blpapi.companies["SPLIT US Equity"] = {**SPLIT, "fields": fields}
    assert prices(source("SPLIT").fetch())["dividend"].iloc[1] == pytest.approx(0.2)


def test_returns_through_a_split_and_a_dividend_are_the_hand_made_ones(source):
    returns = build_panel(source("SPLIT").fetch()).panel.returns["SPLIT"].iloc[1:]
    np.testing.assert_allclose(
        returns, [104.2 / 100 - 1, 108 / 104 - 1, 26.5 / 27 - 1, 26 / 26.5 - 1]
    )


def test_a_reverse_split_is_a_fraction_of_a_share(blpapi, source):
    fields = {**FIELDS, "EQY_DVD_ADJUST_FACT": [factor(DAYS[2], 10.0, 2, 3)]}
    blpapi.companies["PLAIN US Equity"] = {**PLAIN, "fields": fields}
    assert prices(source("PLAIN").fetch(), "PLAIN")["split"].iloc[2] == 0.1


def test_an_event_on_a_day_without_a_close_counts_on_the_next(blpapi, source):
    history = {d: r for d, r in SPLIT["history"].items() if d != DAYS[2]}
    blpapi.companies["SPLIT US Equity"] = {**SPLIT, "history": history}
    assert prices(source("SPLIT").fetch())["split"].tolist() == [1.0, 1.0, 4.0, 1.0]


def test_what_is_neither_cash_nor_split_is_said_and_left_out(blpapi, source):
    fields = {
        **FIELDS,
        "DVD_HIST_ALL": [dividend(DAYS[1], 0.5, "Spinoff")],
        "EQY_DVD_ADJUST_FACT": [factor(DAYS[3], 1.5, 3, 1)],
    }
    blpapi.companies["PLAIN US Equity"] = {**PLAIN, "fields": fields}
    given = source("PLAIN").fetch()
    assert prices(given, "PLAIN")["dividend"].sum() == 0
    said = [f.detail for f in given.findings if f.check == "corporate_action"]
    assert said == [
        "There is an adjustment of 1.5 (operator 3, flag 1) on 2024-01-05.",
        "There is 'Spinoff' of 0.5 on 2024-01-03, which is no cash.",
    ]


def test_caps_and_statements_come_out_of_millions_and_the_filing_day_is_kept(source):
    tables = source("SPLIT").fetch().tables
    (row,) = tables["key_figures"].to_dict("records")
    assert (row["date"], row["market_cap"]) == (LAST, 4e6 * 26.0)
    assert (row["book_value"], row["earnings"], row["ebitda"]) == (10.0, 2.0, 13e6)
    (stated,) = tables["statements"].to_dict("records")
    assert stated["revenue"] == 52e6
    assert (stated["filed"], stated["fetched"]) == (pd.Timestamp("2023-02-02"), LAST)


def test_codes_and_classes_arrive_in_the_columns_of_the_schema(source):
    (row,) = source("SPLIT").fetch().tables["securities"].dropna(axis=1).to_dict("records")
    assert row == {
        "ticker": "SPLIT", "name": "Split Inc", "sector": "Information Technology",
        "industry": "Software", "issuer": "101743", "currency": "USD", "isin": "US0378331005",
        "listed": pd.Timestamp("1980-12-12"),
    }  # fmt: skip


def test_an_unknown_name_is_a_finding_and_the_others_are_delivered(source):
    given = source("GONE", "SPLIT", "PLAIN").fetch()
    assert set(given.tables["prices"]["ticker"]) == {"SPLIT", "PLAIN"}
    finding = checks(given)["GONE", "not_at_bloomberg"]
    assert finding.severity == "error"
    assert "Unknown/Invalid Security [nid:1]" in finding.detail


def test_a_field_that_bloomberg_does_not_give_is_a_finding_by_name(blpapi, source):
    blpapi.refused.add("GICS_SECTOR_NAME")
    given = source("SPLIT").fetch()
    finding = checks(given)["SPLIT", "no_field"]
    assert finding.detail == "Bloomberg gives no GICS_SECTOR_NAME: Field not valid."
    assert len(prices(given)) == 5


def test_a_limit_stops_the_fetch_and_keeps_what_came(blpapi, source):
    names = [f"N{i}" for i in range(30)]
    for name in names:
        blpapi.companies[f"{name} US Equity"] = PLAIN
    blpapi.errors[5] = LIMIT  # the first request of the second batch
    said = r"limit is reached: Daily capacity reached\. 25 of 30 names are here and are kept"
    with pytest.raises(BusyError, match=said):
        source(*names).fetch()
    blpapi.requests.clear()
    blpapi.errors.clear()
    given = source(*names).fetch()
    assert given.tables["prices"]["ticker"].nunique() == 30
    assert blpapi.requests[0].lists["securities"] == [f"{n} US Equity" for n in names[25:]]
    assert len(blpapi.requests) == 4
    assert blpapi.stopped == 2, "each session is closed"


def test_a_limit_told_of_one_security_is_a_limit(source, monkeypatch):
    monkeypatch.setattr("bloomberg_stand_in.UNKNOWN", LIMIT)
    with pytest.raises(BusyError, match="limit is reached"):
        source("SPLIT", "GONE").fetch()


def test_a_request_without_an_answer_is_cancelled_and_sent_once_more(blpapi, source):
    blpapi.errors[1] = None
    assert len(prices(source("SPLIT").fetch())) == 5
    assert len(blpapi.cancelled) == 1
    blpapi.requests.clear()
    blpapi.errors.update({1: None, 2: None})
    with pytest.raises(BusyError, match=r"no answer within 60 seconds. 0 of 1 names"):
        source("PLAIN").fetch()


def test_an_answer_that_comes_late_is_not_taken_for_another(blpapi, source):
    body = {"securityData": {"security": "SPLIT US Equity", "fieldData": [{"PX_LAST": 1.0}]}}
    stale = Message("HistoricalDataResponse", body, blpapi.CorrelationId(99))
    blpapi.events[1] = [Event(Event.RESPONSE, [stale])]
    assert prices(source("SPLIT").fetch())["close"].iloc[0] == 100.0


def test_a_lost_connection_is_said(blpapi, source):
    lost = Message("SessionTerminated", {})
    blpapi.events[2] = [Event(Event.SESSION_STATUS, [lost])]
    with pytest.raises(BusyError, match="connection to Bloomberg was lost"):
        source("SPLIT").fetch()


def test_a_refused_request_is_said_with_its_reason(blpapi, source):
    reason = {"reason": {"category": "NO_AUTH", "description": "Not entitled."}}
    failed = Message("RequestFailure", reason, blpapi.CorrelationId(1))
    blpapi.events[1] = [Event(Event.REQUEST_STATUS, [failed])]
    with pytest.raises(BusyError, match=r"refuses the request: Not entitled\."):
        source("SPLIT").fetch()


@pytest.mark.parametrize(
    ("down", "said"),
    [("up", r"does not answer at localhost:8194. Start the Terminal"), ("service", "Sign in")],
)
def test_no_terminal_is_said_with_the_cure(blpapi, source, down, said):
    setattr(blpapi, down, False)
    with pytest.raises(BusyError, match=said):
        source("SPLIT").fetch()


def test_the_same_day_asks_nothing(blpapi, source):
    source("SPLIT", "GONE").fetch()
    blpapi.requests.clear()
    source("SPLIT", "GONE").fetch()
    assert blpapi.requests == []


def test_the_next_refresh_asks_for_the_last_days_alone(blpapi, source, tmp_path):
    held = source("SPLIT", day=pd.Timestamp("2024-01-05")).fetch().tables
    blpapi.requests.clear()
    given = source("SPLIT").fetch_since(held)
    assert blpapi.requests[0].settings["startDate"] == "20240101"  # fourteen days reach that far
    anew = source("SPLIT", folder=tmp_path / "anew").fetch()
    pd.testing.assert_frame_equal(given.tables["prices"], anew.tables["prices"])
    pd.testing.assert_frame_equal(given.tables["key_figures"], anew.tables["key_figures"])


def test_a_past_that_was_restated_is_asked_for_in_full_and_said(blpapi, source):
    held = source("SPLIT", day=pd.Timestamp("2024-01-05")).fetch().tables
    history = {**SPLIT["history"], DAYS[3]: {"PX_LAST": 26.4}}
    blpapi.companies["SPLIT US Equity"] = {**SPLIT, "history": history}
    given = source("SPLIT").fetch_since(held)
    assert (
        "close of 2024-01-05 26.4 and not 26.5; 1 changed"
        in checks(given)["SPLIT", "restated"].detail
    )
    assert prices(given)["close"].iloc[3] == 26.4


def test_another_currency_is_left_out_by_name_and_pence_are_refused(blpapi, source):
    blpapi.companies["VOD LN Equity"] = company([70.0] * 5, CRNCY="GBp")
    given = source("SPLIT", "PLAIN", "VOD LN").fetch()
    assert "in GBp, most others in USD" in checks(given)["VOD LN", "other_currency"].detail
    with pytest.raises(DataError, match="prices are in GBp, hundredths"):
        source("VOD LN").fetch()


def test_names_are_written_as_bloomberg_does():
    names = ("AAPL", "BRK.B", "BRK-B", "VOD LN", "7203 JP EQUITY")
    assert [security(n) for n in names] == [
        "AAPL US Equity", "BRK/B US Equity", "BRK/B US Equity", "VOD LN Equity", "7203 JP Equity",
    ]  # fmt: skip


def test_a_list_is_read_with_and_without_the_exchange(tmp_path):
    text = "aapl us equity,VOD LN,AAPL@2020-01-01"
    found = open_bloomberg(text, Settings(data_url=str(tmp_path)))
    assert found.tickers == ("AAPL", "VOD LN")
    assert found.first == pd.Timestamp("2020-01-01")
    assert found.name == f"bloomberg:{text}"


def test_without_a_package_the_reason_and_the_cure_are_told(tmp_path):
    settings = Settings(data_url=str(tmp_path))
    told = missing(settings)
    assert told.reason == "Neither blpapi nor xbbg is installed."
    assert "Install blpapi" in told.cure
    with pytest.raises(DataError, match="Neither blpapi nor xbbg"):
        open_bloomberg("AAPL", settings).fetch()


def on_path(tmp_path, monkeypatch, name, text):
    (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setitem(sys.modules, name, None)  # so that it is gone again after the test
    del sys.modules[name]


def test_blpapi_is_found_before_xbbg(tmp_path, monkeypatch):
    on_path(tmp_path, monkeypatch, "xbbg", "")
    assert module().__name__ == "xbbg"
    on_path(tmp_path, monkeypatch, "blpapi", "")
    assert module().__name__ == "blpapi"


def test_a_package_that_does_not_load_is_told(tmp_path, monkeypatch):
    on_path(tmp_path, monkeypatch, "blpapi", "raise ImportError('libblpapi3_64.so')")
    assert "does not load: libblpapi3_64.so" in missing(Settings(data_url=str(tmp_path))).reason


def xbbg(blpapi):
    """The tables that xbbg makes of the same answers."""
    module = ModuleType("xbbg")
    terminal = Terminal(blpapi, "localhost", 8194, courtesy=Courtesy(pause=0.0))
    errors = {n: type(n, (Exception,), {}) for n in ("BlpError",)}
    errors |= {n: type(n, (errors["BlpError"],), {}) for n in ("BlpLimitError", "BlpTimeoutError")}
    module.exceptions = SimpleNamespace(**errors)
    module.configure = lambda host, port: None
    module.reset = lambda: None

    def long(replies, names):
        rows = [
            {"ticker": s, "date": str(r.get("date")), "field": f, "value": str(r[f])}
            for s, reply in replies.items()
            for r in reply.rows
            for f in names
            if f in r
        ]
        return pd.DataFrame(rows, columns=["ticker", "date", "field", "value"])

    def bdh(tickers, flds, start_date, end_date, backend, format, **options):  # noqa: A002
        days = dt.date.fromisoformat(start_date), dt.date.fromisoformat(end_date)
        return long(terminal.history(tickers, flds, days, options), flds)

    def bdp(tickers, flds, backend, format, **overrides):  # noqa: A002
        return long(terminal.reference(tickers, flds, overrides), flds).drop(columns="date")

    def bds(tickers, name, backend, **overrides):
        found = terminal.reference(tickers, [name], overrides)
        rows = [
            {"ticker": s, "field": name, **row}
            for s, reply in found.items()
            for given in reply.rows
            for row in given.get(name, [])
        ]
        return pd.DataFrame(rows, columns=["ticker", "field"] if not rows else None)

    module.blp = SimpleNamespace(bdh=bdh, bdp=bdp, bds=bds)
    return module


def test_xbbg_gives_the_same_tables(blpapi, source, tmp_path):
    module, courtesy = xbbg(blpapi), Courtesy(pause=0.0)
    through = source(
        "SPLIT", "PLAIN", "GONE", folder=tmp_path / "xbbg",
        connect=lambda: XbbgTerminal(module, "localhost", 8194, courtesy=courtesy),
    ).fetch()  # fmt: skip
    direct = source("SPLIT", "PLAIN", "GONE").fetch()
    for table in ("prices", "key_figures", "statements", "securities"):
        pd.testing.assert_frame_equal(through.tables[table], direct.tables[table])


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("BlpLimitError", "limit is reached: full"),
        ("BlpTimeoutError", "no answer: full"),
        ("BlpError", "does not answer: full"),
    ],
)
def test_the_errors_of_xbbg_are_told(blpapi, source, error, said):
    stand_in = xbbg(blpapi)

    def fails(*args, **options):
        raise getattr(stand_in.exceptions, error)("full")

    stand_in.blp.bdh = fails
    connect = lambda: XbbgTerminal(stand_in, "localhost", 8194, courtesy=Courtesy(pause=0.0))  # noqa: E731
    with pytest.raises(BusyError, match=said):
        source("SPLIT", connect=connect).fetch()
