"""Small made-up deliveries, and the steps that turn them into a panel or a snapshot."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tilt.data.panel import Built, build_panel
from tilt.data.quality import PriceReview, review_prices
from tilt.data.record import Record
from tilt.data.returns import market_of
from tilt.data.sources.delivery import Delivery, check_tables
from tilt.data.store import Snapshot, Store
from tilt.settings import Settings

sys.path.insert(0, str(Path(__file__).parent))  # yahoo_server

Events = dict[tuple[str, str], float]


class Make:
    """Builders of tables; events are given by (date, ticker)."""

    @staticmethod
    def walk(
        days: int, names: list[str], *, seed: int = 3, start: str = "2015-01-01"
    ) -> pd.DataFrame:
        """Closes that wander by one per cent a day from 50."""
        rng = np.random.default_rng(seed)
        dates = pd.bdate_range(start, periods=days)
        steps = 0.01 * rng.standard_normal((days, len(names)))
        return pd.DataFrame(50 * np.exp(steps.cumsum(axis=0)), index=dates, columns=names)

    @staticmethod
    def prices(
        close: pd.DataFrame,
        *,
        dividend: Events | None = None,
        split: Events | None = None,
        volume: float = 1e6,
    ) -> pd.DataFrame:
        """The long price table of wide closes."""
        wide = close.rename_axis(index="date", columns="ticker")
        long = wide.reset_index().melt("date", var_name="ticker", value_name="close").dropna()
        long = long.assign(volume=volume, dividend=0.0, split=1.0)
        for column, values in (("dividend", dividend), ("split", split)):
            for (date, ticker), value in (values or {}).items():
                at = (long["date"] == pd.Timestamp(date)) & (long["ticker"] == ticker)
                assert at.sum() == 1
                long.loc[at, column] = value
        return long

    @staticmethod
    def figures(close: pd.DataFrame, *dates: str, shares: float = 1e9) -> pd.DataFrame:
        """Key figures that agree with the closes: book value 20 and earnings 3 a share."""
        lists = []
        for date in dates:
            row = close.loc[:date].iloc[-1]
            price = row.to_numpy()
            columns = {
                "date": pd.Timestamp(date),
                "symbol": row.index,
                "price": price,
                "market_cap": price * shares,
                "book_value": 20.0,
                "earnings": 3.0,
                "price_to_book": price / 20.0,
                "price_to_earnings": price / 3.0,
                "price_to_sales": 2.0,
                "ebitda": 5e9,
                "dividend_yield": 0.02,
                "sector": "Industrials",
            }
            lists.append(pd.DataFrame(columns))
        return pd.concat(lists, ignore_index=True)

    @staticmethod
    def delivery(tables: dict[str, pd.DataFrame], universe: str = "TEST") -> Delivery:
        return Delivery(
            source="test", universe=universe, description="made up", tables=check_tables(tables)
        )

    def panel(self, **tables: pd.DataFrame) -> Built:
        return build_panel(self.delivery(tables))

    @staticmethod
    def review(prices: pd.DataFrame) -> PriceReview:
        return review_prices(market_of(prices))

    @staticmethod
    def publish(store: Store, given: Delivery, snapshot: str) -> Snapshot:
        return store.publish(snapshot, given, Make.record(given))

    @staticmethod
    def record(given: Delivery) -> Record:
        built = build_panel(given)
        return Record(given.tables, built.panel, built.findings)

    def small(self, universe: str = "TEST", seed: int = 3) -> Delivery:
        close = self.walk(60, [f"N{i}" for i in range(8)], seed=seed)
        tables = {"prices": self.prices(close), "key_figures": self.figures(close, "2015-01-20")}
        return self.delivery(tables, universe)


@pytest.fixture(scope="session")
def make() -> Make:
    return Make()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_url=str(tmp_path / "store"), default_universe="TEST")
