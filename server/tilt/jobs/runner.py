"""The thread that runs jobs: claims what waits, watches what runs, records what ended.

It keeps nothing that another server needs. If the catalog cannot be reached, outcomes wait here
and are recorded when it is back; a server that dies loses its running tasks to the others, which
see that its beat stands still.
"""

import atexit
import datetime as dt
import logging
import os
import platform
import secrets
import threading
import time

from sqlalchemy.exc import SQLAlchemyError

from tilt.errors import TiltError
from tilt.jobs.files import DamagedFileError, Files, result_file, task_file
from tilt.jobs.ledger import Ledger
from tilt.jobs.pieces import Cut, put_together
from tilt.jobs.pool import Ended, Event, Workers
from tilt.jobs.splits import Splits
from tilt.jobs.worker import Done, Failed, Report, Task, kind

_LOG = logging.getLogger(__name__)
_BUSY_TICK = 0.2  # seconds between two looks at the catalog while something runs
_IDLE_TICK = 1.0
_HOUR = 3600.0


class Runner:
    """One server's share of the work."""

    def __init__(
        self,
        ledger: Ledger,
        splits: Splits,
        files: Files,
        pool: Workers,
        *,
        seconds: float,
        memory: int,
        lease: float,
        days: float,
    ) -> None:
        self._ledger, self._splits, self._files, self._pool = ledger, splits, files, pool
        self._seconds, self._lease, self._days = seconds, lease, days
        self._memory = memory
        self.server = f"{platform.node()[:60]}:{os.getpid()}:{secrets.token_hex(6)}"
        self.ended = 0  # outcomes recorded so far
        self._changed = threading.Condition()
        self._asked = threading.Event()
        self._warming = threading.Event()
        self._closing = threading.Event()
        self._reports: dict[Task, Report] = {}
        self._outcomes: dict[Task, Done | Failed | Ended] = {}
        self._news = False
        self._beats: dict[Task, tuple[int, float]] = {}  # of other servers: beat, since when
        self._beaten = self._cleaned = -float("inf")
        self._thread = threading.Thread(target=self._loop, name="tilt-jobs", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    @property
    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    def wake(self) -> None:
        """Look at the catalog now."""
        self._asked.set()
        self._pool.wake()

    def warm(self) -> None:
        """Start a worker now, so that the first job does not wait for it."""
        self._warming.set()
        self.wake()

    def wait(self, ended: int, *, seconds: float) -> None:
        """Return when more than ``ended`` outcomes are recorded here, or after ``seconds``."""
        with self._changed:
            self._changed.wait_for(lambda: self.ended > ended, seconds)

    def close(self) -> None:
        """Stop, and hand what runs back to the queue."""
        if not self._closing.is_set():
            self._closing.set()
            self.wake()
            self._thread.join()
            atexit.unregister(self.close)

    def _loop(self) -> None:
        try:
            due = 0.0
            while not self._closing.is_set():
                for task, event in self._pool.events(max(0.0, due - time.monotonic())):
                    self._note(task, event)
                if self._news or self._asked.is_set() or time.monotonic() >= due:
                    self._asked.clear()
                    self._try_step()
                    tick = _BUSY_TICK if self._pool.tasks or self._outcomes else _IDLE_TICK
                    due = time.monotonic() + min(tick, self._lease / 4)
        finally:
            self._stop()

    def _note(self, task: Task, event: Event) -> None:
        if isinstance(event, Report):
            self._reports[task] = event
        else:
            self._reports.pop(task, None)
            self._outcomes[task] = event
            self._news = True

    def _try_step(self) -> None:
        self._news = False
        try:
            self._step()
        except (SQLAlchemyError, OSError, TiltError) as error:
            _LOG.warning("The catalog or the folder of jobs cannot be used, trying on: %s", error)

    def _step(self) -> None:
        if self._warming.is_set():
            self._warming.clear()
            self._pool.warm()
        self._record()
        self._watch()
        for split in self._splits.waiting():
            if split.lost:
                self._splits.fail(split)
            else:
                self._splits.show(split)
        while self._pool.free > 0 and (task := self._ledger.claim(self.server)) is not None:
            whole = self._assembled(task)
            if whole is not None:
                self._pool.start(whole)
        if time.monotonic() - self._cleaned > _HOUR:
            self._clean()

    def _record(self) -> None:
        for task, outcome in list(self._outcomes.items()):
            self._settle(task, outcome)
            del self._outcomes[task]
            with self._changed:
                self.ended += 1
                self._changed.notify_all()

    def _settle(self, task: Task, outcome: Done | Failed | Ended) -> None:
        match outcome:
            case Done(sha256, pieces=True):
                self._split(task, sha256)
            case Done(sha256):
                if self._ledger.finish(task, sha256):
                    self._files.remove(task_file(task.job))
                else:  # canceled, or given to another server
                    self._files.remove(result_file(task.job, task.attempt))
            case Failed():
                self._fail(task, _unexpected(task, outcome) if outcome.trace else outcome)
            case Ended("late"):
                words = (
                    f"It was stopped after {self._seconds:g} s, the longest a job may take here. "
                    "Ask for less at once, or have the limit raised."
                )
                self._fail(task, Failed("JobError", words))
            case Ended("large"):
                words = (
                    f"It was stopped when it held more than {self._memory / 2**20:,.0f} MB, the "
                    "most a job may take here. Ask for less at once, or have TILT_JOB_BYTES raised."
                )
                self._fail(task, Failed("JobError", words))
            case Ended("died"):
                _LOG.warning("The worker of job %s, attempt %s, died.", task.job, task.attempt)
                self._ledger.lose(task, _TWICE)
            case Ended():
                pass  # stopped, because the ledger no longer has it as ours

    def _split(self, task: Task, sha256: str) -> None:
        """Queue the pieces that a task asks for."""
        try:
            cut = self._cut(task.job, task.attempt, sha256)
        except DamagedFileError as damage:
            self._fail(task, Failed(kind(damage), str(damage)))
            return
        pieces = []
        for content in cut.tasks:
            job = secrets.token_hex(8)
            pieces.append(Task(job, 0, self._files.put(task_file(job), content)))
        if not self._splits.cut(task, sha256, pieces, cut.stage):
            for piece in pieces:
                self._files.remove(piece.job)

    def _assembled(self, task: Task) -> Task | None:
        """Return a claimed task ready to be run, the parts of its pieces put into its file.

        None if a part is damaged: its piece is run again first.
        """
        asked = self._splits.asked_for(task)
        if asked is None:
            return task
        try:
            cut = self._cut(task.job, asked.attempt, asked.sha256)
        except DamagedFileError as damage:
            self._fail(task, Failed(kind(damage), str(damage)))
            return None
        parts, damaged = [], False
        for piece, again in zip(asked.pieces, cut.tasks, strict=True):
            try:
                name = result_file(piece.job, piece.attempt)
                parts.append(self._files.content(name, piece.sha256))
            except DamagedFileError as damage:
                _LOG.warning("A part of job %s is made again: %s", task.job, damage)
                damaged = True
                self._splits.redo(piece, self._files.put(task_file(piece.job), again))
        if damaged:
            self._ledger.hand_back(task)
            return None
        written = self._files.write(task_file(task.job), (put_together, (cut.join, parts)))
        if not self._splits.put_together(task, written):
            return None
        for name in (result_file(task.job, asked.attempt), *(p.job for p in asked.pieces)):
            self._files.remove(name)
        return Task(task.job, task.attempt, written)

    def _cut(self, job: str, attempt: int, sha256: str) -> Cut:
        """Return what an attempt asks to be done in pieces."""
        found = self._files.read(result_file(job, attempt), sha256)
        if not isinstance(found, Cut):
            raise TypeError(f"{result_file(job, attempt)} asks for no pieces")
        return found

    def _fail(self, task: Task, failed: Failed) -> None:
        if self._ledger.fail(task, failed):
            self._files.remove(task_file(task.job))

    def _watch(self) -> None:
        """Stop what is no longer ours, say what is alive, take over what nobody runs."""
        running = self._ledger.running()
        held = {task for task, server, _ in running if server == self.server}
        for task in held.difference(self._pool.tasks, self._outcomes):
            self._ledger.lose(task, _TWICE)  # claimed, and then its process could not be started
        now = time.monotonic()
        beating = now - self._beaten >= self._lease / 4
        for task in self._pool.tasks:
            if task not in held:
                self._pool.stop(task)
                self._reports.pop(task, None)
            elif beating or task in self._reports:
                self._ledger.touch(task, self._reports.get(task))
                self._reports.pop(task, None)
        if beating:
            self._beaten = now
        others = {task: beat for task, server, beat in running if server != self.server}
        self._beats = {t: b for t, b in self._beats.items() if t in others}
        for task, beat in others.items():
            seen, since = self._beats.get(task, (None, now))
            if seen != beat:
                self._beats[task] = (beat, now)
            elif now - since > self._lease:
                _LOG.warning("Job %s, attempt %s, lost its server.", task.job, task.attempt)
                self._ledger.lose(task, _TWICE)

    def _clean(self) -> None:
        before = dt.datetime.now(dt.UTC) - dt.timedelta(days=self._days)
        self._ledger.forget(before)
        old = self._files.jobs_before(before.timestamp())
        for job in old - self._ledger.known(old):
            self._files.remove(job)
        self._cleaned = time.monotonic()

    def _stop(self) -> None:
        tasks = self._pool.tasks
        self._pool.close()
        try:
            self._record()
            for task in tasks:
                self._ledger.hand_back(task)
        except (SQLAlchemyError, OSError, TiltError) as error:
            # others will miss this server's beat
            _LOG.warning("Running jobs could not be handed back: %s", error)


_TWICE = (
    "It was interrupted twice: the process that ran it died, perhaps for lack of memory. "
    "Ask for less at once, or submit it again."
)


def _unexpected(task: Task, failed: Failed) -> Failed:
    reference = secrets.token_hex(4)
    _LOG.error("Job %s failed, reference %s.\n%s", task.job, reference, failed.trace)
    return Failed(
        "JobError",
        f"It failed in a way that is not your doing (reference {reference}). "
        "Submit it again, or give the reference to whoever runs the server.",
    )
