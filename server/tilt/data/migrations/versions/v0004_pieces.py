"""Jobs whose work is cut into pieces."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Let a job wait for others; those of before wait for none."""
    op.add_column("jobs", sa.Column("parent", sa.String(16), nullable=False, server_default=""))
    op.add_column("jobs", sa.Column("place", sa.Integer, nullable=False, server_default="0"))
    op.add_column("jobs", sa.Column("split", sa.Integer, nullable=False, server_default="0"))
    op.create_index("jobs_by_parent", "jobs", ["parent"], if_not_exists=True)
