"""Made-up markets: a tiny one for ledgers by hand, and one with factors, a hole and a delisting."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tilt.factors.history import estimate_history
from tilt.frames import Panel

DAYS, NAMES, FIRST_CAPS = 460, 60, 280
ENDED, HOLED, LATE = "A07", "A08", "A09"


@pytest.fixture(scope="session")
def build():
    """Build a panel from returns, or from a shock to them, caps and membership."""

    def panel_of(returns, *, caps=None, priced=None, member=None, dates=None, volume=1e6):
        values = np.array(returns, dtype=float)
        if dates is None:
            dates = pd.bdate_range("2015-01-05", periods=len(values))
        assets = pd.Index([chr(ord("A") + i) for i in range(values.shape[1])])
        close = 100 * np.cumprod(1 + np.nan_to_num(values), axis=0)
        if priced is not None:
            close = np.where(priced, close, np.nan)

        def frame(of):
            return pd.DataFrame(
                np.broadcast_to(of, values.shape).copy(), index=dates, columns=assets
            )

        return Panel(
            universe="TINY",
            snapshot="0",
            securities=pd.DataFrame({"name": assets, "sector": "S", "industry": "I"}, index=assets),
            close=frame(close),
            returns=frame(values),
            volume=frame(volume),
            market_cap=frame(np.ones(values.shape[1]) if caps is None else caps).astype(float),
            member=frame(True if member is None else member).astype(bool),
            fundamentals={},
            index_level=pd.Series(dtype=float),
            factor_history=None,
            survivorship="Made up: nothing ever left.",
        )

    return panel_of


def made_up_market(seed: int = 3) -> Panel:
    rng = np.random.default_rng(seed)
    dates = pd.bdate_range("2013-01-02", periods=DAYS)
    assets = pd.Index([f"A{i:02d}" for i in range(NAMES)])
    market = 0.0004 + 0.008 * rng.standard_normal(DAYS)
    own = 0.01 * np.exp(0.3 * rng.standard_normal(NAMES))
    r = market[:, None] * (1 + 0.3 * rng.standard_normal(NAMES))
    r = r + own * rng.standard_normal((DAYS, NAMES))
    r[0] = np.nan
    close = 50 * np.nancumprod(1 + r, axis=0)
    shares = np.exp(17 + rng.standard_normal(NAMES))
    cap = close * shares
    cap[:FIRST_CAPS] = np.nan
    book = np.broadcast_to(shares * 25 * np.exp(0.5 * rng.standard_normal(NAMES)), cap.shape)
    earnings = book * 0.12 * np.exp(0.4 * rng.standard_normal(NAMES))
    profit = np.broadcast_to(rng.uniform(0.1, 0.6, NAMES), cap.shape)

    def frame(values):
        return pd.DataFrame(values, index=dates, columns=assets)

    close, returns, caps = frame(close), frame(r), frame(cap)
    member = frame(np.ones(cap.shape, dtype=bool))
    for frame_ in (close, returns, caps):
        frame_.loc[dates[430] :, ENDED] = np.nan
        frame_.loc[dates[400] : dates[403], HOLED] = np.nan
        frame_.loc[: dates[380], LATE] = np.nan
    returns.loc[dates[404], HOLED] = np.nan
    member.loc[dates[430] :, ENDED] = False
    sectors = [("Energy", "Financials", "Health Care", "Utilities")[i % 4] for i in range(NAMES)]
    panel = Panel(
        universe="MADE_UP",
        snapshot="0123456789ab",
        securities=pd.DataFrame(
            {"name": assets, "sector": sectors, "industry": sectors}, index=assets
        ),
        close=close,
        returns=returns,
        volume=frame(np.full(cap.shape, 1e6)),
        market_cap=caps,
        member=member,
        fundamentals={
            "book_value": frame(book),
            "earnings": frame(earnings),
            "book_to_price": frame(book / cap),
            "earnings_to_price": frame(earnings / cap),
            "gross_profitability": frame(profit),
        },
        index_level=(1 + pd.Series(np.nan_to_num(market), index=dates)).cumprod() * 1000,
        factor_history=None,
        survivorship="Made up: one name left.",
    )
    return replace(panel, factor_history=estimate_history(panel))


@pytest.fixture(scope="session")
def market() -> Panel:
    return made_up_market()
