"""The main job: one portfolio from its holdings to exposures, risk, better weights, a backtest."""

from dataclasses import dataclass, field
from functools import cached_property

import pandas as pd

from tilt.backtest.parse import parse_strategy
from tilt.backtest.result import BacktestResult
from tilt.backtest.run import backtest
from tilt.frames import Panel, Weights, listed
from tilt.optimize.constraints import Grid, Rule, parse_rules
from tilt.optimize.solve import Problem, Solution, solve
from tilt.portfolio.holdings import Holdings
from tilt.report.pack import Subject
from tilt.report.record import BacktestAsked, Record
from tilt.report.tables import number_at
from tilt.risk.measures import exposure_table, risk_measure_many, risk_table
from tilt.risk.model import RiskModel, estimate_model

OBJECTIVE = "min_te"
HOUSE_RULES: Grid = [
    ["rule", "who", "min", "max", "relative"],
    ["weight", "*", 0.0, 0.05, ""],
    ["sector", "*", -0.03, 0.03, "yes"],
    ["factor", "Value", 0.25, 0.50, "yes"],
    ["factor", "Momentum", 0.10, 0.40, "yes"],
    ["turnover", "", "", 0.15, ""],
]
STRATEGY = "min_te"
STRATEGY_RULES: Grid = [
    ["rule", "who", "min", "max", "relative"],
    ["weight", "*", 0.0, 0.05, ""],
    ["sector", "*", -0.03, 0.03, "yes"],
    ["factor", "Value", 0.40, 0.80, "yes"],
    ["factor", "Momentum", 0.40, 0.80, "yes"],
]
START = pd.Timestamp("2014-01-02")
SHOWN_MEASURES = (
    "tracking_error",
    "factor_te",
    "specific_te",
    "market_te",
    "sector_te",
    "style_te",
    "volatility",
    "beta",
    "r_squared",
    "active_share",
    "effective_n",
    "names",
    "var95",
    "cvar95",
)


@dataclass(frozen=True, eq=False)
class Review:
    """The main job on one portfolio; what is not looked at is not computed.

    holdings       : the portfolio as read
    held           : its weights that have risk data
    benchmark      : weights of the universe's cap-weighted portfolio
    model          : risk at ``date``
    rules          : limits of the rebalance
    strategy_rules : limits the strategy keeps at each rebalance
    start          : first day of the backtest; None is the first possible one
    rebalanced     : whether the rebalance is looked at
    notes          : what had to be assumed
    record         : of the runs whose ids the report shows
    idea_asked     : the backtest as a cell would be asked for it
    """

    portfolio: str
    panel: Panel
    date: pd.Timestamp
    holdings: Holdings
    held: Weights
    benchmark: Weights
    model: RiskModel
    rules: tuple[Rule, ...]
    strategy: str
    strategy_rules: tuple[Rule, ...]
    start: pd.Timestamp | None
    rebalanced: bool
    notes: tuple[str, ...]
    idea_asked: BacktestAsked
    record: Record = field(default_factory=Record)

    @property
    def subject(self) -> Subject:
        """What the report is about."""
        return Subject(
            name=self.portfolio,
            universe=self.panel.universe,
            benchmark=f"{self.panel.universe}, cap weighted",
            date=self.date,
            snapshot=self.panel.snapshot,
            notes=self.notes,
            survivorship=self.panel.survivorship,
            securities=len(self.model.exposures),
        )

    @cached_property
    def solution(self) -> Solution:
        """The weights of least tracking error within the rules.

        Raises
        ------
        NoSolutionError
            If no weights keep all of them; the message names those in conflict.
        """
        securities = self.panel.securities
        found = solve(
            Problem(OBJECTIVE, self.model, securities, self.held, self.benchmark, rules=self.rules)
        ).require()
        self.record.solution(found)
        return found

    @cached_property
    def backtest(self) -> BacktestResult:
        """Of ``strategy``, not of the portfolio; run once where portfolios share it."""
        panel = self.panel

        def run() -> BacktestResult:
            strategy = parse_strategy(self.strategy, panel, saved={})
            return backtest(panel, strategy, start=self.start, rules=self.strategy_rules)

        over = (panel.universe, panel.snapshot, f"{panel.as_of:%Y-%m-%d}")
        return self.record.tested(self.idea_asked, over, run)

    @cached_property
    def risk(self) -> dict[str, pd.DataFrame]:
        """By ``factor``, ``sector``, ``position``: tables of ``risk_table``, with their total."""
        return {
            by: risk_table(self.model, self.held, self.benchmark, by=by)
            for by in ("factor", "sector", "position")
        }

    @cached_property
    def exposures(self) -> pd.DataFrame:
        """Factor, group, portfolio, benchmark, active; optimal, optimal_active if rebalanced."""
        now = exposure_table(self.model, self.held, self.benchmark)
        if not self.rebalanced:
            return now
        then = exposure_table(self.model, self.solution.weights, self.benchmark)
        return now.assign(
            optimal=then["portfolio"].to_numpy(), optimal_active=then["active"].to_numpy()
        )

    @cached_property
    def measures(self) -> pd.DataFrame:
        """Measure and before; after, of the optimal weights, if rebalanced."""
        weights = {"before": self.held}
        if self.rebalanced:
            weights["after"] = self.solution.weights
        books = pd.DataFrame(weights).fillna(0.0)
        rows = {m: risk_measure_many(self.model, books, self.benchmark, m) for m in SHOWN_MEASURES}
        return pd.DataFrame(rows).T.rename_axis("measure").reset_index()

    @property
    def tracking_error(self) -> float:
        """Of the holdings, yearly."""
        return number_at(self.measures, "tracking_error", "before")

    @property
    def turnover(self) -> float:
        """One way, of the rebalance."""
        return number_at(self.summary, "turnover", "after")

    @property
    def idea(self) -> str:
        """The backtested strategy in a few words."""
        tilts = [rule.who for rule in self.strategy_rules if rule.rule == "factor"]
        return f"{self.strategy} tilted to {' and '.join(tilts)}" if tilts else self.strategy

    @cached_property
    def summary(self) -> pd.DataFrame:
        """Measure, before, after and change: risk, then what the rebalance took."""
        solved = self.solution.view("summary")
        more = solved[~solved["measure"].isin(self.measures["measure"])]
        table = pd.concat([self.measures, more], ignore_index=True)
        return table.assign(change=table["after"] - table["before"])


