"""Reads of a large panel from Parquet by DuckDB and polars."""

from pathlib import Path

import duckdb
import numpy as np
import polars as pl
from timing import Timed, main, timed


def by_duckdb(p: dict[str, np.ndarray]) -> Timed:
    """Read the columns and the days that are asked for; without days, whole columns."""
    names = ", ".join(f'"{n}"' for n in p["names"])
    query = f"select {names} from '{Path(str(p['parquet']))}'"  # noqa: S608 - our own file
    if str(p["first"]):
        query += f" where date >= '{p['first']}'"
    connection = duckdb.connect()
    return timed(lambda: connection.sql(query).to_arrow_table(), "duckdb", runs=5)


def by_polars(p: dict[str, np.ndarray]) -> Timed:
    """Read the same by a lazy scan."""
    lazy = pl.scan_parquet(str(p["parquet"]))
    if str(p["first"]):
        since = np.datetime64(str(p["first"])).astype("M8[us]").item()
        lazy = lazy.filter(pl.col("date") >= since)
    names = [str(n) for n in p["names"]]
    return timed(lambda: lazy.select(names).collect(), "polars", runs=5)


if __name__ == "__main__":
    main({"duckdb": by_duckdb, "polars": by_polars})
