"""Cells about series of returns."""

from typing import Annotated

import pandas as pd

from custom_functions._edge import udf
from custom_functions._inputs import NO_OPTIONS, Options, cells, number, text
from custom_functions._series import read_columns, read_series
from tilt.api.books import with_notes
from tilt.api.regime import stats_by_regime
from tilt.api.state import current
from tilt.api.values import Grid
from tilt.errors import ArgumentError, DataError, one_of
from tilt.frames import PERIODS_PER_YEAR
from tilt.portfolio import performance
from tilt.portfolio.regression import ERRORS
from tilt.portfolio.regression import regress as regress_on
from tilt.portfolio.rolling import rolling_figures, rolling_regression
from tilt.portfolio.style_analysis import METHODS, style_weights

Returns = Annotated[Grid, cells("Returns as decimals in one column, or dates and returns in two.")]
BenchmarkReturns = Annotated[Grid | None, cells("Returns to compare with, as returns.")]
Frequency = Annotated[str, text("Of the returns: D (default), W, M, Q or Y.")]
WINDOW = 252
ROLLING = {
    "view": "table (default) or rolling: at each date over the periods before it",
    "window": "periods of the view rolling; 252 unless given",
}
VIEWS = ("table", "rolling")
IN_REGIMES = {
    "view": "table (default), rolling: at each date over the periods before it, or regimes: in "
    "calm and in turbulent days of the market",
    "states": "of the view regimes: 2 (default) or 3",
    "universe": "whose market that is; left out: the default of the settings",
}
RiskFree = Annotated[float, number("Yearly rate as a decimal; 0 unless given.")]


@udf(
    result="measure, portfolio, benchmark, active; view rolling: date, return, volatility, sharpe, "
    "max_drawdown, and against a benchmark active_return, tracking_error, information_ratio, beta; "
    "view regimes: state, periods, share, mean, volatility, sharpe, max_drawdown, hit_rate, ...",
    example='=TILT.STATS(B2:B500,C2:C500,"D")',
    keys={
        "mar": "least acceptable yearly return of the Sortino ratio; 0 unless given",
        "confidence": "of VaR and CVaR; 0.95 unless given",
        **ROLLING,
        **IN_REGIMES,
    },
)
def stats(
    returns: Returns,
    benchmark: BenchmarkReturns = None,
    frequency: Frequency = "D",
    risk_free: RiskFree = 0.0,
    options: Options = NO_OPTIONS,
) -> pd.DataFrame:
    """Measure a series of returns: return, volatility, Sharpe, drawdown, and more.

    With the view regimes a day counts in the state of the universe's market that was known at the
    close before it; returns are daily, with dates.
    """
    series, base = read_series(returns, "returns"), _or_none(benchmark)
    view = one_of("option view", options.text("view", VIEWS[0]), (*VIEWS, "regimes"))
    if view == "regimes":
        if frequency != "D":
            raise ArgumentError(f"view=regimes needs daily returns; frequency is {frequency}.")
        return stats_by_regime(
            current(),
            series,
            base,
            universe=options.text("universe", ""),
            states=options.count("states", 2),
            risk_free=risk_free,
        )
    if view == "rolling":
        return rolling_figures(
            series,
            base,
            window=options.count("window", WINDOW),
            frequency=one_of("frequency", frequency, PERIODS_PER_YEAR),
            risk_free=risk_free,
        )
    return performance.statistics(
        series,
        base,
        frequency=frequency,
        risk_free=risk_free,
        mar=options.number("mar", 0.0),
        confidence=options.number("confidence", 0.95),
    )


@udf(
    result="one number",
    example='=TILT.STAT("sharpe",B2:B500)',
)
def stat(
    measure: Annotated[str, text("sharpe, cagr, volatility, max_drawdown, ...: those of STATS.")],
    returns: Returns,
    benchmark: BenchmarkReturns = None,
    frequency: Frequency = "D",
    risk_free: RiskFree = 0.0,
) -> float:
    """Return one measure of a series of returns."""
    return performance.statistic(
        measure,
        read_series(returns, "returns"),
        _or_none(benchmark),
        frequency=frequency,
        risk_free=risk_free,
    )


@udf(
    result="peak, trough, recovery, depth, days_down, days_to_recover",
    example="=TILT.DRAWDOWNS(A2:B500,3)",
)
def drawdowns(
    returns: Returns,
    top: Annotated[float, number("How many, 5 unless told.")] = 5.0,
) -> pd.DataFrame:
    """List the deepest falls of compounded wealth, the deepest first.

    depth is a negative fraction of the peak; days are calendar days, from the peak to the trough
    and from the trough back to the height of the peak. Needs dates beside the returns.
    """
    if top != int(top) or top < 1:
        raise ArgumentError(f"top must be a whole number from 1; got {top:g}.")
    series = read_series(returns, "returns")
    if not isinstance(series.index, pd.DatetimeIndex):
        raise DataError("returns must be two columns, dates and returns, to tell when it fell.")
    return performance.drawdowns(series, int(top))


@udf(
    result="name, coefficient, std_error, t_stat, p_value; then alpha, r_squared, "
    "adjusted_r_squared, observations, residual_volatility; method style: name, coefficient; view "
    "rolling: date, a column for each factor, alpha, r_squared",
    example="=TILT.REGRESS(B2:B500,C2:C500)",
    keys={
        "errors": "hac (default, Newey and West), ols or hc1",
        "lags": "of hac; left out: floor(4 (T/100)^(2/9))",
        "method": "ols (default), or style: weights above zero that sum to one (Sharpe 1992)",
        **ROLLING,
    },
)
def regress(
    returns: Returns,
    factor_returns: Annotated[Grid, cells("A column per factor, with or without names and dates.")],
    frequency: Frequency = "D",
    options: Options = NO_OPTIONS,
) -> pd.DataFrame:
    """Explain returns by factor returns: least squares with a constant and honest errors.

    alpha is annualized arithmetically and so is residual_volatility; the other coefficients are per
    period. Rows that miss a return on either side are left out.
    """
    y, x = read_series(returns, "returns"), read_columns(factor_returns, "factor_returns")
    dated = [isinstance(f.index, pd.DatetimeIndex) for f in (y, x)]
    if dated[0] != dated[1]:
        raise DataError("returns and factor_returns must both have dates, or neither.")
    if not dated[0] and len(y) != len(x):
        raise DataError(
            f"returns has {len(y)} rows and factor_returns {len(x)}. Give the same rows of both, "
            "or dates beside them."
        )
    method = one_of("option method", options.text("method", METHODS[0]), METHODS)
    if _rolls(options):
        return rolling_regression(
            y,
            x,
            window=options.count("window", WINDOW),
            frequency=frequency,
            style=method == "style",
        )
    if method == "style":
        return style_weights(y, x)
    errors = options.text("errors", ERRORS[0])
    table = regress_on(y, x, frequency=frequency, errors=errors, lags=_lags(options))
    return with_notes(table, table.attrs["notes"])


def _rolls(options: Options) -> bool:
    return one_of("option view", options.text("view", VIEWS[0]), VIEWS) == "rolling"


def _lags(options: Options) -> int | None:
    given = options.own.get("lags")
    if given is None:
        return None
    return 0 if given == 0 else options.count("lags", 1)


def _or_none(benchmark: "Grid | None") -> "pd.Series[float] | None":
    return None if benchmark is None else read_series(benchmark, "benchmark")
