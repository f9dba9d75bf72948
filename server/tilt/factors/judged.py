"""A factor's scores over a period, held against the returns that followed."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from tilt.factors import evaluate
from tilt.factors.inference import automatic_lags, hac_t
from tilt.frames import Panel


@dataclass(frozen=True, eq=False)
class Judged:
    """Scores of the members of each date, and what was earned afterwards.

    scores, returns, caps : dates × assets; scores are NaN for who is no member
    horizon, lag : days that a score is held to account for, and from it to their first
    """

    dates: pd.DatetimeIndex
    scores: np.ndarray
    returns: np.ndarray
    caps: np.ndarray
    horizon: int
    lag: int

    @cached_property
    def forward(self) -> np.ndarray:
        """Returns over the horizon after each date; NaN where they are not over yet."""
        return evaluate.forward_returns(self.returns, horizon=self.horizon, lag=self.lag)

    def ic(self, method: str = "spearman") -> np.ndarray:
        """Return each date's correlation of scores and later returns."""
        return evaluate.information_coefficients(self.scores, self.forward, method=method)

    def decay(self, method: str = "spearman") -> pd.DataFrame:
        """Return the mean IC on disjoint windows ever further ahead."""
        return evaluate.ic_decay(
            self.scores, self.returns, horizon=self.horizon, lag=self.lag, method=method
        )

    def buckets(self, quantiles: int) -> evaluate.Buckets:
        """Return what portfolios by rank earned, made anew once a horizon, equally weighted.

        Raises
        ------
        DataError
            If no date has a name for every bucket.
        """
        step = slice(None, None, self.horizon)
        scores, forward = self.scores[step], self.forward[step]
        return evaluate.quantile_returns(scores, forward, self.dates[step], quantiles=quantiles)


def judge(
    panel: Panel,
    scores: pd.DataFrame,
    *,
    first: pd.Timestamp,
    last: pd.Timestamp,
    horizon: int = 21,
    lag: int = 1,
) -> Judged:
    """Return scores from ``first`` to ``last`` beside the returns known by then.

    Parameters
    ----------
    scores : dates × assets of the panel
    """
    seen = panel.until(last)
    rows = seen.dates >= first
    member = seen.member.to_numpy(dtype=bool)
    aligned = scores.reindex(index=seen.dates, columns=seen.assets).to_numpy(dtype=float)
    return Judged(
        seen.dates[rows],
        np.where(member, aligned, np.nan)[rows],
        seen.returns.to_numpy(dtype=float)[rows],
        seen.market_cap.to_numpy(dtype=float)[rows],
        horizon,
        lag,
    )


def quantile_table(found: evaluate.Buckets, horizon: int) -> pd.DataFrame:
    """Return what each portfolio earned, a year, and a last row for top minus bottom.

    Returns
    -------
    quantile, mean_return and volatility (a year, arithmetic), sharpe, turnover (one way, at each
    rebalance), count (mean names), t_hac, and of the spread monotonicity and its p_value
    """
    year = evaluate.YEAR / horizon
    columns = {**{str(c): found.returns[c].to_numpy() for c in found.returns}}
    columns["spread"] = found.spread
    order = found.order
    rows = []
    for i, (name, r) in enumerate(columns.items()):
        known = r[np.isfinite(r)]
        bucket = name != "spread"
        sd = np.sqrt(year) * known.std(ddof=1) if len(known) > 1 else np.nan
        mean = year * known.mean() if len(known) else np.nan
        rows.append(
            {
                "quantile": int(name) if bucket else name,
                "mean_return": mean,
                "volatility": sd,
                "sharpe": mean / sd if sd > 0 else np.nan,
                "turnover": found.turnover[i] if bucket else found.factor_turnover,
                "count": found.count[i] if bucket else found.count[0] + found.count[-1],
                "t_hac": hac_t(r, lags=automatic_lags(len(known))),
                "monotonicity": np.nan if bucket else order.spearman,
                "p_value": np.nan if bucket else order.p_value,
            }
        )
    return pd.DataFrame(rows)
