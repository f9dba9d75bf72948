"""The portfolio report: what is held, its risk, better weights, and how an idea did."""

import datetime as dt
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType

from tilt.report.analysis import exposures_section, holdings_section, risk_section
from tilt.report.liquidity import liquidity_section
from tilt.report.pack import Chapter, Pack, Section, pack
from tilt.report.performance import backtest_section
from tilt.report.rebalance import rebalance_section
from tilt.report.review import Review
from tilt.report.stress import stress_section
from tilt.report.workbook import write_workbook

TITLE = "Portfolio review"
SECTIONS: Mapping[str, str] = MappingProxyType(
    {
        "holdings": "Holdings and their contribution to risk",
        "exposures": "Exposures to styles and sectors",
        "risk": "Where the tracking error comes from",
        "liquidity": "How long it takes to sell",
        "stress": "What stress would do",
        "rebalance": "Least tracking error within the limits",
        "backtest": "Backtest of an idea",
    }
)


def portfolio_makers(review: Review) -> Mapping[str, Callable[[], Section]]:
    """Return what makes each section of the report."""
    makers = {
        "holdings": holdings_section,
        "exposures": exposures_section,
        "risk": risk_section,
        "liquidity": liquidity_section,
        "stress": stress_section,
        "rebalance": rebalance_section,
        "backtest": backtest_section,
    }
    return {key: partial(make, review) for key, make in makers.items()}


def portfolio_report(review: Review, *, created: dt.datetime) -> Pack:
    """Return the report of a review with all its sections."""
    made = tuple(make() for make in portfolio_makers(review).values())
    return pack(TITLE, [Chapter(review.subject, made)], created=created)


def write_portfolio_report(path: Path, review: Review, *, created: dt.datetime) -> Path:
    """Write the report of a review to an Excel file and return its path."""
    return write_workbook(path, portfolio_report(review, created=created))
