"""Data from a file: what was made of it, shown before anybody accepts it."""

import base64
from collections.abc import Mapping
from dataclasses import asdict
from typing import Literal

import pandas as pd
from fastapi import APIRouter, Request
from pydantic import Field

from tilt.api.frames import split
from tilt.api.running import Running
from tilt.api.v1.asking import Body, StrictRoute, in_pool, owner_of
from tilt.api.v1.data import started
from tilt.data.named import open_files
from tilt.data.reading.door import read_files
from tilt.data.reading.headers import READ_SCHEMAS
from tilt.data.reading.notes import Asked, Reading
from tilt.data.reading.opening import open_bytes
from tilt.data.schema import PRICES
from tilt.data.sources.imported import (
    PREFIX,
    keep,
    kept_tables,
    require_free,
    universe_name,
)
from tilt.errors import DataError

router = APIRouter(tags=["data"], route_class=StrictRoute)

SHOWN = 5  # rows of each table
NO_PRICES = "Kept. There are no prices of {} yet: add a file of prices, and it is a universe."


class FileBody(Body):
    """A file, and what its owner says about it; what is left out is detected."""

    file: str = Field(description="Its bytes, in base64.")
    name: str = Field(max_length=260, description="What it is called, with its ending.")
    kind: Literal["", "prices", "fundamentals", "securities"] = ""
    field: str = Field(
        default="", max_length=60, description="What the values of a wide table are, such as close."
    )
    sheet: str = Field(default="", max_length=60, description="The sheet of a workbook.")
    dates: Literal["", "day-first", "month-first"] = ""
    decimal: Literal["", ".", ","] = ""
    delimiter: Literal["", ",", ";", "|", "tab", "\t"] = ""

    def read(self) -> Reading:
        """Return the tables of the file.

        Raises
        ------
        DataError
            If it did not arrive whole, or cannot be read.
        """
        try:
            raw = base64.b64decode(self.file, validate=True)
        except ValueError:  # also of letters that are not ASCII
            raise DataError(f"'{self.name}' did not arrive whole. Choose the file again.") from None
        asked = Asked(
            kind=self.kind,
            field=self.field,
            sheet=self.sheet,
            dates=self.dates,
            decimal=self.decimal,
            delimiter="\t" if self.delimiter == "tab" else self.delimiter,
        )
        return read_files([open_bytes(self.name, raw)], asked)


class ImportBody(FileBody):
    """A file that is accepted, and the universe that it goes into."""

    universe: str = Field(max_length=100, description="One of imported files, or a new one.")


@router.post("/uploads/data")
async def read_data(body: FileBody, request: Request) -> dict[str, object]:
    """Say what is in a file of prices, fundamentals or securities, and how it was read.

    Nothing is kept. ``tables`` has name, rows, names, first, last; ``notes`` has what was detected:
    delimiter, decimal sign, order of dates, wide or long; ``samples`` has the first rows.
    """

    def work(_: Running) -> dict[str, object]:
        reading = body.read()
        return {
            "tables": split(table_summary(reading.tables)),
            "notes": split(note_table(reading)),
            "samples": {name: split(table.head(SHOWN)) for name, table in reading.tables.items()},
        }

    return await in_pool(request, work)


@router.post("/data/import", status_code=202)
async def import_data(body: ImportBody, request: Request) -> dict[str, object]:
    """Keep a file's tables under a universe's name, and refresh that as a job.

    ``tables`` says how many rows each table gained; ``job`` is null, and ``next`` says why, as long
    as there are no prices under the name.
    """
    owner = owner_of(request)

    def work(tilt: Running) -> dict[str, object]:
        store, files = tilt.state.store, open_files(tilt.state.settings)
        universe = universe_name(body.universe)
        require_free({s.universe: s.source for s in store.snapshots()}, universe)
        kept = keep(store.catalog, files, universe, body.read())
        has_prices = PRICES.name in kept_tables(files, universe)
        source = f"{PREFIX}{universe}"
        job = started(tilt, owner, source=source, universe=universe) if has_prices else None
        return {
            "universe": universe,
            "tables": split(pd.DataFrame([asdict(k) for k in kept])),
            "job": job,
            "next": "" if has_prices else NO_PRICES.format(universe),
        }

    return await in_pool(request, work)


def table_summary(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return name, rows, names, first, last of tables: how many securities, from when to when."""
    rows = []
    for name, table in tables.items():
        key = READ_SCHEMAS[name].key
        days = next((table[k].dropna() for k in key if k in DAYS and k in table), None)
        who = next((table[k].nunique() for k in key if k in WHO and k in table), 0)
        first, last = (None, None) if days is None or days.empty else (days.min(), days.max())
        rows.append((name, len(table), int(who), first, last))
    return pd.DataFrame(rows, columns=["name", "rows", "names", "first", "last"])


DAYS, WHO = ("date", "period_end"), ("ticker", "symbol")


def note_table(reading: Reading) -> pd.DataFrame:
    """Return origin, what, text of each thing that was detected or done."""
    return pd.DataFrame(
        [(n.origin, n.what, n.text) for n in reading.notes], columns=["origin", "what", "text"]
    )
