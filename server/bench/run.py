"""Print the table of how fast Tilt is, peers beside it: ``make bench [ROWS="A C"] [PEERS=none]``.

Run by hand, never a gate: absolute times move with whatever else the machine does, so look at the
ratio to the peer of the same run. Each figure is the median of several runs after a first one.
Every letter runs in a process of its own, so that its memory is its own.
"""

import argparse
import datetime as dt
import importlib.metadata
import json
import logging
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

from threadpoolctl import threadpool_limits

from bench.growth import growth
from bench.kernels import evaluations, regressions
from bench.measuring import Row, memory, verdict
from bench.mixed import rows as mixed
from bench.optimum import optimum
from bench.peers import LEFT_OUT, ROOT
from bench.product import product
from bench.reads import reads
from bench.reports import reports
from bench.risk import parities, risks, worst_days
from bench.sheet import browser, sheet
from bench.strategies import strategies
from bench.table import GROWTH, Found, rendered

Measure = Callable[[], Iterator[Row]]
ROWS: dict[str, tuple[Measure, ...]] = {
    "A": (optimum,),
    "B": (parities, worst_days),
    "C": (regressions,),
    "D": (evaluations,),
    "E": (strategies,),
    "F": (risks,),
    "G": (reads,),
    "H": (reports,),
    "I": (sheet, browser),  # and J
    "L": (mixed,),
    "W": (product,),
}
VERSIONS = ("tilt", "numpy", "scipy", "pandas", "cvxpy", "piqp", "clarabel", "highspy")
PLACE = ROOT / "build" / "bench"
WHOLE, PART = PLACE / "speed.json", PLACE / "part.json"  # a part is no page of the help


def main() -> None:
    """Measure the rows asked for, each letter in a process of its own, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    letters = [*ROWS, GROWTH]
    parser.add_argument("rows", nargs="*", choices=[*letters, []], help="all when left out")
    parser.add_argument("--peers", default="all", help="none, or names with commas")
    parser.add_argument("--out", type=Path, help="JSON; the table goes beside it")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    os.environ[LEFT_OUT] = given.peers.replace(",", " ")
    if given.inside:
        logging.disable(logging.INFO)  # of the servers inside
        with threadpool_limits(1):
            given.out.write_text(json.dumps(_inside(given.rows[0])), encoding="utf-8")
        return
    start = time.monotonic()
    found = Found(
        date=f"{dt.datetime.now(dt.UTC):%Y-%m-%d}",
        machine=machine(),
        versions={p: importlib.metadata.version(p) for p in VERSIONS},
    )
    for letter in given.rows or letters:
        _add(found, letter, _apart(letter))
    found.seconds = time.monotonic() - start
    table = rendered(found)
    print(table)
    out: Path = given.out or (PART if given.rows else WHOLE)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(asdict(found), indent=1) + "\n", encoding="utf-8")
    out.with_suffix(".md").write_text(table, encoding="utf-8")


def machine() -> str:
    """Return the processor, how many cores there are, the system and Python, in words."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    cpu = names[0] if names else platform.processor() or platform.machine()
    return (
        f"{cpu}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}"
    )


def _inside(letter: str) -> dict[str, object]:
    if letter == GROWTH:
        return {"growth": [asdict(point) for point in growth()]}
    rows = []
    for measure in ROWS[letter]:
        for row in measure():
            print(f"{1e3 * row.seconds:10,.2f} ms  {row.work}", file=sys.stderr, flush=True)
            peers = [asdict(peer) for peer in row.beside]
            rows.append({**asdict(row), "letter": letter, "peers": peers, "verdict": verdict(row)})
    return {"rows": rows, "megabytes": memory("VmHWM")}


def _apart(letter: str) -> dict[str, object]:
    """Measure a letter in a process of its own; what fails is told, and the others go on."""
    print(f"-- {letter}", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "found.json"
        command = [sys.executable, "-m", "bench.run", letter, "--inside", "--out", str(out)]
        peers = ["--peers", os.environ[LEFT_OUT]]
        path = os.pathsep.join([str(ROOT / "server"), os.environ.get("PYTHONPATH", "")])
        done = subprocess.run(  # noqa: S603 - ourselves
            [*command, *peers], env={**os.environ, "PYTHONPATH": path}, check=False
        )
        if done.returncode:
            return {"failed": f"ended with {done.returncode}"}
        measured: dict[str, object] = json.loads(out.read_text(encoding="utf-8"))
    return measured


def _add(found: Found, letter: str, part: dict[str, object]) -> None:
    if "failed" in part:
        found.failed[letter] = str(part["failed"])
    found.rows += part.get("rows", [])
    found.growth += part.get("growth", [])
    if "megabytes" in part:
        found.peak[letter] = part["megabytes"]


if __name__ == "__main__":
    main()
