"""Strange requests over every route: none may break the server, and it stays awake throughout.

``python tests/security/fuzz.py --requests 100000`` sends so many to a server of its own and prints
what came back. Half of them follow the OpenAPI description (schemathesis), the other half are
envelopes of cells, batches and buttons with the real names in them (hypothesis), and some are no
requests of ours at all. Wrong is: a status of 500 or more that is not a 503 with ``Retry-After``, a
trace of the program in an answer, or an answer without its safe headers.
"""

import argparse
import json
import shutil
import sys
import tempfile
import threading
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

sys.path.insert(0, str(Path(__file__).parents[1]))

import httpx
import numpy as np
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import NonInteractiveExampleWarning, Unsatisfiable
from schemathesis import GenerationMode
from serving import serving

from tilt.data.store import Store
from tilt.refresh import refresh
from tilt.settings import Settings

CALL = "/xlwings/custom-functions-call"
BATCH = "/xlwings/custom-functions-batch"
SCRIPT = "/xlwings/custom-scripts-call/"
CLIENT = {"X-Tilt-Client": "fuzz"}
TRACES = ("Traceback (most recent", 'File "/', "site-packages", "sqlalchemy.exc", "numpy.")
PATIENCE = 150.0  # seconds for one answer: of a hang
WAIT = 0.05  # seconds that a cell waits for its job
SHOWN = 20  # of what is wrong


@dataclass
class Heard:
    """What came back.

    wrong : request and answer, of those that should not be
    health : seconds of each answer of /health/live meanwhile
    slowest : seconds, request
    """

    statuses: Counter[int] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    health: list[float] = field(default_factory=list)
    slowest: tuple[float, str] = (0.0, "")

    @property
    def requests(self) -> int:
        return self.statuses.total()

    def judge(self, kind: str, asked: str, answer: httpx.Response, seconds: float) -> None:
        """Count an answer, and note it if it should not be."""
        self.statuses[answer.status_code] += 1
        self.kinds[kind] += 1
        self.slowest = max(self.slowest, (seconds, asked[:200]))
        for problem in problems(answer):
            self.wrong.append(f"{problem}: {asked[:600]} -> {answer.text[:400]!r}")

    def report(self) -> dict[str, object]:
        """Return the figures to print."""
        health = np.array(self.health or [np.nan])
        return {
            "requests": self.requests,
            "by kind": dict(self.kinds),
            "by status": dict(sorted(self.statuses.items())),
            "wrong": len(self.wrong),
            "health answers": len(self.health),
            "health p99 ms": round(1e3 * float(np.quantile(health, 0.99)), 1),
            "health max ms": round(1e3 * float(health.max()), 1),
            "slowest s": round(self.slowest[0], 2),
            "slowest request": self.slowest[1],
        }


def problems(answer: httpx.Response) -> list[str]:
    """Return what is wrong with an answer, whatever was asked."""
    found = []
    status, text = answer.status_code, answer.text
    if status >= 500 and not (status == 503 and "retry-after" in answer.headers):
        found.append(f"status {status}")
    if "json" in answer.headers.get("content-type", "") and '"status":500' in text:
        found.append("a call that failed inside")
    found += [f"'{trace}' in an answer" for trace in TRACES if trace in text]
    if answer.headers.get("x-content-type-options") != "nosniff":
        found.append("no safe headers")
    return found


class Sender:
    """Sends requests one after another, and judges the answers."""

    def __init__(self, address: str, heard: Heard) -> None:
        self.heard = heard
        self.http = httpx.Client(base_url=address, headers=CLIENT, timeout=PATIENCE)

    def send(self, kind: str, method: str, path: str, **given: object) -> None:
        """Send one request; a hang is wrong too."""
        asked = f"{method} {path} {given.get('json') or given.get('content') or ''!r}"
        try:
            request = self.http.build_request(method, path, **given)  # type: ignore[arg-type]
        except (httpx.InvalidURL, UnicodeError, ValueError, TypeError):
            return  # no client could send it
        start = time.perf_counter()
        try:
            answer = self.http.send(request)
        except httpx.LocalProtocolError:
            return
        except httpx.HTTPError as error:
            self.heard.wrong.append(f"{type(error).__name__}: {asked[:600]}")
            return
        self.heard.judge(kind, asked, answer, time.perf_counter() - start)


