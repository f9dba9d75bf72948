"""What was computed, from what and by whom, so that a number can be traced and computed again."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Record from now on."""
    op.create_table(
        "runs",
        sa.Column("owner", sa.String(200), primary_key=True),
        sa.Column("run", sa.String(12), primary_key=True),
        sa.Column("version", sa.String(60), primary_key=True),
        sa.Column("function", sa.String(40), nullable=False),
        sa.Column("subject", sa.String(200), nullable=False),
        sa.Column("universe", sa.String(200), nullable=False),
        sa.Column("snapshot", sa.String(60), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_index("runs_by_time", "runs", ["owner", "at"])
