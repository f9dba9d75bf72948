"""What every source delivers, and how it is asked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import pandas as pd

from tilt.data.findings import Finding
from tilt.data.schema import PRICES, SCHEMAS, Schema, check_table, empty
from tilt.errors import DataError
from tilt.frames import Weights

UNKNOWN_BIAS = "It is not known whether this data holds the names that were delisted."


@dataclass(frozen=True, eq=False)
class Delivery:
    """One universe's tables as a source hands them over.

    tables       : by name, all tables of ``schema.SCHEMAS``, checked; without rows where the source
                   has none
    survivorship : one sentence on how biased the universe is
    portfolios   : by name, fraction of capital, cash left out
    findings     : what the source could not give, for the snapshot's findings
    """

    source: str
    universe: str
    description: str
    tables: Mapping[str, pd.DataFrame]
    survivorship: str = UNKNOWN_BIAS
    portfolios: Mapping[str, Weights] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()


class Source(Protocol):
    """A vendor, a folder, a database: it has a name and delivers tables."""

    @property
    def name(self) -> str: ...

    def fetch(self) -> Delivery: ...


def check_tables(
    given: Mapping[str, pd.DataFrame], origins: Mapping[str, str] | None = None
) -> dict[str, pd.DataFrame]:
    """Return every table of the schemas, checked, in order.

    Parameters
    ----------
    given : by table name
    origins : by table name, the file each came from, for the messages; the table's name otherwise

    Raises
    ------
    DataError
        If a table does not fit its schema, or there are no prices.
    """
    names = {} if origins is None else origins

    def checked(schema: Schema) -> pd.DataFrame:
        if schema.name not in given:
            return empty(schema)
        return check_table(given[schema.name], schema, origin=names.get(schema.name, schema.name))

    tables = {name: checked(schema) for name, schema in SCHEMAS.items()}
    if tables[PRICES.name].empty:
        raise DataError(
            f"There are no prices. A source needs a table 'prices' with {', '.join(PRICES.names)}."
        )
    return tables
