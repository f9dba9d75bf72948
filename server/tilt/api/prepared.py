"""A backtest as the engine runs it, every argument of a sheet's question read."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import pandas as pd

from tilt.backtest.costs import Costs
from tilt.backtest.execution import Execution
from tilt.backtest.result import BacktestResult
from tilt.backtest.run import backtest, decision_dates
from tilt.backtest.strategy import Strategy
from tilt.backtest.walk_forward import Optimal
from tilt.configuration import Configuration
from tilt.frames import Panel, Weights
from tilt.optimize.constraints import Rule


@dataclass(frozen=True, eq=False)
class Prepared:
    """A backtest whose every argument is read.

    configuration, configured : the one that states a part of it, and which one that is in words
    """

    panel: Panel
    strategy: Strategy
    start: pd.Timestamp | None
    end: pd.Timestamp | None
    lag: int
    rules: tuple[Rule, ...]
    benchmark: "str | Weights | Panel"
    costs: Costs
    cash_rate: float
    execution: Execution
    rebalance: str
    configuration: Configuration | None = None
    configured: str = ""

    def run(self, progress: Callable[[float, str], None] | None = None) -> BacktestResult:
        """Return its result, computed here and now.

        Its id and assumptions tell the configuration that it rests on.
        """
        result = backtest(
            self.panel,
            self.strategy,
            start=self.start,
            end=self.end,
            rebalance=self.rebalance,
            rules=self.rules,
            benchmark=self.benchmark,
            costs=self.costs,
            lag=self.lag,
            cash_rate=self.cash_rate,
            execution=self.execution,
            progress=progress,
        )
        if self.configuration is None:
            return result
        said = pd.DataFrame([("configuration", self.configured)], columns=["item", "value"])
        return replace(
            result,
            run_id=self.configuration.result_id(result.run_id),
            assumptions=pd.concat([said, result.assumptions], ignore_index=True),
        )

    @property
    def model_dates(self) -> tuple[pd.Timestamp, ...]:
        """The dates whose factor models it will need; none where it needs no such model."""
        if not (isinstance(self.strategy, Optimal) and self.strategy.has_factor_model):
            return ()
        dates = decision_dates(
            self.panel,
            self.strategy,
            start=self.start,
            end=self.end,
            rebalance=self.rebalance,
            benchmark=self.benchmark,
            costs=self.costs,
            lag=self.lag,
        )
        return tuple(dates)
