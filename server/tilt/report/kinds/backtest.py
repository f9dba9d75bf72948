"""The backtest report: tear sheet, years, rolling figures, costs, overfitting, attribution."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import pandas as pd

from tilt.backtest.costs import Costs
from tilt.backtest.held import track_of_backtest, track_of_universe
from tilt.backtest.parse import parse_strategy
from tilt.backtest.result import BacktestResult
from tilt.backtest.run import backtest
from tilt.backtest.strategy import Strategy
from tilt.backtest.walk_forward import Optimal
from tilt.calendar import parse_date
from tilt.frames import Panel
from tilt.optimize.constraints import Grid, Rule, parse_rules
from tilt.portfolio.honesty import Trials, sharpe_ratio
from tilt.portfolio.measures import per_period
from tilt.portfolio.period_attribution import CHAINING
from tilt.report.kind import Kind, Material, Study
from tilt.report.kinds import asked, attribution_sheets
from tilt.report.kinds import backtest_sheets as sheets
from tilt.report.kinds.attribution import groups_of
from tilt.report.kinds.backtest_costs import costs_section
from tilt.report.kinds.backtest_trust import overfitting_section
from tilt.report.kinds.explained import Performance
from tilt.report.pack import Subject
from tilt.report.performance import Tested
from tilt.report.record import BacktestAsked, ExplainedAsked
from tilt.report.review import STRATEGY, STRATEGY_RULES
from tilt.report.tables import Lineage

SECTIONS = {
    "tear_sheet": "Tear sheet",
    "statistics": "Statistics",
    "rolling": "Rolling figures",
    "costs": "Costs and turnover",
    "overfitting": "Overfitting",
    "groups": "Attribution by sector",
    "factors": "Attribution by factor",
}
OPTIONS = {
    "strategy": "what is tested, as in BACKTEST: quantile:Momentum:5:5, min_te, a saved portfolio",
    "start": "day of the first fill, as a date or -3Y; the first possible one unless given",
    "end": "last day; the last one with data unless given",
    "rebalance": "M (default), D, W, Q, Y or drift:0.05",
    "cost_bps": "cost of what is traded in basis points; 10 unless given",
    "lag": "sessions from decision to fill; 1 unless given",
    "cash": "yearly rate that cash earns, as a decimal; 0 unless given",
    "tried": "the other strategies that were tried, with semicolons between",
    "trials": "how many were tried in all; those of the option tried and this one unless given",
}
MOST_TRIALS = 1_000_000
OF_CELL = ("cost_bps", "lag", "cash")  # options that the cell BACKTEST knows by the same names
DAYS = 252


@dataclass(frozen=True, eq=False)
class _Run:
    """A backtest as its report asks for it; nothing is computed until a section needs it."""

    panel: Panel
    material: Material
    text: str
    start: pd.Timestamp | None
    end: pd.Timestamp

    @property
    def options(self) -> Mapping[str, str]:
        return self.material.options

    @cached_property
    def rules(self) -> tuple[Rule, ...]:
        """The limits of an objective: those given, or the house's for its own strategy."""
        factors = self.panel.factor_history
        known = [] if factors is None else list(factors.factors.index)
        return parse_rules(self._given, securities=self.panel.securities, factors=known)

    @property
    def _given(self) -> Grid:
        return self.material.rules or (STRATEGY_RULES if self.text == STRATEGY else [])

    @cached_property
    def tested(self) -> Tested:
        """The backtest with its trials, ready for its sheets."""
        result = self._run(self.text, self.start)
        dates = result.market.dates
        kept = self.rules if self._keeps_rules(self.text) else ()
        unused = self.rules and not kept
        words = tuple(rule.words() for rule in kept)
        said = ("limits of the report are not used: this strategy keeps none",) if unused else ()
        given = {k: v for k, v in self.options.items() if k != "strategy"}
        return Tested(
            replace(result, trials=self._trials(result)),
            result.strategy,
            f"{result.strategy} in {self.panel.universe} · {dates[0]:%Y-%m-%d} to "
            f"{dates[-1]:%Y-%m-%d} · hypothetical",
            self.panel.survivorship,
            Lineage(
                "tilt.backtest.run.backtest",
                {"strategy": self.text, "rules": "; ".join(words), **given},
                result.run_id,
            ),
            (*words, *said),
        )

    @cached_property
    def performance(self) -> Performance:
        """The backtest beside its universe, to be attributed."""
        result = self.tested.result
        first, last = result.market.dates[0], result.market.dates[-1]
        return Performance(
            name=result.strategy,
            portfolio=track_of_backtest(result),
            benchmark=track_of_universe(self.panel, first, last),
            groups=groups_of(self.panel, "sector"),
            by="sector",
            link=CHAINING[0],
            history=self.panel.factor_history,
            asked=ExplainedAsked([[result.run_id]], None, None, "brinson"),
            record=self.material.record,
        )

    def _keeps_rules(self, text: str) -> bool:
        return isinstance(self._strategy(text), Optimal)

    def _strategy(self, text: str) -> Strategy:
        return parse_strategy(text, self.panel, saved=self.material.store.named(self.end))

    def _run(self, text: str, start: pd.Timestamp | None) -> BacktestResult:
        """Return a backtest of the options; run once where portfolios share it."""
        kept = self._keeps_rules(text)
        told = BacktestAsked(
            text,
            start,
            self.end,
            self.options.get("rebalance", "").strip(),
            self._given if kept else [],
            {k: v for k in OF_CELL if (v := self.options.get(k, "").strip())},
        )
        over = (self.panel.universe, self.panel.snapshot)
        return self.material.record.tested(told, over, lambda: self._backtest(text, start))

    def _backtest(self, text: str, start: pd.Timestamp | None) -> BacktestResult:
        rules = self.rules if self._keeps_rules(text) else ()
        return backtest(
            self.panel,
            self._strategy(text),
            start=start,
            end=self.end,
            rebalance=self.options.get("rebalance", "").strip() or "M",
            rules=rules,
            costs=Costs(cost_bps=asked.number(self.options, "cost_bps", 10.0)),
            lag=asked.whole(self.options, "lag", 1, 0, 21),
            cash_rate=asked.number(self.options, "cash", 0.0),
        )

    def _trials(self, result: BacktestResult) -> Trials:
        """Return the trials that the options tell of, run over the same window."""
        others = asked.names(self.options, "tried", ";")
        first = result.market.dates[0]
        runs = {self.text: result} | {text: self._run(text, first) for text in others}
        returns = pd.DataFrame({text: run.returns for text, run in runs.items()})
        rate = per_period(result.risk_free, DAYS)
        count = asked.whole(self.options, "trials", len(runs), len(runs), MOST_TRIALS)
        if len(runs) == 1:
            return Trials(count)
        sharpes = tuple(sharpe_ratio((returns[text] - rate).to_numpy()) for text in runs)
        return Trials(count, sharpes, returns - rate)


