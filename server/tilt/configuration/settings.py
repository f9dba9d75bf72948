"""The parts of a configuration, checked against the engine's own names.

``model`` says what is computed and shown: its parameters, the backtest, the regimes, the export.
``optimization`` says what is striven for within which rules. A name that the engine does not know
is refused with the nearest one it does; a part that is left out has the engine's defaults.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from tilt.backtest.costs import Costs
from tilt.backtest.schedule import MOST_LAG, parse_rebalance
from tilt.errors import TiltError, one_of
from tilt.factors.regression import MARKET
from tilt.factors.styles import STYLES
from tilt.frames import content_id
from tilt.optimize.constraints import GROUP, KINDS
from tilt.optimize.options import ESTIMATED, POSTERIORS, SOLVERS
from tilt.optimize.sums import is_sum, parse_sum
from tilt.optimize.terms import OBJECTIVES
from tilt.risk.covariance import HORIZONS

Text = Annotated[str, Field(max_length=200)]
Share = Annotated[float, Field(ge=0, le=1)]


class Part(BaseModel):
    """A part of a configuration: never changed, and a key that is not known is an error."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=True
    )


def _known(given: str, known: Mapping[str, object] | tuple[str, ...], what: str) -> str:
    try:
        return one_of(what, given, list(known))
    except TiltError as error:
        raise ValueError(str(error)) from None


class Params(Part):
    """What the model is of."""

    universe: Text = ""
    """Name of a universe; empty: the default one of the settings."""
    benchmark: Text = ""
    """A saved portfolio or a universe; empty: the universe by market cap; NONE: absolute risk."""
    factors: tuple[str, ...] = tuple(s.name for s in STYLES)
    """Style factors that are shown, in order."""
    horizon: str = "short"
    """Horizon of the risk model: short or long."""

    @field_validator("factors")
    @classmethod
    def _styles(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        names = tuple(_known(f, tuple(s.name for s in STYLES), "factor") for f in given)
        if len(set(names)) < len(names):
            raise ValueError("a factor is there twice")
        return names

    @field_validator("horizon")
    @classmethod
    def _horizon(cls, given: str) -> str:
        return _known(given, tuple(HORIZONS), "horizon")


class Backtest(Part):
    """How a strategy is tried on the past."""

    start: dt.date | None = None
    """First day; left out: the first with data."""
    end: dt.date | None = None
    """Last day; left out: the last with data."""
    rebalance: Text = "M"
    """D, W, M, Q, Y or drift:0.05."""
    cost_bps: float = Field(default=Costs.cost_bps, ge=0, le=1000)
    """Linear cost of what is traded, basis points."""
    spread: float = Field(default=Costs.spread, ge=0, le=0.2)
    """Bid-ask spread, a fraction of the price."""
    impact: float = Field(default=Costs.impact, ge=0)
    """Coefficient of the 3/2-power law of market impact."""
    borrow: float = Field(default=Costs.borrow, ge=0, le=1)
    """Yearly fee on shorts, a fraction."""
    lag: int = Field(default=1, ge=0, le=MOST_LAG)
    """Trading days from a decision to its fill."""

    @field_validator("rebalance")
    @classmethod
    def _rebalance(cls, given: str) -> str:
        try:
            parse_rebalance(given)
        except TiltError as error:
            raise ValueError(str(error)) from None
        return given.strip()

    @model_validator(mode="after")
    def _in_order(self) -> "Backtest":
        if self.start is not None and self.end is not None and self.start > self.end:
            raise ValueError(f"start {self.start} is after end {self.end}")
        return self


class Regime(Part):
    """Which states of the market are told apart."""

    series: Text = MARKET
    """A ticker, a factor or a universe whose returns are looked at."""
    states: int = Field(default=2, ge=2, le=3)
    """How many states, ordered by variance."""


class Export(Part):
    """Where results go."""

    format: Literal["xlsx", "csv", "parquet"] = "xlsx"
    """Kind of file."""
    name: Annotated[str, Field(pattern=r"^[\w -]{1,80}$")] = "tilt-report"
    """Name of the file, without its ending."""


class ModelInput(Part):
    """What is computed and shown."""

    params: Params = Params()
    backtest: Backtest = Backtest()
    regime: Regime = Regime()
    export: Export = Export()


class Constraint(Part):
    """One line of the table of constraints."""

    rule: str
    """Name of the rule: weight, sector, factor, turnover, ..."""
    who: Text = ""
    """*, or a name; empty for a rule about the whole portfolio."""
    min: float | None = None
    """Lower bound, a decimal; left out: none."""
    max: float | None = None
    """Upper bound, a decimal; left out: none."""
    relative: bool = False
    """Whether it counts against the benchmark."""
    priority: Literal["hard"] | Annotated[float, Field(gt=0)] = "hard"
    """hard, or a number that makes the rule soft."""

    @field_validator("rule")
    @classmethod
    def _rule(cls, given: str) -> str:
        name = given.strip().casefold()
        if name.startswith(GROUP) and len(name) > len(GROUP):
            return GROUP + given.strip()[len(GROUP) :].strip()
        return _known(given, tuple(n for n in KINDS if n != "group"), "rule")

    @model_validator(mode="after")
    def _bounded(self) -> "Constraint":
        if self.min is None and self.max is None:
            raise ValueError(f"the rule '{self.rule}' has neither min nor max")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min:g} of '{self.rule}' is above max {self.max:g}")
        return self


