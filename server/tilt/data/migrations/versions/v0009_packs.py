"""What the reports that were made held, so that the next one can tell what changed."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Record reports from now on."""
    op.create_table(
        "packs",
        sa.Column("owner", sa.String(200), primary_key=True),
        sa.Column("pack", sa.String(12), primary_key=True),
        sa.Column("subject", sa.String(12), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("universe", sa.String(200), nullable=False),
        sa.Column("as_of", sa.Date, nullable=False),
        sa.Column("snapshot", sa.String(60), nullable=False),
        sa.Column("made", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_index("packs_by_subject", "packs", ["subject", "kind", "as_of"])
