"""What every source delivers, and how it is asked."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import pandas as pd

from tilt.data.findings import Finding
from tilt.data.schema import PRICES, SCHEMAS, Schema, check_table, empty
from tilt.errors import DataError
from tilt.frames import Weights
from tilt.settings import Settings

Progress = Callable[[float], None]  # told the fraction that is done

UNKNOWN_BIAS = "It is not known whether this data holds the names that were delisted."


@dataclass(frozen=True, eq=False)
class Delivery:
    """One universe's tables as a source hands them over.

    tables       : by name, all tables of ``schema.SCHEMAS``, checked; without rows where the source
                   has none. A merge adds its ``provenance`` and the tables of each of its sources
    survivorship : one sentence on how biased the universe is
    portfolios   : by name, fraction of capital, cash left out
    findings     : what the source could not give, for the snapshot's findings
    calendar     : the exchange whose trading days are expected, its MIC; empty: that of most of
                   the securities
    """

    source: str
    universe: str
    description: str
    tables: Mapping[str, pd.DataFrame]
    survivorship: str = UNKNOWN_BIAS
    portfolios: Mapping[str, Weights] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    calendar: str = ""


def quiet(fraction: float) -> None:
    """Report nothing."""


class Source(Protocol):
    """Names at a vendor, a folder, a query: what one universe is made of."""

    @property
    def name(self) -> str:
        """What ``find_source`` finds it by again; the catalog keeps it beside the snapshot."""

    def fetch(self, progress: Progress = quiet) -> Delivery:
        """Return everything the source has.

        Raises
        ------
        TiltError
            If it cannot: ``BusyError`` where trying later may help, else what is wrong.
        """


@runtime_checkable
class Incremental(Source, Protocol):
    """A source that can be asked for the days after those the store has."""

    def fetch_since(self, held: Mapping[str, pd.DataFrame], progress: Progress = quiet) -> Delivery:
        """Return what :meth:`fetch` would, asking only for what ``held`` lacks.

        Some of the days that are held are asked for again, to notice a past that was restated.

        Parameters
        ----------
        held : tables of the last snapshot of this source
        """


@dataclass(frozen=True)
class Missing:
    """Why a source cannot be used on this machine, and what to do about it."""

    reason: str
    cure: str


def never(settings: Settings) -> None:
    """Return None: nothing is missing."""


@dataclass(frozen=True)
class Vendor:
    """One row of the table of sources; what a package registers under ``tilt.sources``.

    title   : its name for people
    kind    : vendor, files, database, sample, merge, or a word of your own
    gives   : tables of ``schema.SCHEMAS``, or ``table.column`` where it gives only that
    example : what to write after ``--source``
    open    : makes the source from what stands behind the colon and the settings; asks no network
    missing : why it cannot be used here, None if it can; asks no network
    alone   : whether the name without a colon is a source
    """

    title: str
    kind: str
    gives: tuple[str, ...]
    example: str
    open: Callable[[str, Settings], Source]
    missing: Callable[[Settings], Missing | None] = never
    alone: bool = False


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
