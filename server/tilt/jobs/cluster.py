"""The workers of a Dask cluster, in the place of processes of this server.

A task travels with its arguments and comes back with its result, so the workers need no folder of
the server's; they need its store. On its worker each task runs in a process of its own, as here
(``tilt.jobs.pool``): it can be stopped, is given up when late, and its death hurts no other. The
scheduler gives the tasks of a lost worker to another one.
"""

import logging
import multiprocessing
import queue
import secrets
import tempfile
import threading
import traceback
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, field
from pathlib import Path

import dask
import distributed

from tilt.errors import DataError
from tilt.jobs.files import DamagedFileError, Files, result_file, task_file
from tilt.jobs.pool import Ended, Event, Pool
from tilt.jobs.program import program_id
from tilt.jobs.worker import Done, Failed, Report, Task, kind
from tilt.sealing import KEY_BYTES, NONE, Seal

_LOG = logging.getLogger(__name__)
_CONNECT = "10s"
_TICK = 1.0
_LARGE = "256MiB"  # arguments below it are nothing to warn of


@dataclass(frozen=True)
class Order:
    """What a worker must know to run a task.

    program : of the server; a worker of another one would give another number
    content : the file with the task's function and arguments
    topic   : where reports go
    """

    task: Task
    program: str
    content: bytes
    seconds: float
    preload: tuple[str, ...]
    topic: str
    memory: int


@dataclass(frozen=True)
class Answered:
    """How a task ended on its worker, with the content of its result file if it has one."""

    outcome: Done | Failed | Ended
    content: bytes = b""


@dataclass(frozen=True)
class Certificates:
    """Files (PEM) for an encrypted cluster; the same pair for either end of a connection."""

    authority: Path
    certificate: Path
    key: Path

    def security(self) -> distributed.Security:
        """Return what a client, a worker and a scheduler need for ``tls://``."""
        names = ("client", "worker", "scheduler")
        pairs = {f"tls_{name}_cert": str(self.certificate) for name in names}
        pairs |= {f"tls_{name}_key": str(self.key) for name in names}
        return distributed.Security(
            tls_ca_file=str(self.authority), require_encryption=True, **pairs
        )


def connect(address: str, certificates: Certificates | None) -> distributed.Client:
    """Return a client of a scheduler.

    Raises
    ------
    DataError
        If there is none at the address.
    """
    dask.config.set({"distributed.admin.large-graph-warning-threshold": _LARGE})
    security = None if certificates is None else certificates.security()
    try:
        return distributed.Client(
            address, security=security, timeout=_CONNECT, set_as_default=False, name="tilt"
        )
    except (OSError, TimeoutError, ValueError) as error:
        raise DataError(
            f"No Dask scheduler answers at {address}: {error}. Start it, or set TILT_CLUSTER=local."
        ) from error


def worker(address: str, certificates: Certificates | None, threads: int) -> distributed.Worker:
    """Return a worker to enter; it may start processes, which Dask's own nanny forbids."""
    security = None if certificates is None else certificates.security()
    return distributed.Worker(
        address, nthreads=threads, security=security, memory_limit=0, death_timeout=30
    )


class Cluster:
    """As many tasks as the cluster has threads.

    All methods but ``wake`` belong to one thread.
    """

    def __init__(
        self,
        client: distributed.Client,
        folder: Path,
        *,
        seconds: float,
        memory: int = 0,
        preload: Sequence[str] = (),
        seal: Seal = NONE,
    ) -> None:
        self._client = client
        self._files = Files(folder, seal)
        self._seconds = seconds
        self._memory = memory
        self._preload = tuple(preload)
        self._futures: dict[Task, distributed.Future[Answered] | None] = {}
        self._stopped: set[Task] = set()
        self._heard: queue.SimpleQueue[tuple[Task, Event] | None] = queue.SimpleQueue()
        self._topic = f"tilt-{secrets.token_hex(8)}"
        client.subscribe_topic(self._topic, self._report)

    @property
    def free(self) -> int:
        """How many tasks may be started now; none while the scheduler is away."""
        if self._client.status != "running":
            return 0
        threads: dict[str, int] = self._client.nthreads()
        return sum(threads.values()) - len(self._futures)

    @property
    def tasks(self) -> list[Task]:
        """The tasks that run, or wait at the scheduler."""
        return list(self._futures)

    def warm(self) -> None:
        """Do nothing: a cluster's workers start without the server."""

    def start(self, task: Task) -> None:
        """Send a task to the scheduler."""
        self._futures[task] = None
        try:
            content = self._files.content(task_file(task.job), task.sha256)
        except DamagedFileError as damage:
            self._heard.put((task, Failed(kind(damage), str(damage))))
            return
        order = Order(
            task, program_id(), content, self._seconds, self._preload, self._topic, self._memory
        )
        future = self._client.submit(
            run, order, key=f"{self._topic}-{task.job}-{task.attempt}", pure=False
        )
        self._futures[task] = future
        future.add_done_callback(lambda ended: self._heard.put((task, self._outcome(task, ended))))

    def stop(self, task: Task) -> None:
        """Ask a task to stop; its worker kills its process if it does not within two seconds."""
        future = self._futures.get(task)
        if future is not None and task not in self._stopped:
            self._stopped.add(task)
            self._client.run(stop, task, on_error="ignore", wait=False)
            future.cancel(reason="it was canceled")

    def wake(self) -> None:
        """Make ``events`` return at once; from any thread."""
        self._heard.put(None)

    def events(self, seconds: float) -> list[tuple[Task, Event]]:
        """Return what the tasks said or met, waiting at most ``seconds`` for the first."""
        found: list[tuple[Task, Event]] = []
        try:
            heard = self._heard.get(timeout=max(seconds, 1e-3))
            while True:
                if heard is not None and heard[0] in self._futures:
                    found.append(heard)
                    if not isinstance(heard[1], Report):
                        del self._futures[heard[0]]
                        self._stopped.discard(heard[0])
                heard = self._heard.get_nowait()
        except queue.Empty:
            return found

    def close(self) -> None:
        """Stop every task, and leave the cluster."""
        for task in self.tasks:
            self.stop(task)
        self._client.close()

    def _report(self, event: tuple[object, tuple[str, int, str, float, str]]) -> None:
        job, attempt, sha256, fraction, stage = event[1]
        self._heard.put((Task(job, attempt, sha256), Report(fraction, stage)))

    def _outcome(self, task: Task, future: distributed.Future[Answered]) -> Done | Failed | Ended:
        if future.status == "finished":
            answered: Answered = future.result()
            return self._kept(task, answered)
        if task in self._stopped:
            return Ended("stopped")
        if future.status == "error":
            _LOG.warning("The cluster gave up job %s: %s", task.job, future.exception())
        return Ended("died")

    def _kept(self, task: Task, answered: Answered) -> Done | Failed | Ended:
        if isinstance(answered.outcome, Done):
            try:
                self._files.put(result_file(task.job, task.attempt), answered.content)
            except OSError:
                return Failed("", "", traceback.format_exc())
        return answered.outcome


