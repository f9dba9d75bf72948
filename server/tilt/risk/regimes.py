"""Regimes of a series of returns or of a market: calm and turbulent times, and how sure one is.

A probability is filtered if it uses what was known on its date, smoothed if it looks back from the
end of the series. The parameters of a Markov model are those of the whole series given, so that
even filtered probabilities describe the past; a strategy fits anew on every date.
"""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tilt.errors import ArgumentError, DataError
from tilt.stopping import look

LEAST_RETURNS = 126
LEAST_SHARE = 0.02  # of the time; a state of fewer days is an outlier, not a regime
RESTARTS = 4
EM_STEPS, POLISH_STEPS = 60, 20
SEED = 1989
STATES = (2, 3)
COMPONENTS = 0.2  # of the series, whose share of variance is the absorption ratio
WINDOW = 252  # days that turbulence and absorption compare a day with
VOLATILITY_DAYS = 21
YEAR = 252  # days


@dataclass(frozen=True, eq=False)
class Regimes:
    """A Markov switching model of returns; states are ordered by variance, the calmest first.

    probabilities : dates × states, named calm, (middle,) turbulent
    state         : the likeliest, by date
    mean, variance : per period, by state
    transition    : from a state (row) to the next (column)
    bic           : the smaller, the better the number of states suits the series
    """

    probabilities: pd.DataFrame
    state: "pd.Series[str]"
    mean: "pd.Series[float]"
    variance: "pd.Series[float]"
    transition: pd.DataFrame
    bic: float

    def table(self) -> pd.DataFrame:
        """Return the state and the probability of each, by date."""
        return self.probabilities.assign(state=self.state)[["state", *self.probabilities]]

    def now(self) -> tuple[str, float, pd.Timestamp]:
        """Return the last date's state, its probability, and since when it has been that state."""
        last = str(self.state.iloc[-1])
        since = self.state.index[
            (self.state == last).iloc[::-1].cumprod().iloc[::-1].to_numpy() > 0
        ]
        return last, float(self.probabilities[last].iloc[-1]), since[0]

    def summary(self) -> pd.DataFrame:
        """Return state, mean, volatility (both per period), share of days and expected duration."""
        names = self.probabilities.columns
        stay = np.clip(np.diag(self.transition), 0.0, 1 - 1e-12)
        return pd.DataFrame(
            {
                "state": names,
                "mean": self.mean.to_numpy(),
                "volatility": np.sqrt(self.variance.to_numpy()),
                "share": [(self.state == name).mean() for name in names],
                "duration": 1 / (1 - stay),
                "bic": self.bic,
            }
        )


def state_names(states: int) -> list[str]:
    """Return the names of states from the calmest to the wildest."""
    return ["calm", "turbulent"] if states == STATES[0] else ["calm", "middle", "turbulent"]


