"""Sheets of a backtest: the tear sheet, its statistics and the daily series behind them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tilt.backtest.result import BacktestResult
from tilt.report.charts import Chart
from tilt.report.checks import Check
from tilt.report.layout import Part, Sheet, Tile, Words
from tilt.report.origin import backtest_lineage
from tilt.report.pack import Section
from tilt.report.review import Review
from tilt.report.style import measure_format
from tilt.report.tables import BY_ROW, Block, Formula, Lineage, in_words, number_at

SERIES = {
    "date": "date",
    "nav": "fine",
    "return": "change",
    "benchmark_nav": "fine",
    "relative_nav": "fine",
    "active": "change",
    "drawdown": "percent",
    "turnover": "percent",
    "cost": "cost",
    "names": "count",
}
AGAINST = ("benchmark_nav", "relative_nav", "active")  # columns that need a benchmark
CONVENTIONS = ("returns", "annual", "backtest", "drawdown", "turnover")
WIDE = 1080  # pixels of a chart as wide as the page
STATISTICS = {
    "Return": ("total_return", "cagr", "mean", "gross_total_return", "gross_cagr"),
    "Risk": ("volatility", "volatility_period", "max_drawdown", "var95", "cvar95", "skew",
             "kurtosis", "best", "worst", "hit_rate"),
    "Return for risk": ("sharpe", "sharpe_t_hac", "psr", "sortino", "calmar"),
    "Against the benchmark": ("tracking_error", "information_ratio", "beta", "alpha",
                              "correlation", "up_capture", "down_capture"),
    "What it took": ("cost_total", "cost_per_year", "turnover_per_year", "turnover_per_rebalance",
                     "rebalances", "names", "cash", "observations"),
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Tested:
    """A finished backtest and what its sheets say about it.

    idea         : the strategy in a few words
    subtitle     : under every sheet's title
    survivorship : what the data leaves out
    limits       : the rules it kept, in words
    """

    result: BacktestResult
    idea: str
    subtitle: str
    survivorship: str
    lineage: Lineage
    limits: tuple[str, ...] = ()

    @property
    def compared(self) -> bool:
        """Whether there is a benchmark."""
        return self.result.benchmark is not None

    def statistic(self, measure: str, who: str = "portfolio") -> float:
        """Return one figure of the statistics."""
        return number_at(self.result.stats, measure, who)

    @property
    def yearly(self) -> bool:
        """Whether it is long enough for yearly figures."""
        return bool(np.isfinite(self.statistic("cagr")))

    @property
    def returned(self) -> tuple[str, str]:
        """The measure of the return that is told, and the words for what it is per."""
        return ("cagr", " a year") if self.yearly else ("total_return", "")

    @property
    def assumed(self) -> tuple[tuple[str, str], ...]:
        """Item and value of what the numbers rest on, then the limits."""
        rows = self.result.assumptions.to_numpy()
        told = tuple((str(item), str(value)) for item, value in rows)
        return (*told, *(("limit", words) for words in self.limits))

    @property
    def badges(self) -> tuple[str, ...]:
        """The warnings among the assumptions, each with its name in capitals."""
        return tuple(f"{item}: {value}" for item, value in self.assumed if item.isupper())


def backtest_section(review: Review) -> Section:
    """Return the backtest of the idea beside the portfolio, never of the portfolio itself."""
    tested = Tested(
        review.backtest,
        review.idea,
        f"{review.subject.subtitle} · hypothetical",
        review.panel.survivorship,
        backtest_lineage(review),
        tuple(rule.words() for rule in review.strategy_rules),
    )
    measure, per = tested.returned
    said = f"Backtested, {tested.idea} returned {tested.statistic(measure):.1%}{per} after costs"
    if tested.compared:
        said += f", the benchmark {tested.statistic(measure, 'benchmark'):.1%}"
    remark = f"{per} after costs".strip()
    series = series_sheet(tested)
    return Section(
        "backtest",
        "Backtest",
        (tear_sheet(tested, "Backtest"), statistics_sheet(tested)),
        checks=backtest_checks(tested, next(series.blocks())),
        findings=(f"{said}.",),
        tiles=(Tile("Backtest return", tested.statistic(measure), "percent", remark),),
        conventions=CONVENTIONS,
        assumptions=tested.assumed,
        cautions=("hypothetical",),
        data=(series,),
    )


def tear_sheet(tested: Tested, name: str, *first: Part) -> Sheet:
    """Return the curves of the strategy and its months, below what is to be said first."""
    return Sheet(
        name,
        f"Backtest of {tested.idea}",
        tested.subtitle,
        (
            *first,
            *_curves(tested, beside=bool(first)),
            _months(tested),
            Words(tested.badges or (tested.survivorship,), "Please note", wide=150),
        ),
        one_page=True,
    )


def _curves(tested: Tested, *, beside: bool) -> list[Chart]:
    """Return the charts of the tear sheet; the first may stand beside the table above it."""
    both = tested.compared
    growth = Chart(
        "line",
        f"Growth of 1, after costs: {tested.idea}" + (" and the benchmark" if both else ""),
        "series",
        "date",
        ("nav", "benchmark_nav") if both else ("nav",),
        "Lines of the strategy's and the benchmark's wealth"
        if both
        else "Line of the strategy's wealth",
        beside=beside,
        width=620 if beside else WIDE,
        height=300,
    )
    relative = Chart(
        "line",
        "Wealth relative to the benchmark's",
        "series",
        "date",
        ("relative_nav",),
        "Line of the strategy's wealth divided by the benchmark's",
        width=WIDE,
        height=200,
    )
    under_water = Chart(
        "area",
        "Drawdown",
        "series",
        "date",
        ("drawdown",),
        "Area of the strategy's fall below its highest wealth so far",
        "percent1",
        width=WIDE,
        height=180,
    )
    return [growth, *([relative] if both else []), under_water]


def _months(tested: Tested) -> Block:
    monthly = tested.result.view("monthly")
    return Block(
        "monthly_returns",
        "Monthly returns after costs",
        monthly.assign(year=monthly["year"].astype(str)),
        formats=dict.fromkeys([c for c in monthly.columns if c != "year"], "change1"),
        trend=tuple(c for c in monthly.columns if c not in {"year", "total"}),
        lineage=tested.lineage,
    )


def statistics_sheet(tested: Tested) -> Sheet:
    """Return the figures of the backtest: statistics by subject, then the deepest falls."""
    columns = ("portfolio", "benchmark", "active") if tested.compared else ("portfolio",)
    stats = tested.result.stats.dropna(subset=["portfolio"])[["measure", *columns]]
    left = set(stats["measure"]) - {m for group in STATISTICS.values() for m in group}
    groups = {**STATISTICS, **({"More": tuple(sorted(left))} if left else {})}
    blocks = []
    for title, measures in groups.items():
        rows = stats.set_index("measure").reindex([m for m in measures if m in set(stats.measure)])
        if not len(rows):
            continue
        blocks.append(
            Block(
                f"statistics_{title.lower().replace(' ', '_')}",
                title,
                in_words(rows.reset_index(), "measure"),
                formats=dict.fromkeys(columns, BY_ROW),
                row_formats=tuple(measure_format(str(m)) for m in rows.index),
                lineage=tested.lineage,
            )
        )
    return Sheet(
        "Statistics",
        "Statistics of the backtest, after costs",
        tested.subtitle,
        (*blocks, falls_block(tested)),
        one_page=True,
        portrait=True,
    )


def falls_block(tested: Tested) -> Block:
    """Return the deepest falls of the strategy."""
    return Block(
        "deepest_falls",
        "Deepest falls",
        tested.result.view("drawdowns"),
        formats={
            "peak": "date",
            "trough": "date",
            "recovery": "date",
            "depth": "percent",
            "days_down": "count",
            "days_to_recover": "count",
        },
        note="Calendar days. No recovery date: not yet recovered.",
        lineage=tested.lineage,
    )


def series_sheet(tested: Tested) -> Sheet:
    """Return the daily data behind the curves."""
    table = tested.result.view("series")
    counted = tested.result.returns.reindex(pd.DatetimeIndex(table["date"])).to_numpy()
    table = table.assign(
        **{"return": counted, "active": counted - table["benchmark_return"].to_numpy()},
        relative_nav=table["nav"] / table["benchmark_nav"],
    )
    formats = {c: f for c, f in SERIES.items() if tested.compared or c not in AGAINST}
    block = Block(
        "series",
        "Daily series",
        table[list(formats)],
        formats=formats,
        note="The costs of the opening count with the first day's return.",
        lineage=tested.lineage,
    )
    return Sheet(
        "Series",
        "Daily series of the backtest",
        tested.subtitle,
        (block,),
        freeze_header=True,
        portrait=True,
    )


def backtest_checks(tested: Tested, series: Block) -> tuple[Check, ...]:
    """Return the checks of the daily series against the statistics.

    What a year has is checked only where the engine says it: not of less than a year.
    """
    stats = tested.result.stats.set_index("measure")["portfolio"]
    nav, returns = series.table["nav"], series.table["return"]
    last = Formula(f"INDEX({series.ref('nav')},ROWS({series.ref('nav')}))-1", nav.iloc[-1] - 1.0)
    found = [
        Check("Final wealth is the total return", last, "=", float(stats["total_return"])),
        Check(
            "Deepest fall is the maximum drawdown",
            Formula(f"MIN({series.ref('drawdown')})", float(series.table["drawdown"].min())),
            "=",
            float(stats["max_drawdown"]),
        ),
    ]
    yearly = [
        ("Daily returns give the mean", "AVERAGE({})*252", float(returns.mean() * 252), "mean"),
        (
            "Daily returns give the volatility",
            "STDEV({})*SQRT(252)",
            float(returns.std() * np.sqrt(252)),
            "volatility",
        ),
    ]
    found += [
        Check(claim, Formula(text.format(series.ref("return")), value), "=", float(stats[measure]))
        for claim, text, value, measure in yearly
        if np.isfinite(stats[measure])
    ]
    if tested.compared and np.isfinite(stats["tracking_error"]):
        active = float(series.table["active"].std() * np.sqrt(252))
        text = f"STDEV({series.ref('active')})*SQRT(252)"
        expected = float(stats["tracking_error"])
        claim = "Daily active returns give the tracking error"
        found.append(Check(claim, Formula(text, active), "=", expected))
    return tuple(found)
