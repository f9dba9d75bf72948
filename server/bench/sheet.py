"""The sheet: cells through the whole server, ranges on their way in, and the add-in in Chromium."""

import asyncio
import json
import shutil
import socket
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import orjson
import uvicorn
from fastapi import FastAPI

from bench.load import BATCH, IN_ONE
from bench.measuring import Peer, Row, Target, median_seconds
from tilt.api.app import create_app, spare_collector
from tilt.api.calls import check_cells, read_call
from tilt.api.cells import Known
from tilt.api.state import enter
from tilt.backtest.parse import parse_strategy
from tilt.backtest.run import backtest
from tilt.data.store import Store
from tilt.factors.history import estimate_history
from tilt.frames import Panel
from tilt.refresh import refresh
from tilt.settings import Settings

HEADERS = {"X-Tilt-Client": "bench", "Content-Type": "application/json"}
FACTORS = ("Size", "Value", "Momentum", "Volatility", "Beta", "Quality")
MEASURES = ("volatility", "tracking_error", "beta", "var95", "active_share", "effective_n")
CELLS = 10_000
RANGE = 50_000  # rows of two cells
# Of xlwings-server as it comes, a request per cell, measured once and not in this run.
ONCE = "measured once, not in this run"
STOCK, STOCK_SECONDS = "xlwings-server, a request per cell", 15.0
STOCK_RANGE_SECONDS = 4.0
UNBATCHED_SECONDS = 54.0

Call = dict[str, object]


def sheet() -> Iterator[Row]:
    """Time cells on the server, and what cells ask the engine for."""
    with _application() as (app, store):
        yield from _cells(app, store)
        yield from _ranges(app)
        yield from _engine(store)


def browser() -> Iterator[Row]:
    """Time cells through the shipped JavaScript, where Node and Chromium are."""
    node = shutil.which("node")
    script = Path(__file__).with_name("chromium.mjs")
    if node is None or not (Path(__file__).parents[2] / "node_modules").is_dir():
        print("Node or node_modules is not here, so nothing is timed in Chromium.")
        return
    with _application() as (app, store), _served(app) as address:
        names = json.dumps(_scored(store.panel()))
        done = subprocess.run(  # noqa: S603 - our own script
            [node, str(script), address, names],
            capture_output=True,
            text=True,
            check=True,
            timeout=300,
        )
    seen = json.loads(done.stdout)
    yield Row(
        f"10,000 cells through the shipped JavaScript in Chromium, {seen['posts']:.0f} POSTs",
        statistics.median(seen["fresh"]),
        peers=(Peer(STOCK, UNBATCHED_SECONDS, note=ONCE),),
        target=Target(1.0, 0.3),
    )
    yield Row(
        f"the same cells recalculated, from the client's cache, {seen['posts_again']} POSTs",
        statistics.median(seen["again"]),
    )


