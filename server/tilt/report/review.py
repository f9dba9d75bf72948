"""The main job: one portfolio from its holdings to exposures, risk, better weights, a backtest."""

from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from tilt.backtest.parse import parse_strategy
from tilt.backtest.result import BacktestResult
from tilt.backtest.run import backtest
from tilt.frames import Panel, Weights, listed
from tilt.optimize.constraints import Grid, Rule, parse_rules
from tilt.optimize.solve import Problem, Solution, solve
from tilt.portfolio.holdings import Holdings
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
    """What the main job found about one portfolio.

    holdings        : the portfolio as read
    held            : its weights that have risk data
    benchmark       : weights of the universe's cap-weighted portfolio
    model           : risk at ``date``
    exposures       : factor, group, portfolio, benchmark, active, optimal, optimal_active
    risk            : by ``factor``, ``sector``, ``position``: tables of ``risk_table``, each ends
                      in its total
    measures        : measure, before, after: risk of the holdings and of the optimal weights
    solution        : the weights of least tracking error within the rules
    backtest        : of ``strategy``, not of the portfolio
    notes           : what had to be assumed
    """

    portfolio: str
    panel: Panel
    date: pd.Timestamp
    holdings: Holdings
    held: Weights
    benchmark: Weights
    model: RiskModel
    exposures: pd.DataFrame
    risk: dict[str, pd.DataFrame]
    measures: pd.DataFrame
    solution: Solution
    strategy: str
    strategy_rules: tuple[Rule, ...]
    backtest: BacktestResult
    notes: tuple[str, ...]

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
) -> Review:
    """Run the main job on the last date of ``panel``.

    Parameters
    ----------
    holdings : weights held now, fractions of capital
    portfolio : its name in the report; the name it was saved under unless given
    rules : limits of the rebalance, as typed in a sheet
    strategy : backtested beside it, monthly, by the name the cells know it by
    strategy_rules : limits the strategy keeps at each rebalance
    start : first day of the backtest; None takes the first possible one

    Raises
    ------
    NoSolutionError
        If no weights keep all the rules; the message names those in conflict.
    """
    date = panel.as_of
    benchmark = panel.cap_weights(date)
    model = estimate_model(panel.factors, date, universe=panel.universe, snapshot=panel.snapshot)
    held, notes = _with_risk_data(holdings.weights, model)
    limits = _rules(rules, panel, model)
    solution = solve(
        Problem(OBJECTIVE, model, panel.securities, held, benchmark, rules=limits)
    ).require()
    kept = _rules(strategy_rules, panel, model)
    result = backtest(panel, parse_strategy(strategy, panel, saved={}), start=start, rules=kept)
    return Review(
        portfolio=portfolio or holdings.name,
        panel=panel,
        date=date,
        holdings=holdings,
        held=held,
        benchmark=benchmark,
        model=model,
        exposures=_exposures(model, held, solution.weights, benchmark),
        risk={
            by: risk_table(model, held, benchmark, by=by) for by in ("factor", "sector", "position")
        },
        measures=_measures(model, held, solution.weights, benchmark),
        solution=solution,
        strategy=strategy,
        strategy_rules=kept,
        backtest=result,
        notes=(*holdings.notes, *notes),
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


def _exposures(
    model: RiskModel, held: Weights, optimal: Weights, benchmark: Weights
) -> pd.DataFrame:
    now = exposure_table(model, held, benchmark)
    then = exposure_table(model, optimal, benchmark)
    return now.assign(
        optimal=then["portfolio"].to_numpy(), optimal_active=then["active"].to_numpy()
    )


def _measures(
    model: RiskModel, held: Weights, optimal: Weights, benchmark: Weights
) -> pd.DataFrame:
    books = pd.DataFrame({"before": held, "after": optimal}).fillna(0.0)
    rows = {m: risk_measure_many(model, books, benchmark, m) for m in SHOWN_MEASURES}
    return pd.DataFrame(rows).T.rename_axis("measure").reset_index()
