"""Performance of a series of returns: statistics, drawdowns, monthly table."""

import calendar

import numpy as np
import pandas as pd

from tilt.calendar import period_ends
from tilt.errors import ArgumentError, DataError, UnknownNameError, ZeroDenominatorError, one_of
from tilt.frames import PERIODS_PER_YEAR
from tilt.portfolio.measures import (
    ANNUAL,
    LEAST_FOR_INFERENCE,
    MEASURES,
    RELATIVE,
    absolute,
    per_period,
    relative,
    underwater,
)

__all__ = [
    "MEASURES",
    "align",
    "drawdowns",
    "monthly_table",
    "statistic",
    "statistics",
    "to_frequency",
    "wealth",
]

# The shortest trading year of the calendar has 250 sessions, and counts as a year.
ONE_YEAR = {"D": 250, "W": 52, "M": 12, "Q": 4, "Y": 1}
LEAST_RATE, MOST_RATE = -0.5, 1.0  # a year; beyond them somebody typed per cent as whole numbers


def align(
    returns: "pd.Series[float]", benchmark: "pd.Series[float] | None" = None
) -> tuple["pd.Series[float]", "pd.Series[float] | None", tuple[str, ...]]:
    """Return both series over the dates they share, and notes on what was cut.

    Missing values before the first and after the last return are cut; one in between is an error.

    Raises
    ------
    DataError
        If a date occurs twice, a return is missing in between, a loss is above 100 %, or the two
        series share no date.
    """
    notes: list[str] = []
    r = _clean(returns, "returns")
    if len(r) < len(returns):
        notes.append(f"{len(returns) - len(r)} blank returns at the ends are left out.")
    if benchmark is None:
        return r, None, (*notes, *_short(r))
    b = _clean(benchmark, "benchmark")
    common = r.index.intersection(b.index)
    if not len(common):
        raise DataError("returns and benchmark share no date. Give both over the same dates.")
    if len(common) < max(len(r), len(b)):
        notes.append(
            f"The common window is used: {len(common)} of {len(r)} returns, "
            f"{_label(common[0])} to {_label(common[-1])}."
        )
    r, b = r.loc[common], b.loc[common]
    return r, b, (*notes, *_short(r))


