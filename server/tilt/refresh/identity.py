"""The id of a snapshot: that of its content, and of the code that made it."""

import hashlib
from functools import cache
from pathlib import Path

import pandas as pd

from tilt import data, factors, frames, risk
from tilt.data.known import REPORTING_LAG, first_versions
from tilt.data.schema import STATEMENTS
from tilt.data.sources.delivery import Delivery
from tilt.frames import content_id


def snapshot_id(delivery: Delivery, *, reporting_lag: int = REPORTING_LAG) -> str:
    """Return the id of the snapshot that a delivery becomes.

    The day on which a statement was first seen counts for restatements only: they are known from
    then. So the same data fetched on another day, or on another machine, is the same snapshot.
    """
    about = [delivery.source, delivery.universe, delivery.description, delivery.survivorship]
    tables = dict(delivery.tables)
    tables[STATEMENTS.name] = _without_first_sight(tables[STATEMENTS.name])
    return content_id(about, reporting_lag, delivery.findings, tables, engine_id())


def _without_first_sight(statements: pd.DataFrame) -> pd.DataFrame:
    first = first_versions(statements)
    return statements.assign(fetched=statements["fetched"].mask(first))


@cache
def engine_id() -> str:
    """Return the hash of the code whose results a snapshot keeps."""
    digest = hashlib.sha256(Path(frames.__file__).read_bytes())
    folders = [*data.__path__, *factors.__path__, *risk.__path__, str(Path(__file__).parent)]
    for folder in folders:
        for module in sorted(Path(folder).rglob("*.py")):
            digest.update(module.name.encode() + b"\x00" + module.read_bytes())
    return digest.hexdigest()
