"""A stand-in for Yahoo Finance on this machine: its paths, its JSON, and its bad days."""

import calendar
import json
import re
import socket
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pandas as pd

CRUMB = "a.crumb"
OPEN = 14 * 3600 + 1800  # seconds from midnight UTC to the opening in New York, in winter
Point = dict[str, object]


def seconds(day: str) -> int:
    return calendar.timegm(pd.Timestamp(day).timetuple())


@dataclass
class Company:
    """What the stand-in knows of one name, in today's shares, as Yahoo keeps it.

    shares : outstanding by day
    annual : by item, by period end
    """

    close: dict[str, float | None]
    volume: float = 1000.0
    dividends: dict[str, float] = field(default_factory=dict)
    splits: dict[str, tuple[int, int]] = field(default_factory=dict)
    shares: dict[str, float] = field(default_factory=dict)
    annual: dict[str, dict[str, float]] = field(default_factory=dict)
    profile: dict[str, object] = field(default_factory=dict)
    currency: str = "USD"


class YahooServer:
    """Serves companies; ``answers`` replace what is said on a path, each once or for ever.

    answers : by a pattern of the path, a list of (status, headers, body) to give one after the
        other; a body of None is the usual answer; the last one stays if ``forever`` has the pattern
    slow    : by a pattern of the path, seconds to wait before an answer
    asked   : every path that was asked for
    since   : first second of every time that prices were asked for
    """

    def __init__(self, companies: dict[str, Company]) -> None:
        self.companies = companies
        self.answers: dict[str, list[tuple[int, dict[str, str], str | None]]] = {}
        self.forever: set[str] = set()
        self.slow: dict[str, float] = {}
        self.asked: list[str] = []
        self.since: list[int] = []
        self.hosts: set[str] = set()
        self.crumbs: Counter[str] = Counter()
        self.connections: set[socket.socket] = set()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = False
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    @property
    def url(self) -> str:
        return f"http://yahoo.localhost:{self._server.server_port}"

    def __enter__(self) -> "YahooServer":
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.shutdown()
        self._thread.join()
        for connection in list(self.connections):  # those that a client keeps open
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._server.server_close()

    def count(self, pattern: str) -> int:
        return sum(bool(re.search(pattern, path)) for path in self.asked)

    def special(self, path: str) -> tuple[int, dict[str, str], str | None] | None:
        for pattern, answers in self.answers.items():
            if answers and re.search(pattern, path):
                return answers[0] if pattern in self.forever else answers.pop(0)
        return None

    def usual(self, path: str, query: dict[str, list[str]]) -> tuple[int, str]:
        if path == "/v1/test/getcrumb":
            return 200, CRUMB
        name = path.rsplit("/", 1)[-1]
        if path.startswith("/v8/finance/chart/"):
            return self._chart(name, query)
        if path.startswith("/v10/finance/quoteSummary/"):
            return self._summary(name)
        if path.startswith("/v7/finance/quote"):
            if query.get("crumb") != [CRUMB]:
                error = {"code": "Unauthorized", "description": "Invalid Crumb"}
                return 401, json.dumps({"finance": {"result": None, "error": error}})
            rows = [self._quote(name) for name in query["symbols"][0].split(",")]
            result = [row for row in rows if row]
            return 200, json.dumps({"quoteResponse": {"result": result, "error": None}})
        if path.startswith("/ws/fundamentals-timeseries/"):
            return 200, json.dumps({"timeseries": {"result": self._series(name, query)}})
        return 404, "<html>not here</html>"  # the pages that yfinance takes cookies from

    def _chart(self, name: str, query: dict[str, list[str]]) -> tuple[int, str]:
        company = self.companies.get(name)
        if company is None:
            error = {"code": "Not Found", "description": "No data found, symbol may be delisted"}
            return 404, json.dumps({"chart": {"result": None, "error": error}})
        first = int(query.get("period1", ["0"])[0])
        if "period1" in query:
            self.since.append(first)
        days = [d for d in company.close if seconds(d) + OPEN >= first]
        close = [company.close[d] for d in days]
        meta = {
            "currency": company.currency,
            "symbol": name,
            "instrumentType": "EQUITY",
            "exchangeTimezoneName": "America/New_York",
            "gmtoffset": -18000,
            "priceHint": 2,
            "validRanges": ["1d", "max"],
        }
        result: Point = {"meta": meta, "indicators": {"quote": [{}], "adjclose": [{}]}}
        if days:
            quote = dict.fromkeys(("open", "high", "low", "close"), close)
            quote["volume"] = [company.volume if c is not None else None for c in close]
            result["timestamp"] = [seconds(d) + OPEN for d in days]
            result["indicators"] = {"quote": [quote], "adjclose": [{"adjclose": close}]}
        result["events"] = {
            "dividends": {
                str(seconds(d)): {"amount": a, "date": seconds(d) + OPEN}
                for d, a in company.dividends.items()
            },
            "splits": {
                str(seconds(d)): {"date": seconds(d) + OPEN, "numerator": n, "denominator": o}
                for d, (n, o) in company.splits.items()
            },
        }
        return 200, json.dumps({"chart": {"result": [result], "error": None}})

    def _quote(self, name: str) -> Point | None:
        company = self.companies.get(name)
        closes = [(d, c) for d, c in company.close.items() if c is not None] if company else []
        if company is None or not closes:
            return None
        (_, before), (day, last) = [closes[0], *closes][-2:]
        return {
            "symbol": name,
            "currency": company.currency,
            "regularMarketPrice": last,
            "regularMarketTime": seconds(day) + OPEN,
            "regularMarketChangePercent": 100 * (last / before - 1),
        }

    def _summary(self, name: str) -> tuple[int, str]:
        company = self.companies.get(name)
        if company is None:
            error = {"code": "Not Found", "description": f"Quote not found for symbol: {name}"}
            return 404, json.dumps({"quoteSummary": {"result": None, "error": error}})
        result = [{"assetProfile": {"maxAge": 1, **company.profile}}]
        return 200, json.dumps({"quoteSummary": {"result": result, "error": None}})

    def _series(self, name: str, query: dict[str, list[str]]) -> list[Point]:
        company = self.companies[name]
        if "type" not in query:  # the history of shares outstanding
            if not company.shares:
                return [{"meta": {}}]
            stamps = [seconds(d) + OPEN for d in company.shares]
            return [{"timestamp": stamps, "shares_out": list(company.shares.values())}]
        wanted = query["type"][0].split(",")
        return [
            {
                "meta": {"type": [f"annual{item}"]},
                "timestamp": [seconds(d) for d in points],
                f"annual{item}": [
                    {"asOfDate": d, "reportedValue": {"raw": v}} for d, v in points.items()
                ],
            }
            for item, points in company.annual.items()
            if f"annual{item}" in wanted
        ]


def _handler(yahoo: YahooServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 5
        wbufsize = 1 << 16  # an answer in one piece: two pieces wait 40 ms for each other

        def setup(self) -> None:
            super().setup()
            yahoo.connections.add(self.connection)

        def finish(self) -> None:
            yahoo.connections.discard(self.connection)
            super().finish()

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = parse_qs(parts.query)
            yahoo.asked.append(parts.path)
            yahoo.hosts.add(self.headers["Host"])
            yahoo.crumbs.update(query.get("crumb", []))
            time.sleep(sum(s for slow, s in yahoo.slow.items() if re.search(slow, parts.path)))
            special = yahoo.special(parts.path)
            status, headers, body = special or (0, {}, None)
            if body is None:
                status, body = yahoo.usual(parts.path, query)
            content = body.encode()
            self.send_response(status)
            for key, value in headers.items():
                self.send_header(key, value)
            if parts.path == "/":
                self.send_header("Set-Cookie", "A3=cookie; Path=/; Max-Age=3600")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def handle_one_request(self) -> None:
            try:
                super().handle_one_request()
            except (BrokenPipeError, ConnectionResetError):  # the client gave up waiting
                self.close_connection = True

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    return Handler
