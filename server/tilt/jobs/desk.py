"""Where requests hand in jobs, ask for them, cancel them and fetch their results."""

import importlib
import secrets
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Protocol

from sqlalchemy import Engine

from tilt import errors
from tilt.audit import ACTOR
from tilt.errors import BusyError, TiltError
from tilt.jobs.files import DamagedFileError, Files, LockedFileError, result_file, task_file
from tilt.jobs.ledger import Job, JobError, Ledger
from tilt.jobs.pool import Pool, Workers
from tilt.jobs.program import program_id
from tilt.jobs.runner import Runner
from tilt.jobs.splits import Splits
from tilt.jobs.worker import run_as
from tilt.sealing import Seal, seal_of

_CHECK = 0.25


class OpenWorkers(Protocol):
    """Opens other workers than this server's processes."""

    def __call__(
        self, folder: Path, *, seconds: float, memory: int, preload: Sequence[str], seal: Seal
    ) -> Workers: ...


class Jobs:
    """The jobs of one catalog, seen and run from this server.

    Any number of servers may share a catalog and a folder: each can answer for every job, and the
    jobs of a server that dies are run by another one.

    Parameters
    ----------
    engine : the catalog
    folder : for arguments and results; every server of the catalog must see it
    processes : jobs this server runs at once, each in a process of its own; 0 runs none here
    seconds : longest a job may run
    memory : most bytes a job's process may have to itself; 0 is no limit
    queued : most jobs that may wait in the catalog; one owner may have three quarters
    preload : modules a worker imports when it starts
    lease : seconds without a sign of life after which a server's jobs are taken over
    days : how long ended jobs and their results are kept
    cluster : opens the workers of a cluster, given ``folder``, ``seconds``, ``memory``,
        ``preload`` and the data keys, for the tasks to run there; None runs them here
    program : id of the code that computes; the jobs of another program are not taken for the same
    """

    def __init__(
        self,
        engine: Engine,
        folder: Path,
        *,
        processes: int = 2,
        seconds: float = 600.0,
        memory: int = 0,
        queued: int = 100,
        preload: Sequence[str] = (),
        lease: float = 20.0,
        days: float = 7.0,
        cluster: OpenWorkers | None = None,
        program: str = "",
    ) -> None:
        seal = seal_of(engine)
        self._files = Files(folder, seal)
        self._ledger = Ledger(engine)
        self._queued = queued
        self._program = program or program_id()
        pool: Workers
        if cluster is None:
            pool = Pool(
                folder,
                processes=processes,
                seconds=seconds,
                memory=memory,
                preload=preload,
                seal=seal,
            )
        else:
            pool = cluster(folder, seconds=seconds, memory=memory, preload=preload, seal=seal)
        self._runner = Runner(
            self._ledger,
            Splits(engine),
            self._files,
            pool,
            seconds=seconds,
            memory=memory,
            lease=lease,
            days=days,
        )

    def __enter__(self) -> "Jobs":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def warm(self) -> None:
        """Start a worker now: it imports what jobs need, which takes it seconds."""
        self._runner.warm()

    def submit(
        self,
        function: Callable[..., object],
        *args: object,
        owner: str,
        key: str,
        title: str,
        snapshot: str = "",
    ) -> Job:
        """Queue ``function(progress, *args)``, or return the owner's job that has the same key.

        Parameters
        ----------
        function : of the top level of a module; it is given a ``Progress`` first
        args : anything that pickles; large data is better named by its snapshot than passed
        key : depends on the content asked for (``content_id``), snapshot included; while a job of
            this key waits, runs or is done, it is not run again
        title : what the user sees in the list of jobs
        snapshot : the one that it is computed from, so that pruning can say what rests on it

        Raises
        ------
        BusyError
            If too many jobs wait already.
        """
        name = _importable(function)
        key = f"{self._program} {key}"
        job = self._ledger.alive(key, owner)
        while job is None:
            new = secrets.token_hex(8)
            asked = (run_as, (ACTOR.get(), function, args))
            task = self._files.write(task_file(new), asked)
            try:
                job = self._ledger.add(
                    job=new, key=key, owner=owner, title=title[:200], function=name, task=task,
                    most=self._queued, snapshot=snapshot,
                )  # fmt: skip
            finally:
                if job is None:
                    self._files.remove(new)
            job = job or self._ledger.alive(key, owner)  # submitted elsewhere at the same moment
        self._runner.wake()
        return job

    def get(self, job: str, owner: str) -> Job:
        """Return a job; one that is unknown or another owner's is an ``UnknownNameError``."""
        return self._ledger.get(job, owner)

    def listed(self, owner: str, *, most: int = 100) -> list[Job]:
        """Return the owner's jobs, the newest first."""
        return self._ledger.listed(owner, most)

    def counts(self) -> dict[str, int]:
        """Return how many jobs of all owners wait, run or have ended, by state."""
        return self._ledger.counts()

    def cancel(self, job: str, owner: str) -> Job:
        """Cancel a job that waits or runs, and return it; one that has ended stays as it is.

        A running one is told at its next progress report, and killed if it does not stop within
        two seconds.
        """
        self._ledger.cancel(job, owner)
        self._runner.wake()
        return self._ledger.get(job, owner)

    def ask(self, job: Job) -> None:
        """Note that somebody waits for a job, on whichever server; see ``asked``."""
        if job.pending:
            self._files.ask(job.id)
        else:
            self._files.forget_asking(job.id)

    def asked(self) -> dict[str, int]:
        """Return the jobs that somebody asked for, each with a number that moves when they do."""
        return self._files.asked()

    def abandon(self, job: str) -> None:
        """Cancel a job that nobody asks for any more; one that has ended stays as it is."""
        self._ledger.abandon(job)
        self._files.forget_asking(job)
        self._runner.wake()

    def wait(self, job: str, owner: str, *, seconds: float) -> Job:
        """Return a job as soon as it has ended, or as it is after ``seconds``."""
        until = time.monotonic() + seconds
        while True:
            ended = self._runner.ended
            found = self._ledger.get(job, owner)
            left = until - time.monotonic()
            if not found.pending or left <= 0:
                return found
            self._runner.wait(ended, seconds=min(left, _CHECK))  # another server may run it

    def result(self, job: str, owner: str) -> object:
        """Return what the job's function returned.

        Raises
        ------
        TiltError
            The one that the function raised, as it raised it.
        BusyError
            If the job has not ended, or its result is damaged: it can be submitted again.
        JobError
            If it was canceled, took too long, died twice or failed unexpectedly.
        """
        found = self._ledger.get(job, owner)
        if found.pending:
            raise BusyError(
                f"'{found.title}' is not ready: {found.stage}, {found.fraction:.0%}. "
                "Ask again later."
            )
        if found.state != "done":
            raise _error(found)
        try:
            return self._files.read(result_file(found.id, found.attempt), found.result)
        except LockedFileError:
            raise
        except DamagedFileError as damage:
            words = f"The result of '{found.title}' is lost: {damage} Submit it again."
            self._ledger.spoil(found, words)
            raise BusyError(words) from None

    @property
    def alive(self) -> bool:
        """Whether this server runs jobs: false once closed, or if its thread broke."""
        return self._runner.alive

    def close(self) -> None:
        """Stop running jobs here; those that run go back to the queue for another server."""
        self._runner.close()


def _importable(function: Callable[..., object]) -> str:
    """Return the dotted name of a function that a worker can import."""
    module, name = function.__module__, function.__qualname__
    known = module is not None and module != "__main__"  # a method of a builtin has no module
    found = getattr(importlib.import_module(module), name, None) if known else None
    if found is not function:
        raise ValueError(f"{module}.{name} is not a top-level function of an importable module")
    return f"{module}.{name}"


def _error(job: Job) -> TiltError:
    kind = vars(errors).get(job.error_kind, JobError)
    if kind is JobError:
        return JobError(f"'{job.title}' has no result. {job.error}")
    error: TiltError = kind(job.error)
    return error
