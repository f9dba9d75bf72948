"""The factors that a report looks at, over a window; each figure is computed when it is needed."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from tilt.errors import UnknownNameError, cut, did_you_mean
from tilt.factors.descriptors import descriptors
from tilt.factors.expression import evaluate, is_expression, spelled
from tilt.factors.judged import Judged, judge
from tilt.factors.shape import factor_shape
from tilt.factors.user import beside, score
from tilt.frames import FactorHistory, Panel
from tilt.optimize.pure import FactorCase, Limits, compare, open_factor
from tilt.risk.model import estimate_model

MONTH = 21


@dataclass(frozen=True, eq=False)
class Factor:
    """One factor: its scores through time, and the history that has its returns.

    raw : dates × assets, what the scores of one's own factor are made of; None of the model's
    """

    name: str
    scores: pd.DataFrame
    history: FactorHistory
    raw: np.ndarray | None


@dataclass(frozen=True, eq=False)
class Factors:
    """The factors of a report over a window; what a section needs is computed when it does.

    named : those that are looked at one by one; none looks at the model's styles together
    """

    panel: Panel
    first: pd.Timestamp
    last: pd.Timestamp
    names: tuple[str, ...]
    horizon: int
    quantiles: int
    cost: float

    @cached_property
    def raw(self) -> dict[str, pd.DataFrame]:
        """The descriptors of the universe, dates × assets by name."""
        return descriptors(self.panel)

    @cached_property
    def named(self) -> tuple[Factor, ...]:
        """The factors that are asked for.

        Raises
        ------
        UnknownNameError
            If there is no such factor; the nearest name is told.
        """
        return tuple(self._factor(name) for name in self.names)

    @cached_property
    def shown(self) -> tuple[Factor, ...]:
        """The factors that are asked for, or else all styles of the model."""
        return self.named or tuple(map(self._of_model, self.panel.factors.style_names))

    @cached_property
    def returns(self) -> pd.DataFrame:
        """Daily returns, dates × factors; each of one's own is estimated beside the model's."""
        columns = {f.name: f.history.returns[f.name] for f in self.shown}
        return pd.DataFrame(columns).loc[self.first : self.last]

    @cached_property
    def t_stats(self) -> pd.DataFrame:
        """The t-values of the same daily regressions."""
        columns = {f.name: f.history.t_stats[f.name] for f in self.shown}
        return pd.DataFrame(columns).loc[self.first : self.last]

    @cached_property
    def judged(self) -> Mapping[str, Judged]:
        """Scores and later returns by factor."""
        return {
            f.name: judge(
                self.panel, f.scores, first=self.first, last=self.last, horizon=self.horizon
            )
            for f in self.shown
        }

    def shape(self, factor: Factor) -> pd.DataFrame:
        """Return the measurements of a factor at the last day."""
        raw, panel = self.raw, self.panel
        if factor.raw is not None:
            own = pd.DataFrame(factor.raw, panel.dates, panel.assets)
            raw, panel = {**raw, factor.name: own}, replace(panel, factor_history=factor.history)
        return factor_shape(panel, raw, factor.name, self.last)

    def compared(self, factor: Factor) -> pd.DataFrame:
        """Return the four portfolios of a factor side by side: exposure, risk, turnover, cost."""
        at = int(self.panel.dates.get_indexer(pd.DatetimeIndex([self.last]))[0])
        earlier = self.panel.dates[max(at - MONTH, 0)]
        cases = (self._case(factor, self.last), self._case(factor, earlier))
        return compare(cases, Limits(), cost=self.cost)

    def _case(self, factor: Factor, date: pd.Timestamp) -> FactorCase:
        panel = self.panel
        model = estimate_model(
            panel.factors.until(date), date, universe=panel.universe, snapshot=panel.snapshot
        )
        return open_factor(
            model,
            panel.securities,
            panel.market_cap.T[date],
            panel.assets[panel.member.loc[date].to_numpy(dtype=bool)],
            factor.name,
            scores=None if factor.raw is None else factor.scores.T[date],
        )

    def _of_model(self, name: str) -> Factor:
        history = self.panel.factors
        at = history.style_names.index(name)
        scores = pd.DataFrame(history.styles[:, :, at], history.dates, history.assets)
        return Factor(name, scores.astype(float), history, None)

    def _factor(self, given: str) -> Factor:
        styles = {name.casefold(): name for name in self.panel.factors.style_names}
        if given.casefold() in styles:
            return self._of_model(styles[given.casefold()])
        panel = self.panel
        fields = {**panel.fundamentals, **self.raw}
        known = spelled([str(name) for name in fields])
        plain = "".join(c if c.isalnum() else "_" for c in given.casefold())
        if not is_expression(given) and known.get(plain) is None:
            raise UnknownNameError(
                f"Unknown factor '{cut(given)}'."
                f"{did_you_mean(given, [*styles.values(), *fields])} It must be a style of the "
                "model, a field, or an expression such as rank(accruals)."
            )

        def read(name: str) -> np.ndarray:
            frame = fields[name].reindex(index=panel.dates, columns=panel.assets)
            return frame.to_numpy(dtype=float)

        raw = evaluate(given if is_expression(given) else plain, known, read)
        history = beside(panel, panel.factors, given, raw)
        return Factor(given, score(panel, raw, given), history, raw)
