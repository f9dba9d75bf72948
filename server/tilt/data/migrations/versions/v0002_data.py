"""Publications through time, portfolios with dates, and the tables of the data's other parts."""

import datetime as dt

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

UNDATED = dt.date(1, 1, 1)
_TEXT = sa.String(200)
_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Keep every snapshot and portfolio there is."""
    _publications()
    _books()
    _of_snapshots()
    op.add_column("jobs", sa.Column("snapshot", sa.String(32), nullable=False, server_default=""))
    op.create_table(
        "universes",
        sa.Column("name", _TEXT, primary_key=True),
        sa.Column("parent", _TEXT, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("rule", sa.Text, nullable=False),
        sa.Column("saved", _TIME, nullable=False),
    )
    op.create_table(
        "configurations",
        sa.Column("name", _TEXT, primary_key=True),
        sa.Column("id", sa.String(12), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("saved", _TIME, nullable=False),
    )
    op.create_table(
        "audit",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("action", sa.String(40), nullable=False),
        sa.Column("subject", _TEXT, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
    )
    op.create_index("audit_by_time", "audit", ["at"])
    op.create_table(
        "idempotent_requests",
        sa.Column("owner", _TEXT, primary_key=True),
        sa.Column("key", sa.String(128), primary_key=True),
        sa.Column("request", sa.String(64), nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("content_type", _TEXT, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("begun", sa.DateTime, nullable=False),
        if_not_exists=True,
    )


def _publications() -> None:
    publications = op.create_table(
        "publications",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("universe", _TEXT, nullable=False),
        sa.Column("snapshot", sa.String(32), nullable=False),
        sa.Column("at", _TIME, nullable=False),
    )
    op.create_index("ix_publications_universe", "publications", ["universe"])
    snapshots = sa.table("snapshots", *map(sa.column, ("published", "universe", "id", "created")))
    op.execute(
        publications.insert().from_select(
            ["number", "universe", "snapshot", "at"], sa.select(*snapshots.c)
        )
    )
    op.drop_column("snapshots", "published")
    op.add_column(
        "snapshots", sa.Column("parent", sa.String(32), nullable=False, server_default="")
    )
    op.add_column("snapshots", sa.Column("findings", sa.Integer))


def _books() -> None:
    books = op.create_table(
        "books",
        _key("portfolio", sa.String(200), "portfolios.name"),
        sa.Column("as_of", sa.Date, primary_key=True),
        sa.Column("source", _TEXT, nullable=False),
        sa.Column("saved", _TIME),
    )
    kept = op.get_bind().execute(sa.text("SELECT name, as_of, source FROM portfolios"))
    days = {row.name: (_day(row.as_of), row.source) for row in kept}
    held = (
        op.get_bind()
        .execute(sa.text("SELECT portfolio, ticker, weight, position FROM positions"))
        .all()
    )
    op.drop_table("positions")  # it is made anew: a key cannot be widened in SQLite
    positions = op.create_table(
        "positions",
        _key("portfolio", sa.String(200), "portfolios.name"),
        sa.Column("as_of", sa.Date, primary_key=True),
        sa.Column("ticker", sa.String(64), primary_key=True),
        sa.Column("weight", sa.Double, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
    )
    op.bulk_insert(
        books,
        [
            {"portfolio": name, "as_of": day, "source": source, "saved": None}
            for name, (day, source) in days.items()
        ],
    )
    op.bulk_insert(
        positions,
        [{**row._mapping, "as_of": days[row.portfolio][0]} for row in held],  # noqa: SLF001 - SQLAlchemy's public name
    )
    op.drop_column("portfolios", "as_of")
    op.drop_column("portfolios", "source")


def _key(name: str, kind: sa.String, of: str) -> "sa.Column[str]":
    return sa.Column(name, kind, sa.ForeignKey(of), primary_key=True)


def _day(kept: dt.date | str | None) -> dt.date:
    """Return a day as a date; SQLite hands over a text where no type is declared."""
    if isinstance(kept, str):
        return dt.date.fromisoformat(kept)
    return kept or UNDATED


def _of_snapshots() -> None:
    op.create_table(
        "findings",
        _key("snapshot", sa.String(32), "snapshots.id"),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("date", sa.DateTime),
        sa.Column("ticker", sa.String(64), nullable=False),
        sa.Column("check", sa.String(64), nullable=False),
        sa.Column("severity", sa.String(16), nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
    )
    op.create_table(
        "securities",
        _key("snapshot", sa.String(32), "snapshots.id"),
        sa.Column("ticker", sa.String(64), primary_key=True),
        sa.Column("name", sa.Text),
        sa.Column("sector", _TEXT),
        sa.Column("industry", _TEXT),
        sa.Column("country", sa.String(64)),
        sa.Column("currency", sa.String(8)),
        sa.Column("share_class", sa.String(40)),
        sa.Column("exchange", sa.String(40)),
        sa.Column("issuer", sa.String(64)),
        sa.Column("isin", sa.String(12)),
        sa.Column("cusip", sa.String(9)),
        sa.Column("sedol", sa.String(7)),
        sa.Column("figi", sa.String(12)),
        sa.Column("listed", sa.Date),
        sa.Column("delisted", sa.Date),
    )
