"""Row L: one user's cells while others optimize, backtest and write reports, on 1 and 2 processes.

By itself: ``python server/bench/mixed.py [--seconds 20] [--workers 1 2] [--batch 100]``. It prints
what it cost the cells: median and 99th of a hundred, alone and beside the long work.
"""

import argparse
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.load import Asking
from bench.measuring import Row, Target, median_seconds
from bench.serving import served, tilt

SECONDS = 8.0
EVERY = 0.05  # seconds between two batches of the user whose cells are timed
BATCH = 100
DELAY = 0.1  # the most that others' work may add at the 99th of a hundred
LONG: tuple[Callable[[Asking], None], ...] = (
    Asking.optimization, Asking.backtest, Asking.report, Asking.risk,
)  # fmt: skip


@dataclass(frozen=True)
class Seen:
    """Seconds of each batch of cells, and how many long pieces of work were done beside them."""

    workers: int
    beside: bool
    seconds: tuple[float, ...]
    done: int
    failed: tuple[str, ...]

    def at(self, percent: float) -> float:
        """Return the time that ``percent`` of the batches did not exceed."""
        return float(np.percentile(self.seconds, percent))


def mixed(
    seconds: float = SECONDS, workers: Sequence[int] = (1, 2), batch: int = BATCH
) -> Iterator[Seen]:
    """Time cells alone, then beside one user of each kind of long work, on each number."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        tilt(folder, "demo", "--no-serve")
        for many in workers:
            with served(folder, "serve", "--workers", str(many)) as server:
                _warm(server.address, batch)
                for beside in (False, True):
                    yield _seen(server.address, many, seconds, batch, beside=beside)


@contextmanager
def many_users(most: int) -> Iterator[Callable[[int], float]]:
    """Give a function from how many users ask at once to the seconds until all have their cells."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        tilt(folder, "demo", "--no-serve")
        with served(folder) as server, ThreadPoolExecutor(most) as pool:
            users = [Asking(server.address, seed) for seed in range(most)]
            for user in users:
                user.cells(BATCH)

            def seconds(count: int) -> float:
                def recalculate() -> None:
                    list(pool.map(lambda user: user.cells(BATCH), users[:count]))

                return median_seconds(recalculate, 9)

            yield seconds
            failed = [words for user in users for words in user.failed]
            for user in users:
                user.close()
            if failed:
                raise RuntimeError(f"{len(failed)} requests failed: {failed[0]}")


def _warm(address: str, batch: int) -> None:
    """Ask everything once, so that processes have started and data are in memory."""
    asking = Asking(address, seed=1)
    for work in LONG:
        work(asking)
    for _ in range(20):
        asking.cells(batch)
    asking.close()


def _seen(address: str, workers: int, seconds: float, batch: int, *, beside: bool) -> Seen:
    end = time.monotonic() + seconds
    others = [Asking(address, seed=100 + n) for n in range(len(LONG) if beside else 0)]
    done = [0] * len(LONG)

    def work(number: int) -> None:
        while time.monotonic() < end:
            LONG[number](others[number])
            done[number] += 1

    threads = [threading.Thread(target=work, args=(n,)) for n in range(len(others))]
    for thread in threads:
        thread.start()
    user = Asking(address, seed=7)
    taken = []
    due = time.monotonic()
    while due < end:
        time.sleep(max(due - time.monotonic(), 0.0))
        user.cells(batch)
        taken.append(time.monotonic() - due)  # since it was due: a wait delays the next one too
        due = max(due + EVERY, time.monotonic())
    for thread in threads:
        thread.join()
    for asking in (user, *others):
        asking.close()
    failed = tuple(word for asking in (user, *others) for word in asking.failed)
    return Seen(workers, beside, tuple(taken), sum(done), failed)


def rows() -> Iterator[Row]:
    """Return the 99th of a hundred beside long work; its target is what the cells take alone."""
    alone = 0.0
    for seen in mixed():
        processes = "1 process" if seen.workers == 1 else f"{seen.workers} processes"
        if seen.failed:
            raise RuntimeError(f"{len(seen.failed)} requests failed: {seen.failed[0]}")
        if not seen.beside:
            alone = seen.at(99)
        others = f"beside long work, {60 * seen.done / SECONDS:.0f} pieces a minute"
        yield Row(
            f"{BATCH} cells of one user, {processes}, {others if seen.beside else 'alone'}: "
            "slowest of a hundred",
            seen.at(99),
            target=Target(alone + DELAY) if seen.beside else None,
            note=f"median {1e3 * seen.at(50):.0f} ms, {len(seen.seconds)} batches",
        )


def main() -> None:
    """Print what was seen."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--batch", type=int, default=BATCH)
    given = parser.parse_args()
    for seen in mixed(given.seconds, given.workers, given.batch):
        print(
            f"{seen.workers} workers, {'beside' if seen.beside else 'alone'}: median "
            f"{1e3 * seen.at(50):.0f} ms, 99 % {1e3 * seen.at(99):.0f} ms, most "
            f"{1e3 * seen.at(100):.0f} ms, {len(seen.seconds)} batches, {seen.done} long, "
            f"failed: {len(seen.failed)} {seen.failed[:1]}"
        )


if __name__ == "__main__":
    main()
