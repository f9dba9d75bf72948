"""Row G: reads of a large panel through the serving cache, beside the same from Parquet."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from bench.measuring import Peer, Row, Target, median_seconds
from bench.peers import beside
from tilt.data.cache import Cache

DAYS, NAMES = 5040, 3000
ASKED, YEARS = 500, 10


def reads() -> Iterator[Row]:
    """One stock's history, one date, 500 stocks through ten years, of 3000 names and 20 years."""
    rng = np.random.default_rng(11)
    dates = pd.bdate_range("2000-01-03", periods=DAYS, name="date").as_unit("us")
    names = pd.Index([f"N{i:04d}" for i in range(NAMES)], name="ticker", dtype="str")
    frame = pd.DataFrame(rng.standard_normal((DAYS, NAMES)), index=dates, columns=names)
    asked = [str(n) for n in rng.choice(names, ASKED, replace=False)]
    first, day = dates[DAYS - 252 * YEARS], dates[DAYS // 2]
    with tempfile.TemporaryDirectory() as folder:
        wide = Path(folder) / "wide.parquet"
        pq.write_table(pa.Table.from_pandas(frame), wide)
        turned = Path(folder) / "turned.parquet"  # a column by date, as a peer would keep it
        columns = [f"{d:%Y-%m-%d}" for d in dates]
        pq.write_table(pa.Table.from_arrays(list(frame.to_numpy()), columns), turned)

        def build(_: str) -> pd.DataFrame:
            return frame

        def opened() -> None:
            cache = Cache(Path(folder) / "cache", 2**30)
            cache.matrix("bench", "BENCH", "close", build)
            cache.close()

        yield Row(
            "open a field of 3000 x 5040 in the serving cache, checked", median_seconds(opened)
        )
        cache = Cache(Path(folder) / "cache", 2**30)

        def history(tickers: list[str], start: pd.Timestamp | None) -> pd.DataFrame:
            return cache.matrix("bench", "BENCH", "close", build).history(tickers, start, None)

        def peers(file: Path, columns: list[str], first: str = "") -> tuple[Peer, ...]:
            asked = {"parquet": str(file), "names": np.array(columns), "first": first}
            return beside("reading", ("duckdb", "polars"), asked)

        yield Row(
            "one stock's history of a 3000 x 5040 panel",
            median_seconds(lambda: history(asked[:1], None), runs=51),
            peers=peers(wide, asked[:1]),
            target=Target(0.001, 0.0002, "DuckDB", 0.004),
        )
        yield Row(
            "one date of a 3000 x 5040 panel",
            median_seconds(
                lambda: cache.matrix("bench", "BENCH", "close", build).cross_section(day), runs=51
            ),
            peers=peers(turned, [f"{day:%Y-%m-%d}"]),
            target=Target(0.001, 0.0002, "DuckDB", 0.004),
        )
        yield Row(
            "500 stocks x 10 years of a 3000 x 5040 panel",
            median_seconds(lambda: history(asked, first), runs=21),
            peers=peers(wide, asked, f"{first:%Y-%m-%d}"),
            target=Target(0.010, 0.003, "DuckDB", 0.093),
        )
        cache.close()
