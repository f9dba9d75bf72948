"""Cells that take long: computed as jobs, asked for until done, canceled when nobody asks."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar, cast

from tilt.api.state import USER, State, current
from tilt.errors import BusyError, TiltError
from tilt.jobs import Job, Jobs, Pieces

T = TypeVar("T")

FORGOTTEN_SECONDS = 90.0  # without anybody asking for a job, after which it is canceled


class RunningError(BusyError):
    """The job behind a cell is not done yet; a client that asks again gets its result."""

    def __init__(self, job: Job) -> None:
        done = f"{job.fraction:.0%}" if job.state == "running" else "waiting for its turn"
        stage = f", {job.stage}" if job.state == "running" and job.stage else ""
        super().__init__(f"{job.title}: {done}{stage}. Calculate again to see it when it is done.")
        self.job = job

    @property
    def state(self) -> dict[str, object]:
        """How far the job is, for a client to show."""
        job = self.job
        return {"id": job.id, "title": job.title, "stage": job.stage, "fraction": job.fraction}


@dataclass(eq=False)
class Forgotten:
    """Finds the jobs that cells once asked for and no cell, at any server, asks for any more.

    now : seconds, of a clock that only rises
    """

    now: Callable[[], float] = time.monotonic
    _seen: dict[str, tuple[int, float]] = field(default_factory=dict)  # last asking, seen since

    def cancel(self, jobs: Jobs) -> list[str]:
        """Cancel them; return their ids."""
        now = self.now()
        asked = jobs.asked()
        self._seen = {
            job: self._seen[job] if self._seen.get(job, (None,))[0] == moved else (moved, now)
            for job, moved in asked.items()
        }
        forgotten = [j for j, (_, since) in self._seen.items() if now - since > FORGOTTEN_SECONDS]
        for job in forgotten:
            jobs.abandon(job)
        return forgotten


def work_out(
    state: State,
    function: Callable[..., T | Pieces[T]],
    *args: object,
    key: str,
    title: str,
    snapshot: str = "",
) -> T:
    """Return what a job returns, submitted the first time it is asked for.

    Parameters
    ----------
    function : of the top level of a module; a worker gives it a ``Progress`` before ``args``
    key : depends on everything that the result depends on
    snapshot : the one that it is computed from

    Raises
    ------
    RunningError
        If it is not done yet.
    TiltError
        The one that the function raised, or a ``JobError``.
    """

    def ask() -> T:
        owner = USER.get() or "local"
        job = state.jobs.submit(
            function, *args, owner=owner, key=key, title=title, snapshot=snapshot
        )
        state.jobs.ask(job)
        if job.pending:
            raise RunningError(job)
        return cast("T", state.jobs.result(job.id, job.owner))

    return state.once(("job", key), ask)


def follow(job: str) -> None:
    """Note that the caller's job is asked for again.

    Raises
    ------
    TiltError
        If it was canceled or failed: the reason, so that a cell does not start it anew by asking.
    """
    jobs = current().jobs
    found = jobs.get(job, USER.get() or "local")
    jobs.ask(found)
    if not found.pending and found.state != "done":
        raise why_not(jobs, found)


def why_not(jobs: Jobs, job: Job) -> TiltError:
    """Return why a job that has ended has no result."""
    try:
        jobs.result(job.id, job.owner)
    except TiltError as error:
        return error
    raise ValueError(f"job {job.id} has a result")