# What cells may hold: numbers of every size, texts as people and attackers type them, nothing.
NAMES = ["AAPL", "MSFT", "US_LARGE_CAP", "volatility", "Momentum", "2016-06-30", "min_te", "long",
         "short", "factor", "sector", "D", "M", "risk", "beta", "value,momentum", "limit=0.1",
         "estimator=oas", "by=health", "view=verify", "lookback=20", "0"]  # fmt: skip
HOSTILE = ["=cmd|'/c calc'!A1", "+1", "@SUM(A1)", "' OR 1=1 --", "'; DROP TABLE jobs; --",
           "../../../etc/passwd", "..\\..\\x", "%s%n", "${jndi:ldap://x}", "<script>x</script>",
           "\x00", "\r\nX-Evil: 1", "\u202e", "a" * 5000, "{{7*7}}", "NaN", "1e999", "#REF!",
           "9" * 400, "-0", "١٢", "1,5", "٪", "True"]  # fmt: skip
texts = st.sampled_from(NAMES) | st.sampled_from(HOSTILE) | st.text(max_size=12)
numbers = st.floats() | st.integers() | st.sampled_from([0, 1, -1, 1e308, 1e-308, 42735, 0.05])
scalars = st.none() | st.booleans() | numbers | texts
grids = st.lists(st.lists(scalars, max_size=4), max_size=6)
square = st.integers(1, 4).flatmap(
    lambda width: st.lists(st.lists(scalars, min_size=width, max_size=width), max_size=8)
)
holdings = st.lists(
    st.tuples(st.sampled_from(["AAPL", "MSFT", "XOM", "JPM", "NOPE", ""]), numbers).map(list),
    min_size=1,
    max_size=8,
)
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=12,
)
arguments = st.lists(grids | square | holdings | st.none() | scalars | anything, max_size=8)
likely = st.lists(square | holdings | texts.map(lambda t: [[t]]) | st.none(), max_size=6)


def calls_of(functions: list[str]) -> st.SearchStrategy[dict[str, object]]:
    """Return calls of cells: mostly of the right shape, with whatever in the cells."""
    names = st.sampled_from(functions)
    return st.fixed_dictionaries(
        {"func_name": names | texts, "args": likely | arguments | anything},
        optional={
            "runtime": st.sampled_from(["1.1", "1.4", "9.9"]) | anything,
            "culture_info_name": st.sampled_from(["de-DE", "en-US"]) | anything,
            "caller_address": texts | anything,
        },
    )


def batches_of(functions: list[str]) -> st.SearchStrategy[dict[str, object]]:
    """Return batches of calls, with ranges that they share."""
    shared = st.fixed_dictionaries({"$ref": st.integers(-2, 5) | anything})
    call = calls_of(functions) | st.fixed_dictionaries(
        {"func_name": st.sampled_from(functions), "args": st.lists(shared | square, max_size=4)}
    )
    return st.fixed_dictionaries(
        {"calls": st.lists(call | anything, max_size=6) | anything, "wait": st.just(WAIT)},
        optional={
            "shared": st.lists(square, max_size=3) | anything,
            "base": call | anything,
            "workbook": texts | anything,
            "follow": texts,
        },
    )


