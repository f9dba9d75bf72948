"""Dates worked on at once, on every core: numpy lets go of Python while it computes."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

MOST_THREADS = 4
LEAST_PARTS = 4  # of a thread, to be worth its start


def on_every_core(work: Callable[[Iterable[int]], None], starts: Sequence[int]) -> None:
    """Call ``work`` in as many threads as there are cores; each takes the next of ``starts``.

    ``work`` writes its results to places of its own. A thread whose core is busy takes fewer.
    """
    workers = max(min(MOST_THREADS, os.cpu_count() or 1, len(starts) // LEAST_PARTS), 1)
    if workers == 1:
        work(starts)
        return
    left = deque(starts)

    def next_ones() -> Iterator[int]:
        while True:
            try:
                yield left.popleft()
            except IndexError:
                return

    with ThreadPoolExecutor(workers) as pool:
        for part in [pool.submit(work, next_ones()) for _ in range(workers)]:
            part.result()
