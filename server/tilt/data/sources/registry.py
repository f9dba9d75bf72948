"""The table of sources: those that come with Tilt, and those that other packages register.

A package registers a :class:`~tilt.data.sources.Vendor` as an entry point of the group
``tilt.sources``; the entry point's name is what stands before the colon in the name of a source.
Those of Tilt are rows of the same table and are loaded the same way. A package that does not load
is listed with its error, and the others are not touched by it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import MappingProxyType

import pandas as pd

from tilt.data.sources.delivery import (
    Delivery,
    Incremental,
    Missing,
    Progress,
    Source,
    Vendor,
    quiet,
)
from tilt.errors import DataError, UnknownNameError, cut, did_you_mean
from tilt.settings import Settings

GROUP = "tilt.sources"
BUILT_IN: Mapping[str, str] = MappingProxyType(
    {
        "sample": "tilt.data.sources.sample:VENDOR",
        "files": "tilt.data.sources.files:VENDOR",
        "import": "tilt.data.sources.imported:VENDOR",
        "s3": "tilt.data.sources.s3:VENDOR",
        "sql": "tilt.data.sources.sql:VENDOR",
        "yahoo": "tilt.data.sources.yahoo:VENDOR",
        "bloomberg": "tilt.data.sources.bloomberg:VENDOR",
        "merge": "tilt.data.sources.merge:VENDOR",
    }
)
COLUMNS = ["name", "title", "kind", "available", "reason", "cure", "gives", "example"]


@dataclass(frozen=True)
class Row:
    """A row of the table: a vendor, or why there is none.

    vendor : None where the package does not load
    missing : None where it can be used
    """

    name: str
    vendor: Vendor | None
    missing: Missing | None


def entries() -> dict[str, EntryPoint]:
    """Return the entry point of each name, those of Tilt first; a name is taken only once."""
    own = [EntryPoint(name, value, GROUP) for name, value in BUILT_IN.items()]
    others = sorted(entry_points(group=GROUP), key=lambda e: (e.name.casefold(), e.value))
    table: dict[str, EntryPoint] = {}
    for entry in [*own, *others]:
        name = entry.name.strip().casefold()
        # a second one of the same name stays visible, under a name that nobody can mean
        while name in table and table[name].value != entry.value:
            name = f"{name} (again)"
        table[name] = entry
    return table


def rows(settings: Settings) -> list[Row]:
    """Return the whole table, each row loaded."""
    return [_row(name, entry, settings) for name, entry in entries().items()]


def _row(name: str, entry: EntryPoint, settings: Settings) -> Row:
    if name.endswith(" (again)"):
        words = f"Another package registers '{entry.name}' already ({entry.value})."
        return Row(name, None, Missing(words, "Rename the entry point, or remove one package."))
    try:
        vendor = _loaded(entry)
        return Row(name, vendor, vendor.missing(settings))
    except Exception as error:  # noqa: BLE001 - code of others may raise anything when it is loaded
        told = f"{type(error).__name__}: {cut(str(error), 120)}"
        package = entry.dist.name if entry.dist is not None else "Tilt"
        cure = f"Repair or remove the package '{package}'."
        return Row(name, None, Missing(f"It does not load: {told}.", cure))


def _loaded(entry: EntryPoint) -> Vendor:
    vendor = entry.load()
    if not isinstance(vendor, Vendor):
        raise TypeError(f"{entry.value} is a {type(vendor).__name__}, not a Vendor")
    return vendor


def listed(settings: Settings) -> pd.DataFrame:
    """Return the table for people: what there is, what can be used, and what to do otherwise.

    Returns
    -------
    name, title, kind, available, reason, cure, gives, example; no network is asked
    """
    table = [
        {
            "name": row.name,
            "title": row.vendor.title if row.vendor else row.name,
            "kind": row.vendor.kind if row.vendor else "",
            "available": row.missing is None,
            "reason": row.missing.reason if row.missing else "",
            "cure": row.missing.cure if row.missing else "",
            "gives": ", ".join(row.vendor.gives) if row.vendor else "",
            "example": row.vendor.example if row.vendor else "",
        }
        for row in rows(settings)
    ]
    return pd.DataFrame(table, columns=COLUMNS)


def find_source(name: str, settings: Settings) -> Source:
    """Return the source of a name: ``vendor:what``, or a folder, here or in the data folder.

    Raises
    ------
    UnknownNameError
        If it is none of them.
    DataError
        If the vendor cannot be used on this machine; the message says what to do.
    ArgumentError
        If what stands behind the colon is not what the vendor takes.
    """
    head, colon, asked = name.strip().partition(":")
    table = entries()
    prefix = head.strip().casefold()
    if prefix in table:
        row = _row(prefix, table[prefix], settings)
        if row.missing is not None:
            raise DataError(f"'{prefix}' cannot be used: {row.missing.reason} {row.missing.cure}")
        if row.vendor is not None and (colon or row.vendor.alone):
            return row.vendor.open(asked.strip(), settings)
    for path in (Path(name).expanduser(), settings.data_path / name):
        if path.exists() and name.strip():
            return find_source(f"files:{name.strip()}", settings)
    raise UnknownNameError(
        f"Unknown source '{cut(name)}'.{did_you_mean(head, table)} It must be 'sample', a folder "
        "with prices.csv or prices.parquet, or a vendor and what to ask it for: yahoo:AAPL,MSFT. "
        "'tilt sources' lists the vendors."
    )


def fetch(
    source: Source,
    *,
    held: Mapping[str, pd.DataFrame] | None = None,
    progress: Progress = quiet,
) -> Delivery:
    """Return what a source delivers, asking only for what is not held where it can do that.

    Parameters
    ----------
    held : tables of the last snapshot of this source; None if there is none
    """
    if held is not None and isinstance(source, Incremental):
        return source.fetch_since(held, progress)
    return source.fetch(progress)
