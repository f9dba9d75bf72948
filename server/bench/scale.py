"""What a request of each kind costs, and what hardware so many users need: ``bench/scale.py``.

Measures a server of this machine over the sample, one request at a time, and writes ``scale.json``;
``addin/help/scale.md`` quotes it, and a test holds both together. Each kind is asked several times
with new inputs, so that nothing is answered from what is kept.
"""

import argparse
import datetime as dt
import json
import math
import os
import platform
import tempfile
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import pandas as pd

from bench.load import KINDS, Asking
from bench.measuring import memory
from bench.serving import served
from tilt.data.store import Store
from tilt.refresh import refresh
from tilt.settings import Settings

FILE = Path(__file__).with_name("scale.json")
PAGE = Path(__file__).parents[2] / "addin" / "help" / "scale.md"
TIMES = {"10,000 cells": 5, "optimization": 8, "report": 8, "backtest": 8}  # others: 40
USUAL_TIMES = 40
# A busy portfolio manager's day, by kind: three full calculations of a large sheet, a few hundred
# small ones, live prices every few seconds in eight hours, and some work that takes long.
DAY: Mapping[str, float] = MappingProxyType(
    {
        "100 cells": 300, "10,000 cells": 3, "risk": 100, "live": 3000, "saving": 10,
        "optimization": 20, "report": 4, "backtest": 10,
    }
)  # fmt: skip
IN_WORKERS = ("optimization", "report", "backtest")  # in processes of their own
HOURS = 8.0
PEAK = 5.0  # the busiest minutes over the average of the working hours
BUSY = 0.6  # of a core's time that may be taken, so that a queue stays short
CONNECTIONS = 15.0  # of a server process to the database: the pool's most
USERS = (10, 1_000, 100_000)
COSTS, NEEDS = "What a request costs", "What so many users need"  # headings of the page
# commits: a saving with its key and its answer; a job queued, claimed, told of and ended
COMMITS: Mapping[str, float] = MappingProxyType(
    {"saving": 4, "optimization": 8, "report": 8, "backtest": 8}
)
SAVINGS = 200  # that are timed to see how many commits a catalog takes


@dataclass(frozen=True)
class Cost:
    """Of a request: seconds to its answer, and processor seconds of the server and its workers."""

    seconds: float
    processor: float
    times: int


@dataclass(frozen=True)
class Need:
    """What so many users need at their peak.

    requests    : a second
    cores, worker_cores : of servers, and of workers or a cluster
    servers     : processes that answer
    memory      : GiB of servers and workers
    connections : to the database, at most
    commits     : a second, to the catalog
    reads       : requests to the bucket when a new snapshot is first asked for
    """

    users: int
    requests: float
    cores: float
    worker_cores: float
    servers: int
    workers: int
    memory: float
    connections: int
    commits: float
    reads: int


def need(users: int, costs: Mapping[str, Cost], held: Mapping[str, float], files: int) -> Need:
    """Return what users need: requests a day x peak / seconds of the working hours x cost."""
    rate = {kind: users * count * PEAK / (3600 * HOURS) for kind, count in DAY.items()}
    here = sum(r * costs[k].processor for k, r in rate.items() if k not in IN_WORKERS)
    there = sum(r * costs[k].processor for k, r in rate.items() if k in IN_WORKERS)
    servers = max(1, math.ceil(here / BUSY))
    workers = max(1, math.ceil(there / BUSY))
    return Need(
        users=users,
        requests=sum(rate.values()),
        cores=here,
        worker_cores=there,
        servers=servers,
        workers=workers,
        memory=(servers * held["server"] + workers * held["worker"]) / 1024,
        connections=math.ceil(servers * CONNECTIONS),
        commits=sum(rate[k] * n for k, n in COMMITS.items()),
        reads=files * (servers + workers),
    )


def measure(folder: Path) -> tuple[dict[str, Cost], dict[str, float], int]:
    """Return the cost of each kind, the MiB of a server and of a worker, and a snapshot's files."""
    settings = Settings(data_url=str(folder / "data"))
    with closing(Store.open(settings)) as store:
        refresh(store, settings)
        files = len(list(store.contents(store.snapshot().id).files))
    costs = {}
    with served(folder / "data") as server:
        for kind, ask in KINDS.items():
            asking = Asking(server.address, seed=len(costs))
            ask(asking)  # not counted: what is loaded once
            times = TIMES.get(kind, USUAL_TIMES)
            before, begun = _processor(server.process), time.perf_counter()
            for _ in range(times):
                ask(asking)
            took = time.perf_counter() - begun
            used = _processor(server.process) - before
            costs[kind] = Cost(took / times, used / times, times)
            if asking.failed:
                raise RuntimeError(asking.failed[0])
            asking.close()
            print(kind, costs[kind], flush=True)
        workers = [memory("VmRSS", pid) or 0.0 for pid in _children(server.process)]
        held = {"server": memory("VmRSS", server.process) or 0.0, "worker": max(workers)}
    return costs, held, files


def commits_a_second(folder: Path) -> float:
    """Return how many portfolios one writer saves in a second, in SQLite on this disk."""
    weights = pd.Series(1 / 30, index=[f"N{i}" for i in range(30)])
    with closing(Store.open(Settings(data_url=str(folder)))) as store:
        begun = time.perf_counter()
        for number in range(SAVINGS):
            store.save_portfolio(f"P{number % 20}", weights, "bench")
        return SAVINGS / (time.perf_counter() - begun)


