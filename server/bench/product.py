"""Rows of the whole product: what a user waits for, each in processes as they are started."""

import json
import shutil
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd

from bench.ingest import generated
from bench.load import BATCH
from bench.measuring import Row
from bench.serving import served, tilt
from tilt.data.store import Store
from tilt.refresh import refresh
from tilt.settings import Settings

STARTS = 2
CHROMIUM = Path(__file__).with_name("starter.mjs")
DAYS, NAMES = 1260, 433


def product() -> Iterator[Row]:
    """Time first data, start of the server, demo, workbook and month-end pack of the sample."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        yield Row("first data: tilt demo in an empty folder, report written", _demo(folder))
        yield Row(
            "the same on a warm machine, nothing new to read",
            _demo(folder),
        )
        yield Row("cold start of the server to the first cell", _first_cell(folder))
        yield Row(
            "month-end pack of a portfolio, a command to its workbook",
            _timed(
                lambda: tilt(
                    folder, "report", "SAMPLE", "--kind", "month_end", "--report", "pack.xlsx"
                )
            ),
        )
        yield from _starter(folder)
    yield from _one_day()


def _timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _demo(folder: Path) -> float:
    return _timed(lambda: tilt(folder, "demo", "--no-serve"))


def _first_cell(folder: Path) -> float:
    def once() -> None:
        with served(folder) as server:
            call = {"func_name": "security", "args": [[["AAPL"]], [["close"]]], "runtime": "1.4"}
            request = urllib.request.Request(  # noqa: S310 - our own server
                f"{server.address}{BATCH}",
                data=json.dumps({"calls": [call]}).encode(),
                headers={"Content-Type": "application/json", "X-Tilt-Client": "bench"},
            )
            with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
                result = json.load(answer)["results"][0]
            taken.append(time.perf_counter() - start)
            if "result" not in result:
                raise RuntimeError(f"The first cell is no number: {result}")

    taken: list[float] = []
    for _ in range(STARTS):
        start = time.perf_counter()
        once()
    return min(taken)


def _starter(folder: Path) -> Iterator[Row]:
    """Open the starter workbook in the workbench, until every cell is calculated."""
    node = shutil.which("node")
    if node is None or not (Path(__file__).parents[2] / "node_modules").is_dir():
        return
    with served(folder) as server:
        done = subprocess.run(  # noqa: S603 - our own script
            [node, str(CHROMIUM), server.address],
            capture_output=True,
            text=True,
            check=True,
            timeout=400,
        )
    seen = json.loads(done.stdout)
    first, again = seen["opened"]
    what = f"the starter workbook in the workbench until calculated, {seen['sheets']} sheets"
    yield Row(f"{what}, first time", first)
    yield Row(f"{what}, opened again", again)


def _one_day() -> Iterator[Row]:
    """Refresh from files that have one day more than the last time."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        files = folder / "files"
        rows = generated(files, days=DAYS, names=NAMES)
        prices = pd.read_parquet(files / "prices.parquet")
        prices[prices["date"] < prices["date"].max()].to_parquet(files / "prices.parquet")
        settings = Settings(data_url=str(folder / "store"))
        store = Store.open(settings)
        first = _timed(lambda: refresh(store, settings, source=str(files)))
        yield Row(f"first data from files, {rows:,} rows of prices, checks to snapshot", first)
        prices.to_parquet(files / "prices.parquet")
        seconds = _timed(lambda: refresh(store, settings, source=str(files)))
        store.close()
    yield Row(f"refresh of one day more, {NAMES} names, {rows:,} rows of prices before", seconds)
