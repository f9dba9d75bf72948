"""A portfolio problem as it is asked."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property

import pandas as pd

from tilt.frames import Weights, content_id
from tilt.optimize.constraints import Rule
from tilt.optimize.options import Options, read_options
from tilt.optimize.terms import (
    Array,
)
from tilt.optimize.views import View
from tilt.risk.model import RiskModel


@dataclass(frozen=True, eq=False)
class Problem:
    """What to strive for, from where, within which rules.

    objective  : a name of ``OBJECTIVES``
    model      : the risk model; its assets are the assets of the problem
    securities : by ticker: name, sector, industry
    current    : weights held now, fractions of capital; empty means all cash
    benchmark  : weights, or None for absolute risk
    alpha      : expected yearly return by ticker, as decimals
    rules      : of ``parse_rules``, or built in code
    options    : by the names of ``OPTIONS``
    configuration : id of the configuration that states a part of it; empty for none
    adv        : money traded a day by ticker, for the rule adv and for impact
    sigma      : standard deviation of a day's return by ticker, for impact
    prices     : of a share by ticker, for the rule lot
    scenarios  : dates × assets, simple returns a day, for min_cvar and the term cvar
    views      : on expected returns, in place of alpha
    """

    objective: str
    model: RiskModel
    securities: pd.DataFrame
    current: Weights
    benchmark: Weights | None = None
    alpha: Weights | None = None
    rules: tuple[Rule, ...] = ()
    options: Mapping[str, object] = field(default_factory=dict)
    configuration: str = ""
    adv: "pd.Series[float] | None" = None
    sigma: "pd.Series[float] | None" = None
    prices: "pd.Series[float] | None" = None
    scenarios: pd.DataFrame | None = None
    views: tuple[View, ...] = ()

    @cached_property
    def run_id(self) -> str:
        """Twelve digits that depend on everything that decides the answer."""
        model = self.model
        labels = dict.fromkeys(("name", "sector", "industry", *(r.column for r in self.rules)))
        labels.pop("", None)
        named = self.securities.reindex(index=model.exposures.index, columns=list(labels))
        own = content_id(
            self.objective.strip().casefold(),
            _joined(model.exposures.index),
            _joined(model.exposures.columns),
            model.exposures.to_numpy(dtype=float),
            model.factor_cov.to_numpy(dtype=float),
            model.specific_var.to_numpy(dtype=float),
            model.links,
            [_joined(named[label].astype(object)) for label in labels],
            [_content(weights) for weights in (self.current, self.benchmark, self.alpha)],
            [_content(known) for known in self._market],
            [(v.long, v.short, v.value, v.confidence) for v in self.views],
            None if self.scenarios is None else self.scenarios.to_numpy(dtype=float),
            [(r.rule, r.who, r.low, r.high, r.relative, r.priority) for r in self.rules],
            {f.name: getattr(read_options(self.options), f.name) for f in fields(Options)},
        )
        return content_id(self.configuration, [own]) if self.configuration else own

    @property
    def _market(self) -> tuple[Weights | None, ...]:
        """What of the market decides the answer: nothing without a rule or cost that reads it."""
        needed = {r.rule for r in self.rules}
        impact = read_options(self.options).impact > 0
        return (
            self.adv if impact or "adv" in needed else None,
            self.sigma if impact else None,
            self.prices if "lot" in needed else None,
        )


def _joined(labels: Iterable[object]) -> str:
    return "\x1f".join(str(label) for label in labels)


def _content(weights: Weights | None) -> tuple[str, Array] | None:
    """Return what weights say: their order does not count, and no position is no position."""
    if weights is None:
        return None
    held = weights[weights != 0].sort_index()
    return _joined(held.index), held.to_numpy(dtype=float)
