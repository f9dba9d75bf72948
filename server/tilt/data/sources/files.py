"""A folder of CSV or Parquet files, one for each table of ``tilt.data.schema``."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa

from tilt.data.schema import SCHEMAS
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

READERS = {".csv": "CSV", ".parquet": "Parquet"}


@dataclass(frozen=True)
class Files:
    """A user's own files: ``prices.csv`` (or ``.parquet``) and any other table, in one folder.

    folder       : the folder
    universe     : the name cells will know the universe by
    description  : one line about it
    survivorship : one sentence on its bias
    """

    folder: Path
    universe: str
    description: str = ""
    survivorship: str = UNKNOWN_BIAS

    @property
    def name(self) -> str:
        return f"files:{self.folder.name}"

    def fetch(self, progress: Progress = quiet) -> Delivery:
        """Return the tables of the folder.

        Raises
        ------
        ArgumentError
            If there is no such folder.
        DataError
            If a file cannot be read, is there twice, or does not fit its schema.
        """
        if not self.folder.is_dir():
            raise ArgumentError(f"There is no folder '{self.folder}'.")
        paths = {name: _found(self.folder, name) for name in SCHEMAS}
        tables = {name: _read(path) for name, path in paths.items() if path is not None}
        origins = {name: path.name for name, path in paths.items() if path is not None}
        return Delivery(
            source=self.name,
            universe=self.universe,
            description=self.description or f"Files of {self.folder.name}",
            tables=check_tables(tables, origins),
            survivorship=self.survivorship,
        )


def _found(folder: Path, name: str) -> Path | None:
    paths = [folder / f"{name}{suffix}" for suffix in READERS]
    there = [p for p in paths if p.is_file()]
    if len(there) > 1:
        raise DataError(f"{there[0].name} and {there[1].name} are both there. Remove one of them.")
    return there[0] if there else None


def _read(path: Path) -> pd.DataFrame:
    try:
        if path.suffix == ".parquet":
            return pd.read_parquet(path)
        # text stays text: "NA" is a ticker, and a symbol 0123 keeps its zero
        return pd.read_csv(path, dtype="str", keep_default_na=False, na_values=[""])
    except (pd.errors.ParserError, pd.errors.EmptyDataError, pa.ArrowInvalid, ValueError) as error:
        raise DataError(
            f"{path.name} is not a readable {READERS[path.suffix]} file: "
            f"{str(error).splitlines()[0]}"
        ) from None


def open_files(asked: str, settings: Settings) -> Source:
    """Return the source of a folder, here or in the data folder.

    Raises
    ------
    ArgumentError
        If there is no such folder.
    """
    for folder in (Path(asked).expanduser(), settings.data_path / asked):
        if folder.is_dir():
            return Files(folder, universe=folder.absolute().name.upper())
    raise ArgumentError(f"There is no folder '{asked}', here or in the data folder.")


VENDOR = Vendor(
    title="Files of your own",
    kind="files",
    gives=tuple(SCHEMAS),
    example="files:folder",
    open=open_files,
)
