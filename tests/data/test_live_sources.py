"""Live prices from Yahoo, from a stand-in on this machine: how often it is asked, and bad days."""

import datetime as dt
import json
import threading
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from serving import PATIENCE
from yahoo_server import CRUMB, Company, YahooServer

from tilt.data.live import GAP, Board, open_board, open_quotes
from tilt.data.quote import Quote
from tilt.data.sources.yahoo_quotes import PACE, YahooQuotes
from tilt.errors import BusyError
from tilt.settings import Settings

QUOTE = "/v7/finance/quote"
DAYS = ["2024-01-05", "2024-01-08"]
APPLE = Company(close=dict(zip(DAYS, [180.0, 189.0], strict=True)))
BERKSHIRE = Company(close=dict(zip(DAYS, [360.0, 356.4], strict=True)))


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    monkeypatch.setenv("no_proxy", "yahoo.localhost")


@pytest.fixture
def server():
    with YahooServer({"AAPL": APPLE, "BRK-B": BERKSHIRE}) as yahoo:
        yield yahoo


class Clock:
    now = 0.0

    def __call__(self):
        return self.now

    def pass_by(self, seconds):
        self.now += seconds


class Always:
    """A price for every name."""

    def __init__(self, price):
        self.price = price

    def last(self, tickers):
        at = dt.datetime(2024, 1, 8, tzinfo=dt.UTC)
        return {t: Quote(self.price, at) for t in tickers}


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def board(server, clock):
    pace = replace(PACE, timeout=1.0)
    return Board(YahooQuotes(base_url=server.url, pace=pace, now=clock), seconds=300, now=clock)


def price(board, ticker="AAPL"):
    return board.last([ticker])[ticker].quote.price


def test_price_time_change_and_currency_are_those_that_yahoo_gives(board):
    quote = board.last(["AAPL"])["AAPL"].quote
    assert (quote.price, quote.currency) == (189.0, "USD")
    assert quote.change == pytest.approx(0.05)
    assert quote.time == dt.datetime(2024, 1, 8, 14, 30, tzinfo=dt.UTC)


def test_all_tickers_of_all_subscribers_are_one_request_while_they_are_kept(board, server, clock):
    start = threading.Barrier(6)

    def ask():
        start.wait()
        board.last(["AAPL", "BRK.B", "GONE"])

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    clock.now = 299
    assert price(board, "BRK.B") == 356.4
    assert server.count(QUOTE) == 1
    clock.now = 301
    price(board)
    assert server.count(QUOTE) == 2
    assert server.count("getcrumb") == 1, "the key is asked for once"
    assert set(server.crumbs) == {CRUMB}


def test_a_name_that_yahoo_does_not_have_has_no_price_and_the_others_do(board):
    assert set(board.last(["GONE", "AAPL"])) == {"AAPL"}


def test_an_old_key_is_renewed_once(board, server, clock):
    price(board)
    server.answers[QUOTE] = [(401, {}, "{}")]
    clock.now = 301
    assert board.last(["AAPL"])["AAPL"].age == 0
    assert server.count("getcrumb") == 2


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (503, "down"),
        (200, "<html>oops"),
        (200, "{}"),
        (200, '{"quoteResponse": {"result": null}}'),
        (404, "{}"),
    ],
)
def test_a_bad_answer_leaves_the_last_price_and_its_age_grows(board, server, clock, status, body):
    price(board)
    server.answers[QUOTE] = [(status, {}, body)]
    clock.now = 301
    shown = board.last(["AAPL"])["AAPL"]
    assert (shown.quote.price, shown.age) == (189.0, 301)
    clock.now = 332
    assert board.last(["AAPL"])["AAPL"].age == 0


@pytest.mark.parametrize("row", [
    {"symbol": "AAPL"},
    {"symbol": "AAPL", "regularMarketPrice": "189", "regularMarketTime": 1704724200},
    {"symbol": "AAPL", "regularMarketPrice": -1, "regularMarketTime": 1704724200},
    {"symbol": "AAPL", "regularMarketPrice": 189, "regularMarketTime": None},
    {"symbol": "MSFT", "regularMarketPrice": 189, "regularMarketTime": 1704724200},
])  # fmt: skip
def test_a_row_that_is_no_price_of_the_name_is_not_shown(board, server, row):
    server.answers[QUOTE] = [(200, {}, json.dumps({"quoteResponse": {"result": [row]}}))]
    assert board.last(["AAPL"]) == {}


def test_an_upstream_that_fails_is_asked_less_and_less_often(board, server, clock):
    price(board)
    server.answers[QUOTE] = [(503, {}, "down")]
    server.forever.add(QUOTE)
    asked = []
    for second in range(301, 1200):
        clock.now = float(second)
        before = server.count(QUOTE)
        price(board)
        if server.count(QUOTE) > before:
            asked.append(second)
    assert asked == [301, 331, 391, 511, 751, 1051]  # 30, 60, 120, 240 and then 300 seconds


