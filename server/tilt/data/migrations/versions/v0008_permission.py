"""Who may what: people and their roles, grants, and what jobs, runs and files rest on.

Whoever has a valid key already could do everything, and still can: they become administrators.
"""

import datetime as dt

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make the tables; the owners of valid keys are administrators."""
    people = op.create_table(
        "people",
        sa.Column("id", sa.String(200), primary_key=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("roles", sa.Text, nullable=False),
        sa.Column("claimed", sa.Text, nullable=False),
        sa.Column("seen", sa.DateTime),
    )
    op.create_table(
        "grants",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("to_kind", sa.String(8), nullable=False),
        sa.Column("to_id", sa.String(200), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("verbs", sa.String(64), nullable=False),
        sa.Column("by_id", sa.String(200), nullable=False),
        sa.Column("at", sa.DateTime, nullable=False),
    )
    op.create_index("ix_grants_to_id", "grants", ["to_id"])
    op.create_table(
        "rests",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("things", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime, nullable=False),
    )
    op.create_index("ix_rests_at", "rests", ["at"])
    keys = sa.table("api_keys", sa.column("name"), sa.column("revoked"),
                    sa.column("expires", sa.DateTime))  # fmt: skip
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None)
    valid = keys.c.revoked.is_(None) & (keys.c.expires.is_(None) | (keys.c.expires > now))
    owners = sa.select(keys.c.name).where(valid).distinct()
    for owner in op.get_bind().execute(owners).scalars().all():
        row = {"id": owner, "name": owner, "roles": '["administrator"]', "claimed": "{}"}
        op.get_bind().execute(sa.insert(people).values(**row))
