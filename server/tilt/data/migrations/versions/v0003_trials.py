"""The backtests that were tried, so that the best of many is not taken for the only one."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Count from now on."""
    op.create_table(
        "trials",
        sa.Column("owner", sa.String(200), primary_key=True),
        sa.Column("workbook", sa.String(200), primary_key=True),
        sa.Column("run", sa.String(12), primary_key=True),
        sa.Column("universe", sa.String(200), nullable=False),
        sa.Column("strategy", sa.Text, nullable=False),
        sa.Column("first", sa.Date, nullable=False),
        sa.Column("last", sa.Date, nullable=False),
        sa.Column("sharpe", sa.Double),
        sa.Column("returns", sa.LargeBinary, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    )
