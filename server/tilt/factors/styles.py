"""The style factors: what each one measures, of which descriptors, and who showed that it matters.

The descriptors themselves are in ``tilt.factors.descriptors``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import pandas as pd

from tilt.factors.descriptors import LEAST_SHARE


@dataclass(frozen=True)
class Style:
    """A style factor.

    descriptors : weights of its descriptors; a negative one turns the descriptor around
    sign : of the premium that the source reports for a higher score
    orthogonal_to : styles whose part is taken out of the score, declared before this one
    """

    name: str
    descriptors: Mapping[str, float]
    description: str
    sign: int
    source: str
    orthogonal_to: tuple[str, ...] = ()

    def known_in(self, given: Mapping[str, pd.DataFrame]) -> bool:
        """Return whether at least half of its descriptors' weight has any value at all."""
        known = sum(abs(w) for d, w in self.descriptors.items() if given[d].notna().any(axis=None))
        return known >= LEAST_SHARE * sum(abs(w) for w in self.descriptors.values())


def _of(**weights: float) -> Mapping[str, float]:
    return MappingProxyType(weights)


STYLES: tuple[Style, ...] = (
    Style(
        "Beta",
        _of(beta=1.0),
        "Slope of a year of daily returns on the cap-weighted market, weights halving in 63 days",
        1,
        "Sharpe (1964); USE4 HBETA",
    ),
    Style(
        "Size",
        _of(log_cap=1.0),
        "Log of market cap: high for the largest companies",
        -1,
        "Banz (1981); USE4 LNCAP",
    ),
    Style(
        "Mid Cap",
        _of(size_cubed=-1.0),
        "Cube of size turned around, without its straight part: high between large and small",
        1,
        "Menchero, Orr, Wang (2011), USE4 NLSIZE",
        orthogonal_to=("Size",),
    ),
    Style(
        "Value",
        _of(book_to_price=1.0),
        "Book value of equity against market cap: high for cheap companies",
        1,
        "Fama, French (1992)",
    ),
    Style(
        "Earnings Yield",
        _of(earnings_to_price=1.0),
        "Earnings of the trailing twelve months against market cap",
        1,
        "Basu (1977)",
    ),
    Style(
        "Dividend Yield",
        _of(dividend_yield=1.0),
        "Yearly dividend against price; a company that pays none has zero",
        1,
        "Litzenberger, Ramaswamy (1979)",
    ),
    Style(
        "Momentum",
        _of(momentum_12_1=1.0),
        "Log total return over the last twelve months without the last: high for winners",
        1,
        "Jegadeesh, Titman (1993)",
    ),
    Style(
        "Reversal",
        _of(return_1m=-1.0),
        "Log total return of the last month, turned around: high for who has just lost",
        1,
        "Jegadeesh (1990); Lehmann (1990)",
    ),
    Style(
        "Volatility",
        _of(residual_volatility=1.0),
        "Deviation of daily returns around the market's part, weights halving every 63 days; "
        "without its parts of beta and size",
        -1,
        "Ang, Hodrick, Xing, Zhang (2006); USE4 HSIGMA",
        orthogonal_to=("Beta", "Size"),
    ),
    Style(
        "Liquidity",
        _of(turnover_1m=0.35, turnover_3m=0.35, turnover_12m=0.3),
        "Log of daily value traded by market cap over 1, 3, 12 months; without its part of size",
        -1,
        "Datar, Naik, Radcliffe (1998); USE4 STOM, STOQ, STOA",
        orthogonal_to=("Size",),
    ),
    Style(
        "Quality",
        _of(earnings_to_book=0.5, gross_profitability=0.25, accruals=-0.25),
        "Return on book equity and gross profits to assets, less accruals to assets",
        1,
        "Novy-Marx (2013); Sloan (1996); Asness, Frazzini, Pedersen (2019)",
    ),
    Style(
        "Growth",
        _of(retained_to_book=0.5, sales_growth=0.5),
        "Earnings retained by book value, and growth of sales over a year",
        -1,
        "Lakonishok, Shleifer, Vishny (1994)",
    ),
    Style(
        "Leverage",
        _of(debt_to_price=0.4, debt_to_assets=0.35, debt_to_equity=0.25),
        "Debt against market cap, total assets and book equity",
        1,
        "Bhandari (1988); USE4 MLEV, DTOA, BLEV",
    ),
    Style(
        "Investment",
        _of(asset_growth=0.5, investment_rate=0.5),
        "Growth of total assets over a year, and capital expenditure by total assets",
        -1,
        "Cooper, Gulen, Schill (2008); Titman, Wei, Xie (2004)",
    ),
)
