"""Worker processes, one pipe each, so that killing one disturbs no other.

A pool with a shared queue was tried (pebble 5.2): after a SIGKILL at a random moment it was broken
or hung in 19 of 30 rounds, because the dead worker held the queue's lock or was counted on.
"""

import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import Pipe, get_context
from multiprocessing.connection import wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

from tilt.jobs.memory import own_bytes
from tilt.jobs.worker import Done, Failed, Report, Stop, Task, work
from tilt.sealing import NONE, Seal

How: TypeAlias = Literal["died", "stopped", "late", "large"]

_SPAWN = get_context("spawn")  # forking a server with threads copies locks that nobody releases
_GRACE = 2.0  # seconds a stopped task has to run its ``finally`` clauses
_STARTING = 120.0  # seconds a process may need to start on a machine that is very busy
_JOIN = 5.0
IDLE_SECONDS = 120.0  # after which a worker ends: it holds up to a gigabyte, and starts in seconds
_BURST = 1000  # messages of one worker before the others have their turn


@dataclass(frozen=True)
class Ended:
    """A task ended without an answer of its own."""

    how: How


Event = Report | Done | Failed | Ended


class Workers(Protocol):
    """What a server needs of those that run its tasks, here or in a cluster."""

    @property
    def free(self) -> int: ...

    @property
    def tasks(self) -> list[Task]: ...

    def warm(self) -> None: ...

    def start(self, task: Task) -> None: ...

    def stop(self, task: Task) -> None: ...

    def wake(self) -> None: ...

    def events(self, seconds: float) -> list[tuple[Task, Event]]: ...

    def close(self) -> None: ...


class _Worker:
    """One process, and the task it has."""

    task: Task | None = None
    since = 0.0  # when it had nothing to do any more
    begun = False
    stopping = False
    deadline = float("inf")

    def __init__(self, folder: Path, preload: Sequence[str], seal: Seal) -> None:
        self.since = time.monotonic()
        self.connection, theirs = Pipe()
        self.process: SpawnProcess = _SPAWN.Process(
            target=work, args=(theirs, folder, preload, seal), name="tilt-job", daemon=True
        )
        self.process.start()
        theirs.close()  # so that the end of the process is the end of the pipe

    def send(self, message: object) -> None:
        with suppress(OSError):  # a dead worker is found by the end of its pipe
            self.connection.send(message)

    def kill(self) -> None:
        self.process.kill()
        self.process.join(_JOIN)
        if self.process.exitcode is not None:
            self.process.close()
        self.connection.close()


class Pool:
    """At most ``processes`` workers, started when first needed or warmed, ended when long idle.

    A task is killed that takes longer than ``seconds``, or more bytes than ``memory`` if that is
    not 0; they are looked at with each call of ``events``.

    All methods but ``wake`` belong to one thread.
    """

    def __init__(
        self,
        folder: Path,
        *,
        processes: int,
        seconds: float,
        memory: int = 0,
        preload: Sequence[str] = (),
        seal: Seal = NONE,
    ) -> None:
        self._folder = folder
        self._processes = processes
        self._seconds = seconds
        self._memory = memory
        self._preload = tuple(preload)
        self._seal = seal
        self._workers: list[_Worker] = []
        self._woken, self._bell = Pipe(duplex=False)
        self._rung = threading.Event()
        self._lock = threading.Lock()

    @property
    def free(self) -> int:
        """How many tasks may be started now."""
        return self._processes - len(self.tasks)

    @property
    def tasks(self) -> list[Task]:
        """The tasks that run."""
        return [w.task for w in self._workers if w.task is not None]

    def warm(self) -> None:
        """Start a worker before there is a task for it."""
        if not self._workers and self._processes > 0:
            self._workers.append(_Worker(self._folder, self._preload, self._seal))

    def start(self, task: Task) -> None:
        """Give a task to an idle worker, or to a new one."""
        idle = next((w for w in self._workers if w.task is None), None)
        if idle is None:
            idle = _Worker(self._folder, self._preload, self._seal)
            self._workers.append(idle)
        idle.task, idle.begun, idle.stopping = task, False, False
        idle.deadline = time.monotonic() + _STARTING + self._seconds
        idle.send(task)

    def stop(self, task: Task) -> None:
        """Ask a task to stop, and kill its process if it does not within two seconds."""
        for worker in self._workers:
            if worker.task == task and not worker.stopping:
                worker.stopping = True
                worker.deadline = time.monotonic() + _GRACE
                worker.send(Stop())

    def wake(self) -> None:
        """Make ``events`` return at once; from any thread."""
        with self._lock:
            if not self._rung.is_set() and not self._bell.closed:
                self._rung.set()
                self._bell.send_bytes(b"!")

    def events(self, seconds: float) -> list[tuple[Task, Event]]:
        """Return what the tasks said or met, waiting at most ``seconds`` for the first."""
        now = time.monotonic()
        until = min([now + seconds, *(w.deadline for w in self._workers if w.task is not None)])
        ready = wait([self._woken, *(w.connection for w in self._workers)], max(0.0, until - now))
        if self._woken in ready:
            with self._lock:
                self._woken.recv_bytes()
                self._rung.clear()
        events: list[tuple[Task, Event]] = []
        for worker in list(self._workers):
            if worker.connection in ready:
                events += self._heard(worker)
            if worker not in self._workers:
                continue  # it has died
            now = time.monotonic()
            if worker.task is not None and now >= worker.deadline:
                events += self._gone(worker, "late")
            elif worker.task is not None and self._is_large(worker):
                events += self._gone(worker, "large")
            elif worker.task is None and now - worker.since >= IDLE_SECONDS:
                events += self._gone(worker, "stopped")  # none, as it has no task
        return events

    def close(self) -> None:
        """Kill every worker."""
        for worker in self._workers:
            worker.kill()
        self._workers.clear()
        with self._lock:
            self._bell.close()
            self._woken.close()

    def _is_large(self, worker: _Worker) -> bool:
        pid = worker.process.pid
        return self._memory > 0 and pid is not None and own_bytes(pid) > self._memory

    def _heard(self, worker: _Worker) -> list[tuple[Task, Event]]:
        events: list[tuple[Task, Event]] = []
        try:
            for _ in range(_BURST):
                if not worker.connection.poll():
                    break
                message = worker.connection.recv()
                if worker.task is None:
                    continue
                if isinstance(message, Report):
                    if not worker.begun and not worker.stopping:
                        worker.begun, worker.deadline = True, time.monotonic() + self._seconds
                    events.append((worker.task, message))
                else:
                    done = message if isinstance(message, Done | Failed) else Ended("stopped")
                    events.append((worker.task, done))
                    worker.task, worker.since = None, time.monotonic()
        except (EOFError, OSError):
            events += self._gone(worker, "died")
        return events

    def _gone(self, worker: _Worker, how: How) -> list[tuple[Task, Event]]:
        self._workers.remove(worker)
        worker.kill()
        ended = Ended("stopped" if worker.stopping else how)
        return [(worker.task, ended)] if worker.task is not None else []
