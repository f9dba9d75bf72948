"""Mixed load on a server for minutes or hours, and whether anything of it only grows.

Run by hand from the folder ``tests``: ``python -m faults.soak --minutes 60 --restarts 3``. It
serves the sample from a process of its own, asks for cells, optimizations, reports, backtests, live
prices and saved portfolios from several users at once, and samples memory, threads, open files and
the rows of each table of the catalog. The last two thirds are judged by their slope and its error.
A leak can be put in, ``--leak 200`` kilobytes a second, to see it caught.
"""

import argparse
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import numpy as np

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parent)]  # also as a script

from serving import PATIENCE, free_port, wait_until_ready

from bench.load import KINDS, Asking
from tilt.data.store import Store
from tilt.refresh import refresh
from tilt.settings import Settings

MIX = {  # how often each kind is asked for, of a hundred requests
    "1 cell": 10, "100 cells": 30, "risk": 20, "live": 15, "saving": 10, "health": 9,
    "optimization": 3, "report": 2, "backtest": 1,
}  # fmt: skip
WARMED = 1 / 3  # of the samples, that are not judged: caches fill
SHARE = 0.05  # growth within the judged time, of the mean, that is no leak
KEPT = (
    "audit_log",
    "audit_runs",
    "idempotent_requests",
    "jobs",
    "packs",
    "runs",
    "trials",
)  # by design
SERVE = """
from tilt.cli import main
if __name__ == "__main__":  # a worker imports this anew
    main()
"""
LEAK = """
import threading, time
kept = []
def leak():
    while len(kept) * {kilobytes} < 30_000_000:  # three gigabytes
        kept.append(bytearray(b"x" * (1024 * {kilobytes} // 10)))
        time.sleep(0.1)
if __name__ == "__main__":
    threading.Thread(target=leak, daemon=True).start()
"""


@dataclass(frozen=True)
class Slope:
    """A straight line through samples: its rise over all of them, the error of that, the mean."""

    rise: float
    error: float
    mean: float

    @property
    def flat(self) -> bool:
        """Whether nothing grows: the rise is within twice its error, or too small to matter."""
        return self.rise <= 2 * self.error or self.rise <= SHARE * abs(self.mean)


def slope(values: Sequence[float]) -> Slope:
    """Fit a line by least squares, with the error of Newey and West (1987).

    Samples that follow each other are alike, so the plain error would be too small.
    """
    y = np.asarray(values, dtype=float)
    n = len(y)
    if n < 8:
        raise ValueError(f"{n} samples are too few to judge")
    x = np.arange(n) / (n - 1) - 0.5
    rise = float(x @ (y - y.mean()) / (x @ x))
    score = x * (y - y.mean() - rise * x)
    lags = int(4 * (n / 100) ** (2 / 9)) + 1
    spread = score @ score + 2 * sum(
        (1 - k / (lags + 1)) * (score[k:] @ score[:-k]) for k in range(1, lags + 1)
    )
    error = float(np.sqrt(max(spread, 0.0) * n / (n - 2)) / (x @ x))
    return Slope(rise, error, float(y.mean()))


def judged(values: Sequence[float]) -> Slope:
    """Return the slope of samples without the warming up."""
    return slope(values[int(WARMED * len(values)) :])


@dataclass
class Seen:
    """What a soak saw: samples by what was sampled, counts by kind, and what failed."""

    samples: dict[str, list[float]] = field(default_factory=dict)
    asked: dict[str, int] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)
    later: int = 0

    def note(self, sample: dict[str, float]) -> None:
        """Add a sample; what was not there before was 0."""
        so_far = max((len(v) for v in self.samples.values()), default=0)
        for name in {*self.samples, *sample}:
            values = self.samples.setdefault(name, [0.0] * so_far)
            values.append(sample.get(name, 0.0))

    def growing(self) -> dict[str, Slope]:
        """Return what is not flat, but for what is kept by design."""
        lines = {name: judged(v) for name, v in self.samples.items() if name not in KEPT}
        return {name: line for name, line in lines.items() if not line.flat}


class Server:
    """A server of a data folder, in a process of its own, that may be started again."""

    def __init__(self, folder: Path, log: Path, leak: int = 0) -> None:
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self._folder, self._log, self._leak = folder, log, leak
        self.start()

    def start(self) -> None:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("TILT_", "XLWINGS_"))}
        own = {"TILT_DATA_URL": str(self._folder), "TILT_PORT": str(self.port)}
        leak = LEAK.format(kilobytes=self._leak) if self._leak else ""
        script = self._log.with_name("serve_tilt.py")  # workers import it anew: no '-c'
        script.write_text(leak + SERVE)
        with self._log.open("a") as out:
            self._process = subprocess.Popen(
                [sys.executable, str(script), "serve"], env={**kept, **own}, stdout=out, stderr=out
            )
        wait_until_ready(self.address, self._process, self._log)

    def stop(self, how: int = signal.SIGTERM) -> None:
        """End it: in good order, or by SIGKILL."""
        self._process.send_signal(how)
        self._process.wait(PATIENCE)

    def sample(self) -> dict[str, float]:
        """Return what the process and its workers hold, and how many rows each table has."""
        pid = self._process.pid
        own = Path(f"/proc/{pid}")
        status = dict(
            line.split(":", 1) for line in (own / "status").read_text().splitlines() if ":" in line
        )
        return {
            "server MiB": _kilobytes(status["VmRSS"]) / 1024,
            "server threads": float(status["Threads"]),
            "server open files": float(sum(1 for _ in (own / "fd").iterdir())),
            "temporary files": float(sum(1 for _ in self._folder.rglob("*.part"))),
            **self._rows(),
        }

    def _rows(self) -> dict[str, float]:
        with closing(sqlite3.connect(self._folder / "catalog.sqlite", timeout=30)) as catalog:
            listed = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
            names = [name for (name,) in catalog.execute(listed)]
            count = "SELECT count(*) FROM {}"  # of a table that the catalog itself names
            return {n: catalog.execute(count.format(n)).fetchone()[0] for n in names}