def markov_regimes(
    returns: "pd.Series[float]", *, states: int = 2, smoothed: bool = False
) -> Regimes:
    """Fit a mean and a variance per state to a series (Hamilton 1989), best of seeded starts.

    Parameters
    ----------
    returns : by date, simple returns; missing ones are left out
    states : 2 or 3
    smoothed : look back from the end; else each date knows itself and the dates before it

    Raises
    ------
    ArgumentError
        If there are neither 2 nor 3 states.
    DataError
        If there are under 126 returns, they do not move, or a state comes to next to nothing.
    """
    # statsmodels takes a second to load, and few sheets ask for regimes
    from statsmodels.tsa.regime_switching.markov_regression import (
        MarkovRegression,
    )

    if states not in STATES:
        raise ArgumentError(f"states must be 2 or 3; got {states}.")
    known = returns.dropna()
    if len(known) < LEAST_RETURNS:
        raise DataError(
            f"Regimes need {LEAST_RETURNS} returns; there are {len(known)}. Take a longer series."
        )
    spread = float(known.std())
    if not spread > 1e-12:
        raise DataError("The returns do not move, so they have no regimes.")
    scaled = known.to_numpy(dtype=float) / spread  # the optimizer likes numbers around one
    model = MarkovRegression(scaled, k_regimes=states, trend="c", switching_variance=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a start that leads nowhere is one of several
        tries = [
            model.fit(start, em_iter=EM_STEPS, maxiter=0, cov_type="none", disp=False)
            for start in _starts(scaled, states)
        ]
        best = max((t for t in tries if np.isfinite(t.llf)), key=lambda t: t.llf, default=None)
        if best is None:
            raise DataError("No Markov model fits these returns. Take a longer series.")
        look()
        polished = model.fit(best.params, maxiter=POLISH_STEPS, cov_type="none", disp=False)
    best = max(best, polished, key=lambda t: t.llf if np.isfinite(t.llf) else -np.inf)
    means, variances = best.params[states * (states - 1) :][:states], best.params[-states:]
    order = np.argsort(variances)
    found = best.smoothed_marginal_probabilities if smoothed else (
        best.filtered_marginal_probabilities
    )  # fmt: skip
    names = state_names(states)
    probabilities = pd.DataFrame(np.asarray(found)[:, order], known.index, names)
    average = best.smoothed_marginal_probabilities.mean(axis=0)
    if average.min() < LEAST_SHARE:
        raise DataError(
            f"Only {int(average.min() * len(known))} of {len(known)} returns are in one of "
            f"{states} states: that is an outlier, not a regime. "
            "Take fewer states or a longer series."
        )
    transition = best.regime_transition[:, :, 0].T[np.ix_(order, order)]
    return Regimes(
        probabilities=probabilities,
        state=probabilities.idxmax(axis=1).astype(str),
        mean=pd.Series(means[order] * spread, names),
        variance=pd.Series(variances[order] * spread**2, names),
        transition=pd.DataFrame(transition, names, names),
        bic=float(best.bic + 2 * len(known) * np.log(spread)),
    )


def _starts(scaled: np.ndarray, states: int) -> Iterator[np.ndarray]:
    """Yield parameters to start from: states that last, variances apart, means alike."""
    rng = np.random.default_rng(SEED)
    for _ in range(RESTARTS):
        look()
        stay = rng.uniform(0.85, 0.99)
        move = np.full((states, states), (1 - stay) / (states - 1))
        np.fill_diagonal(move, stay)
        means = scaled.mean() + 0.1 * rng.standard_normal(states)
        variances = scaled.var() * np.sort(np.geomspace(0.3, 3.0, states) * rng.uniform(0.6, 1.6))
        # statsmodels names them p[i->j] for every target but the last, all origins of one target
        yield np.concatenate([move[:, :-1].T.ravel(), means, variances])


def threshold_regimes(level: "pd.Series[float]", *, enter: float, leave: float) -> pd.DataFrame:
    """Return state, calm, turbulent and the level by date: a rule with hysteresis.

    Turbulence begins on the date when the level rises above the ``enter`` quantile of the levels
    before it, and ends when it falls beneath their ``leave`` quantile. Dates with under 126 levels
    before them are left out.

    Raises
    ------
    ArgumentError
        If the quantiles are not 0 < leave <= enter < 1.
    DataError
        If there are too few levels.
    """
    if not 0 < leave <= enter < 1:
        raise ArgumentError(
            f"enter and leave must be 0 < leave <= enter < 1; got enter {enter:g}, leave {leave:g}."
        )
    known = level.dropna()
    if len(known) <= LEAST_RETURNS:
        raise DataError(
            f"A threshold needs more than {LEAST_RETURNS} levels; there are {len(known)}. "
            "Take a longer series."
        )
    before = known.shift(1).expanding(LEAST_RETURNS)
    high, low = before.quantile(enter).to_numpy(), before.quantile(leave).to_numpy()
    values, wild = known.to_numpy(dtype=float), False
    states = np.zeros(len(values), dtype=bool)
    for t in range(LEAST_RETURNS, len(values)):
        wild = values[t] > high[t] or (wild and values[t] >= low[t])
        states[t] = wild
    names = np.array(state_names(2))
    table = pd.DataFrame(
        {
            "state": names[states.astype(int)],
            "calm": (~states).astype(float),
            "turbulent": states.astype(float),
            "level": values,
        },
        index=known.index,
    )
    return table.iloc[LEAST_RETURNS:]


def threshold_summary(state: "pd.Series[str]", returns: "pd.Series[float]") -> pd.DataFrame:
    """Return state, mean and volatility of its returns, share of dates and mean duration.

    A state that never was has no mean, and a duration of zero.
    """
    known = returns.reindex(state.index)
    spell = (state != state.shift()).cumsum()
    rows = []
    for name in state_names(STATES[0]):
        inside = state == name
        runs = spell[inside].nunique()
        rows.append(
            {
                "state": name,
                "mean": known[inside].mean(),
                "volatility": known[inside].std(),
                "share": float(inside.mean()),
                "duration": float(inside.sum() / runs) if runs else 0.0,
            }
        )
    return pd.DataFrame(rows)


def risk_by_regime(
    portfolio: "pd.Series[float]", benchmark: "pd.Series[float] | None", state: "pd.Series[str]"
) -> pd.DataFrame:
    """Return what a portfolio earned and risked in each state.

    Parameters
    ----------
    portfolio, benchmark : by date, simple returns of a day; days that miss one are left out
    state : by date; the order of first mention is that of :func:`state_names`

    Returns
    -------
    state, days, share (of the days), mean, volatility, tracking_error (all three a year, the mean
    arithmetic), beta; the last row ``all``. NaN under two days, or without a benchmark.

    Raises
    ------
    DataError
        If the returns and the states have no day in common.
    """
    columns = {"portfolio": portfolio, "benchmark": benchmark, "state": state}
    days = pd.DataFrame({k: v for k, v in columns.items() if v is not None}).dropna()
    if days.empty:
        raise DataError("No day has both a return and a state. Take a longer history.")
    order = [n for n in ("calm", "middle", "turbulent") if n in set(state)]
    parts = [*((name, days[days["state"] == name]) for name in order), ("all", days)]
    return pd.DataFrame([_in_state(name, part, len(days)) for name, part in parts])


def _in_state(name: str, days: pd.DataFrame, every: int) -> dict[str, object]:
    own = days["portfolio"]
    row: dict[str, object] = {
        "state": name,
        "days": len(days),
        "share": len(days) / every,
        "mean": YEAR * own.mean(),
        "volatility": YEAR**0.5 * own.std(),
        "tracking_error": np.nan,
        "beta": np.nan,
    }
    if "benchmark" in days:
        base = days["benchmark"]
        row["tracking_error"] = YEAR**0.5 * (own - base).std()
        moved = base.var()
        row["beta"] = own.cov(base) / moved if moved > 0 else np.nan
    return row


def trailing_volatility(returns: "pd.Series[float]") -> "pd.Series[float]":
    """Return the root mean square of the last 21 returns, by date."""
    return (returns.dropna() ** 2).rolling(VOLATILITY_DAYS).mean() ** 0.5


def turbulence(returns: pd.DataFrame) -> "pd.Series[float]":
    """Return ``(r - μ)' Σ⁻¹ (r - μ) / K`` by date, μ and Σ of the 252 dates before it.

    Kritzman and Li 2010, Skulls, financial turbulence, and risk management. About 1 on an ordinary
    date. Directions in which Σ has next to no variance are left out: they are linear constraints.
    """
    r = returns.dropna().to_numpy(dtype=float)
    found = np.full(len(r), np.nan)
    for t in range(WINDOW, len(r)):
        look()
        past = r[t - WINDOW : t]
        mean = past.mean(axis=0)
        inverse = np.linalg.pinv(np.cov(past, rowvar=False), rcond=1e-4, hermitian=True)
        away = r[t] - mean
        found[t] = away @ inverse @ away / r.shape[1]
    return pd.Series(found, index=returns.dropna().index)


def absorption_ratio(returns: pd.DataFrame) -> "pd.Series[float]":
    """Return by date what share of the variance of 252 dates a fifth of the components explain.

    Kritzman, Li, Page, Rigobon 2011, Principal components as a measure of systemic risk.
    """
    clean = returns.dropna()
    r = clean.to_numpy(dtype=float)
    first = max(1, round(COMPONENTS * r.shape[1]))
    found = np.full(len(r), np.nan)
    for t in range(WINDOW, len(r) + 1):
        look()
        values = np.linalg.eigvalsh(np.cov(r[t - WINDOW : t], rowvar=False))
        found[t - 1] = values[-first:].sum() / values.sum()
    return pd.Series(found, index=clean.index)