def workbooks() -> st.SearchStrategy[dict[str, object]]:
    """Return workbooks as the ribbon posts them, or nearly so."""
    sheet = st.fixed_dictionaries(
        {
            "name": st.sampled_from(["Holdings", "Results", "Risk"]) | texts,
            "values": square | grids,
        },
        optional={
            "tables": st.lists(
                st.fixed_dictionaries(
                    {"name": texts, "range_address": st.sampled_from(["A1:B5", "A1"]) | texts}
                ),
                max_size=2,
            )
            | anything,
            "pictures": st.just([]) | anything,
        },
    )
    book = st.fixed_dictionaries(
        {"name": texts, "active_sheet_index": st.integers(-1, 2), "selection": texts}
    )
    return st.fixed_dictionaries(
        {
            "client": st.just("Office.js") | texts,
            "version": st.just("0.37.8") | texts,
            "book": book | anything,
            "sheets": st.lists(sheet, min_size=1, max_size=3) | anything,
            "names": st.just([]) | anything,
        }
    )


KINDS = st.sampled_from(["application/json", "text/plain", "application/xml", "", "multipart/x",
                         "application/json; charset=utf-16"])  # fmt: skip
PATHS = ["/", "/help/risk", "/static/js/main.js", "/static/../../etc/passwd", "/api/v1/", "/docs",
         "/%00", "/help/%2e%2e%2f", "/api/v1/portfolios/%27%3B--", "/metrics", "/manifest.xml",
         "/xlwings/edition", "/static/%ff", "/api/v1/jobs/" + "a" * 3000]  # fmt: skip


def told(examples: int, start: int) -> Callable[..., Callable[[], None]]:
    """Return a decorator that has hypothesis make so many examples and send each."""

    def decorate(**strategies: st.SearchStrategy[object]) -> Callable[..., Callable[[], None]]:
        def of(function: Callable[..., None]) -> Callable[[], None]:
            limits = settings(
                max_examples=max(1, examples), deadline=None, database=None, derandomize=False,
                phases=[Phase.generate], suppress_health_check=list(HealthCheck),
            )  # fmt: skip
            return seed(start)(limits(given(**strategies)(function)))

        return of

    return decorate


def of_description(address: str, sender: Sender, examples: int, start: int) -> None:
    """Send what the OpenAPI description allows, and what it forbids."""
    schema = schemathesis.openapi.from_url(f"{address}/openapi.json")
    operations = [result.ok() for result in schema.get_all_operations()]
    each = -(-examples // (2 * len(operations)))
    for operation in operations:
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):

            @told(each, start)(case=operation.as_strategy(generation_mode=mode))
            def one(case: schemathesis.Case) -> None:
                request = case.as_transport_kwargs(base_url=address)
                headers = {k: str(v) for k, v in dict(request.get("headers") or {}).items()}
                given_ = {k: request[k] for k in ("json", "data", "params") if request.get(k)}
                if "data" in given_:
                    data = given_.pop("data")
                    given_["content" if isinstance(data, bytes | str) else "data"] = data
                sender.send(
                    "described", request["method"], request["url"],
                    headers={**_sendable(headers), **CLIENT}, **given_,
                )  # fmt: skip

            _run(one)


def of_envelopes(
    sender: Sender, functions: list[str], scripts: list[str], examples: int, start: int
) -> None:
    """Send cells, batches and workbooks, and requests that are none."""

    def posted(path: str, body: object) -> None:
        sender.send(
            "envelope", "POST", path, content=json.dumps(body, allow_nan=True).encode(
                "utf-8", "surrogatepass"), headers={"Content-Type": "application/json"},
        )  # fmt: skip

    told_ = told(examples // 4, start)
    _run(told_(body=batches_of(functions))(lambda body: posted(BATCH, body)))
    single = calls_of([f for f in functions if f not in LONG])
    _run(told_(body=single)(lambda body: posted(CALL, body)))
    script = st.tuples(st.sampled_from(scripts) | texts, workbooks())
    _run(told_(body=script)(lambda body: posted(SCRIPT + _path(body[0]), body[1])))
    raw = st.tuples(
        st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "X"]),
        st.sampled_from([*PATHS, CALL, BATCH, SCRIPT + "optimize"]),
        st.binary(max_size=60) | st.sampled_from([b"[" * 100_000, b'{"a":' * 5000, b"\xff\xfe"]),
        KINDS,
    )

    def sent(one: tuple[str, str, bytes, str]) -> None:
        method, path, content, kind = one
        sender.send("raw", method, path, content=content, headers={"Content-Type": kind})

    _run(told_(one=raw)(sent))


