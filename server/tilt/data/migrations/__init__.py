"""The steps that make a catalog, or bring an older one up to this program.

``versions`` holds one file a step, in order. A catalog of the time before steps were counted has
the tables of the first one already, or some of them; that step makes what is missing.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData

from tilt import audit, security
from tilt.data import tables
from tilt.jobs import repeats, table


def tables_of_all() -> list[MetaData]:
    """Return the tables of every module that keeps something in the catalog."""
    return [tables.metadata, table.METADATA, repeats.METADATA, security.METADATA, audit.METADATA]


def configured(connection: Connection) -> Config:
    """Return what Alembic's commands need to work on a connection."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def known() -> list[str]:
    """Return the steps, the last one first."""
    script = ScriptDirectory(str(Path(__file__).parent))
    return [step.revision for step in script.walk_revisions()]


def upgrade(connection: Connection) -> None:
    """Run the steps that the catalog lacks, in the connection's transaction."""
    command.upgrade(configured(connection), "head")
