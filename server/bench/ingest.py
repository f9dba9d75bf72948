"""The ingest of a large price file: 1.9 million rows, checks and factors included."""

import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from bench.measuring import Row
from tilt.data.store import Store
from tilt.refresh import refresh
from tilt.settings import Settings

DAYS, NAMES = 4445, 433  # 1,924,685 rows


def ingest() -> Iterator[Row]:
    """Refresh from a generated folder: prices of 433 names over 17 years, and monthly caps."""
    with tempfile.TemporaryDirectory() as folder:
        rows = generated(Path(folder) / "large")
        settings = Settings(data_url=str(Path(folder) / "store"))
        store = Store.open(settings)
        start = time.perf_counter()
        refresh(store, settings, source=str(Path(folder) / "large"))
        seconds = time.perf_counter() - start
        store.close()
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**30
    yield Row(f"ingest of {rows:,} price rows, checks to snapshot; peak {peak:.2f} GiB", seconds)


def generated(folder: Path, *, days: int = DAYS, names: int = NAMES) -> int:
    """Write the files, seeded, and return how many rows of prices they have."""
    rng = np.random.default_rng(7)
    dates = pd.bdate_range("2000-01-03", periods=days)
    tickers = [f"N{i:03d}" for i in range(names)]
    steps = 0.01 * rng.normal(size=(days, 1)) + 0.015 * rng.normal(size=(days, names))
    close = np.round(50 * np.exp(np.cumsum(steps - 0.00016, axis=0)), 2).clip(min=0.5)
    prices = pd.DataFrame(
        {
            "date": np.repeat(dates.to_numpy(), names),
            "ticker": np.tile(tickers, days),
            "close": close.ravel(),
            "adj_close": close.ravel(),
            "volume": rng.integers(10**5, 10**7, close.size).astype(float),
            "dividend": 0.0,
            "split": 1.0,
        }
    )
    folder.mkdir(parents=True)
    prices.to_parquet(folder / "prices.parquet")
    listed = range(0, days, 21)
    figures = [
        pd.DataFrame({"date": dates[i], "symbol": tickers, "price": close[i]}) for i in listed
    ]
    caps = pd.concat(figures, ignore_index=True)
    caps.assign(market_cap=caps["price"] * 1e9).to_parquet(folder / "key_figures.parquet")
    sectors = [f"Sector {i % 10}" for i in range(names)]
    pd.DataFrame({"ticker": tickers, "sector": sectors}).to_parquet(folder / "securities.parquet")
    return len(prices)
