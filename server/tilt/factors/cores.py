"""Dates worked on at once, on every core: numpy lets go of Python while it computes."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

MOST_THREADS = 4
LEAST_PARTS = 4  # of a thread, to be worth its start


def on_every_core(work: Callable[[Sequence[int]], None], starts: Sequence[int]) -> None:
    """Call ``work`` with some of ``starts``, in as many threads as there are cores.

    ``work`` writes its results to places of its own.
    """
    workers = max(min(MOST_THREADS, os.cpu_count() or 1, len(starts) // LEAST_PARTS), 1)
    if workers == 1:
        work(starts)
        return
    with ThreadPoolExecutor(workers) as pool:
        for part in [pool.submit(work, starts[i::workers]) for i in range(workers)]:
            part.result()
