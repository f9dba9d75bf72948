"""What the four portfolios of a factor earned, each made with what was known on its date."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from tilt.errors import DataError, NoSolutionError
from tilt.factors.inference import automatic_lags, hac_t
from tilt.factors.series import max_drawdown
from tilt.frames import Weights
from tilt.optimize.pure import KINDS, FactorCase, Limits, factor_portfolio

LAG = 1  # sessions from the close that a portfolio is made of to the one it is bought at
Progress = Callable[[float, str], None]


@dataclass(frozen=True, eq=False)
class PureHistory:
    """The portfolios of a factor through time.

    returns  : ends of the periods × kinds, simple return of a period on capital of one, before
               costs; the long-only investable portfolio counts against the benchmark
    traded   : the same shape, what was bought and sold at the beginning of the period, both ways
    exposure : the same shape, to the factor, as it was at the beginning
    cost     : of trading, as a fraction of what is traded
    notes    : periods that a kind could not be made for
    """

    returns: pd.DataFrame
    traded: pd.DataFrame
    exposure: pd.DataFrame
    cost: float
    notes: tuple[str, ...]

    @property
    def net(self) -> pd.DataFrame:
        """Returns after costs."""
        return self.returns - self.cost * self.traded

    def summary(self, periods_per_year: float) -> pd.DataFrame:
        """Return measure and a column per kind: what was earned, how surely, at what cost."""
        columns = {}
        for kind in self.returns:
            r, net = (x[kind].to_numpy(dtype=float) for x in (self.returns, self.net))
            known = r[np.isfinite(r)]
            n, year = len(known), periods_per_year
            mean = year * known.mean() if n else np.nan
            sd = np.sqrt(year) * known.std(ddof=1) if n > 1 else np.nan
            after = net[np.isfinite(net)]
            columns[kind] = {
                "mean": mean,
                "volatility": sd,
                "ir": mean / sd if sd > 0 else np.nan,
                "t_stat": hac_t(r, lags=automatic_lags(n)),
                "max_drawdown": max_drawdown(r) if n else np.nan,
                "exposure": float(self.exposure[kind].mean()),
                "turnover_a_year": year * float(self.traded[kind].mean()) / 2,
                "cost_a_year": year * self.cost * float(self.traded[kind].mean()),
                "mean_net": year * after.mean() if n else np.nan,
                "periods": float(n),
            }
        return pd.DataFrame(columns).rename_axis("measure").reset_index()


def performance(
    opened: Callable[[pd.Timestamp], FactorCase],
    dates: Sequence[pd.Timestamp],
    returns: pd.DataFrame,
    limits: Limits,
    *,
    cost: float = 0.001,
    progress: Progress | None = None,
) -> PureHistory:
    """Make the four portfolios on each date and hold them until those of the next.

    A portfolio made at a close is bought at the next session's close and drifts until the following
    one is bought. The turnover limit of the investable portfolio is against what it drifted to.

    Parameters
    ----------
    opened : gives the case of a date, of what was known then
    dates : of the rebalances, ascending, sessions of ``returns``
    returns : sessions × assets, simple; where one is missing, the price stands still

    Raises
    ------
    DataError
        If there are not two sessions after the first date.
    """
    sessions = returns.index.get_indexer(pd.DatetimeIndex(list(dates)))
    fills = np.minimum(sessions + LAG, len(returns) - 1)
    ends = [*fills[1:], len(returns) - 1]
    if not len(fills) or ends[0] <= fills[0]:
        raise DataError("There is no session after the first portfolio was bought.")
    held: dict[str, Weights] = {}
    found: dict[pd.Timestamp, _Period] = {}
    for i, date in enumerate(dates):
        if ends[i] <= fills[i]:
            continue
        if progress is not None:
            progress(i / len(dates), f"portfolios of {date:%Y-%m}")
        within = returns.iloc[fills[i] + 1 : ends[i] + 1].to_numpy(dtype=float)
        grown = pd.Series((1.0 + np.nan_to_num(within)).prod(axis=0) - 1.0, returns.columns)
        found[returns.index[ends[i]]] = _period(opened(date), grown, limits, held)
    index = pd.DatetimeIndex(list(found), name="date")

    def through_time(values: list[dict[str, float]]) -> pd.DataFrame:
        return pd.DataFrame(values, index=index, columns=list(KINDS))

    return PureHistory(
        returns=through_time([period.earned for period in found.values()]),
        traded=through_time([period.traded for period in found.values()]),
        exposure=through_time([period.exposure for period in found.values()]),
        cost=cost,
        notes=tuple(note for period in found.values() for note in period.notes),
    )


@dataclass
class _Period:
    """What each kind earned, traded and was exposed to in a period; a kind without is left out."""

    earned: dict[str, float] = field(default_factory=dict)
    traded: dict[str, float] = field(default_factory=dict)
    exposure: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def _period(
    case: FactorCase, grown: "pd.Series[float]", limits: Limits, held: dict[str, Weights]
) -> _Period:
    """Make the portfolios of a date and hold them; ``held`` then has what they have become."""
    out = _Period()
    for kind in KINDS:
        whole = kind == KINDS[-1] and limits.long_only
        try:
            w = _made(case, kind, limits, held.get(kind))
        except (NoSolutionError, DataError) as error:
            out.notes.append(f"{kind}, {case.model.date:%Y-%m-%d}: {error}")
            continue
        base = case.benchmark if whole else 0.0 * w
        active = w.sub(base, fill_value=0.0)
        own = grown.reindex(active.index).fillna(0.0)
        out.earned[kind] = float(active.to_numpy() @ own.to_numpy())
        start = held.get(kind, base)
        out.traded[kind] = float(w.sub(start, fill_value=0.0).abs().sum())
        exposed = active.reindex(case.exposures.index).to_numpy()
        out.exposure[kind] = float(exposed @ case.own.to_numpy())
        held[kind] = _drifted(w, grown, whole=whole)
    return out


def _made(case: FactorCase, kind: str, limits: Limits, held: Weights | None) -> Weights:
    if kind == KINDS[-1] and held is not None:
        with_risk = held[held.index.isin(case.model.assets)]
        case = replace(case, held=with_risk)
    return factor_portfolio(case, kind, limits)


def _drifted(w: Weights, grown: "pd.Series[float]", *, whole: bool) -> Weights:
    """Return weights after returns; of a portfolio that is all its capital, they sum as before."""
    after = w * (1.0 + grown.reindex(w.index).fillna(0.0))
    kept = after[after.abs() > 0]
    return kept * (w.sum() / kept.sum()) if whole else kept
