"""Parquet files: columns with their own types."""

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from tilt.data.reading.opening import Content
from tilt.data.reading.raw import Raw
from tilt.errors import DataError

MOST_ROWS = 50_000_000
MOST_CELLS = 500_000_000


def read_parquet(content: Content) -> Raw:
    """Return the table of a Parquet file; a frame's saved index is its first column.

    Raises
    ------
    DataError
        If it cannot be read, a page is damaged, or it holds more than the limits.
    """
    try:
        file = pq.ParquetFile(pa.BufferReader(content.data), page_checksum_verification=True)
        rows, width = file.metadata.num_rows, file.metadata.num_columns
        if rows > MOST_ROWS or rows * width > MOST_CELLS:
            raise DataError(
                f"{content.name} has {rows:,} rows of {width:,} columns; at most {MOST_ROWS:,} "
                f"rows and {MOST_CELLS:,} cells are read. Split it."
            )
        table = file.read()
    except (pa.ArrowInvalid, OSError, pa.ArrowNotImplementedError) as error:
        raise DataError(
            f"{content.name} is no readable Parquet file: {str(error).splitlines()[0]}."
        ) from None
    nested = next((f.name for f in table.schema if pa.types.is_nested(f.type)), None)
    if nested is not None:
        raise DataError(f"{content.name} column '{nested}' holds lists. Save one value a cell.")
    names = _in_order(table)
    raw = Raw(
        origin=content.name,
        label=content.stem,
        headers=["" if n.startswith("__index_level_") else n for n in names],
        columns=[_column(table.column(n)) for n in names],
        row=lambda place: place + 1,
    )
    raw.note("format", "Parquet")
    return raw


def _in_order(table: pa.Table) -> list[str]:
    """Return the names of the columns, those of a saved index first."""
    meta = table.schema.pandas_metadata or {}
    index = [n for n in meta.get("index_columns", []) if isinstance(n, str)]
    index = [n for n in index if n in table.column_names]
    return [*index, *(n for n in table.column_names if n not in index)]


def _column(values: pa.ChunkedArray) -> "pd.Series[str]":
    """Return a column; text that is kept as codes becomes plain text."""
    if pa.types.is_dictionary(values.type) and pa.types.is_large_string(values.type.value_type):
        values = values.cast(pa.large_string())
    elif pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    series: pd.Series[str] = values.to_pandas(date_as_object=False)
    return series
