"""A made-up market: prices with a market, caps, book values and earnings, all seeded."""

import numpy as np
import pandas as pd
import pytest

from tilt.frames import Panel

DAYS, NAMES, FIRST_CAPS = 420, 80, 300


@pytest.fixture(scope="session")
def made_up() -> Panel:
    rng = np.random.default_rng(7)
    dates = pd.bdate_range("2012-01-02", periods=DAYS)
    assets = pd.Index([f"A{i:02d}" for i in range(NAMES)])
    market = 0.009 * rng.standard_normal(DAYS)
    own = 0.01 * np.exp(0.4 * rng.standard_normal(NAMES))
    slope = 1 + 0.3 * rng.standard_normal(NAMES)
    r = market[:, None] * slope + own * rng.standard_normal((DAYS, NAMES))
    close = 50 * np.exp(np.cumsum(np.log1p(r), axis=0))
    shares = np.exp(17 + rng.standard_normal(NAMES))
    cap = close * shares
    cap[:FIRST_CAPS] = np.nan
    close[:, 5] = np.where(np.arange(DAYS) < 360, np.nan, close[:, 5])  # lists late
    cap[:, 5] = np.where(np.arange(DAYS) < 360, np.nan, cap[:, 5])
    r[:361, 5] = np.nan
    r[0] = np.nan
    r[395, 9] = np.nan  # one day is missing
    member = np.ones((DAYS, NAMES), dtype=bool)
    member[:, 70:73] = False  # priced, but not in the universe
    member[380:, 11] = False  # leaves
    book = np.broadcast_to(shares * 25 * np.exp(0.5 * rng.standard_normal(NAMES)), cap.shape).copy()
    earnings = book * 0.12 * np.exp(0.4 * rng.standard_normal(NAMES))
    book[:, 3] = np.nan
    book[:, 4] *= -1

    def frame(values: np.ndarray) -> pd.DataFrame:
        return pd.DataFrame(values, index=dates, columns=assets)

    sectors = [("Energy", "Financials", "Health Care", "Utilities")[i % 4] for i in range(NAMES)]
    return Panel(
        universe="MADE_UP",
        snapshot="0",
        securities=pd.DataFrame(
            {"name": assets, "sector": sectors, "industry": sectors}, index=assets
        ),
        close=frame(close),
        returns=frame(r),
        volume=frame(np.full(cap.shape, 1e6)),
        market_cap=frame(cap),
        member=frame(member).astype(bool),
        fundamentals={
            "book_value": frame(book),
            "earnings": frame(earnings),
            "book_to_price": frame(book / cap),
            "earnings_to_price": frame(earnings / cap),
            "gross_profitability": frame(
                np.broadcast_to(rng.uniform(0.1, 0.6, NAMES), cap.shape).copy()
            ),
        },
        index_level=pd.Series(dtype=float),
        factor_history=None,
        survivorship="made up",
    )
