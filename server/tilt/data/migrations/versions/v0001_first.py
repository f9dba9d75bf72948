"""The tables there were before steps were counted."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_ALIVE = sa.text("state IN ('queued', 'running', 'done')")


def upgrade() -> None:
    """Make each table that is not there."""
    _data()
    _jobs()
    op.create_table(
        "api_keys",
        sa.Column("prefix", sa.String(16), primary_key=True),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("created", sa.DateTime, nullable=False),
        sa.Column("revoked", sa.DateTime),
        if_not_exists=True,
    )


def _data() -> None:
    op.create_table(
        "snapshots",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("universe", sa.String(200), nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("source", sa.String(200), nullable=False),
        sa.Column("survivorship", sa.Text, nullable=False),
        sa.Column("first_date", sa.Date, nullable=False),
        sa.Column("as_of", sa.Date, nullable=False),
        sa.Column("securities", sa.Integer, nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published", sa.BigInteger, nullable=False),
        if_not_exists=True,
    )
    op.create_index("ix_snapshots_universe", "snapshots", ["universe"], if_not_exists=True)
    op.create_table(
        "files",
        sa.Column("snapshot", sa.String(32), sa.ForeignKey("snapshots.id"), primary_key=True),
        sa.Column("name", sa.String(200), primary_key=True),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "portfolios",
        sa.Column("name", sa.String(200), primary_key=True),
        sa.Column("as_of", sa.Date),
        sa.Column("source", sa.String(200), nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "positions",
        sa.Column("portfolio", sa.String(200), sa.ForeignKey("portfolios.name"), primary_key=True),
        sa.Column("ticker", sa.String(64), primary_key=True),
        sa.Column("weight", sa.Double, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "changes",
        sa.Column("what", sa.String(40), primary_key=True),
        sa.Column("count", sa.BigInteger, nullable=False),
        if_not_exists=True,
    )


def _jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("key", sa.String(200), nullable=False),
        sa.Column("owner", sa.String(200), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("function", sa.String(200), nullable=False),
        sa.Column("task", sa.String(64), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("stage", sa.String(200), nullable=False),
        sa.Column("fraction", sa.Float, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("losses", sa.Integer, nullable=False),
        sa.Column("server", sa.String(100), nullable=False),
        sa.Column("beat", sa.Integer, nullable=False),
        sa.Column("result", sa.String(64), nullable=False),
        sa.Column("error_kind", sa.String(40), nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("submitted", sa.DateTime, nullable=False),
        sa.Column("started", sa.DateTime),
        sa.Column("finished", sa.DateTime),
        if_not_exists=True,
    )
    op.create_index(
        "jobs_once",
        "jobs",
        ["owner", "key"],
        unique=True,
        sqlite_where=_ALIVE,
        postgresql_where=_ALIVE,
        if_not_exists=True,
    )
    op.create_index("jobs_by_state", "jobs", ["state", "submitted"], if_not_exists=True)
    op.create_index("jobs_by_owner", "jobs", ["owner", "submitted"], if_not_exists=True)