def _kilobytes(words: str) -> float:
    return float(words.split()[0])


def load(address: str, seed: int, stop: Callable[[], bool], seen: Seen, lock: threading.Lock):
    """Ask until told to stop; a server that is being started again is asked later."""
    rng = random.Random(seed)  # noqa: S311 - a mix of requests, no secrets
    asking = Asking(address, seed)
    while not stop():
        (kind,) = rng.choices(list(MIX), list(MIX.values()))
        try:
            KINDS[kind](asking)
        except httpx.TransportError:
            time.sleep(0.2)
            continue
        with lock:
            seen.asked[kind] = seen.asked.get(kind, 0) + 1
    with lock:
        seen.failed += asking.failed
        seen.later += asking.later
    asking.close()


def soak(server: Server, seconds: float, *, users: int, every: float) -> Seen:
    """Load a server for so long, and sample what it holds."""
    seen, lock, over = Seen(), threading.Lock(), threading.Event()
    threads = [
        threading.Thread(target=load, args=(server.address, n, over.is_set, seen, lock))
        for n in range(users)
    ]
    begun = time.monotonic()
    for thread in threads:
        thread.start()
    try:
        while (elapsed := time.monotonic() - begun) < seconds:
            over.wait(every)
            seen.note(server.sample())
            if elapsed > 120:
                print(f"{elapsed:6.0f} s", {k: round(v[-1]) for k, v in _shown(seen)}, flush=True)
    finally:
        over.set()
        for thread in threads:
            thread.join(PATIENCE)
    return seen


def restart_under_load(server: Server, how: int) -> list[str]:
    """Stop a server that has jobs and start it again; return the jobs that it lost."""
    jobs = []
    with httpx.Client(
        base_url=server.address, headers={"X-Tilt-Client": "soak"}, timeout=PATIENCE
    ) as http:
        for hold in range(3):
            body = {"strategy": f"quantile:Momentum:5:{1 + hold}", "start": "2014-01-02"}
            body["end"] = f"2016-{1 + time.monotonic_ns() % 12:02d}-15"
            answer = http.post("/api/v1/backtest", json=body)
            answer.raise_for_status()
            jobs.append(answer.json()["id"])
    server.stop(how)
    server.start()
    lost = []
    with httpx.Client(base_url=server.address, timeout=PATIENCE) as http:
        for job in jobs:
            end = time.monotonic() + PATIENCE
            state = "running"
            while state in {"queued", "running"} and time.monotonic() < end:
                answer = http.get(f"/api/v1/jobs/{job}")
                state = answer.json().get("state", f"answered {answer.status_code}")
                time.sleep(0.2)
            if state != "done":
                lost.append(f"{job} is {state}")
    return lost


def _shown(seen: Seen) -> list[tuple[str, list[float]]]:
    return [(k, v) for k, v in seen.samples.items() if k.startswith("server")]


def report(seen: Seen) -> str:
    """Return what was seen, line by line."""
    lines = [f"asked: {seen.asked}; told to come again: {seen.later}"]
    for name, values in seen.samples.items():
        line = judged(values)
        verdict = "flat" if line.flat else "kept by design" if name in KEPT else "GROWS"
        lines.append(
            f"{name:24} {values[0]:9.1f} -> {values[-1]:9.1f}; rise {line.rise:8.2f} "
            f"± {line.error:.2f} of {line.mean:.1f}: {verdict}"
        )
    lines += [f"FAILED {words}" for words in seen.failed]
    return "\n".join(lines)


def main() -> None:
    """Soak for the minutes asked for; exit 1 if anything grows, failed or was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--users", type=int, default=3)
    parser.add_argument("--every", type=float, default=5.0, help="seconds between two samples")
    parser.add_argument("--restarts", type=int, default=2)
    parser.add_argument("--leak", type=int, default=0, help="kilobytes a second")
    given = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        settings = Settings(data_url=str(folder / "data"))
        with closing(Store.open(settings)) as store:
            refresh(store, settings)
        server = Server(folder / "data", folder / "log", given.leak)
        stack.callback(server.stop)
        seen = soak(server, 60 * given.minutes, users=given.users, every=given.every)
        print(report(seen), flush=True)  # also if it does not come back below
        hows = [signal.SIGKILL if n % 2 else signal.SIGTERM for n in range(given.restarts)]
        lost = [job for how in hows for job in restart_under_load(server, how)]
        print(f"{given.restarts} restarts with jobs;", *(lost or ["none lost"]))
        if seen.growing() or seen.failed or lost:
            sys.exit(1)


if __name__ == "__main__":
    main()
