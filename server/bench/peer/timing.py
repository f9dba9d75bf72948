"""How a peer's time is taken, inside its own process; nothing of Tilt is imported here.

A script of this folder is run as ``python SCRIPT.py NAME INPUT.npz`` and prints one line of JSON.
"""

import importlib.metadata
import json
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

STATUS = Path("/proc/self/status")
CLEAR = Path("/proc/self/clear_refs")
WARM_SECONDS = 2.0  # what takes longer than this is timed in the run that would warm it up


@dataclass(frozen=True)
class Timed:
    """Seconds of one run of the whole work, megabytes that it took on top, and what was run.

    answer : the numbers it came to, where they are compared with ours
    """

    seconds: float
    megabytes: float | None
    version: str
    note: str = ""
    answer: tuple[float, ...] = ()


def timed(
    work: Callable[[], object],
    package: str,
    *,
    runs: int = 3,
    whole: float = 1.0,
    note: str = "",
    once: bool = False,
) -> Timed:
    """Return the median of some runs after a first one, or the first one where it is long.

    Parameters
    ----------
    whole : how many times what was run the whole work is; said in ``note``
    once : never run the work again, however short it is

    An array that the work returns is its answer.
    """
    before = _memory("VmRSS")
    _forget_peak()
    start = time.perf_counter()
    found = work()
    seconds = time.perf_counter() - start
    peak = _memory("VmHWM")
    if not once and seconds < WARM_SECONDS:
        seconds = statistics.median(_seconds(work) for _ in range(runs))
    taken = None if before is None or peak is None else max(peak - before, 0.0)
    answer = tuple(found.tolist()) if isinstance(found, np.ndarray) else ()
    return Timed(seconds * whole, taken, importlib.metadata.version(package), note, answer)


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _memory(key: str) -> float | None:
    """Return a figure of the process in megabytes, where the system tells."""
    if not STATUS.exists():
        return None
    lines = STATUS.read_text(encoding="utf-8").splitlines()
    return next(float(line.split()[1]) / 1024 for line in lines if line.startswith(key + ":"))


def _forget_peak() -> None:
    if CLEAR.exists():
        CLEAR.write_text("5", encoding="utf-8")


def main(peers: Mapping[str, Callable[[dict[str, np.ndarray]], Timed]]) -> None:
    """Run the peer that the command line names and print its time."""
    name, given = sys.argv[1:3]
    with np.load(given, allow_pickle=False) as file:
        inputs = {key: file[key] for key in file.files}
    print(json.dumps(asdict(peers[name](inputs))))
