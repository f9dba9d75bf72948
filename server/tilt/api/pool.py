"""A bounded pool of threads with a deadline, shared fairly; work that nobody waits for ends."""

import asyncio
import contextvars
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from tilt.api.problems import RefusedError
from tilt.api.state import USER
from tilt.errors import BusyError
from tilt.stopping import STOP, AbandonedError, Stop, look

P = ParamSpec("P")
T = TypeVar("T")

WAITING = 2000  # calls that may wait for a place


class Pool:
    """``threads`` places for work that must not run on the event loop.

    A free place goes to the user with the fewest of them, whoever asked first: a thousand calls of
    one user cost another no more than the calls that run.

    Work past its deadline, or whose client went away, is told to end and its place given to the
    next. It ends where it next looks (``tilt.stopping``). At most ``threads`` such pieces are
    tolerated, then places stay taken until they end.

    Parameters
    ----------
    threads : pieces of work at once
    seconds : the deadline
    most : calls that may wait; one user may fill three quarters of them
    spare : places that one user cannot take
    """

    def __init__(
        self, *, threads: int, seconds: float, most: int = WAITING, spare: int = 0
    ) -> None:
        self.threads = threads
        self.seconds = seconds
        self.most = most
        self.each = max(1, threads - spare)
        self.left = 0
        self.refused = 0
        self.left_seconds = 0.0  # that work ran on after it was told to end, in all
        self.left_longest = 0.0
        self._queues: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()
        self._running: Counter[str] = Counter()
        self._executor = ThreadPoolExecutor(2 * threads, thread_name_prefix="tilt")

    @property
    def waiting(self) -> int:
        """How many calls wait for a place."""
        return sum(map(len, self._queues.values()))

    @property
    def running(self) -> int:
        """How many places are taken."""
        return self._running.total()

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what ``work`` returns, in the context of the caller and for its user.

        Raises
        ------
        BusyError
            If too much work waits already; the client tries again.
        RefusedError
            If the deadline passes; trying again would not help.
        """
        user = USER.get()
        await self._place(user)
        stop = Stop()
        context = contextvars.copy_context()
        context.run(STOP.set, stop)
        loop = asyncio.get_running_loop()
        job = _Job(loop, user, stop, self._ended)

        def begin() -> T:
            look()  # it may have waited for a thread while its client left
            return work(*args, **kwargs)

        future = loop.run_in_executor(self._executor, lambda: job.run(lambda: context.run(begin)))
        future.add_done_callback(_heard)
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

    async def _place(self, user: str) -> None:
        """Return when a place is the caller's."""
        if not self._queues and self._may_run(user):
            self._running[user] += 1
            return
        queue = self._queues.setdefault(user, deque())
        if self.waiting >= self.most or len(queue) >= self.most - self.most // 4:
            self.refused += 1
            if not queue:
                del self._queues[user]
            raise BusyError("The Tilt server is busy. The cell is tried again by itself.")
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue.append(turn)
        self._next()  # the others who wait may all have what one user may have
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._free(user)  # the place came as the client went
            else:
                self._forget(user, turn)
            raise

    def _may_run(self, user: str) -> bool:
        return self.running < self.threads and self._running[user] < self.each

    def _next(self) -> None:
        """Give the free places to those who wait; among equals to who has waited longest."""
        while True:
            able = [user for user in self._queues if self._may_run(user)]
            if not able:
                return
            user = min(able, key=lambda one: self._running[one])
            queue = self._queues[user]
            turn = queue.popleft()
            if queue:
                self._queues.move_to_end(user)
            else:
                del self._queues[user]
            if not turn.done():
                self._running[user] += 1
                turn.set_result(None)

    def _forget(self, user: str, turn: "asyncio.Future[None]") -> None:
        queue = self._queues.get(user)
        if queue is not None and turn in queue:
            queue.remove(turn)
            if not queue:
                del self._queues[user]

    def _free(self, user: str) -> None:
        self._running[user] -= 1
        if self._running[user] <= 0:
            del self._running[user]
        self._next()

    def _leave(self, job: "_Job") -> None:
        job.stop.tell()
        if job.ended:
            return
        job.since = time.perf_counter()
        if self.left < self.threads:
            job.left = True
            self.left += 1
            self._free(job.user)

    def _ended(self, job: "_Job") -> None:
        if job.since is not None:
            seconds = time.perf_counter() - job.since
            self.left_seconds += seconds
            self.left_longest = max(self.left_longest, seconds)
        if job.left:
            self.left -= 1
        else:
            self._free(job.user)


class _Job:
    """One piece of work, and whether somebody still waits for it.

    since : when nobody waited any more
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        user: str,
        stop: Stop,
        on_end: Callable[["_Job"], None],
    ) -> None:
        self._loop = loop
        self._on_end = on_end
        self.user = user
        self.stop = stop
        self.left = False
        self.ended = False
        self.since: float | None = None

    def run(self, work: Callable[[], T]) -> T:
        try:
            return work()
        except AbandonedError:
            raise BusyError("The computation was stopped: nobody waited for it.") from None
        finally:
            if not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self._end)

    def _end(self) -> None:
        self.ended = True
        self._on_end(self)


def _heard(future: "asyncio.Future[T]") -> None:
    """Take note of an error that nobody waits for, so that the event loop does not log it."""
    if not future.cancelled():
        future.exception()