class SolverSettings(Part):
    """How the problem is solved; the options of OPTIMIZE."""

    solver: str = "auto"
    """auto, piqp, clarabel or cvxpy."""
    time_limit: float | None = Field(default=None, gt=0)
    """Seconds a solver may take."""
    risk_aversion: float = Field(default=4.0, gt=0)
    """Price of yearly variance in max_utility."""
    risk_free: float = Field(default=0.0, ge=-1, le=1)
    """Yearly rate that max_sharpe counts from."""
    factor: Text = ""
    """Factor of pure_factor."""
    budgets: Annotated[str, Field(max_length=2000)] = ""
    """Of risk_parity and risk_budget: equal, holdings, sector, or names and shares."""
    confidence: float = Field(default=0.95, ge=0.5, lt=1)
    """Of min_cvar: 0.95 looks at the worst 5 % of the days."""
    lookback: int = Field(default=504, ge=20, le=10_000)
    """Days of returns that min_cvar, or an estimator, looks at."""
    estimator: str = ""
    """Of the risk model; empty: factor, where the universe has a factor model."""
    views: Annotated[str, Field(max_length=2000)] = ""
    """Of black_litterman, as AAPL=0.08@0.6, AAPL - MSFT=0.02."""
    tau: float = Field(default=0.05, gt=0)
    """How uncertain the returns are that the benchmark implies."""
    delta: Annotated[float, Field(gt=0)] | None = None
    """Price of variance that implies returns; left out: a Sharpe ratio of 0.5."""
    posterior: str = "S+M"
    """Risk that black_litterman looks at: S+M, or S for the risk model's own."""
    long_short: bool = False
    """Whether weights may be negative."""
    cash: Share | None = None
    """Fraction of capital left in cash; left out: that of the holdings."""
    gap: float = Field(default=1e-3, ge=0, le=0.5)
    """How near to the best a mixed-integer problem must be proven, a fraction."""
    value: float | None = Field(default=None, gt=0)
    """Money of the portfolio, for the rules adv and lot, and for impact."""
    cost_bps: float = Field(default=Costs.cost_bps, ge=0, le=1000)
    """Linear cost of what is traded, basis points."""
    spread: float = Field(default=Costs.spread, ge=0, le=0.2)
    """Bid-ask spread, a fraction of the price."""
    impact: float = Field(default=Costs.impact, ge=0, le=100)
    """Coefficient of the 3/2-power law of market impact."""
    borrow: float = Field(default=Costs.borrow, ge=0, le=1)
    """Yearly fee on shorts, a fraction."""

    @field_validator("solver")
    @classmethod
    def _solver(cls, given: str) -> str:
        return _known(given, SOLVERS, "solver")

    @field_validator("estimator")
    @classmethod
    def _estimator(cls, given: str) -> str:
        return _known(given, ESTIMATED, "estimator") if given.strip() else ""

    @field_validator("posterior")
    @classmethod
    def _posterior(cls, given: str) -> str:
        return _known(given, POSTERIORS, "posterior")


class PerformanceTargets(Part):
    """What a result is held against; none of them binds the solver."""

    annual_return: float | None = None
    """Return a year, a fraction."""
    volatility: Annotated[float, Field(gt=0)] | None = None
    """Volatility a year at the most."""
    tracking_error: Annotated[float, Field(gt=0)] | None = None
    """Tracking error a year at the most."""
    sharpe: float | None = None
    """Sharpe ratio at the least."""
    information_ratio: float | None = None
    """Information ratio at the least."""
    max_drawdown: Annotated[float, Field(ge=-1, le=0)] | None = None
    """Deepest drawdown, a negative number."""
    turnover: Annotated[float, Field(ge=0)] | None = None
    """One-way turnover a year at the most."""


class OptimizationConfig(Part):
    """What is striven for, within which rules."""

    objective: str = "min_te"
    """Name of the objective, as in OPTIMIZE."""
    constraints: tuple[Constraint, ...] = Field(default=(), max_length=1000)
    solver_settings: SolverSettings = SolverSettings()
    performance_targets: PerformanceTargets = PerformanceTargets()

    @field_validator("objective")
    @classmethod
    def _objective(cls, given: str, info: ValidationInfo) -> str:
        if not is_sum(given):
            return _known(given, tuple(OBJECTIVES), "objective")
        try:
            parse_sum(given, None)
        except TiltError as error:
            raise ValueError(str(error)) from None
        return given.strip()

    def grid(self) -> list[list[str | float | None]]:
        """Return the constraints as the range that ``parse_rules`` reads, with its header."""
        rows: list[list[str | float | None]] = [
            ["rule", "who", "min", "max", "relative", "priority"]
        ]
        for c in self.constraints:
            relative = "yes" if c.relative else "no"
            rows.append([c.rule, c.who, c.min, c.max, relative, c.priority])
        return rows

    def options(self) -> dict[str, object]:
        """Return the solver settings as the options of a ``Problem``; blank ones left out."""
        return self.solver_settings.model_dump(exclude_none=True)


class Configuration(Part):
    """Everything that decides a result but the data and the holdings."""

    model: ModelInput = ModelInput()
    optimization: OptimizationConfig = OptimizationConfig()

    @property
    def id(self) -> str:
        """Twelve digits that depend on the content alone, defaults included."""
        return content_id(self.model_dump(mode="json"))

    def result_id(self, *inputs: str) -> str:
        """Return the id of a result of this configuration: of it and of what else went in.

        Parameters
        ----------
        inputs : ids of the snapshot, the holdings, the problem
        """
        return content_id(self.id, list(inputs))


def json_schema() -> dict[str, object]:
    """Return the JSON Schema of a configuration."""
    return Configuration.model_json_schema()
