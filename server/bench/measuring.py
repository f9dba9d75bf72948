"""A line of the table, and how its time is taken."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

RUNS = 5


@dataclass(frozen=True)
class Row:
    """One line of the table; seconds, ``peer_seconds`` None where there is no peer."""

    work: str
    seconds: float
    peer: str = ""
    peer_seconds: float | None = None


def median_seconds(work: Callable[[], object], runs: int = RUNS) -> float:
    """Return the median of several runs, after one that is not counted."""
    work()
    taken = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)
