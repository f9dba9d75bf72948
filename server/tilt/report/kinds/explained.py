"""A portfolio beside its benchmark, and its active return taken apart in every way."""

from dataclasses import dataclass, field, replace
from functools import cached_property

import pandas as pd

from tilt.errors import ArgumentError
from tilt.frames import FactorHistory
from tilt.portfolio.attribution import COSTS, Brinson, brinson_table, compound
from tilt.portfolio.daily_attribution import brinson_daily, positions_table
from tilt.portfolio.factor_attribution import FactorEffects, factor_effects, factor_table
from tilt.portfolio.period_attribution import PeriodEffects, brinson_lines, by_period
from tilt.portfolio.track import Track
from tilt.report.record import ExplainedAsked, Record


@dataclass(frozen=True, eq=False)
class Performance:
    """A portfolio and its benchmark, day by day, and what is said of the active return.

    name    : what was held, as the lineage says it
    groups  : by asset, of what ``by`` says
    history : of the factors; None where there is no factor model
    asked   : as the cell ATTRIBUTION would be asked for it, whatever the method
    record  : of the runs whose ids the report shows
    """

    name: str
    portfolio: Track
    benchmark: Track
    groups: "pd.Series[str]"
    by: str
    link: str
    history: FactorHistory | None
    asked: ExplainedAsked
    record: Record = field(default_factory=Record)

    @cached_property
    def runs(self) -> dict[str, str]:
        """Run ids by method, of those that were asked for."""
        return {}

    def run_of(self, method: str) -> str:
        """Return the run id of a table by its method; empty where it is not on record."""
        if method not in self.runs:
            by = self.by if method == "brinson" else ""
            asked = replace(self.asked, method=method, by=by, link=self.link)
            self.runs[method] = self.record.explained(asked, self._table(method))
        return self.runs[method]

    def _table(self, method: str) -> pd.DataFrame:
        if method == "brinson":
            return self.by_group
        return self.by_factor if method == "factor" else self.by_position

    @cached_property
    def _brinson(self) -> tuple[Brinson, tuple[str, ...]]:
        return brinson_daily(self.portfolio, self.benchmark, self.groups)

    @property
    def effects(self) -> Brinson:
        """Allocation, selection and interaction by day."""
        return self._brinson[0]

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """What its reader should know."""
        said = (*self.portfolio.notes, *self.benchmark.notes, *self._brinson[1])
        return tuple(dict.fromkeys(said))

    @cached_property
    def by_group(self) -> pd.DataFrame:
        """The effects of all days by group, linked."""
        return brinson_table(self.effects, link=self.link)

    def effects_by(self, frequency: str) -> PeriodEffects:
        """Return the effects by period; the lines are effects and groups, then costs."""
        lines = brinson_lines(self.effects)
        if self.effects.costs is not None:
            lines[COSTS, ""] = self.effects.costs
        return self._by(lines, frequency)

    @cached_property
    def factors(self) -> FactorEffects:
        """Active return by day and factor.

        Raises
        ------
        ArgumentError
            If there is no factor model.
        """
        if self.history is None:
            raise ArgumentError("The universe has no factor model.")
        return factor_effects(self.portfolio, self.benchmark, self.history)

    @cached_property
    def by_factor(self) -> pd.DataFrame:
        """What each factor contributed over all days, linked."""
        return factor_table(self.factors, link=self.link)

    def factors_by(self, frequency: str) -> PeriodEffects:
        """Return what factors and the rest contributed, by period."""
        return self._by(self.factors.effects, frequency)

    @cached_property
    def by_position(self) -> pd.DataFrame:
        """What each position contributed, linked."""
        return positions_table(self.portfolio, self.benchmark, self.groups, link=self.link)[0]

    def _by(self, lines: pd.DataFrame, frequency: str) -> PeriodEffects:
        mine, theirs = self.effects.portfolio, self.effects.benchmark
        return by_period(lines, mine, theirs, frequency=frequency, link=self.link)

    @property
    def dates(self) -> pd.DatetimeIndex:
        """The days that are explained."""
        return pd.DatetimeIndex(self.effects.portfolio.index)

    @property
    def earned(self) -> tuple[float, float]:
        """Compounded return of portfolio and benchmark."""
        return compound(self.effects.portfolio), compound(self.effects.benchmark)

    @property
    def active(self) -> float:
        """Compounded return above the benchmark's."""
        return self.earned[0] - self.earned[1]

    def line(self, name: str) -> float:
        """Return a line of the attribution by group that is no group: costs, residual, total."""
        found = self.by_group.loc[self.by_group["group"] == name, "total"]
        return float(found.iloc[0]) if len(found) else 0.0
