"""How much of a record is luck: the same days in another order, many times over.

Politis, Romano (1994), The Stationary Bootstrap; Politis, White (2004), Automatic Block-Length
Selection for the Dependent Bootstrap, with the correction of Patton, Politis, White (2009).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.random import SeedSequence
from numpy.typing import NDArray

from tilt.errors import ArgumentError, DataError
from tilt.portfolio.measures import Array

CHUNK = 250  # draws of one seed, whoever computes them
DRAWS, LEAST_DRAWS, MOST_DRAWS = 2000, 100, 100_000
LEAST = 60  # periods: of fewer there is no order to keep
QUANTILES: Mapping[str, float] = MappingProxyType(
    {"p05": 0.05, "p25": 0.25, "p50": 0.50, "p75": 0.75, "p95": 0.95}
)
HORIZONS = (21, 63, 126, 252, 504, 756, 1260)  # periods ahead
SIGNIFICANT = 2.0  # of an autocorrelation, as Politis and White take it

Places = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Record:
    """Returns that were earned, and how to draw from them.

    returns   : per period, as decimals, no gaps
    benchmark : over the same periods, or None
    risk_free : per period
    per_year  : periods in a year
    block     : mean length of the blocks that are drawn, in periods
    """

    returns: Array
    benchmark: Array | None
    risk_free: float
    per_year: int
    block: float

    @property
    def length(self) -> int:
        """Return how many periods are drawn: those of the record, or the longest horizon."""
        return max(len(self.returns), HORIZONS[-1])


@dataclass(frozen=True, eq=False)
class Drawn:
    """What each draw gave.

    measures : draws × `measures_of`'s names
    wealth   : draws × horizons, compounded return
    active   : draws × horizons, compounded return less the benchmark's; no columns without one
    """

    measures: Array
    wealth: Array
    active: Array


def record_of(
    returns: "pd.Series[float]",
    benchmark: "pd.Series[float] | None" = None,
    *,
    risk_free: float = 0.0,
    per_year: int,
    block: float | None = None,
) -> Record:
    """Return a record to draw from.

    Parameters
    ----------
    returns, benchmark : per period, over the same periods
    risk_free : per period
    block : mean length of a block; left out, the longest of the automatic lengths of the returns,
        of the active returns and of their squares, whose volatility clusters

    Raises
    ------
    DataError
        If there are under 60 periods, a return is missing, or the returns do not vary.
    ArgumentError
        If the block is shorter than one period or longer than a third of them.
    """
    r = np.asarray(returns, dtype=np.float64)
    b = None if benchmark is None else np.asarray(benchmark, dtype=np.float64)
    if len(r) < LEAST:
        raise DataError(f"{len(r)} returns are too few to draw from; it takes {LEAST}.")
    if b is not None and len(b) != len(r):
        raise DataError(f"{len(r)} returns and {len(b)} of the benchmark are not of one window.")
    series = [r] if b is None else [r, r - b]
    if not all(np.isfinite(s).all() for s in series):
        raise DataError("A return is missing. Give returns and benchmark over the same dates.")
    if np.ptp(r) == 0:
        raise DataError("The returns do not vary, so there is nothing to draw.")
    if block is None:
        both = [*series, *((s - s.mean()) ** 2 for s in series)]
        block = max(automatic_block(s) for s in both)
    elif not 1.0 <= block <= len(r) / 3:
        raise ArgumentError(
            f"block must be from 1 to {len(r) // 3} periods, a third of the record; got {block:g}."
        )
    return Record(r, b, risk_free, per_year, float(block))


def automatic_block(x: Array) -> float:
    """Return the mean block length at which a stationary bootstrap errs least, at least 1.

    The mean's variance by flat-top lag window (Politis, White 2004, section 3.2; Patton, Politis,
    White 2009, with D = 2 g(0)²).

    Parameters
    ----------
    x : a stationary series without gaps
    """
    n = len(x)
    e = x - x.mean()
    if not np.any(e):
        return 1.0
    run = max(5, int(np.ceil(np.sqrt(np.log10(n)))))
    most_lags = min(int(np.ceil(np.sqrt(n))) + run, n - 1)
    covariance = np.array([e[k:] @ e[: n - k] for k in range(most_lags + 1)]) / n
    correlated = np.abs(covariance[1:] / covariance[0]) >= SIGNIFICANT * np.sqrt(np.log10(n) / n)
    last = _last_lag(correlated, run)
    lags = min(2 * max(last, 1), most_lags)
    k = np.arange(1, lags + 1)
    window = np.where(k <= lags / 2, 1.0, 2.0 * (1.0 - k / lags))
    weighted = window * covariance[1 : lags + 1]
    slope = 2.0 * float(k @ weighted)
    spectrum = covariance[0] + 2.0 * float(weighted.sum())
    if spectrum <= 0:
        return 1.0
    length = (slope**2 / spectrum**2 * n) ** (1 / 3)
    return float(np.clip(length, 1.0, np.ceil(min(3 * np.sqrt(n), n / 3))))


def _last_lag(correlated: "NDArray[np.bool_]", run: int) -> int:
    """Return the lag after which ``run`` of them in a row are not significant; else the last."""
    for lag in range(len(correlated) - run + 1):
        if not correlated[lag : lag + run].any():
            return lag
    found = np.flatnonzero(correlated)
    return int(found[-1]) + 1 if len(found) else 0


def chunks(draws: int, seed: int, *, size: int = CHUNK) -> list[tuple[SeedSequence, int]]:
    """Return a seed and a number of draws for each chunk of ``size``.

    What a chunk draws hangs on its own seed alone, so it is the same in whatever company.

    Raises
    ------
    ArgumentError
        If there are too few draws or too many.
    """
    if not LEAST_DRAWS <= draws <= MOST_DRAWS:
        raise ArgumentError(
            f"draws must be a whole number from {LEAST_DRAWS} to {MOST_DRAWS:,}; got {draws}."
        )
    sizes = [size] * (draws // size) + [draws % size] * bool(draws % size)
    return list(zip(SeedSequence(seed).spawn(len(sizes)), sizes, strict=True))


def draw(
    record: Record,
    some: Sequence[tuple[SeedSequence, int]],
    progress: Callable[[float], None] = lambda _: None,
) -> Drawn:
    """Return what some chunks of draws give."""
    found = []
    for number, (seed, count) in enumerate(some):
        progress(number / len(some))
        rng = np.random.default_rng(seed)
        places = stationary_places(rng, len(record.returns), record.length, count, record.block)
        found.append(_of_places(record, places))
    return together(found)


def together(parts: Sequence[Drawn]) -> Drawn:
    """Return the draws of several parts as one."""
    return Drawn(
        np.concatenate([p.measures for p in parts]),
        np.concatenate([p.wealth for p in parts]),
        np.concatenate([p.active for p in parts]),
    )


def stationary_places(
    rng: np.random.Generator, periods: int, length: int, count: int, block: float
) -> Places:
    """Return count × length places in a record, drawn in blocks of geometric length.

    A block that reaches the record's end goes on at its beginning, so that each period is as likely
    as any other (Politis, Romano 1994, section 2).
    """
    start = rng.integers(periods, size=(count, length))
    fresh = rng.random((count, length)) < 1.0 / block
    fresh[:, 0] = True
    at = np.maximum.accumulate(np.where(fresh, np.arange(length), 0), axis=1)
    begun = np.take_along_axis(start, at, axis=1)
    return np.asarray((begun + np.arange(length) - at) % periods, dtype=np.int64)


def _of_places(record: Record, places: Places) -> Drawn:
    n = len(record.returns)
    r = record.returns[places]
    b = None if record.benchmark is None else record.benchmark[places]
    ends = np.array(HORIZONS) - 1
    growth: Array = np.asarray(np.cumprod(1.0 + r, axis=1)[:, ends], dtype=np.float64)
    active = np.empty((len(r), 0))
    if b is not None:
        active = np.asarray(growth - np.cumprod(1.0 + b, axis=1)[:, ends])
    values = measures_of(
        r[:, :n], None if b is None else b[:, :n], record.risk_free, record.per_year
    )
    return Drawn(np.column_stack(list(values.values())), growth - 1.0, active)


def measures_of(r: Array, b: Array | None, risk_free: float, per_year: int) -> Mapping[str, Array]:
    """Return the measures of each row of returns, as ``STATS`` defines them.

    Parameters
    ----------
    r, b : paths × periods
    risk_free : per period
    """
    year = np.sqrt(per_year)
    wealth = np.cumprod(1.0 + r, axis=1)
    peak = np.maximum.accumulate(np.maximum(wealth, 1.0), axis=1)
    final = np.maximum(wealth[:, -1], 0.0)
    sd = r.std(axis=1, ddof=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = {
            "cagr": final ** (per_year / r.shape[1]) - 1.0,
            "volatility": year * sd,
            "sharpe": year * np.where(sd > 0, (r.mean(axis=1) - risk_free) / sd, np.nan),
            "max_drawdown": (wealth / peak - 1.0).min(axis=1),
        }
        if b is None:
            return found
        active = r - b
        error = active.std(axis=1, ddof=1)
        final_b = np.maximum(np.cumprod(1.0 + b, axis=1)[:, -1], 0.0)
        return found | {
            "active_return": found["cagr"] - (final_b ** (per_year / r.shape[1]) - 1.0),
            "tracking_error": year * error,
            "information_ratio": year * np.where(error > 0, active.mean(axis=1) / error, np.nan),
        }


def interval_table(record: Record, drawn: Drawn) -> pd.DataFrame:
    """Return measure, observed, p05 to p95, error, above_zero of the draws.

    ``error`` is the standard error; ``above_zero`` the share of draws in which the measure is.
    """
    b = None if record.benchmark is None else record.benchmark[None]
    seen = measures_of(record.returns[None], b, record.risk_free, record.per_year)
    table = pd.DataFrame({"measure": list(seen), "observed": [float(v[0]) for v in seen.values()]})
    for name, share in QUANTILES.items():
        table[name] = np.nanquantile(drawn.measures, share, axis=0)
    table["error"] = np.nanstd(drawn.measures, axis=0, ddof=1)
    table["above_zero"] = np.mean(drawn.measures > 0, axis=0)
    return table


def horizon_table(record: Record, drawn: Drawn) -> pd.DataFrame:
    """Return periods, years, p05 to p95 of the compounded return, loss, underperformance.

    ``loss`` and ``underperformance`` are the shares of draws that have lost money, or earned less
    than the benchmark, by then; NaN without a benchmark.
    """
    table = pd.DataFrame({"periods": HORIZONS})
    table["years"] = table["periods"] / record.per_year
    for name, share in QUANTILES.items():
        table[name] = np.quantile(drawn.wealth, share, axis=0)
    table["loss"] = np.mean(drawn.wealth < 0, axis=0)
    behind = np.mean(drawn.active < 0, axis=0) if record.benchmark is not None else np.nan
    table["underperformance"] = behind
    return table
