"""The embedded sample, read as any vendor's files are."""

from importlib.resources import as_file, files
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from tilt.data.sources.delivery import (
    Delivery,
    Progress,
    Source,
    Vendor,
    check_tables,
    quiet,
)
from tilt.errors import ArgumentError
from tilt.settings import Settings

UNIVERSE = "US_LARGE_CAP"
DESCRIPTION = "Members of the S&P 500 with a price and a market cap, January 2011 to June 2017"
SURVIVORSHIP = (
    "Survivorship bias: prices exist only for companies that were index members in 2021, so every "
    "past return of this universe is too good."
)


class Sample:
    """US large caps, 2011 to mid-2017: see ``SOURCES.md`` beside the files for their origin."""

    name = "sample"

    def fetch(self, progress: Progress = quiet) -> Delivery:
        """Return the sample's tables and its portfolio ``SAMPLE``."""
        with as_file(files("tilt.data.sample")) as folder:
            tables = {
                name: pd.read_parquet(folder / f"{name}.parquet")
                for name in ("key_figures", "statements", "securities", "index_level")
            }
            tables["prices"] = _prices(folder)
            tables["symbol_changes"] = pd.read_csv(folder / "symbol_changes.csv")
            weights = pd.read_csv(folder / "portfolio.csv", index_col="ticker")["weight"]
        for name in ("key_figures", "statements", "index_level", "prices"):
            day = "period_end" if name == "statements" else "date"
            tables[name][day] = pd.to_datetime(tables[name][day])
        return Delivery(
            source=self.name,
            universe=UNIVERSE,
            description=DESCRIPTION,
            tables=check_tables(tables),
            survivorship=SURVIVORSHIP,
            calendar="XNYS",
            portfolios={"SAMPLE": weights},
        )


def _prices(folder: Path) -> pd.DataFrame:
    """Return the price table from its compact form: whole closes with decimals, sparse events."""
    table = pq.read_table(folder / "prices.parquet")
    close = table["close"].to_numpy() / 10.0 ** table["decimals"].to_numpy()
    prices: pd.DataFrame = table.select(["date", "ticker", "volume"]).to_pandas()
    prices["ticker"] = prices["ticker"].astype("str")
    prices["date"] = pd.to_datetime(prices["date"])
    prices["close"] = close
    prices["dividend"], prices["split"] = 0.0, 1.0
    events = pd.read_parquet(folder / "events.parquet")
    events["date"] = pd.to_datetime(events["date"])
    at = pd.MultiIndex.from_frame(prices[["date", "ticker"]])
    rows = at.get_indexer(pd.MultiIndex.from_frame(events[["date", "ticker"]]))
    for column in ("dividend", "split"):
        values = prices[column].to_numpy(dtype=float, copy=True)
        values[rows] = events[column].to_numpy(dtype=float)
        prices[column] = values
    prices["volume"] = prices["volume"].astype(np.float64)
    return prices


def open_sample(asked: str, settings: Settings) -> Source:  # noqa: ARG001 - as every vendor's
    """Return the sample, of which there is one.

    Raises
    ------
    ArgumentError
        If something else is asked for.
    """
    if asked:
        raise ArgumentError(f"The sample is named 'sample', with nothing behind it; got '{asked}'.")
    return Sample()


VENDOR = Vendor(
    title="Embedded sample, US large caps to 2017",
    kind="sample",
    gives=("prices", "key_figures", "statements", "securities", "index_level", "symbol_changes"),
    example="sample",
    open=open_sample,
    alone=True,
)