def _processor(process: int) -> float:
    """Return the processor seconds of a process and of those it has started, ended ones too."""
    ticks = 0
    for pid in (process, *_children(process)):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += sum(int(t) for t in fields[11 : 15 if pid == process else 13])
    return ticks / os.sysconf("SC_CLK_TCK")


def _children(process: int) -> list[int]:
    listed = Path(f"/proc/{process}/task").glob("*/children")
    return [int(pid) for file in listed for pid in file.read_text().split()]


def main() -> None:
    """Measure, and write what was measured and what it means."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=FILE)
    given = parser.parse_args()
    loads = [os.getloadavg()[0]]
    with tempfile.TemporaryDirectory() as folder:
        costs, held, files = measure(Path(folder))
        commits = commits_a_second(Path(folder) / "commits")
    loads.append(os.getloadavg()[0])
    content = {
        "date": f"{dt.datetime.now(dt.UTC):%Y-%m-%d}",
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}",
        "python": platform.python_version(),
        "load_before_and_after": [round(load, 2) for load in loads],
        "memory_mebibytes": {name: round(value) for name, value in held.items()},
        "snapshot_files": files,
        "commits_a_second_in_sqlite": round(commits),
        "costs": {
            kind: {
                "seconds": round(cost.seconds, 4),
                "processor_seconds": round(cost.processor, 4),
                "times": cost.times,
            }
            for kind, cost in costs.items()
        },
    }
    given.out.write_text(f"{json.dumps(content, indent=2)}\n")
    if given.out == FILE:
        PAGE.write_text(with_figures(PAGE.read_text(), content))
    print(cost_table(content), need_table(content), sep="\n\n")


def read(path: Path = FILE) -> dict[str, object]:
    """Return what was measured."""
    content: dict[str, object] = json.loads(path.read_text())
    return content


def with_figures(page: str, content: Mapping[str, object]) -> str:
    """Return the help page with the figures under their headings."""
    for heading, figures in (
        (COSTS, f"{_measured(content)}\n\n{cost_table(content)}"),
        (NEEDS, need_table(content)),
    ):
        before, found, after = page.partition(f"## {heading}\n")
        if not found:
            raise ValueError(f"the page has no heading '{heading}'")
        _, _, rest = after.partition("\n### ")
        page = f"{before}{found}\n{figures}\n\n### {rest}"
    return page


def _measured(content: Mapping[str, object]) -> str:
    loads = content["load_before_and_after"]
    if not isinstance(loads, list):
        raise TypeError("no loads")
    held = _memory(content)
    return (
        f"Measured on {content['date']}, {content['machine']}, Python {content['python']}, one "
        f"request at a time, with {loads[0]:g} processes waiting for those cores before and "
        f"{loads[1]:g} after. A server process held {held['server']:,} MiB, a worker "
        f"{held['worker']:,} MiB; SQLite took {content['commits_a_second_in_sqlite']} saved "
        f"portfolios a second; a snapshot has {content['snapshot_files']} files."
    )


def cost_table(content: Mapping[str, object]) -> str:
    """Return what a request of each kind costs."""
    lines = ["| a request | to its answer | processor time | asked |", "|---|---|---|---|"]
    lines += [
        f"| {kind} | {1000 * c.seconds:,.0f} ms | {1000 * c.processor:,.1f} ms | {c.times} times |"
        for kind, c in _costs(content).items()
    ]
    return "\n".join(lines)


def need_table(content: Mapping[str, object]) -> str:
    """Return what so many users need, by the model."""
    costs, files = _costs(content), int(str(content["snapshot_files"]))
    needs = [need(users, costs, _memory(content), files) for users in USERS]
    rows = (
        ("requests a second at the peak", [f"{n.requests:,.0f}" for n in needs]),
        ("cores that answer", [f"{n.cores:,.1f}" for n in needs]),
        ("cores for jobs", [f"{n.worker_cores:,.1f}" for n in needs]),
        ("server processes", [f"{n.servers:,}" for n in needs]),
        ("workers", [f"{n.workers:,}" for n in needs]),
        ("memory of both", [f"{n.memory:,.0f} GiB" for n in needs]),
        ("connections to the database, at most", [f"{n.connections:,}" for n in needs]),
        ("commits a second to the catalog", [f"{n.commits:,.0f}" for n in needs]),
        ("reads of a bucket after a refresh", [f"{n.reads:,}" for n in needs]),
    )
    lines = [f"| users | {' | '.join(f'{n.users:,}' for n in needs)} |", "|---|---:|---:|---:|"]
    lines += [f"| {name} | {' | '.join(values)} |" for name, values in rows]
    return "\n".join(lines)


def _costs(content: Mapping[str, object]) -> dict[str, Cost]:
    kept = content["costs"]
    if not isinstance(kept, dict):
        raise TypeError("no costs")
    return {
        kind: Cost(c["seconds"], c["processor_seconds"], c["times"]) for kind, c in kept.items()
    }


def _memory(content: Mapping[str, object]) -> Mapping[str, float]:
    kept = content["memory_mebibytes"]
    if not isinstance(kept, dict):
        raise TypeError("no memory")
    return kept


if __name__ == "__main__":
    main()
