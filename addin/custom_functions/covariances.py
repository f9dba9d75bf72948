"""The cell with covariances of securities."""

import pandas as pd

from custom_functions._arguments import Date, Tickers, Universe
from custom_functions._edge import udf
from custom_functions._inputs import NO_OPTIONS, Options, tickers_of
from tilt.api.books import date_of
from tilt.api.state import current
from tilt.errors import one_of
from tilt.portfolio import identifiers
from tilt.risk import estimators
from tilt.risk.measures import DAYS

FACTOR = "factor"
LOOKBACK = 504


@udf(
    result="a row per ticker and a column per ticker, for a year",
    example='=TILT.COVARIANCE("AAPL,XOM,JPM")',
    keys={
        "estimator": "factor (default) or " + ", ".join(estimators.ESTIMATORS),
        "lookback": f"days of returns, {LOOKBACK} unless told; not for factor",
        "half_life": "days, of ewma, 84 unless told",
        "correlation_half_life": "days, of ewma; left out: as half_life",
        "lags": "Newey-West lags of ewma; left out: none",
        "factors": "principal components of pca; left out: those above noise",
    },
)
def covariance(
    tickers: Tickers, date: Date = None, universe: Universe = None, options: Options = NO_OPTIONS
) -> pd.DataFrame:
    """Return the covariance of securities' returns, annualized with 252 days.

    factor: that of the risk model, X F X' + specific variances. The others are estimated from the
    daily total returns to the date: ewma with a zero mean; ledoit_wolf shrunk to constant
    correlation (2004), ledoit_wolf_identity and oas to a multiple of the identity; pca keeps the
    components above Marchenko and Pastur's edge.
    """
    state = current()
    panel = state.panel(universe)
    day = date_of(date, panel)
    wanted = pd.Index(tickers_of(tickers, identifiers.Tickers(panel, day)))
    known = (FACTOR, *estimators.ESTIMATORS)
    estimator = one_of("option estimator", options.text("estimator", FACTOR), known)
    if estimator == FACTOR:
        found = state.model(panel, day).covariance(wanted)
    else:
        past = panel.returns.loc[:day, wanted].tail(options.count("lookback", LOOKBACK))
        found = estimators.estimate_covariance(past, estimator, _tuning(options)).cov
    return (DAYS * found).rename_axis("ticker").reset_index()


def _tuning(options: Options) -> estimators.Tuning:
    def told(key: str) -> bool:
        return options.own.get(key) is not None

    return estimators.Tuning(
        half_life=options.number("half_life", estimators.HALF_LIFE),
        correlation_half_life=(
            options.number("correlation_half_life", 0.0) if told("correlation_half_life") else None
        ),
        lags=options.count("lags", 1) if told("lags") else 0,
        factors=options.count("factors", 1) if told("factors") else None,
    )
