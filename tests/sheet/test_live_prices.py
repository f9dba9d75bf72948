"""Live prices: one question upstream for everybody, old ones kept, and nobody else's."""

import datetime as dt
import threading

import httpx
import pytest
from serving import PATIENCE

from tilt.data.live import Board, Quote
from tilt.errors import BusyError

AT = dt.datetime(2026, 3, 2, 15, 0, tzinfo=dt.UTC)


class Upstream:
    """Prices made here; it counts what it is asked and can be away."""

    def __init__(self, **prices):
        self.prices = prices
        self.asked = []
        self.away = False

    def last(self, tickers):
        self.asked.append(sorted(tickers))
        if self.away:
            raise BusyError("The source does not answer.")
        return {t: Quote(self.prices[t], AT) for t in tickers if t in self.prices}


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def upstream():
    return Upstream(AAPL=144.0, MSFT=68.9)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def board(upstream, clock):
    return Board(upstream, seconds=300, now=clock)


def prices(board, *tickers):
    return {t: shown.quote.price for t, shown in board.last(tickers).items()}


def test_upstream_is_asked_once_while_a_price_is_kept(board, upstream, clock):
    assert prices(board, "AAPL", "MSFT") == {"AAPL": 144.0, "MSFT": 68.9}
    clock.now = 299
    assert prices(board, "MSFT") == {"MSFT": 68.9}
    assert upstream.asked == [["AAPL", "MSFT"]]
    clock.now = 301
    upstream.prices["AAPL"] = 145.0
    assert prices(board, "AAPL") == {"AAPL": 145.0}
    assert upstream.asked[1:] == [["AAPL", "MSFT"]], "one question for all that is due"


def test_a_ticker_nobody_wants_any_more_is_not_asked_for(board, upstream, clock):
    prices(board, "AAPL", "MSFT")
    clock.now = 601
    prices(board, "AAPL")
    assert upstream.asked[-1] == ["AAPL"]


def test_when_upstream_is_away_the_last_price_stays_and_grows_old(board, upstream, clock):
    prices(board, "AAPL")
    upstream.away = True
    clock.now = 400
    shown = board.last(["AAPL"])["AAPL"]
    assert shown.quote.price == 144.0
    assert shown.age == 400
    asked = len(upstream.asked)
    clock.now = 410
    board.last(["AAPL"])
    assert len(upstream.asked) == asked, "it is not asked at every poll while it is away"
    upstream.away = False
    clock.now = 431
    assert board.last(["AAPL"])["AAPL"].age == 0


def test_without_any_price_the_reason_is_raised(board, upstream):
    upstream.away = True
    with pytest.raises(BusyError, match="does not answer"):
        board.last(["AAPL"])


def test_many_at_once_are_one_question(upstream, clock):
    board = Board(upstream, seconds=300, now=clock)
    start = threading.Barrier(8)

    def ask():
        start.wait()
        board.last(["AAPL", "MSFT"])

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(upstream.asked) == 1


def test_the_route_answers_all_cells_of_a_client_at_once(http, store):
    body = {"tickers": ["AAPL", "brk.b", "APPL"]}
    answer = http.post("/api/v1/live", json=body).json()
    close = store.panel().close.iloc[-1]
    assert answer["quotes"]["AAPL"]["price"] == pytest.approx(close["AAPL"])
    assert answer["quotes"]["APPL"]["error"].startswith("Unknown ticker 'APPL'. Did you mean")
    assert 2 <= answer["again"] <= 300


def test_the_route_asks_for_a_key_and_knows_no_other_users_cells(locked):
    server, (anna, _) = locked
    with httpx.Client(
        base_url=server.address, headers={"X-Tilt-Client": "tests"}, timeout=PATIENCE
    ) as http:
        body = {"tickers": ["AAPL"]}
        assert http.post("/api/v1/live", json=body).status_code == 401
        signed = {"Authorization": f"Bearer {anna}"}
        answer = http.post("/api/v1/live", json=body, headers=signed).json()
        assert list(answer["quotes"]) == ["AAPL"]


def test_excel_is_told_that_live_streams(http):
    meta = http.get("/xlwings/custom-functions-meta.json").json()["functions"]
    options = {f["id"]: f["options"] for f in meta}
    assert options["LIVE"] == {"stream": True}
    assert all("stream" not in o for name, o in options.items() if name != "LIVE")
    code = http.get("/xlwings/custom-functions-code.js").text
    assert 'CustomFunctions.associate("LIVE", globalThis.tilt.live.start);' in code
