"""A bounded pool of threads with a deadline; work that nobody waits for frees its place."""

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from tilt.api.problems import RefusedError
from tilt.errors import BusyError

P = ParamSpec("P")
T = TypeVar("T")

WAITING = 2000  # jobs that may wait for a place


class Pool:
    """``threads`` places for work that must not run on the event loop.

    A thread cannot be stopped from outside. Work past its deadline, or whose client went away, is
    left to itself and its place given to the next; at most ``threads`` such jobs are tolerated,
    then places stay taken until they end.
    """

    def __init__(self, *, threads: int, seconds: float) -> None:
        self.threads = threads
        self.seconds = seconds
        self.waiting = 0
        self.running = 0
        self.left = 0
        self._places = asyncio.Semaphore(threads)
        self._executor = ThreadPoolExecutor(2 * threads, thread_name_prefix="tilt")

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what ``work`` returns, in the context of the caller.

        Raises
        ------
        BusyError
            If too much work waits already; the client tries again.
        RefusedError
            If the deadline passes; trying again would not help.
        """
        if self.waiting >= WAITING:
            raise BusyError("The Tilt server is busy. The cell is tried again by itself.")
        context = contextvars.copy_context()
        self.waiting += 1
        try:
            await self._places.acquire()
        finally:
            self.waiting -= 1
        self.running += 1
        loop = asyncio.get_running_loop()
        job = _Job(loop, self._ended)
        future = loop.run_in_executor(
            self._executor, lambda: job.run(lambda: context.run(work, *args, **kwargs))
        )
        try:
            return await asyncio.wait_for(asyncio.shield(future), self.seconds)
        except TimeoutError:
            self._leave(job)
            raise RefusedError(
                f"No answer within {self.seconds:g} seconds. Ask for less, or raise "
                "TILT_CELL_SECONDS.",
                504,
                "#N/A",
            ) from None
        except asyncio.CancelledError:  # the client went away
            self._leave(job)
            raise

    def close(self) -> None:
        """Let go of the threads; running work ends by itself."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _leave(self, job: "_Job") -> None:
        if not job.ended and self.left < self.threads:
            job.left = True
            self.left += 1
            self.running -= 1
            self._places.release()

    def _ended(self, job: "_Job") -> None:
        if job.left:
            self.left -= 1
        else:
            self.running -= 1
            self._places.release()


class _Job:
    """One piece of work, and whether somebody still waits for it."""

    def __init__(self, loop: asyncio.AbstractEventLoop, on_end: Callable[["_Job"], None]) -> None:
        self._loop = loop
        self._on_end = on_end
        self.left = False
        self.ended = False

    def run(self, work: Callable[[], T]) -> T:
        try:
            return work()
        finally:
            if not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self._end)

    def _end(self) -> None:
        self.ended = True
        self._on_end(self)