def review_portfolio(
    panel: Panel,
    holdings: Holdings,
    *,
    portfolio: str = "",
    rules: Grid = HOUSE_RULES,
    strategy: str = STRATEGY,
    strategy_rules: Grid = STRATEGY_RULES,
    start: pd.Timestamp | None = START,
    rebalanced: bool = True,
    record: Record | None = None,
) -> Review:
    """Return the main job on the last date of ``panel``, everything read and checked.

    Parameters
    ----------
    holdings : weights held now, fractions of capital
    portfolio : its name in the report; the name it was saved under unless given
    rules : limits of the rebalance, as typed in a sheet
    strategy : backtested beside it, monthly, by the name the cells know it by
    strategy_rules : limits the strategy keeps at each rebalance
    start : first day of the backtest; None takes the first possible one
    rebalanced : False leaves the rebalance out
    record : of the runs whose ids the report shows; nothing is left behind unless given
    """
    date = panel.as_of
    model = estimate_model(panel.factors, date, universe=panel.universe, snapshot=panel.snapshot)
    held, notes = _with_risk_data(holdings.weights, model)
    return Review(
        portfolio=portfolio or holdings.name,
        panel=panel,
        date=date,
        holdings=holdings,
        held=held,
        benchmark=panel.cap_weights(date),
        model=model,
        rules=_rules(rules, panel, model),
        strategy=strategy,
        strategy_rules=_rules(strategy_rules, panel, model),
        start=start,
        rebalanced=rebalanced,
        notes=(*holdings.notes, *notes),
        idea_asked=BacktestAsked(strategy, start, None, "", strategy_rules),
        record=record or Record(),
    )


def _rules(grid: Grid, panel: Panel, model: RiskModel) -> tuple[Rule, ...]:
    if not grid:
        return ()
    return parse_rules(grid, securities=panel.securities, factors=model.factor_cov.index)


def _with_risk_data(weights: Weights, model: RiskModel) -> tuple[Weights, tuple[str, ...]]:
    """Return the weights the model covers, and a note on those it does not."""
    covered = weights.index.isin(model.exposures.index)
    if covered.all():
        return weights, ()
    outside = weights[~covered]
    note = (
        f"{listed(outside.index)} ({outside.sum():.2%} of capital) has no risk data on "
        f"{model.date:%Y-%m-%d} and counts as cash."
    )
    return weights[covered], (note,)
