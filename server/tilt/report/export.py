"""A table as a file for other programs: CSV, Parquet or Excel, with where it comes from.

Every number is written with all its digits, so that reading the file back gives the same bits.
"""

import csv
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from tilt.data.reading.guarding import guarded
from tilt.errors import ArgumentError
from tilt.report.tables import starts_like_formula, write_cell

MOST_ROWS, MOST_COLUMNS = 1_048_575, 16_384
SUFFIXES = (".csv", ".parquet", ".xlsx")
ABOUT = "About"
_LONGEST_SHEET = 31


@dataclass(frozen=True, eq=False)
class Export:
    """One table and where it comes from.

    name  : what it is, such as ``prices``
    table : columns as the file will have them
    about : item and value: universe, snapshot, as_of and what else is to be known
    """

    name: str
    table: pd.DataFrame
    about: Mapping[str, str]


def write_export(path: Path, export: Export) -> list[Path]:
    """Write a table into a file whose ending says the kind, complete or not at all.

    Where it comes from stands in a sheet of its own, in the metadata of a Parquet file, and beside
    a CSV file in one that ends in ``.about.json``.

    Returns
    -------
    the files that were written

    Raises
    ------
    ArgumentError
        If the ending is none of ``SUFFIXES``, the table is larger than a sheet, or the file cannot
        be written.
    """
    kind = path.suffix.casefold()
    if kind not in SUFFIXES:
        raise ArgumentError(
            f"'{path.name}' ends in no kind that can be written. End it in {', '.join(SUFFIXES)}."
        )
    if kind == ".parquet":
        with _replacing(path) as draft:
            _write_parquet(draft, export)
        return [path]
    if kind == ".xlsx":
        _check_size(export)
        with _replacing(path) as draft:
            _write_workbook(draft, export)
        return [path]
    beside = path.with_name(f"{path.name}.about.json")
    with _replacing(path) as draft:
        _write_text(draft, export)
    with _replacing(beside) as draft:
        draft.write_text(json.dumps(dict(export.about), indent=2) + "\n", encoding="utf-8")
    return [path, beside]


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """Give a file beside ``path`` that takes its place at the end of the block."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".tilt-", suffix=path.suffix, dir=path.parent)
    except OSError as error:
        raise ArgumentError(f"Cannot write to {path.parent}: {error.strerror}.") from None
    os.close(handle)
    draft = Path(name)
    try:
        yield draft
        draft.replace(path)
    except OSError as error:
        raise ArgumentError(
            f"Cannot write {path}: {error.strerror}. Close it in other programs, or choose another "
            "place."
        ) from None
    finally:
        draft.unlink(missing_ok=True)


def _write_text(path: Path, export: Export) -> None:
    table = export.table
    texts = [c for c in table.columns if isinstance(table[c].dtype, pd.StringDtype)]
    safe = table.assign(**{c: guarded(table[c]) for c in texts})
    names = guarded(pd.Series([str(c) for c in table.columns], dtype="str"))
    safe.set_axis(names, axis=1).to_csv(
        path, index=False, encoding="utf-8", date_format="%Y-%m-%d", quoting=csv.QUOTE_MINIMAL
    )


def _write_parquet(path: Path, export: Export) -> None:
    arrow = pa.Table.from_pandas(export.table, preserve_index=False)
    about = {"tilt": json.dumps(dict(export.about))}
    arrow = arrow.replace_schema_metadata({**(arrow.schema.metadata or {}), **about})
    pq.write_table(arrow, path, compression="zstd", write_page_checksum=True)


def _check_size(export: Export) -> None:
    rows, columns = export.table.shape
    if rows > MOST_ROWS or columns > MOST_COLUMNS:
        raise ArgumentError(
            f"{export.name} has {rows:,} rows and {columns:,} columns, more than a sheet can hold. "
            "Export it as .csv or .parquet, or fewer dates."
        )


def _write_workbook(path: Path, export: Export) -> None:
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with Workbook(str(path), options) as book:
        book.set_properties({"title": export.name, "author": "Tilt"})
        plain, quoted = book.add_format(), book.add_format({"quote_prefix": True})
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        page: Worksheet = book.add_worksheet(export.name[:_LONGEST_SHEET])
        page.freeze_panes(1, 1)

        def write(row: int, column: int, value: object) -> None:
            text = isinstance(value, str) and starts_like_formula(value)
            style = day if isinstance(value, pd.Timestamp) else quoted if text else plain
            write_cell(page, row, column, value, style)

        for at, name in enumerate(export.table.columns):
            write(0, at, str(name))
        for row, values in enumerate(export.table.itertuples(index=False, name=None), 1):
            for at, value in enumerate(values):
                if value == value:  # a missing value is a cell that is not there
                    write(row, at, value)
        about = book.add_worksheet(ABOUT)
        for row, (item, value) in enumerate(export.about.items()):
            write_cell(about, row, 0, item, plain)
            write_cell(about, row, 1, value, plain)