@contextmanager
def exposure_cells() -> Iterator[Callable[[int], float]]:
    """Give a function from how many cells to the seconds that they take, without a network."""
    with _application() as (app, store):
        scored = _scored(store.panel())

        def seconds(cells: int) -> float:
            calls = [
                _call("exposure", scored[i % len(scored)], FACTORS[i // len(scored) % 6])
                for i in range(cells)
            ]
            return _through(
                app, [{"calls": calls[i : i + IN_ONE]} for i in range(0, cells, IN_ONE)], runs=3
            )

        yield seconds


def _cells(app: FastAPI, store: Store) -> Iterator[Row]:
    panel = store.panel()
    scored = _scored(panel)
    dates = [f"{d:%Y-%m-%d}" for d in panel.dates[-60::15]]
    exposures = [
        _call("exposure", scored[i % len(scored)], FACTORS[i // len(scored) % 6], dates[i // 2500])
        for i in range(CELLS)
    ]
    securities = [
        _call("security", scored[i % len(scored)], "close", dates[i // 2500]) for i in range(CELLS)
    ]
    for name, calls in (("EXPOSURE", exposures), ("SECURITY", securities)):
        batches = [{"calls": calls[i : i + IN_ONE]} for i in range(0, CELLS, IN_ONE)]
        yield Row(
            f"10,000 {name} cells, {len(batches)} batches through the application",
            _through(app, batches),
            peers=(Peer(STOCK, STOCK_SECONDS, note=ONCE),),
            target=Target(0.1, 0.02),
        )
    held = [[t, float(w)] for t, w in store.portfolio("SAMPLE").items()]
    books = [[[t, w * (1 + i / 1e6)] for t, w in held] for i in range(100)]
    plain = [_call("risk", books[i // 6], MEASURES[i % 6]) for i in range(600)]
    given = [_call("risk", {"$ref": i // 6}, MEASURES[i % 6]) for i in range(600)]
    yield Row(
        "600 RISK cells on 100 portfolios, each range sent once",
        _through(app, [{"shared": books, "calls": given}]),
        "each range sent six times",
        _through(app, [{"calls": plain}]),
    )


def _ranges(app: FastAPI) -> Iterator[Row]:
    held = [[f"T{i}", i / RANGE] for i in range(RANGE)]
    body = orjson.dumps(_call("risk", held, "volatility"))
    state = app.state.tilt.state

    def read() -> None:
        call = read_call(state.cells, orjson.loads(body))
        check_cells([call], state.settings.max_cells)
        call.cell.read(call.arguments, Known())

    yield Row(
        "a range of 100,000 cells in, from JSON to an argument",
        median_seconds(read),
        peers=(Peer("xlwings-server", STOCK_RANGE_SECONDS, note=ONCE),),
        target=Target(0.1),
    )
    returns = [[((i * 7919) % 13 - 6) / 1000] for i in range(100_000)]
    stats = {"calls": [_call("stats", returns)]}
    yield Row("STATS of 100,000 returns through the application", _through(app, [stats], runs=3))


def _engine(store: Store) -> Iterator[Row]:
    panel = store.panel()
    yield Row(
        f"factor history, {len(panel.dates):,} dates x {len(panel.assets)} names",
        median_seconds(lambda: estimate_history(panel), runs=3),
    )
    for words, start in (("equal_weight", None), ("min_te", panel.dates[-252])):
        strategy = parse_strategy([[words]], panel, saved=store.portfolio)
        yield Row(
            f"backtest of {words}, monthly, {'every year' if start is None else 'one year'}",
            median_seconds(lambda s=strategy, d=start: backtest(panel, s, start=d), runs=3),
        )


def _scored(panel: Panel) -> list[str]:
    return [str(t) for t in panel.factors.exposures(panel.dates[-80]).index]


def _call(name: str, *arguments: object) -> Call:
    cells = [[[a]] if isinstance(a, str | float | int) else a for a in arguments]
    return {"func_name": name, "args": cells, "runtime": "1.4"}


def _through(app: FastAPI, bodies: list[Call], *, runs: int = 5) -> float:
    """Return the median of posting some bodies, without a network between."""
    raw = [orjson.dumps(body) for body in bodies]

    async def measure() -> list[float]:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://127.0.0.1", headers=HEADERS, timeout=120
        ) as http:
            seconds = []
            for _ in range(runs + 1):
                start = time.perf_counter()
                for body in raw:
                    answer = await http.post(BATCH, content=body)
                    answer.raise_for_status()
                seconds.append(time.perf_counter() - start)
        return seconds[1:]

    return statistics.median(asyncio.run(measure()))


@contextmanager
def _application() -> Iterator[tuple[FastAPI, Store]]:
    """Give an application over the sample in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_url=folder)
        store = Store.open(settings)
        refresh(store, settings)
        app = create_app(settings)
        enter(app.state.tilt.state, "local")
        spare_collector()
        yield app, store
        app.state.tilt.state.jobs.close()
        store.close()


@contextmanager
def _served(app: FastAPI) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, ws="none"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [free]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{free.getsockname()[1]}"
        server.should_exit = True
        thread.join(10)
