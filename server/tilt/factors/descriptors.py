"""The raw descriptors behind the styles: what is measured of each asset at each close.

A descriptor at date t uses data of dates up to t and nothing later. What the data do not give is
missing.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
import pandas as pd

from tilt.factors.standardize import standardize
from tilt.frames import Panel

YEAR, QUARTER, MONTH = 252, 63, 21
BETA_HALF_LIFE = 63
LEAST_SHARE = 0.5  # of a window's days that must have a value
LEAST_MARKET = 30  # caps on a date from which a market return can be told

FIELDS = (
    "book_to_price",
    "earnings_to_price",
    "gross_profitability",
    "accruals",
    "debt_to_assets",
    "debt_to_equity",
    "sales_growth",
    "asset_growth",
    "investment_rate",
)


def descriptors(panel: Panel) -> dict[str, pd.DataFrame]:
    """Return every raw descriptor, dates × assets; NaN where the data do not give it.

    A fundamental field that the panel lacks gives a descriptor without values.
    """
    slope, residual = beta(panel.returns, market_return(panel))
    both = {"beta": slope, "residual_volatility": residual}
    return {name: both[name] if name in both else descriptor(panel, name) for name in NAMES}


def descriptor(panel: Panel, name: str) -> pd.DataFrame:
    """Return one raw descriptor, one of ``NAMES``, as ``descriptors`` has it."""
    measure = _MEASURES.get(name)
    return _field(panel, name) if measure is None else measure(panel)


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


def size_cubed(log_cap: np.ndarray, panel: Panel) -> np.ndarray:
    """Return the cube of the standardized log of market cap (USE4's non-linear size)."""
    cap = array(panel.market_cap)
    return np.asarray(standardize(log_cap, cap, panel.member.to_numpy(dtype=bool)) ** 3)


def recent_return(returns: pd.DataFrame) -> pd.DataFrame:
    """Return the log total return of the last 21 days; NaN if a tenth of them is missing."""
    r = np.log1p(array(returns))
    seen = np.isfinite(r)
    count = window_sum(seen.astype(float), MONTH)
    total = window_sum(np.where(seen, r, 0.0), MONTH)
    return pd.DataFrame(
        np.where(count >= 0.9 * MONTH, total, np.nan), returns.index, returns.columns
    )


def turnover(panel: Panel, days: int) -> pd.DataFrame:
    """Return the log of the mean daily value traded by market cap; NaN where nothing traded.

    The mean is over the last ``days``, half of which must have a price and a volume. Value is
    price times volume, which no split changes.
    """
    value = array(panel.close) * array(panel.volume)
    seen = np.isfinite(value)
    count = window_sum(seen.astype(float), days)
    total = window_sum(np.where(seen, value, 0.0), days)
    cap = array(panel.market_cap)
    traded = window_sum((value > 0).astype(float), days) > 0
    good = (count >= LEAST_SHARE * days) & traded & (total > 0) & (cap > 0)
    ratio = np.where(good, total, 1.0) / np.where(good, count * cap, 1.0)
    return _frame(np.where(good, np.log(ratio), np.nan), panel)


def momentum(returns: pd.DataFrame) -> pd.DataFrame:
    """Return the log total return from t-252 to t-21; NaN if a tenth of the days is missing."""
    r = np.log1p(array(returns))
    seen = np.isfinite(r)
    span = YEAR - MONTH
    total = window_sum(np.where(seen, r, 0.0), span)
    count = window_sum(seen.astype(float), span)
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
    weight = np.where(window_sum(seen.astype(float), YEAR) >= LEAST_SHARE * YEAR, weight, np.nan)
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


def retained_to_book(panel: Panel) -> pd.DataFrame:
    """Return what is earned and not paid out by book value: the growth it can finance itself.

    (earnings - dividends) / book value, from their ratios to price; missing where the book value
    is not positive.
    """
    book = _field(panel, "book_to_price")
    kept = _field(panel, "earnings_to_price") - dividend_yield(panel)
    return kept / book.where(book > 0)


def debt_to_price(panel: Panel) -> pd.DataFrame:
    """Return debt by market cap; missing where the book value is not positive."""
    book = _field(panel, "book_to_price")
    return _field(panel, "debt_to_equity") * book.where(book > 0)


def dividend_yield(panel: Panel) -> pd.DataFrame:
    """Return the dividend yield, zero where a company has figures but no dividend.

    A list of key figures leaves the yield of a company that pays nothing blank. So a blank is zero
    on dates on which half of the companies with earnings have a yield; otherwise it is not known.
    """
    given = _field(panel, "dividend_yield")
    listed = array(_field(panel, "earnings_to_price"))
    y, known = array(given), np.isfinite(listed)
    common = (np.isfinite(y) & known).sum(axis=1) >= LEAST_SHARE * np.maximum(known.sum(axis=1), 1)
    silent = common[:, None] & known & ~np.isfinite(y)
    return _frame(np.where(silent, 0.0, y), panel)


def array(frame: pd.DataFrame) -> np.ndarray:
    """Return the values row by row in memory: sums over a row then never depend on other rows."""
    return np.ascontiguousarray(frame.to_numpy(dtype=float))


def _field(panel: Panel, name: str) -> pd.DataFrame:
    if name in panel.fundamentals:
        return panel.fundamentals[name].reindex(index=panel.dates, columns=panel.assets)
    return _frame(np.full(panel.close.shape, np.nan), panel)


def _frame(values: np.ndarray, panel: Panel) -> pd.DataFrame:
    return pd.DataFrame(values, index=panel.dates, columns=panel.assets)


def window_sum(x: np.ndarray, days: int) -> np.ndarray:
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


def _log_cap(panel: Panel) -> np.ndarray:
    return np.asarray(np.log(array(panel.market_cap.where(panel.market_cap > 0))))


_MEASURES: Mapping[str, Callable[[Panel], pd.DataFrame]] = MappingProxyType(
    {
        "log_cap": lambda panel: _frame(_log_cap(panel), panel),
        "size_cubed": lambda panel: _frame(size_cubed(_log_cap(panel), panel), panel),
        "beta": lambda panel: beta(panel.returns, market_return(panel))[0],
        "residual_volatility": lambda panel: beta(panel.returns, market_return(panel))[1],
        "momentum_12_1": lambda panel: momentum(panel.returns),
        "return_1m": lambda panel: recent_return(panel.returns),
        "turnover_1m": lambda panel: turnover(panel, MONTH),
        "turnover_3m": lambda panel: turnover(panel, QUARTER),
        "turnover_12m": lambda panel: turnover(panel, YEAR),
        "earnings_to_book": earnings_to_book,
        "retained_to_book": retained_to_book,
        "debt_to_price": debt_to_price,
        "dividend_yield": dividend_yield,
    }
)
NAMES = (*_MEASURES, *FIELDS)