def test_after_a_refusal_yahoo_is_not_asked_before_the_time_it_names(board, server, clock):
    price(board)
    server.answers[QUOTE] = [(429, {"Retry-After": "200"}, "no")]
    clock.now = 301
    assert price(board) == 189.0
    asked = len(server.asked)
    clock.now = 400
    assert board.last(["AAPL"])["AAPL"].age == 400
    assert len(server.asked) == asked
    clock.now = 502
    assert board.last(["AAPL"])["AAPL"].age == 0


def test_a_refused_key_is_a_refusal(board, server, clock):
    server.answers["getcrumb"] = [(429, {}, "Too Many Requests")]
    with pytest.raises(BusyError, match="429"):
        board.last(["AAPL"])
    clock.now = 31
    with pytest.raises(BusyError, match="not asked for another 29 seconds"):
        board.last(["AAPL"])
    clock.now = 120
    assert price(board) == 189.0


def test_a_slow_yahoo_is_given_up_and_what_is_known_is_shown(server, clock):
    quotes = YahooQuotes(base_url=server.url, pace=replace(PACE, timeout=0.2), now=clock)
    board = Board(quotes, seconds=300, now=clock)
    price(board)
    server.slow[QUOTE] = 0.5
    clock.now = 301
    assert board.last(["AAPL"])["AAPL"].age == 301
    fresh = Board(YahooQuotes(base_url=server.url, pace=replace(PACE, timeout=0.2)), seconds=300)
    with pytest.raises(BusyError, match=r"no answer within 0.2 seconds"):
        fresh.last(["AAPL"])


@given(
    st.lists(
        st.tuples(st.floats(0.0, 200.0), st.sets(st.sampled_from("ABCDEF"), min_size=1)),
        max_size=40,
    )
)
def test_a_process_asks_for_a_ticker_once_in_its_time_and_for_anything_once_in_the_gap(looks):
    """So of several processes each does, and together they ask so many times as often at most."""
    clock, asked = Clock(), []

    class Counted(Always):
        def last(self, tickers):
            asked.append((clock.now, set(tickers)))
            return super().last(tickers)

    board = Board(Counted(7.0), seconds=60, gap=5, now=clock, pause=clock.pass_by)
    for passed, tickers in looks:
        clock.pass_by(passed)
        found = board.last(tickers)
        assert set(found) == tickers
        assert all(shown.age <= 60 + 5 for shown in found.values())
    times = [time for time, _ in asked]
    assert all(later - earlier >= 5 - 1e-9 for earlier, later in pairwise(times))
    for ticker in "ABCDEF":
        own = [time for time, tickers in asked if ticker in tickers]
        assert all(later - earlier >= 60 - 1e-9 for earlier, later in pairwise(own))


def test_only_a_source_of_another_is_spared(tmp_path):
    settings = Settings(data_url=str(tmp_path))
    assert open_board(settings, store=None)._gap == 0
    yahoo = settings.model_copy(update={"live_source": "yahoo"})
    assert open_board(yahoo, store=None)._gap == GAP > 0


def test_who_comes_while_yahoo_is_asked_sees_the_last_price_at_once(clock):
    asked, answer = threading.Event(), threading.Event()

    class Slow:
        def last(self, tickers):
            if clock.now > 0:
                asked.set()
                assert answer.wait(PATIENCE)
            return Always(189.0 + clock.now).last(tickers)

    board = Board(Slow(), seconds=300, now=clock)
    assert price(board) == 189.0
    clock.now = 301
    first = threading.Thread(target=price, args=(board,))
    first.start()
    assert asked.wait(PATIENCE)
    assert price(board) == 189.0
    answer.set()
    first.join()
    assert price(board) == 490.0


def test_no_network_is_said(clock):
    quotes = YahooQuotes(base_url="http://127.0.0.1:9", now=clock)
    with pytest.raises(BusyError, match="cannot be reached"):
        quotes.last(["AAPL"])


def test_four_hundred_names_are_one_request(server, clock):
    quotes = YahooQuotes(base_url=server.url, now=clock)
    quotes.last([f"N{i}" for i in range(398)] + ["AAPL", "BRK.B"])
    assert server.count(QUOTE) == 1


def test_the_settings_choose_yahoo_and_its_address(server, tmp_path):
    settings = Settings(data_url=str(tmp_path), live_source="yahoo", yahoo_url=server.url)
    quotes = open_quotes(settings, store=None)
    assert quotes.last(["AAPL"])["AAPL"].price == 189.0
