"""The catalog's table of jobs, and what its rows are asked by."""

import datetime as dt
from typing import Literal, TypeAlias

from sqlalchemy import (
    Column,
    ColumnElement,
    DateTime,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    and_,
    exists,
    text,
)

from tilt.jobs.worker import Task
from tilt.sealing import Seal

TITLE, ERROR = "jobs/title", "jobs/error"  # what an encrypted one is bound to
LONGEST_TITLE = 200

State: TypeAlias = Literal["queued", "running", "done", "failed", "canceled"]

METADATA = MetaData()
ALIVE = text("state IN ('queued', 'running', 'done')")
JOBS = Table(
    "jobs",
    METADATA,
    Column("id", String(16), primary_key=True),
    Column("key", String(200), nullable=False),
    Column("owner", String(200), nullable=False),
    Column("title", String(200), nullable=False),
    Column("function", String(200), nullable=False),
    Column("task", String(64), nullable=False),  # SHA-256 of the file with the arguments
    Column("state", String(8), nullable=False),
    Column("stage", String(200), nullable=False, default=""),
    Column("fraction", Float, nullable=False, default=0.0),
    Column("attempt", Integer, nullable=False, default=0),
    Column("losses", Integer, nullable=False, default=0),  # attempts whose process died
    Column("server", String(100), nullable=False, default=""),
    Column("beat", Integer, nullable=False, default=0),  # moves while the server lives
    Column("result", String(64), nullable=False, default=""),  # SHA-256 of the result file
    Column("error_kind", String(40), nullable=False, default=""),
    Column("error", Text, nullable=False, default=""),
    Column("submitted", DateTime, nullable=False),
    Column("started", DateTime, nullable=True),
    Column("finished", DateTime, nullable=True),
    # what it was computed from; empty if from none
    Column("snapshot", String(32), nullable=False, server_default=""),
    Column("parent", String(16), nullable=False, server_default=""),  # whose piece it is
    Column("place", Integer, nullable=False, server_default="0"),  # among the pieces
    Column("split", Integer, nullable=False, server_default="0"),  # attempt that asked for pieces
)
INDEXES = (
    Index(
        "jobs_once",
        JOBS.c.owner,
        JOBS.c.key,
        unique=True,
        sqlite_where=ALIVE,
        postgresql_where=ALIVE,
    ),
    Index("jobs_by_state", JOBS.c.state, JOBS.c.submitted),
    Index("jobs_by_owner", JOBS.c.owner, JOBS.c.submitted),
    Index("jobs_by_parent", JOBS.c.parent),
)

PENDING = JOBS.c.state.in_(["queued", "running"])


def canceled(seal: Seal) -> dict[str, object]:
    """Return what a canceled row says; encrypted as all that jobs say."""
    return {
        "state": "canceled", "stage": "canceled", "finished": now(),
        "error_kind": "JobError", "error": seal.keep_text("It was canceled.", ERROR),
    }  # fmt: skip


def waits(job: str) -> ColumnElement[bool]:
    """Whether a job waits for pieces."""
    return and_(JOBS.c.id == job, JOBS.c.state == "queued", JOBS.c.split > 0)


def has_undone() -> ColumnElement[bool]:
    """Whether a job has a piece that is not done."""
    piece = JOBS.alias()
    return exists().where(piece.c.parent == JOBS.c.id, piece.c.state != "done")


def held(task: Task) -> ColumnElement[bool]:
    """Whether a row is of a job that runs, in this very attempt."""
    return and_(JOBS.c.id == task.job, JOBS.c.attempt == task.attempt, JOBS.c.state == "running")


def now() -> dt.datetime:
    """Return the time in UTC, as the table keeps it."""
    return dt.datetime.now(dt.UTC).replace(tzinfo=None)