LONG = frozenset({"backtest", "sweep", "compare", "luck", "frontier"})  # one call waits for them


def _run(sending: Callable[[], None]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NonInteractiveExampleWarning)
        with suppress(Unsatisfiable):  # nothing can be wrong with a request without members
            sending()


def _path(name: object) -> str:
    return quote(str(name)[:60].encode("utf-8", "surrogatepass"), safe="")


def _sendable(headers: dict[str, str]) -> dict[str, str]:
    """Return the headers that a client would let through."""
    return {k: v for k, v in headers.items() if k.isascii() and v.isascii() and v.isprintable()}


@contextmanager
def watched(address: str, heard: Heard) -> Iterator[None]:
    """Ask for the server's health all the while, twenty times a second."""
    ended = threading.Event()

    def ask() -> None:
        with httpx.Client(base_url=address, timeout=PATIENCE) as http:
            while not ended.wait(0.05):
                start = time.perf_counter()
                status = http.get("/health/live").status_code
                heard.health.append(time.perf_counter() - start)
                if status != 200:
                    heard.wrong.append(f"/health/live answers {status}")

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(PATIENCE)


def fuzz(address: str, requests: int, start: int, *, senders: int = 1) -> Heard:
    """Send about so many requests to a server from several senders; return what came back."""
    heard = Heard()
    with httpx.Client(base_url=address, timeout=PATIENCE) as http:
        meta = http.get("/xlwings/custom-functions-meta.json").json()
        functions = [f["id"].lower() for f in meta["functions"]]
        meta = http.get("/xlwings/custom-scripts-meta.json").json()
        scripts = [script.get("function_name") or script["name"] for script in meta]
    half = requests // 2
    with watched(address, heard):
        threads = []
        for number in range(senders):
            sender = Sender(address, heard)
            parts = [
                lambda s=sender, n=number: of_description(address, s, half // senders, start + n),
                lambda s=sender, n=number: of_envelopes(
                    s, functions, scripts, half // senders, start + n
                ),
            ]
            work = parts if number % 2 else parts[::-1]
            threads.append(threading.Thread(target=_through, args=(work, sender)))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return heard


def _through(parts: list[Callable[[], None]], sender: Sender) -> None:
    with sender.http:
        for part in parts:
            try:
                part()
            except BaseException as error:  # noqa: BLE001 - a sender that ends early proves nothing
                sender.heard.wrong.append(f"the sender broke: {error!r:.600}")


def main() -> None:
    """Fuzz a server of our own and print what came back; exit status 1 if anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--senders", type=int, default=1)
    parser.add_argument("--store", type=Path, help="a store with the sample, to be copied")
    given_ = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data, log = Path(folder, "data"), Path(folder, "log")
        if given_.store:
            shutil.copytree(given_.store, data)
        else:
            own = Settings(data_url=str(data))
            store = Store.open(own)
            refresh(store, own)
            store.close()
        begun = time.monotonic()
        with serving(data, log, TILT_JOB_SECONDS="20") as address:
            heard = fuzz(address, given_.requests, given_.seed, senders=given_.senders)
        print(json.dumps({**heard.report(), "seconds": round(time.monotonic() - begun)}, indent=2))
        print("\n".join(dict.fromkeys(heard.wrong[:SHOWN])))
        lines = [json.loads(x) for x in log.read_text().splitlines() if '"exception"' in x]
        ends = Counter(line["exception"][-300:] for line in lines)
        print(f"{len(lines)} exceptions in the log", *ends, sep="\n")
    sys.exit(1 if heard.wrong else 0)


if __name__ == "__main__":
    main()
