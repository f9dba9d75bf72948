"""An objective of the optimizer, solved anew at every rebalance from what was known then."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import pandas as pd

from tilt.backtest.strategy import first_caps, identified, inside, members
from tilt.errors import NoSolutionError, UnknownNameError
from tilt.frames import Panel, Weights
from tilt.optimize.constraints import Rule
from tilt.optimize.market import quotes
from tilt.optimize.options import read_options
from tilt.optimize.problem import Problem
from tilt.optimize.solve import solve
from tilt.risk.model import FACTOR, LEAST_DAYS, RiskModel, estimate_model
from tilt.risk.returns_model import as_model

TRADING_RULES = frozenset({"turnover", "trade", "adv", "cost"})
FACTOR_MODEL = ("", FACTOR)  # the estimators that are the factor model


@dataclass(frozen=True, eq=False)
class Optimal:
    """The solution of a problem at each decision.

    objective : a name of the optimizer's objectives
    rules     : kept at each decision; the first one buys the portfolio, so rules about trading
                begin with the second
    benchmark : fixed weights, ``universe`` for the cap-weighted universe of the day, another
        universe for that one's, or None
    alpha     : expected yearly return by ticker, the same at each decision
    options   : of the optimizer; the book is fully invested unless ``cash`` says otherwise
    horizon   : of the risk model, short or long
    model_of  : gives the risk model of a date as it was estimated before, from that date's past
        alone; None estimates it
    """

    objective: str
    rules: tuple[Rule, ...] = ()
    benchmark: "Weights | str | Panel | None" = "universe"
    alpha: "Weights | None" = None
    options: Mapping[str, object] = field(default_factory=dict)
    horizon: str = "short"
    model_of: Callable[[pd.Timestamp], RiskModel] | None = None
    notes: tuple[str, ...] = (
        "Rules about trading bind from the second decision on; the first buys the portfolio.",
        "A held name without exposures on the day of a decision is sold.",
    )

    @property
    def name(self) -> str:
        kept = f", {len(self.rules)} rules" if self.rules else ""
        return f"{self.objective}, solved walk-forward{kept}"

    @property
    def identity(self) -> tuple[object, ...]:
        rules = [(r.rule, r.who, r.low, r.high, r.relative, r.priority) for r in self.rules]
        given = (identified(self.benchmark), self.alpha, dict(self.options))
        return (self.objective, rules, *given, self.horizon)

    def earliest(self, panel: Panel) -> pd.Timestamp:
        known = panel.factors.returns.dropna(how="all").index
        if len(known) < LEAST_DAYS:
            raise UnknownNameError(
                f"'{panel.universe}' has {len(known)} days of factor returns; "
                f"a risk model needs {LEAST_DAYS}."
            )
        first = pd.Timestamp(known[LEAST_DAYS - 1])
        if self.benchmark is None:
            return first
        other = self.benchmark if isinstance(self.benchmark, Panel) else panel
        return max(first, first_caps(other))

    def weights(self, view: Panel, current: Weights) -> Weights:
        model = self._model(view, members(view).union(current.index))
        opening = current.empty
        held = current[inside(current.index, model.exposures.index)]
        rules = tuple(r for r in self.rules if not (opening and r.rule in TRADING_RULES))
        options = {"cash": 0.0, **self.options}
        market = quotes(view, view.as_of, rules, read_options(options))
        problem = Problem(
            objective=self.objective,
            model=model,
            securities=view.securities,
            current=held,
            benchmark=self._benchmark(view, model),
            alpha=self.alpha,
            rules=rules,
            options=options,
            scenarios=self._scenarios(view, model),
            adv=market.adv,
            sigma=market.sigma,
            prices=market.prices,
        )
        try:
            return solve(problem).require().weights
        except NoSolutionError as error:
            raise NoSolutionError(f"On {view.as_of:%Y-%m-%d}: {error}") from None

    def _model(self, view: Panel, names: "pd.Index[str]") -> RiskModel:
        """Return the risk model of the day over the names that are members or held."""
        asked = read_options(self.options)
        if asked.estimator not in FACTOR_MODEL:
            past = view.returns.tail(asked.lookback)
            known = inside(past.columns, names)
            return as_model(past.loc[:, known], asked.estimator, universe=view.universe)
        if self.model_of is not None:
            return _only(self.model_of(view.as_of), names)
        model = estimate_model(
            view.factors,
            view.as_of,
            universe=view.universe,
            snapshot=view.snapshot,
            horizon=self.horizon,
        )
        return _only(model, names)

    @property
    def has_factor_model(self) -> bool:
        """Whether each decision needs the factor model of its date."""
        return read_options(self.options).estimator in FACTOR_MODEL

    def _scenarios(self, view: Panel, model: RiskModel) -> pd.DataFrame | None:
        """Return the past days that an objective looks at; None for one that does not."""
        if "cvar" not in self.objective.casefold():
            return None
        days = read_options(self.options).lookback
        return view.returns.tail(days).reindex(columns=model.exposures.index)

    def _benchmark(self, view: Panel, model: RiskModel) -> "Weights | None":
        if self.benchmark is None:
            return None
        given = self.benchmark
        if not isinstance(given, pd.Series):
            given = (view if isinstance(given, str) else given).cap_weights(view.as_of)
        known = given[inside(given.index, model.exposures.index)]
        if known.sum() <= 0:
            raise UnknownNameError(
                f"No name of the benchmark has risk data on {view.as_of:%Y-%m-%d}."
            )
        return known * (given.sum() / known.sum())


def _only(model: RiskModel, names: "pd.Index[str]") -> RiskModel:
    """Return the model over the names that are members or held: nothing else can be bought."""
    kept = model.exposures.index[inside(model.exposures.index, names)]
    return replace(
        model, exposures=model.exposures.loc[kept], specific_var=model.specific_var.loc[kept]
    )