@dataclass(eq=False)
class _Desk:
    """The tasks of one worker of the cluster, and their processes."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    idle: list["_Process"] = field(default_factory=list)
    wakers: dict[Task, Callable[[], None]] = field(default_factory=dict)
    stopped: set[Task] = field(default_factory=set)


@dataclass(frozen=True, eq=False)
class _Process:
    """A process for one task at a time, and its folder of files."""

    seconds: float
    memory: int
    preload: tuple[str, ...]
    files: Files
    pool: Pool


_DESK = _Desk()


def run(order: Order) -> Answered:
    """Run a task on a worker of the cluster, in a process of its own."""
    refusal = _refusal(order)
    if refusal:
        return Answered(Failed("JobError", refusal))
    task = order.task
    process = _take(order)
    _DESK.wakers[task] = process.pool.wake
    try:
        process.files.put(task_file(task.job), order.content)
        outcome = _follow(process.pool, order)
        content = b""
        if isinstance(outcome, Done):
            content = process.files.content(result_file(task.job, task.attempt), outcome.sha256)
        return Answered(outcome, content)
    finally:
        del _DESK.wakers[task]
        _DESK.stopped.discard(task)
        process.files.remove(task.job)
        with _DESK.lock:
            _DESK.idle.append(process)


async def stop(task: Task) -> None:
    """Stop a task if this worker of the cluster runs it; without waiting for its turn."""
    wake = _DESK.wakers.get(task)
    if wake is not None:
        _DESK.stopped.add(task)
        wake()


def _refusal(order: Order) -> str:
    worker = distributed.get_worker().address
    if order.program != program_id():
        return (
            f"The worker {worker} of the cluster runs another version of Tilt or of what it "
            "computes with. Install the server's version there."
        )
    if multiprocessing.current_process().daemon:
        return (
            f"The worker {worker} may start no processes. Start it with 'tilt worker', or with "
            "'dask worker --no-nanny'."
        )
    return ""


def _take(order: Order) -> _Process:
    """Return an idle process that has imported the same, or a new one."""
    with _DESK.lock:
        for at, process in enumerate(_DESK.idle):
            bounds = (process.seconds, process.memory, process.preload)
            if bounds == (order.seconds, order.memory, order.preload):
                return _DESK.idle.pop(at)
    folder = Path(tempfile.mkdtemp(prefix="tilt-worker-"))
    seal = Seal((secrets.token_bytes(KEY_BYTES),), on=True)  # known to these two processes alone
    pool = Pool(
        folder,
        processes=1,
        seconds=order.seconds,
        memory=order.memory,
        preload=order.preload,
        seal=seal,
    )
    return _Process(order.seconds, order.memory, order.preload, Files(folder, seal), pool)


def _follow(pool: Pool, order: Order) -> Done | Failed | Ended:
    """Return how a task ended, its reports sent on."""
    task = order.task
    worker = distributed.get_worker()
    pool.start(task)
    while True:
        if task in _DESK.stopped:
            pool.stop(task)
        for _, event in pool.events(_TICK):
            if not isinstance(event, Report):
                return event
            worker.log_event(order.topic, (*astuple(task), *astuple(event)))
