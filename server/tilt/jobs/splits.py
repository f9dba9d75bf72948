"""Jobs that wait for pieces: the ways in which they are cut, shown and put together again."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Engine, case, delete, func, insert, select, update

from tilt.jobs.table import JOBS, PENDING, canceled, held, now, waits
from tilt.jobs.worker import Task
from tilt.sealing import seal_of


@dataclass(frozen=True)
class Split:
    """A job that waits for its pieces.

    pieces, done, lost : how many there are, have ended well, and have not
    risen : the sum of how much of each is done
    """

    id: str
    stage: str
    fraction: float
    pieces: int
    done: int
    lost: int
    risen: float


@dataclass(frozen=True)
class Asked:
    """What a job asked for that waited for pieces.

    attempt, sha256 : which attempt it was, and the SHA-256 of its result file
    pieces : in order; the SHA-256 is of the file with the piece's result
    """

    attempt: int
    sha256: str
    pieces: tuple[Task, ...]


class Splits:
    """The part of the table of jobs that tells of pieces; each change checks what it changes."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def cut(self, task: Task, sha256: str, pieces: Sequence[Task], stage: str) -> bool:
        """Let a job wait for pieces; False if the task was no longer held.

        Parameters
        ----------
        sha256 : of the attempt's result file, which says what becomes of their parts
        pieces : new jobs
        stage : what they do
        """
        asked = {
            "state": "queued", "server": "", "split": task.attempt, "result": sha256,
            "stage": stage,
        }  # fmt: skip
        own = (JOBS.c.owner, JOBS.c.title, JOBS.c.function, JOBS.c.submitted)
        with self._engine.begin() as connection:
            if connection.execute(update(JOBS).where(held(task)).values(asked)).rowcount != 1:
                return False
            row = connection.execute(select(*own).where(JOBS.c.id == task.job)).one()
            connection.execute(
                insert(JOBS),
                [
                    {
                        **row._mapping,  # noqa: SLF001 - its public name for a mapping of the row
                        "id": piece.job, "task": piece.sha256, "parent": task.job, "place": place,
                        "key": f"{task.job}-{task.attempt}-{place}", "state": "queued",
                        "stage": "waiting",
                    }
                    for place, piece in enumerate(pieces)
                ],
            )  # fmt: skip
        return True

    def waiting(self) -> list[Split]:
        """Return the jobs that wait for pieces."""
        pieces = JOBS.alias()
        done, lost = pieces.c.state == "done", pieces.c.state.in_(["failed", "canceled"])
        query = (
            select(
                JOBS.c.id, JOBS.c.stage, JOBS.c.fraction,
                func.count().label("pieces"),
                func.sum(case((done, 1), else_=0)).label("done"),
                func.sum(case((lost, 1), else_=0)).label("lost"),
                func.sum(pieces.c.fraction).label("risen"),
            )
            .join(pieces, pieces.c.parent == JOBS.c.id)
            .where(JOBS.c.state == "queued", JOBS.c.split > 0)
            .group_by(JOBS.c.id, JOBS.c.stage, JOBS.c.fraction)
        )  # fmt: skip
        with self._engine.connect() as connection:
            return [Split(**row) for row in connection.execute(query).mappings()]

    def show(self, split: Split) -> None:
        """Write how far the pieces of a job are, where that is news."""
        words = split.stage.partition(",")[0]
        stage = f"{words}, {split.done} of {split.pieces} parts"
        fraction = max(split.fraction, float(split.risen) / split.pieces)
        if (stage, fraction) != (split.stage, split.fraction):
            with self._engine.begin() as connection:
                news = update(JOBS).where(waits(split.id)).values(stage=stage, fraction=fraction)
                connection.execute(news)

    def fail(self, split: Split) -> None:
        """Let a job fail as the first of its pieces did, and cancel the others."""
        own = (JOBS.c.error_kind, JOBS.c.error)
        failed = (JOBS.c.parent == split.id) & JOBS.c.state.in_(["failed", "canceled"])
        with self._engine.connect() as connection:
            found = select(*own).where(failed).order_by(JOBS.c.state.desc(), JOBS.c.place)
            kind, words = connection.execute(found).first() or ("JobError", "It was canceled.")
        end = {"state": "failed", "stage": "failed", "finished": now()}
        with self._engine.begin() as connection:
            connection.execute(
                update(JOBS).where(waits(split.id)).values(**end, error_kind=kind, error=words)
            )
            others = (JOBS.c.parent == split.id) & PENDING
            connection.execute(update(JOBS).where(others).values(canceled(seal_of(self._engine))))

    def asked_for(self, task: Task) -> Asked | None:
        """Return the pieces that a claimed job had asked for; None for one that is whole."""
        parts = (JOBS.c.id, JOBS.c.attempt, JOBS.c.result)
        with self._engine.connect() as connection:
            mine = select(JOBS.c.split, JOBS.c.result).where(held(task), JOBS.c.split > 0)
            row = connection.execute(mine).first()
            if row is None:
                return None
            query = select(*parts).where(JOBS.c.parent == task.job).order_by(JOBS.c.place)
            pieces = tuple(Task(*piece) for piece in connection.execute(query))
        return Asked(row.split, row.result, pieces)

    def put_together(self, task: Task, sha256: str) -> bool:
        """Give a claimed job the parts of its pieces, which end; False if it is no longer held.

        Parameters
        ----------
        sha256 : of the job's new task file
        """
        with self._engine.begin() as connection:
            whole = update(JOBS).where(held(task)).values(task=sha256, split=0)
            if connection.execute(whole).rowcount != 1:
                return False
            connection.execute(delete(JOBS).where(JOBS.c.parent == task.job))
        return True

    def redo(self, piece: Task, sha256: str) -> None:
        """Queue a piece again whose part is damaged; ``sha256`` is of its new task file."""
        done = (JOBS.c.id == piece.job) & (JOBS.c.attempt == piece.attempt)
        again = {
            "state": "queued", "stage": "waiting again", "server": "", "result": "",
            "fraction": 0.0, "task": sha256,
        }  # fmt: skip
        with self._engine.begin() as connection:
            connection.execute(update(JOBS).where(done & (JOBS.c.state == "done")).values(again))
