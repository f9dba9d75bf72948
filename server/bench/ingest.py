"""Files of prices, caps and sectors to take in, as large as one likes."""

from pathlib import Path

import numpy as np
import pandas as pd


def generated(folder: Path, *, days: int, names: int) -> int:
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
