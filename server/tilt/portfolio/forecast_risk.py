"""Forecast risk of a book through time against what came, with the models known then.

Each forecast is of the weights at a close, by the model known at that close, and is held against
the days until the next forecast. The bias statistic is the deviation of daily returns in units of
their forecast: 1 is right, above 1 risk was forecast too low.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tilt.errors import UnknownNameError
from tilt.frames import Weights, listed
from tilt.portfolio.measures import deviation
from tilt.portfolio.track import Track, on_common_days
from tilt.risk.health import bias_band
from tilt.risk.loadings import NO_VARIANCE
from tilt.risk.measures import DAYS
from tilt.risk.model import RiskModel

ALL = "All"
LEAST_DAYS = 2  # of which a deviation can be told
COLUMNS = [
    "period", "model", "last", "days", "volatility", "realized_volatility", "bias", "low", "high",
    "tracking_error", "realized_tracking_error", "active_bias",
]  # fmt: skip


@dataclass(frozen=True, eq=False)
class _Forecast:
    """What was forecast for some days, and what they brought.

    known    : date of the model
    dates    : the days judged
    sigma    : per day, of the portfolio's and of the active returns; NaN where there is none
    returns  : days × (portfolio, active)
    unknown  : held names that the model does not know
    """

    known: pd.Timestamp
    dates: pd.DatetimeIndex
    sigma: np.ndarray
    returns: np.ndarray
    unknown: "pd.Index[str]"


def forecast_table(
    portfolio: Track, benchmark: Track, models: Sequence[RiskModel]
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return forecast risk beside realized risk, from model to model and over all days.

    Parameters
    ----------
    portfolio, benchmark : day by day; active figures are missing against a benchmark that holds
        nothing
    models : in any order; a book's weights at the close of a model's date are forecast by it. Days
        before the first of them in the window belong to the last one known before the window

    Returns
    -------
    period (its first day as text, and ``All`` in the last row), model (its date), last, days;
    volatility and realized_volatility (a year); bias (standard deviation of daily returns over
    their forecast), low and high, within which 95 % of right models lie over so many days; then
    tracking_error, realized_tracking_error and active_bias likewise. The forecast of the row
    ``All`` is the root of the mean forecast variance. Then notes.

    Raises
    ------
    UnknownNameError
        If no model was known before the last day.
    DataError
        If the two books share no day.

    References
    ----------
    Menchero, Orr, Wang (2011), The Barra US Equity Model (USE4), appendix: the bias statistic.
    """
    mine, theirs, notes = on_common_days(portfolio, benchmark)
    found = list(_forecasts(mine, theirs, models))
    if not found:
        raise UnknownNameError(
            f"No risk model was known before {mine.dates[-1]:%Y-%m-%d}. Choose a later window."
        )
    if found[0].dates[0] > mine.dates[0]:
        first = f"{found[0].dates[0]:%Y-%m-%d}"
        notes = (*notes, f"No model was known before {first}: days until then are left out.")
    unknown = pd.Index([name for f in found for name in f.unknown]).unique()
    if len(unknown):
        notes = (*notes, f"{listed(unknown)}: unknown to some models, where it counts as cash.")
    rows = [_row(f"{f.dates[0]:%Y-%m-%d}", f.known, [f]) for f in found]
    rows.append(_row(ALL, pd.NaT, found))
    dated = {"model": mine.dates.dtype, "last": mine.dates.dtype}
    table = pd.DataFrame(rows, columns=COLUMNS).astype(dated)
    table.attrs["totals"] = 1
    return table, notes


def _forecasts(mine: Track, theirs: Track, models: Sequence[RiskModel]) -> Iterator[_Forecast]:
    dates = mine.dates
    at: dict[int, RiskModel] = {}
    for model in sorted(models, key=lambda m: m.date):
        first = int(dates.searchsorted(model.date, side="right"))
        if first < len(dates):
            at[first] = model  # of several before the window, the last one known
    begins = [*at, len(dates)]
    held_against = theirs.weights.shape[1] > 0
    for (first, model), end in zip(at.items(), begins[1:], strict=True):
        w = mine.weights.iloc[first]
        b = theirs.weights.iloc[first]
        active = w.sub(b, fill_value=0.0)
        outside = active.index[(active.to_numpy() != 0.0) & ~active.index.isin(model.assets)]
        sigma = [_sigma(model, w), _sigma(model, active) if held_against else np.nan]
        earned = mine.earned.to_numpy(dtype=np.float64)[first:end]
        base = theirs.earned.to_numpy(dtype=np.float64)[first:end]
        yield _Forecast(
            model.date,
            dates[first:end],
            np.array(sigma),
            np.column_stack([earned, earned - base]),
            outside,
        )


def _sigma(model: RiskModel, weights: Weights) -> float:
    """Return the forecast volatility per day; NaN for what has no risk."""
    variance = model.variance(weights[weights.index.isin(model.assets)])
    return float(np.sqrt(variance)) if variance > NO_VARIANCE else np.nan


def _row(period: str, known: object, parts: Sequence[_Forecast]) -> list[object]:
    returns = np.vstack([p.returns for p in parts])
    days = np.array([len(p.dates) for p in parts])
    sigma = np.array([p.sigma for p in parts])
    scaled = returns / np.repeat(sigma, days, axis=0)
    forecast = np.sqrt(DAYS * (days @ sigma**2) / days.sum())
    realized, bias, band = np.full(2, np.nan), np.full(2, np.nan), (np.nan, np.nan)
    if len(returns) >= LEAST_DAYS:
        band = bias_band(len(returns))
        realized = np.array([np.sqrt(DAYS) * deviation(r) for r in returns.T])
        bias = np.array([np.nan if np.isnan(z).any() else deviation(z) for z in scaled.T])
    realized[np.isnan(forecast)] = np.nan
    return [
        period, known, parts[-1].dates[-1], float(days.sum()),
        forecast[0], realized[0], bias[0], *band,
        forecast[1], realized[1], bias[1],
    ]  # fmt: skip
