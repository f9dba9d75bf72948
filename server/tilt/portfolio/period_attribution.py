"""Effects of days put together by month or year: what each showed, and what it counts for in all.

Within a period days are linked so that the effects sum to its compounded active return; periods are
linked by the same method, so that they sum to that of the whole. By Carino's, GRAP's and
Frongello's methods the linked effects are those of linking all days at once.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tilt.calendar import period_ends
from tilt.errors import DataError
from tilt.portfolio.attribution import EFFECTS, Brinson, compound, linking

CHAINING = ("carino", "grap", "frongello")  # linked by period or at once, the sums are the same


@dataclass(frozen=True, eq=False)
class PeriodEffects:
    """Active return by period and source.

    effects : periods × lines, linked within the period; with ``residual`` the rows sum to its
        active return. A period is labelled by its last session
    portfolio, benchmark : compounded return by period
    rates   : by period, for how much its effects count in the whole
    """

    effects: pd.DataFrame
    portfolio: "pd.Series[float]"
    benchmark: "pd.Series[float]"
    rates: "pd.Series[float]"

    @property
    def active(self) -> "pd.Series[float]":
        """Portfolio less benchmark, by period."""
        return self.portfolio - self.benchmark

    @property
    def residual(self) -> "pd.Series[float]":
        """What the effects leave of each period's active return."""
        return self.active - self.effects.sum(axis=1)

    @property
    def linked(self) -> "pd.Series[float]":
        """Each line over all periods; they sum to the compounded active return, less a residual."""
        values = self.effects.to_numpy(dtype=float)
        return pd.Series(self.rates.to_numpy() @ values, index=self.effects.columns)

    @property
    def total(self) -> float:
        """The compounded active return of the whole."""
        return compound(self.portfolio) - compound(self.benchmark)


def by_period(
    effects: pd.DataFrame,
    portfolio: "pd.Series[float]",
    benchmark: "pd.Series[float]",
    *,
    frequency: str = "M",
    link: str = "carino",
) -> PeriodEffects:
    """Put the effects of days together by period.

    Parameters
    ----------
    effects : days × lines, fractions of the day's capital
    portfolio, benchmark : return by day
    frequency : W, M, Q or Y
    link : a name of ``tilt.portfolio.attribution.LINKS``

    Raises
    ------
    ArgumentError
        If the method of linking is unknown.
    DataError
        If there is no day.
    """
    days = pd.DatetimeIndex(effects.index)
    if not len(days):
        raise DataError("There is no day to attribute. Choose an earlier start or a later end.")
    ends = period_ends(days, frequency)
    period = ends.searchsorted(days, side="left")
    values = effects.to_numpy(dtype=float)
    rows, own, base = [], [], []
    for number in range(len(ends)):
        inside = period == number
        p, b = portfolio[inside], benchmark[inside]
        rows.append(linking(p, b, link=link) @ values[inside])
        own.append(compound(p))
        base.append(compound(b))
    mine, theirs = pd.Series(own, index=ends), pd.Series(base, index=ends)
    return PeriodEffects(
        effects=pd.DataFrame(np.array(rows), index=ends, columns=effects.columns),
        portfolio=mine,
        benchmark=theirs,
        rates=pd.Series(linking(mine, theirs, link=link), index=ends),
    )


def brinson_lines(found: Brinson) -> pd.DataFrame:
    """Return days × (effect, group): the effects side by side; costs are not among them."""
    parts: dict[str, pd.DataFrame] = {effect: getattr(found, effect) for effect in EFFECTS}
    return pd.concat(parts, axis=1)
