"""A folder of files, or one file: CSV, Excel or Parquet, wide or long, as people have them."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from tilt.data.findings import Finding, noted
from tilt.data.reading.door import NO_ASKED, read_files
from tilt.data.reading.notes import Asked, Note, Reading
from tilt.data.reading.opening import Content, is_readable, open_path, stem_of
from tilt.data.reading.unreadable import TABLE as UNREADABLE
from tilt.data.reading.unreadable import unreadable_findings
from tilt.data.schema import PRICES, SCHEMAS
from tilt.data.sources.delivery import (
    UNKNOWN_BIAS,
    Delivery,
    Progress,
    Source,
    Vendor,
    check_tables,
    quiet,
)
from tilt.errors import ArgumentError, DataError
from tilt.settings import Settings

READ_AS = "read_as"  # the check under which a snapshot keeps how its files were read


@dataclass(frozen=True)
class Files:
    """A user's own files: ``prices.csv`` and any other table, in one folder, or in one workbook.

    folder       : the folder, or one file
    universe     : the name cells will know the universe by
    description  : one line about it
    survivorship : one sentence on its bias
    asked        : what the user says about the files
    given        : how the folder was named, to find it again
    """

    folder: Path
    universe: str
    description: str = ""
    survivorship: str = UNKNOWN_BIAS
    asked: Asked = NO_ASKED
    given: str = ""

    @property
    def name(self) -> str:
        return f"files:{self.given or self.folder}"

    def fetch(self, progress: Progress = quiet) -> Delivery:
        """Return the tables of the folder; how its files were read is in the findings.

        Raises
        ------
        ArgumentError
            If there is no such folder or file.
        DataError
            If a file cannot be read, a table is there twice, or does not fit its schema.
        """
        if self.folder.is_dir():
            names = sorted(p.name for p in self.folder.iterdir() if p.is_file())
            paths = [self.folder / n for n in without_twins([n for n in names if is_readable(n)])]
            if not paths:
                raise DataError(
                    f"'{self.folder}' holds no file that can be read. Put prices.csv, .xlsx or "
                    ".parquet into it."
                )
        elif self.folder.is_file():
            paths = [self.folder]
        else:
            raise ArgumentError(f"There is no folder or file '{self.folder}'.")
        reading = read_files(_opened(paths, progress), self.asked, lenient=self.folder.is_dir())
        return deliver(
            reading,
            source=self.name,
            universe=self.universe,
            description=self.description or f"Files of {self.folder.name}",
            survivorship=self.survivorship,
        )


def without_twins(names: list[str]) -> list[str]:
    """Return names of files.

    Raises
    ------
    DataError
        If two of them are the same table by their names.
    """
    seen: dict[str, str] = {}
    for name in names:
        table = stem_of(name).casefold()
        if table in SCHEMAS and table in seen:
            raise DataError(f"{seen[table]} and {name} are both there. Remove one of them.")
        seen[table] = name
    return names


def _opened(paths: list[Path], progress: Progress) -> Iterable[Content]:
    for done, path in enumerate(paths):
        progress(done / len(paths))
        yield open_path(path)
    progress(1.0)


def deliver(
    reading: Reading,
    *,
    source: str,
    universe: str,
    description: str,
    survivorship: str = UNKNOWN_BIAS,
) -> Delivery:
    """Return what was read as a delivery, with a finding for each file on how it was read.

    Cells that could not be read are a table of it, and a finding each.

    Raises
    ------
    DataError
        If there are no prices, or a table does not fit its schema.
    """
    own = {name: table for name, table in reading.tables.items() if name in SCHEMAS}
    tables = check_tables(own)
    last = pd.Timestamp(tables[PRICES.name]["date"].max())
    unreadable = reading.unreadable
    cells = {UNREADABLE: unreadable} if len(unreadable) else {}
    return Delivery(
        source=source,
        universe=universe,
        description=description,
        tables={**tables, **cells},
        survivorship=survivorship,
        findings=(*_said(reading.notes, last), *unreadable_findings(unreadable, last)),
    )


def _said(notes: Iterable[Note], last: pd.Timestamp) -> list[Finding]:
    """Return one finding a file: how it was read."""
    by_origin: dict[str, list[str]] = {}
    for note in notes:
        by_origin.setdefault(note.origin, []).append(note.text.replace(" | ", " ; "))
    return [
        noted(
            last,
            READ_AS,
            f"{f'{origin}: ' if origin else ''}{'; '.join(texts)} | Kept as it was read.",
            severity="info",
        )
        for origin, texts in by_origin.items()
    ]


def open_files_source(asked: str, settings: Settings) -> Source:
    """Return the source of a folder or a file, here or in the data folder.

    Raises
    ------
    ArgumentError
        If there is none of that name.
    """
    for path in (Path(asked).expanduser(), settings.data_path / asked):
        if asked and path.exists():
            universe = stem_of(path.absolute().name) if path.is_file() else path.absolute().name
            return Files(path, universe=universe.upper(), given=asked)
    raise ArgumentError(f"There is no folder or file '{asked}', here or in {settings.data_path}.")


VENDOR = Vendor(
    title="Files: CSV, Excel or Parquet",
    kind="files",
    gives=tuple(SCHEMAS),
    example="files:/data/my_universe",
    open=open_files_source,
)
