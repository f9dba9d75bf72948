"""The catalog's tables. A change here needs a step in ``migrations``; a test compares the two."""

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    DateTime,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

metadata = MetaData()

snapshots = Table(
    "snapshots",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("universe", String(200), nullable=False, index=True),
    Column("description", Text, nullable=False),
    Column("source", String(200), nullable=False),
    Column("survivorship", Text, nullable=False),
    Column("first_date", Date, nullable=False),
    Column("as_of", Date, nullable=False),
    Column("securities", Integer, nullable=False),
    Column("created", DateTime(timezone=True), nullable=False),
    Column("parent", String(32), nullable=False, server_default=""),  # what it was made to follow
    Column("findings", Integer),  # how many rows of findings it has; none counted: in its file only
)
publications = Table(  # each time that a snapshot became the current one of its universe
    "publications",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),  # the greatest is current
    Column("universe", String(200), nullable=False, index=True),
    Column("snapshot", String(32), nullable=False),  # it may have been pruned since
    Column("at", DateTime(timezone=True), nullable=False),
)
files = Table(
    "files",
    metadata,
    Column("snapshot", String(32), ForeignKey("snapshots.id"), primary_key=True),
    Column("name", String(200), primary_key=True),
    Column("sha256", String(64), nullable=False),
    Column("bytes", BigInteger, nullable=False),
)
findings = Table(
    "findings",
    metadata,
    Column("snapshot", String(32), ForeignKey("snapshots.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("date", DateTime),
    Column("ticker", String(64), nullable=False),
    Column("check", String(64), nullable=False),
    Column("severity", String(16), nullable=False),
    Column("detail", Text, nullable=False),
    Column("action", Text, nullable=False),
)
securities = Table(
    "securities",
    metadata,
    Column("snapshot", String(32), ForeignKey("snapshots.id"), primary_key=True),
    Column("ticker", String(64), primary_key=True),
    Column("name", Text),
    Column("sector", String(200)),
    Column("industry", String(200)),
    Column("country", String(64)),
    Column("currency", String(8)),
    Column("share_class", String(40)),
    Column("exchange", String(40)),
    Column("issuer", String(64)),
    Column("isin", String(12)),
    Column("cusip", String(9)),
    Column("sedol", String(7)),
    Column("figi", String(12)),
    Column("listed", Date),
    Column("delisted", Date),
)
universes = Table(  # those made from another one by a rule
    "universes",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("parent", String(200), nullable=False),
    Column("description", Text, nullable=False),
    Column("rule", Text, nullable=False),  # JSON
    Column("saved", DateTime(timezone=True), nullable=False),
)
portfolios = Table(
    "portfolios",
    metadata,
    Column("name", String(200), primary_key=True),  # of an encrypted one an id
    Column("sealed", LargeBinary),  # the name of an encrypted one
)
books = Table(  # a portfolio on a date; the first of all days for one without a date
    "books",
    metadata,
    Column("portfolio", String(200), ForeignKey("portfolios.name"), primary_key=True),
    Column("as_of", Date, primary_key=True),
    Column("source", String(200), nullable=False),
    Column("saved", DateTime(timezone=True)),
    Column("sealed", LargeBinary),  # of an encrypted one: JSON of its source and positions
)
positions = Table(
    "positions",
    metadata,
    Column("portfolio", String(200), ForeignKey("portfolios.name"), primary_key=True),
    Column("as_of", Date, primary_key=True),
    Column("ticker", String(64), primary_key=True),
    Column("weight", Double, nullable=False),
    Column("position", Integer, nullable=False),  # the order of the user's list
)
configurations = Table(
    "configurations",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("id", String(12), nullable=False),  # of its content
    Column("kind", String(40), nullable=False),
    Column("body", Text, nullable=False),  # JSON
    Column("saved", DateTime(timezone=True), nullable=False),
)
credentials = Table(  # what sources sign in with; always encrypted
    "credentials",
    metadata,
    Column("name", String(80), primary_key=True),
    Column("body", LargeBinary, nullable=False),
    Column("saved", DateTime(timezone=True), nullable=False),
)
audit = Table(  # of before ``tilt.audit``
    "audit",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("action", String(40), nullable=False),
    Column("subject", String(200), nullable=False),
    Column("detail", Text, nullable=False),
)
Index("audit_by_time", audit.c.at)
trials = Table(  # backtests that were run, each once
    "trials",
    metadata,
    Column("owner", String(200), primary_key=True),
    Column("workbook", String(200), primary_key=True),  # its name; empty outside of one
    Column("run", String(12), primary_key=True),
    Column("universe", String(200), nullable=False),
    Column("strategy", Text, nullable=False),
    Column("first", Date, nullable=False),
    Column("last", Date, nullable=False),
    Column("sharpe", Double),  # per period
    Column("returns", LargeBinary, nullable=False),  # float64, little endian, a session each
    Column("at", DateTime(timezone=True), nullable=False),
)
runs = Table(  # what was computed, by whom and from what; never changed
    "runs",
    metadata,
    Column("owner", String(200), primary_key=True),
    Column("run", String(12), primary_key=True),
    Column("version", String(60), primary_key=True),  # of the program that computed
    Column("function", String(40), nullable=False),
    Column("subject", String(200), nullable=False),  # in a few words
    Column("universe", String(200), nullable=False),
    Column("snapshot", String(60), nullable=False),  # it may have been pruned since
    Column("at", DateTime(timezone=True), nullable=False),
    Column("body", LargeBinary, nullable=False),  # JSON, packed
)
Index("runs_by_time", runs.c.owner, runs.c.at)
packs = Table(  # what a report that was made held
    "packs",
    metadata,
    Column("owner", String(200), primary_key=True),
    Column("pack", String(12), primary_key=True),
    Column("subject", String(12), nullable=False),  # a digest: whose portfolio of what name
    Column("kind", String(40), nullable=False),
    Column("universe", String(200), nullable=False),
    Column("as_of", Date, nullable=False),
    Column("snapshot", String(60), nullable=False),  # it may have been pruned since
    Column("made", DateTime(timezone=True), nullable=False),
    Column("body", LargeBinary, nullable=False),  # JSON, packed
)
Index("packs_by_subject", packs.c.subject, packs.c.kind, packs.c.as_of)
changes = Table(
    "changes",
    metadata,
    Column("what", String(40), primary_key=True),
    Column("count", BigInteger, nullable=False),  # of writings; only ever rises
)
