"""The style factors: what each one measures, and the raw descriptors behind it.

A descriptor at date t uses data of dates up to t and nothing later. What the data do not give is
missing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pandas as pd

from tilt.frames import Panel

YEAR = 252
MONTH = 21
BETA_HALF_LIFE = 63
LEAST_SHARE = 0.5  # of a window's days that must have a return
LEAST_MARKET = 30  # caps on a date from which a market return can be told


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


STYLES: tuple[Style, ...] = (
    Style(
        "Size",
        MappingProxyType({"log_cap": 1.0}),
        "Log of market cap: high for the largest companies",
        -1,
        "Banz (1981); USE4 LNCAP",
    ),
    Style(
        "Value",
        MappingProxyType({"book_to_price": 0.5, "earnings_to_price": 0.5}),
        "Book value and trailing earnings against market cap: high for cheap companies",
        1,
        "Fama, French (1992); Basu (1977)",
    ),
    Style(
        "Momentum",
        MappingProxyType({"momentum_12_1": 1.0}),
        "Log total return over the last twelve months without the last: high for winners",
        1,
        "Jegadeesh, Titman (1993)",
    ),
    Style(
        "Volatility",
        MappingProxyType({"residual_volatility": 1.0}),
        "Deviation of daily returns around the market's part, weights halving every 63 days",
        -1,
        "Ang, Hodrick, Xing, Zhang (2006); USE4 HSIGMA",
    ),
    Style(
        "Beta",
        MappingProxyType({"beta": 1.0}),
        "Slope of a year of daily returns on the cap-weighted market, weights halving in 63 days",
        1,
        "Sharpe (1964); USE4 HBETA",
    ),
    Style(
        "Quality",
        MappingProxyType(
            {"earnings_to_book": 0.5, "gross_profitability": 0.25, "debt_to_assets": -0.25}
        ),
        "Return on book equity and gross profits to assets, less debt to assets",
        1,
        "Novy-Marx (2013); Asness, Frazzini, Pedersen (2019)",
    ),
)

FIELDS = ("book_to_price", "earnings_to_price", "gross_profitability", "debt_to_assets")


def descriptors(panel: Panel) -> dict[str, pd.DataFrame]:
    """Return every raw descriptor, dates × assets; NaN where the data do not give it.

    A fundamental field that the panel lacks gives a descriptor without values.
    """
    cap = panel.market_cap.where(panel.market_cap > 0)
    market = market_return(panel)
    slope, residual = beta(panel.returns, market)
    return {
        "log_cap": _frame(np.log(array(cap)), panel),
        "momentum_12_1": momentum(panel.returns),
        "residual_volatility": residual,
        "beta": slope,
        "earnings_to_book": earnings_to_book(panel),
        **{name: _field(panel, name) for name in FIELDS},
    }


def market_return(panel: Panel) -> "pd.Series[float]":
    """Return the cap-weighted return of the members, with the caps of the close before.

    Before the first date with caps the weights are that date's: every exposure that uses those
    days is of a later close, which knows them. NaN where there are no caps at all.
    """
    cap = array(panel.market_cap.where(panel.member & (panel.market_cap > 0)))
    known = np.isfinite(cap).sum(axis=1) >= min(LEAST_MARKET, cap.shape[1])
    weight = np.vstack([np.full((1, cap.shape[1]), np.nan), cap[:-1]])
    if known.any():
        first = int(known.argmax())
        weight[: first + 1] = cap[first]
    r = array(panel.returns)
    both = np.isfinite(r) & np.isfinite(weight)
    total = np.where(both, weight, 0.0).sum(axis=1)
    gain = np.where(both, weight * r, 0.0).sum(axis=1)
    return pd.Series(gain / np.where(total > 0, total, np.nan), index=panel.dates, name="market")


def momentum(returns: pd.DataFrame) -> pd.DataFrame:
    """Return the log total return from t-252 to t-21; NaN if a tenth of the days is missing."""
    r = np.log1p(array(returns))
    seen = np.isfinite(r)
    span = YEAR - MONTH
    total = _window_sum(np.where(seen, r, 0.0), span)
    count = _window_sum(seen.astype(float), span)
    # a window that begins before the data is short of days, so it is missing here as well
    whole = np.where(count >= 0.9 * span, total, np.nan)
    late = np.vstack([np.full((min(MONTH, len(r)), r.shape[1]), np.nan), whole[:-MONTH]])
    return pd.DataFrame(late[: len(r)], index=returns.index, columns=returns.columns)


def beta(returns: pd.DataFrame, market: "pd.Series[float]") -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the slope on the market, and the deviation per day around the fitted line.

    A weighted least squares with constant over 252 days whose weights halve every 63; NaN where
    under half of the days have a return.
    """
    r = array(returns)
    m = market.to_numpy(dtype=float)[:, None]
    seen = np.isfinite(r) & np.isfinite(m)
    y, x = np.where(seen, r, 0.0), np.where(seen, m, 0.0)
    weight = _faded_sum(seen.astype(float))
    weight = np.where(_window_sum(seen.astype(float), YEAR) >= LEAST_SHARE * YEAR, weight, np.nan)
    mean_x, mean_y = _faded_sum(x) / weight, _faded_sum(y) / weight
    var_x = _faded_sum(x * x) / weight - mean_x**2
    var_y = _faded_sum(y * y) / weight - mean_y**2
    slope = (_faded_sum(x * y) / weight - mean_x * mean_y) / np.where(var_x > 0, var_x, np.nan)
    left = np.sqrt(np.maximum(var_y - slope**2 * var_x, 0.0))
    days, assets = returns.index, returns.columns
    return pd.DataFrame(slope, days, assets), pd.DataFrame(left, days, assets)


def earnings_to_book(panel: Panel) -> pd.DataFrame:
    """Return trailing earnings by book value; missing where the book value is not positive."""
    book = _field(panel, "book_value")
    return _field(panel, "earnings") / book.where(book > 0)


def array(frame: pd.DataFrame) -> np.ndarray:
    """Return the values row by row in memory: sums over a row then never depend on other rows."""
    return np.ascontiguousarray(frame.to_numpy(dtype=float))


def _field(panel: Panel, name: str) -> pd.DataFrame:
    if name in panel.fundamentals:
        return panel.fundamentals[name].reindex(index=panel.dates, columns=panel.assets)
    return _frame(np.full(panel.close.shape, np.nan), panel)


def _frame(values: np.ndarray, panel: Panel) -> pd.DataFrame:
    return pd.DataFrame(values, index=panel.dates, columns=panel.assets)


def _window_sum(x: np.ndarray, days: int) -> np.ndarray:
    """Return the sum of the last ``days`` rows, of fewer at the beginning."""
    total = np.cumsum(x, axis=0)
    total[days:] -= total[:-days].copy()
    return total


def _faded_sum(x: np.ndarray) -> np.ndarray:
    """Return the sum of the last 252 rows with weights that halve every 63 rows."""
    fade = 0.5 ** (1 / BETA_HALF_LIFE)
    out = np.empty_like(x)
    state = np.zeros(x.shape[1])
    for t, row in enumerate(x):
        state = fade * state + row
        if t >= YEAR:
            state = state - fade**YEAR * x[t - YEAR]
        out[t] = state
    return out