def statistics(
    returns: "pd.Series[float]",
    benchmark: "pd.Series[float] | None" = None,
    *,
    frequency: str = "D",
    risk_free: float = 0.0,
    mar: float = 0.0,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Return every measure of ``MEASURES``.

    Parameters
    ----------
    returns, benchmark : by date, simple returns per period
    frequency : of the returns: D W M Q Y, 252, 52, 12, 4, 1 periods a year
    risk_free, mar : annual rates; mar is the least acceptable return of the Sortino ratio
    confidence : of VaR and CVaR; the rows are named by it, ``var95``

    Returns
    -------
    measure, portfolio, benchmark, active. ``active`` holds the measures of the active returns that
    have a meaning there, and differences of returns. NaN where a ratio has a zero denominator, and
    for annual figures of less than a year. ``attrs["notes"]`` says what was cut or left out.
    """
    frequency = one_of("frequency", frequency, PERIODS_PER_YEAR)
    if not 0.5 <= confidence < 1.0:
        raise ArgumentError(f"confidence must be between 0.5 and 1; got {confidence:g}.")
    r, b, notes = align(returns, benchmark)
    options = _options(frequency, risk_free, mar, confidence)
    own = _measure(r, b, frequency=frequency, options=options)
    names = list(MEASURES)
    table = pd.DataFrame({"measure": names, "portfolio": [own.get(n, np.nan) for n in names]})
    if b is None:
        table["benchmark"] = np.nan
        table["active"] = np.nan
    else:
        of_benchmark = _measure(b, None, frequency=frequency, options=options)
        table["benchmark"] = [of_benchmark.get(n, np.nan) for n in names]
        table["active"] = _active(own, of_benchmark, r, b, names)
    table["measure"] = [_shown_name(n, confidence) for n in names]
    if len(r) < ONE_YEAR[frequency]:
        years = f"{len(r)} returns are less than a year ({ONE_YEAR[frequency]})"
        notes = (*notes, f"{years}: nothing is annualized.")
    table.attrs["notes"] = notes
    return table


def statistic(
    measure: str,
    returns: "pd.Series[float]",
    benchmark: "pd.Series[float] | None" = None,
    *,
    frequency: str = "D",
    risk_free: float = 0.0,
    mar: float = 0.0,
    confidence: float = 0.95,
) -> float:
    """Return one measure of ``MEASURES``; arguments as in ``statistics``.

    Raises
    ------
    ArgumentError
        If the measure is not known, or needs a benchmark and there is none.
    UnknownNameError
        If it is an annual figure and there is less than a year of returns, or a t-value of fewer
        than 20.
    ZeroDenominatorError
        If its denominator is zero.
    """
    name = one_of("measure", measure, MEASURES)
    frequency = one_of("frequency", frequency, PERIODS_PER_YEAR)
    if name in RELATIVE and benchmark is None:
        raise ArgumentError(f"{name} needs a benchmark. Give its returns beside the portfolio's.")
    r, b, _ = align(returns, benchmark)
    if name in ANNUAL and len(r) < ONE_YEAR[frequency]:
        raise UnknownNameError(
            f"{name} needs a year of returns ({ONE_YEAR[frequency]}); there are {len(r)}. "
            "Use total_return or volatility_period, which are not annualized."
        )
    if name in {"sharpe_t_hac", "psr"} and len(r) < LEAST_FOR_INFERENCE:
        raise UnknownNameError(
            f"{name} needs {LEAST_FOR_INFERENCE} returns; there are {len(r)}. Use a longer window."
        )
    options = _options(frequency, risk_free, mar, confidence)
    value = _measure(r, b, frequency=frequency, options=options)[name]
    if np.isnan(value):
        raise ZeroDenominatorError(f"{name} divides by zero: {MEASURES[name]}.")
    return value


def wealth(returns: "pd.Series[float]") -> "pd.Series[float]":
    """Return compounded wealth after each period, from 1 before the first."""
    return (1.0 + returns).cumprod().rename("nav")


def to_frequency(returns: "pd.Series[float]", frequency: str) -> "pd.Series[float]":
    """Return compounded returns of each week, month, quarter or year, dated by its last session.

    The first and the last may be of a broken period.
    """
    frequency = one_of("frequency", frequency, PERIODS_PER_YEAR)
    level = wealth(_dated(returns))
    ends = level.loc[period_ends(pd.DatetimeIndex(level.index), frequency)]
    compounded: pd.Series[float] = ends / ends.shift(fill_value=1.0) - 1.0
    return compounded.rename("return")


def monthly_table(returns: "pd.Series[float]") -> pd.DataFrame:
    """Return compounded returns by month: year, jan to dec, total; NaN where there is no return."""
    monthly = to_frequency(returns, "M")
    dates = pd.DatetimeIndex(monthly.index)
    months = [calendar.month_abbr[m].lower() for m in range(1, 13)]
    years = sorted(set(dates.year))
    cells = np.full((len(years), 12), np.nan)
    cells[np.searchsorted(years, dates.year), dates.month - 1] = monthly.to_numpy()
    table = pd.DataFrame(cells, columns=months)
    table.insert(0, "year", years)
    table["total"] = np.nanprod(1.0 + cells, axis=1) - 1.0
    return table


def drawdowns(returns: "pd.Series[float]", top: int = 5) -> pd.DataFrame:
    """Return the deepest falls of compounded wealth, the deepest first.

    Returns
    -------
    peak : date of the highest wealth before the fall; the first date if it falls from the start
    trough : date of the lowest; recovery : first date back at the peak, NaT if not yet
    depth : negative; days_down, days_to_recover : calendar days peak to trough, trough to recovery
    """
    if top < 1:
        raise ArgumentError(f"top must be at least 1; got {top}.")
    series = _dated(_clean(returns, "returns"))
    dates = pd.DatetimeIndex(series.index)
    below = underwater(np.asarray(series, dtype=np.float64))
    under = np.concatenate([[False], below < 0.0, [False]])
    starts = np.flatnonzero(~under[:-1] & under[1:]).tolist()  # first period under water
    ends = np.flatnonzero(under[:-1] & ~under[1:]).tolist()  # first one above again, or the end
    falls = []
    for start, end in zip(starts, ends, strict=True):
        trough: int = start + int(np.argmin(below[start:end]))
        peak = dates[max(start - 1, 0)]
        recovery = dates[end] if end < len(dates) else pd.NaT
        falls.append((peak, dates[trough], recovery, below[trough]))
    columns = ["peak", "trough", "recovery", "depth"]
    table = pd.DataFrame(falls, columns=columns).astype(
        {"peak": dates.dtype, "trough": dates.dtype, "recovery": dates.dtype, "depth": float}
    )
    table["days_down"] = (table["trough"] - table["peak"]).dt.days.astype(float)
    table["days_to_recover"] = (table["recovery"] - table["trough"]).dt.days.astype(float)
    return table.sort_values("depth", kind="stable", ignore_index=True).head(top)


def _options(frequency: str, risk_free: float, mar: float, confidence: float) -> dict[str, float]:
    per_year = PERIODS_PER_YEAR[frequency]
    for name, rate in (("risk_free", risk_free), ("mar", mar)):
        if not LEAST_RATE <= rate <= MOST_RATE:
            raise ArgumentError(
                f"{name} must be a yearly rate from {LEAST_RATE:g} to {MOST_RATE:g}; got {rate:g}. "
                f"Type {rate:g} % as {rate / 100:g}."
            )
    return {
        "rf": per_period(risk_free, per_year),
        "mar": per_period(mar, per_year),
        "confidence": confidence,
    }


def _measure(
    r: "pd.Series[float]",
    b: "pd.Series[float] | None",
    *,
    frequency: str,
    options: dict[str, float],
) -> dict[str, float]:
    """Return the measures of one series; annual ones are NaN for less than a year."""
    per_year = PERIODS_PER_YEAR[frequency]
    x = np.asarray(r, dtype=np.float64)
    found = absolute(
        x,
        per_year=per_year,
        rf=options["rf"],
        mar=options["mar"],
        confidence=options["confidence"],
    )
    if b is not None:
        found |= relative(x, np.asarray(b, dtype=np.float64), per_year=per_year, rf=options["rf"])
    if len(x) < ONE_YEAR[frequency]:
        found |= dict.fromkeys(ANNUAL & found.keys(), float("nan"))
    return found


def _active(
    own: dict[str, float],
    of_benchmark: dict[str, float],
    r: "pd.Series[float]",
    b: "pd.Series[float]",
    names: list[str],
) -> list[float]:
    """Return portfolio less benchmark for returns and risks; active hit rate; else NaN."""
    differences = {"total_return", "cagr", "mean", "volatility", "volatility_period", "sharpe"}
    differences |= {"sortino", "calmar", "max_drawdown", "var95", "cvar95"}
    active = (r - b).to_numpy(dtype=float)
    special = {
        "hit_rate": float(np.mean(active > 0)),
        "best": float(np.max(active)),
        "worst": float(np.min(active)),
    }
    return [
        own[n] - of_benchmark[n] if n in differences else special.get(n, float("nan"))
        for n in names
    ]


def _shown_name(name: str, confidence: float) -> str:
    return name.replace("95", f"{100 * confidence:g}") if name in {"var95", "cvar95"} else name


def _clean(returns: "pd.Series[float]", name: str) -> "pd.Series[float]":
    """Return the series from its first to its last value, sorted by date and checked."""
    twice = returns.index[returns.index.duplicated()]
    if len(twice):
        raise DataError(f"{name} has {_label(twice[0])} twice. Keep one row for each date.")
    values = returns.astype(float).replace([np.inf, -np.inf], np.nan).sort_index()
    present = np.flatnonzero(values.notna().to_numpy())
    if not len(present):
        raise DataError(f"{name} has no numbers. Give simple returns such as 0.01 for 1 %.")
    values = values.iloc[present[0] : present[-1] + 1]
    gaps = values.index[values.isna().to_numpy()]
    if len(gaps):
        raise DataError(
            f"{name} has no value on {_label(gaps[0])}"
            + (f" and {len(gaps) - 1} more dates" if len(gaps) > 1 else "")
            + ". Fill it, or leave the row out."
        )
    if values.min() < -1.0:
        raise DataError(
            f"{name} on {_label(values.idxmin())} is {values.min():.4g}, a loss above 100 %. "
            "Give decimals: -0.05 for -5 %."
        )
    return values


def _short(r: "pd.Series[float]") -> tuple[str, ...]:
    if len(r) >= LEAST_FOR_INFERENCE:
        return ()
    return (f"{len(r)} returns are too few for inference: no t-value below 20.",)


def _dated(returns: "pd.Series[float]") -> "pd.Series[float]":
    if not isinstance(returns.index, pd.DatetimeIndex):
        raise ArgumentError("returns need dates here. Give them in the first column.")
    return returns


def _label(date: object) -> str:
    return f"{date:%Y-%m-%d}" if isinstance(date, pd.Timestamp) else f"row {date}"
