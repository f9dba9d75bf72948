"""A made-up market with a factor model, and the review of a portfolio in it."""

import datetime as dt
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tilt.factors.history import estimate_history
from tilt.frames import Panel
from tilt.portfolio.holdings import parse_holdings
from tilt.report.portfolio import write_portfolio_report
from tilt.report.review import Review, review_portfolio

DAYS, NAMES, FIRST_CAPS = 700, 60, 280
CREATED = dt.datetime(2017, 6, 30, 18, 0, tzinfo=dt.UTC).replace(tzinfo=None)
RULES = [
    ["weight", "*", 0.0, 0.08],
    ["sector", "*", -0.05, 0.05, "yes"],
    ["turnover", "", "", 0.15],
]


def made_up_panel() -> Panel:
    rng = np.random.default_rng(11)
    dates = pd.bdate_range("2014-01-02", periods=DAYS)
    assets = pd.Index([f"A{i:02d}" for i in range(NAMES)])
    market = 0.0003 + 0.008 * rng.standard_normal(DAYS)
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

    sectors = [("Energy", "Financials", "Health Care", "Utilities")[i % 4] for i in range(NAMES)]
    names = [f"=Company {i}" if i == 3 else f"Company {i}" for i in range(NAMES)]
    panel = Panel(
        universe="MADE_UP",
        snapshot="0123456789ab",
        securities=pd.DataFrame(
            {"name": names, "sector": sectors, "industry": sectors}, index=assets
        ),
        close=frame(close),
        returns=frame(r),
        volume=frame(np.full(cap.shape, 1e6)),
        market_cap=frame(cap),
        member=frame(np.ones(cap.shape, dtype=bool)),
        fundamentals={
            "book_value": frame(book),
            "earnings": frame(earnings),
            "book_to_price": frame(book / cap),
            "earnings_to_price": frame(earnings / cap),
            "gross_profitability": frame(profit),
        },
        index_level=pd.Series(dtype=float),
        factor_history=None,
        survivorship="A made-up market: nothing ever left it.",
    )
    return replace(panel, factor_history=estimate_history(panel))


@pytest.fixture(scope="session")
def panel() -> Panel:
    return made_up_panel()


@pytest.fixture(scope="session")
def review(panel) -> Review:
    weights = 0.98 * np.random.default_rng(5).dirichlet(np.full(25, 4.0))
    grid = [[a, float(w)] for a, w in zip(panel.assets[:25], weights, strict=True)]
    holdings = parse_holdings(grid, panel, panel.as_of, saved={})
    return review_portfolio(
        panel,
        holdings,
        portfolio="A & B",
        rules=RULES,
        strategy="quantile:Momentum:5:5",
        strategy_rules=[],
        start=panel.dates[400],
    )


@pytest.fixture(scope="session")
def created() -> dt.datetime:
    return CREATED


@pytest.fixture(scope="session")
def report(review, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.xlsx"
    return write_portfolio_report(path, review, created=CREATED)
