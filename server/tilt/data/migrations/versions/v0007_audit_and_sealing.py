"""Who did what, in a chain; portfolios and the credentials of sources may be encrypted."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_ONLY_ADDED = "an entry of the audit is never changed or removed"


def upgrade() -> None:
    """Begin the chain; nothing is encrypted so far."""
    op.create_table(
        "audit_log",
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("who", sa.String(200), nullable=False),
        sa.Column("client", sa.String(40), nullable=False),
        sa.Column("request", sa.String(64), nullable=False),
        sa.Column("action", sa.String(40), nullable=False),
        sa.Column("object", sa.String(400), nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("runs", sa.Text, nullable=False),
        sa.Column("key", sa.String(8), nullable=False),
        sa.Column("mac", sa.String(64), nullable=False),
    )
    op.create_index("audit_log_by_object", "audit_log", ["object", "number"])
    op.create_index("audit_log_by_who", "audit_log", ["who", "number"])
    op.create_table(
        "audit_runs",
        sa.Column("run", sa.String(12), primary_key=True),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    )
    _only_added()
    op.create_table(
        "credentials",
        sa.Column("name", sa.String(80), primary_key=True),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("saved", sa.DateTime(timezone=True), nullable=False),
    )
    op.add_column("portfolios", sa.Column("sealed", sa.LargeBinary))
    op.add_column("books", sa.Column("sealed", sa.LargeBinary))


def _only_added() -> None:
    """Have the database itself refuse to change or remove an entry."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION audit_only_added() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{_ONLY_ADDED}'; END $$"
        )
        op.execute(
            "CREATE TRIGGER audit_log_only_added BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log "
            "FOR EACH STATEMENT EXECUTE FUNCTION audit_only_added()"
        )
        return
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER audit_log_no_{verb.lower()} BEFORE {verb} ON audit_log "
            f"BEGIN SELECT RAISE(ABORT, '{_ONLY_ADDED}'); END"
        )
