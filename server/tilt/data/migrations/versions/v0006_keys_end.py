"""API keys that end by themselves, and when each was last used."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Give every key an end, none so far, and a last use, unknown so far."""
    op.add_column("api_keys", sa.Column("expires", sa.DateTime))
    op.add_column("api_keys", sa.Column("used", sa.DateTime))
