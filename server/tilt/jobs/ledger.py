"""The catalog's table of jobs, and the only ways a job may change its state.

Every change is one statement that also checks what it changes, so that several servers can share
the table without a lock. The pair (id, attempt) names who may still speak for a job: a server that
was taken for dead, and a worker of a canceled job, find that it no longer matches.
"""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import (
    ColumnElement,
    DateTime,
    Engine,
    Float,
    FromClause,
    RowMapping,
    and_,
    case,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.schema import CreateIndex, CreateTable

from tilt.errors import BusyError, TiltError, UnknownNameError
from tilt.jobs.table import (
    ALIVE,
    ERROR,
    INDEXES,
    JOBS,
    LONGEST_TITLE,
    PENDING,
    TITLE,
    State,
    canceled,
    has_undone,
    held,
    now,
)
from tilt.jobs.worker import Failed, Report, Task
from tilt.sealing import Seal, seal_of


class JobError(TiltError):
    """A job has no result: it was canceled, took too long, or broke."""

    status = 422


@dataclass(frozen=True)
class Job:
    """What the catalog knows of a job.

    key        : depends on the content; the same key is not run twice while running or done
    function   : dotted name of what runs
    fraction   : how much is done, 0 to 1; stage says what is being done
    error_kind : the class of the error that ended it, else empty
    submitted, started, finished : in UTC; started is of the last attempt
    """

    id: str
    key: str
    owner: str
    title: str
    function: str
    state: State
    stage: str
    fraction: float
    attempt: int
    result: str
    error_kind: str
    error: str
    submitted: dt.datetime
    started: dt.datetime | None
    finished: dt.datetime | None

    @property
    def pending(self) -> bool:
        """Whether it still waits or runs."""
        return self.state in ("queued", "running")

    @property
    def elapsed(self) -> float:
        """Seconds it has run, or ran."""
        if self.started is None:
            return 0.0
        return max(0.0, ((self.finished or dt.datetime.now(dt.UTC)) - self.started).total_seconds())


def unknown_job(job: str) -> UnknownNameError:
    """Return the error of a job that is not there."""
    return UnknownNameError(f"No job '{job[:40]}'. It may have been removed; submit it again.")


class Ledger:
    """The table of jobs in one catalog, created if absent."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._seal = seal_of(engine)
        with engine.begin() as connection:
            connection.execute(CreateTable(JOBS, if_not_exists=True))
            for index in INDEXES:
                connection.execute(CreateIndex(index, if_not_exists=True))

    def add(
        self,
        *,
        job: str,
        key: str,
        owner: str,
        title: str,
        function: str,
        task: str,
        most: int,
        snapshot: str = "",
    ) -> Job | None:
        """Queue a job; None if its owner has another alive with this key.

        Raises
        ------
        BusyError
            If ``most`` jobs wait already, or three quarters of them are its owner's.
        """
        given = {
            "id": job, "key": key, "owner": owner, "title": self._hidden(title),
            "function": function, "task": task, "state": "queued", "stage": "waiting",
            "fraction": 0.0, "attempt": 0, "losses": 0, "server": "", "beat": 0,
            "result": "", "error_kind": "", "error": "", "snapshot": snapshot,
        }  # fmt: skip
        queue = JOBS.alias()
        whole = _whole(queue)
        waiting = select(func.count()).where(whole).scalar_subquery()
        theirs = select(func.count()).where(whole, queue.c.owner == owner).scalar_subquery()
        each = most - most // 4
        submitted = literal(now(), DateTime)
        room = (waiting < most) & (theirs < each)
        row = select(*(literal(v) for v in given.values()), submitted).where(room)
        try:
            with self._engine.begin() as connection:
                connection.execute(
                    insert(JOBS).from_select([*given, "submitted"], row, include_defaults=False)
                )
        except IntegrityError:
            return None
        added = self._rows(JOBS.c.id == job, most=1)  # not every database counts such rows
        if not added:
            own = each < most and self._waiting(owner) >= each
            raise BusyError(
                f"{f'{each} of your' if own else most} jobs are waiting already. "
                "Try again when some are done, or cancel one."
            )
        return added[0]

    def alive(self, key: str, owner: str) -> Job | None:
        """Return the owner's job with this key that waits, runs or is done."""
        found = self._rows((JOBS.c.key == key) & (JOBS.c.owner == owner) & ALIVE, most=1)
        return found[0] if found else None

    def get(self, job: str, owner: str) -> Job:
        """Return a job of ``owner``.

        Raises
        ------
        UnknownNameError
            If there is none; whether another owner has it cannot be told.
        """
        found = self._rows((JOBS.c.id == job) & (JOBS.c.owner == owner), most=1)
        if not found:
            raise unknown_job(job)
        return found[0]

    def counts(self) -> dict[str, int]:
        """Return how many jobs of all owners there are in each state."""
        query = select(JOBS.c.state, func.count()).where(JOBS.c.parent == "").group_by(JOBS.c.state)
        with self._engine.connect() as connection:
            return {str(row[0]): int(row[1]) for row in connection.execute(query)}

    def listed(self, owner: str, most: int) -> list[Job]:
        """Return an owner's jobs, the newest first."""
        return self._rows((JOBS.c.owner == owner) & (JOBS.c.parent == ""), most=most)

    def abandon(self, job: str) -> None:
        """Cancel a job that waits or runs, whoever has it, and its pieces."""
        self._cancel(_family(job))

    def cancel(self, job: str, owner: str) -> None:
        """Cancel a job that waits or runs, and its pieces.

        Whoever runs one of them sees that it is no longer theirs.
        """
        self._cancel(_family(job) & (JOBS.c.owner == owner))

    def claim(self, server: str) -> Task | None:
        """Take the next job for ``server``; an owner with fewer running goes first.

        Among an owner's, a piece waits for the jobs that are whole. A job that was cut into pieces
        is taken again when all of them are done.
        """
        busy = (
            select(JOBS.c.owner, func.count().label("running"))
            .where(JOBS.c.state == "running")
            .group_by(JOBS.c.owner)
            .subquery()
        )
        following = (
            select(JOBS.c.id, JOBS.c.attempt, JOBS.c.task)
            .outerjoin(busy, busy.c.owner == JOBS.c.owner)
            .where(JOBS.c.state == "queued", (JOBS.c.split == 0) | ~has_undone())
            .order_by(
                func.coalesce(busy.c.running, 0),
                JOBS.c.parent != "",
                JOBS.c.submitted,
                JOBS.c.place,
                JOBS.c.id,
            )
            .limit(1)
        )
        while True:
            with self._engine.connect() as connection:
                row = connection.execute(following).first()
            if row is None:
                return None
            fresh, begun = JOBS.c.result == "", literal(now(), DateTime)  # else its pieces are done
            queued = (JOBS.c.id == row.id) & (JOBS.c.state == "queued")
            if self._change(
                queued & (JOBS.c.attempt == row.attempt), state="running", server=server,
                stage="starting", started=case((fresh, begun), else_=JOBS.c.started),
                fraction=case((fresh, 0.0), else_=JOBS.c.fraction),
                attempt=JOBS.c.attempt + 1, beat=JOBS.c.beat + 1,
            ):  # fmt: skip
                return Task(row.id, row.attempt + 1, row.task)

    def running(self) -> list[tuple[Task, str, int]]:
        """Return each running task with its server and its beat."""
        columns = (JOBS.c.id, JOBS.c.attempt, JOBS.c.task, JOBS.c.server, JOBS.c.beat)
        with self._engine.connect() as connection:
            rows = connection.execute(select(*columns).where(JOBS.c.state == "running")).all()
        return [(Task(r.id, r.attempt, r.task), r.server, r.beat) for r in rows]

    def touch(self, task: Task, report: Report | None) -> None:
        """Say that a task is alive, and how far it is."""
        said: dict[str, object] = {}
        if report is not None:
            given = literal(report.fraction, Float)
            risen = case((JOBS.c.fraction < given, given), else_=JOBS.c.fraction)
            said = {"fraction": risen, "stage": report.stage}
        self._change(held(task), beat=JOBS.c.beat + 1, **said)

    def finish(self, task: Task, sha256: str) -> bool:
        """Record a result; False if the task was no longer held.

        Saying it twice is saying it once: the answer to the first may have been lost on the way.
        """
        mine = (JOBS.c.id == task.job) & (JOBS.c.attempt == task.attempt)
        return self._change(
            mine & JOBS.c.state.in_(["running", "done"]),
            state="done", stage="done", fraction=1.0, result=sha256, finished=now(),
        )  # fmt: skip

    def fail(self, task: Task, failed: Failed) -> bool:
        """Record an error; False if the task was no longer held."""
        return self._change(
            held(task), state="failed", stage="failed", finished=now(),
            error_kind=failed.kind, error=self._seal.keep_text(failed.message, ERROR),
        )  # fmt: skip

    def hand_back(self, task: Task) -> bool:
        """Queue a task again whose server stops in good order."""
        return self._change(held(task), state="queued", stage="waiting again", server="")

    def lose(self, task: Task, words: str) -> None:
        """Queue a task once more whose process died; the second time it fails with ``words``."""
        first = held(task) & (JOBS.c.losses == 0)
        if not self._change(
            first, state="queued", stage="waiting again: its process ended", server="", losses=1
        ):
            self.fail(task, Failed("JobError", words))

    def spoil(self, job: Job, words: str) -> None:
        """Turn a done job whose result is damaged into a failed one, so that it can run again."""
        done = (JOBS.c.id == job.id) & (JOBS.c.state == "done")
        said = self._seal.keep_text(words, ERROR)
        self._change(done, state="failed", stage="failed", error_kind="BusyError", error=said)

    def forget(self, before: dt.datetime) -> None:
        """Remove the jobs that ended before a time."""
        with self._engine.begin() as connection:
            connection.execute(delete(JOBS).where(JOBS.c.finished < before.replace(tzinfo=None)))

    def known(self, ids: set[str]) -> set[str]:
        """Return those of ``ids`` that the table has."""
        with self._engine.connect() as connection:
            return {i for i in connection.scalars(select(JOBS.c.id)) if i in ids}

    def _waiting(self, owner: str) -> int:
        query = select(func.count()).where(_whole(JOBS), JOBS.c.owner == owner)
        with self._engine.connect() as connection:
            return int(connection.execute(query).scalar_one())

    def _cancel(self, where: ColumnElement[bool]) -> None:
        with self._engine.begin() as connection:
            connection.execute(update(JOBS).where(where & PENDING).values(canceled(self._seal)))

    def _change(self, where: ColumnElement[bool], **values: object) -> bool:
        with self._engine.begin() as connection:
            return connection.execute(update(JOBS).where(where).values(**values)).rowcount == 1

    def _rows(self, where: ColumnElement[bool], *, most: int) -> list[Job]:
        newest = JOBS.c.submitted.desc(), JOBS.c.id
        with self._engine.connect() as connection:
            rows = connection.execute(select(JOBS).where(where).order_by(*newest).limit(most))
            return [_job(row, self._seal) for row in rows.mappings()]

    def _hidden(self, title: str) -> str:
        return self._seal.keep_text(title, TITLE, most=LONGEST_TITLE)


def _whole(queue: FromClause) -> ColumnElement[bool]:
    """Whether a row is a job that waits, and no piece of one or waiting for its pieces."""
    return and_(queue.c.state == "queued", queue.c.parent == "", queue.c.split == 0)


def _family(job: str) -> ColumnElement[bool]:
    """Whether a row is a job or a piece of it."""
    return or_(JOBS.c.id == job, JOBS.c.parent == job)


def _job(row: RowMapping, seal: Seal) -> Job:
    values = {name: row[name] for name in Job.__dataclass_fields__}
    values["title"] = seal.open_text(values["title"], TITLE)
    values["error"] = seal.open_text(values["error"], ERROR)
    for name in ("submitted", "started", "finished"):
        if values[name] is not None:
            values[name] = values[name].replace(tzinfo=dt.UTC)
    if values["state"] == "queued" and row["split"]:
        values["state"] = "running"  # its pieces are being worked on
    return Job(**values)