def open_backtest(material: Material) -> Study:
    """Read what the sections of a backtest share.

    Raises
    ------
    ArgumentError, UnknownNameError
        If an option is wrong, or there is no data for the window.
    """
    panel, options = material.panel, material.options
    end = parse_date(options.get("end", ""), panel.dates, "option end")
    start = options.get("start", "").strip()
    sessions = panel.dates[panel.dates <= end]
    run = _Run(
        panel,
        material,
        options.get("strategy", "").strip() or STRATEGY,
        parse_date(start, sessions, "option start") if start else None,
        end,
    )
    subject = Subject(
        name=run.text,
        universe=panel.universe,
        benchmark=f"{panel.universe}, cap weighted",
        date=end,
        snapshot=panel.snapshot,
        survivorship=panel.survivorship,
        label="Strategy",
    )
    return Study(
        subject,
        {
            "tear_sheet": lambda: sheets.tear_section(run.tested),
            "statistics": lambda: sheets.statistics_section(run.tested),
            "rolling": lambda: sheets.rolling_section(run.tested),
            "costs": lambda: costs_section(run.tested),
            "overfitting": lambda: overfitting_section(run.tested),
            "groups": lambda: attribution_sheets.groups_section(run.performance, subject),
            "factors": lambda: attribution_sheets.factors_section(run.performance, subject),
        },
    )


BACKTEST = Kind(
    "backtest",
    "Backtest",
    "How a strategy would have done: tear sheet, years, rolling figures, costs, overfitting.",
    SECTIONS,
    open_backtest,
    OPTIONS,
    of_portfolio=False,
)
