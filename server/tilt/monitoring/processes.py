"""What the processes that serve one port count, each in a file that the others read.

A file belongs to the process that holds its lock, which the system takes from one that dies. The
process that takes its place takes over the file and counts on from there, so that no count falls
and no file is left behind. Only numbers, times and names of operations are in them.
"""

import itertools
import os
import shutil
import sys
import tempfile
import threading
import time
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tilt.monitoring.durations import MOST, OPERATION, Durations
from tilt.monitoring.named import Named

FOLDER = "TILT_FIGURES_FOLDER"  # by which the processes of a server know where their files are
_PREFIX = "tilt-figures-"
_BEING_MADE = 60.0  # seconds in which a folder need not be locked yet
BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)  # seconds
NOW = ("pending", "left", "redis_away", "models", "results")  # as it is at this moment
EVER = ("refused_rate", "refused_busy", "left_seconds", "redis_failures")  # since the start
ANSWER = np.dtype([("name", "S32"), ("within", "i8", (len(BOUNDS) + 1,)), ("total", "f8")])
FIGURES = np.dtype(
    [
        ("pid", "i8"),
        ("started", "f8"),  # seconds since 1970
        ("now", [(name, "f8") for name in NOW]),
        ("ever", [(name, "f8") for name in EVER]),
        ("answers", ANSWER, (64,)),
        ("operations", OPERATION, (MOST,)),
    ]
)


@dataclass(frozen=True, eq=False)
class Process:
    """The figures of one of the processes, by its place among them; whether it still runs."""

    place: int
    alive: bool
    figures: np.void


class Processes:
    """The figures of this process, and of those beside it.

    Parameters
    ----------
    folder : of the server's processes; None where it has but this one
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        if folder is None:
            self._place, self.own = 0, np.zeros(1, FIGURES)[0]
        else:
            self._place = _take_place(folder)
            self.own = np.memmap(_file(folder, self._place), FIGURES, "r+", shape=(1,))[0]
        self._before = self.own["ever"].copy()
        for name in NOW:
            self.own["now"][name] = 0.0
        self.own["pid"], self.own["started"] = os.getpid(), time.time()
        self._answers = Named(self.own["answers"])
        self.durations = Durations(
            self.own["operations"], lambda: [p.figures["operations"] for p in self.others()]
        )

    def answered(self, what: str, seconds: float) -> None:
        """Count an answer of a kind."""
        with self._lock:
            row = self._answers.row(what)
            row["within"][bisect_left(BOUNDS, seconds)] += 1
            row["total"] += seconds

    def note(self, now: Mapping[str, float], ever: Mapping[str, float]) -> None:
        """Keep how this process is, for whichever of them is asked; ``ever`` since it started."""
        for name, value in now.items():
            self.own["now"][name] = value
        for name, value in ever.items():
            self.own["ever"][name] = self._before[name] + value

    def others(self) -> list[Process]:
        """Return the other processes, also those that have died and were not replaced yet."""
        if self._folder is None:
            return []
        places = sorted(int(file.stem) for file in self._folder.glob(f"*{_SUFFIX}"))
        return [_read(self._folder, place) for place in places if place != self._place]

    def beside(self, name: str) -> int:
        """Return one of `NOW` of all other processes together."""
        return int(sum(p.figures["now"][name] for p in self.others() if p.alive))

    def every(self) -> list[Process]:
        """Return all processes, by their places."""
        own = Process(self._place, alive=True, figures=self.own)
        return sorted([own, *self.others()], key=lambda process: process.place)


@contextmanager
def figures_folder(within: Path | None = None) -> Iterator[Path]:
    """Give the processes of a server a folder for their figures, which is gone in the end.

    Those of servers that were killed are cleared away.

    Parameters
    ----------
    within : a folder of this machine; None for the system's temporary one
    """
    within = within or Path(tempfile.gettempdir())
    for left in within.glob(f"{_PREFIX}*"):
        if _is_left(left):
            shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=within))
    with (folder / "server").open("wb") as held:
        _lock(held.fileno(), shared=False)
        try:
            yield folder
        finally:
            held.close()
            shutil.rmtree(folder, ignore_errors=True)


_SUFFIX = f".{FIGURES.itemsize}"  # a program whose figures are others does not mistake them


def _file(folder: Path, place: int) -> Path:
    return folder / f"{place}{_SUFFIX}"


def _take_place(folder: Path) -> int:
    """Return the first place that no process has; this one has it from now on until it ends."""
    for place in itertools.count():
        held = os.open(folder / f"{place}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        if _lock(held, shared=False):
            break
        os.close(held)
    with _file(folder, place).open("ab") as file:
        file.truncate(FIGURES.itemsize)
    return place


def _read(folder: Path, place: int) -> Process:
    figures = np.memmap(_file(folder, place), FIGURES, "r", shape=(1,))[0].copy()
    with (folder / f"{place}.lock").open("ab") as file:
        free = _lock(file.fileno(), shared=True)
    return Process(place, alive=not free, figures=figures)


def _is_left(folder: Path) -> bool:
    """Return whether a folder is of a server of ours that runs no more."""
    try:
        if time.time() - folder.stat().st_mtime < _BEING_MADE:
            return False
        with (folder / "server").open("r+b") as file:
            return _lock(file.fileno(), shared=True)
    except OSError:  # another user's, or being removed
        return False


if sys.platform == "win32":
    import msvcrt

    def _lock(file: int, *, shared: bool) -> bool:  # noqa: ARG001 - there is but one kind
        os.lseek(file, 0, os.SEEK_SET)
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _lock(file: int, *, shared: bool) -> bool:
        """Lock a file until it is closed; return whether nobody else had it.

        Parameters
        ----------
        shared : in a way that lets others look at the same moment
        """
        kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        try:
            fcntl.flock(file, kind | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
