"""A line of the table, and how its time and memory are taken."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

RUNS = 5
PROCESSES = Path("/proc")
CLEAR = Path("/proc/self/clear_refs")


@dataclass(frozen=True)
class Peer:
    """What another program takes for the same work; ``why`` says why there is no time.

    answer : the numbers it came to, where it told them
    above  : how far its objective lies above ours, as a share of ours, both by our arithmetic;
        below zero where it is better
    """

    name: str
    seconds: float | None
    megabytes: float | None = None
    note: str = ""
    why: str = ""
    answer: tuple[float, ...] = ()
    above: float | None = None


@dataclass(frozen=True)
class Target:
    """What is to be reached, in seconds, and the peer's seconds that it was set beside.

    A target counts as a ratio to that peer in the same run, as absolute times move with the
    machine; where there is no such peer, or it was not run, the seconds count.
    """

    seconds: float
    stretch: float | None = None
    beside: str = ""
    beside_seconds: float = 0.0


@dataclass(frozen=True)
class Row:
    """One line of the table; seconds, ``peer_seconds`` None where there is no peer."""

    work: str
    seconds: float
    peer: str = ""
    peer_seconds: float | None = None
    peers: tuple[Peer, ...] = ()
    target: Target | None = None
    megabytes: float | None = None
    note: str = ""

    @property
    def beside(self) -> tuple[Peer, ...]:
        """All peers."""
        first = (Peer(self.peer, self.peer_seconds),) if self.peer else ()
        return (*first, *self.peers)


def verdict(row: Row) -> str:
    """Return whether a row reaches its target: stretch, reached, time only, or not."""
    aim = row.target
    if aim is None:
        return ""
    known = {p.name: p.seconds for p in row.beside if p.seconds is not None}
    peer = known.get(aim.beside)
    # The same share of the peer's time as when the target was set.
    scale = 1.0 if peer is None else peer / aim.beside_seconds
    if aim.stretch is not None and row.seconds <= scale * aim.stretch:
        return "stretch"
    if row.seconds <= scale * aim.seconds:
        return "reached"
    return "time only" if row.seconds <= aim.seconds else "not"


def median_seconds(work: Callable[[], object], runs: int = RUNS) -> float:
    """Return the median of several runs, after one that is not counted."""
    return measured(work, runs)[0]


def measured(work: Callable[[], object], runs: int = RUNS) -> tuple[float, float | None]:
    """Return the median of several runs after a first one, and the megabytes the first one took."""
    before = memory("VmRSS")
    if before is not None and CLEAR.exists():
        CLEAR.write_text("5", encoding="utf-8")
    work()
    peak = memory("VmHWM")
    taken = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    extra = None if before is None or peak is None else max(peak - before, 0.0)
    return statistics.median(taken), extra


def memory(key: str, process: "int | str" = "self") -> float | None:
    """Return a figure of a process in megabytes of 2**20 bytes, where the system tells."""
    status = PROCESSES / str(process) / "status"
    if not status.exists():
        return None
    lines = status.read_text(encoding="utf-8").splitlines()
    return next(float(line.split()[1]) / 1024 for line in lines if line.startswith(key + ":"))
