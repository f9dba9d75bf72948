"""The section of the backtest: curves, months, statistics, costs and the daily series."""

import numpy as np
import pandas as pd

from tilt.report.charts import Chart
from tilt.report.checks import Check
from tilt.report.layout import Sheet, Tile, Words
from tilt.report.origin import backtest_lineage
from tilt.report.pack import Section
from tilt.report.review import Review
from tilt.report.style import measure_format
from tilt.report.tables import BY_ROW, Block, Formula, in_words, number_at

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


def backtest_section(review: Review) -> Section:
    """Return the backtest of the idea beside the portfolio, never of the portfolio itself."""
    result, stats = review.backtest, review.backtest.view("stats")
    cagr = {who: number_at(stats, "cagr", who) for who in ("portfolio", "benchmark")}
    series = series_sheet(review)
    assumed = [(str(item), str(value)) for item, value in result.view("assumptions").to_numpy()]
    return Section(
        "backtest",
        "Backtest",
        (backtest_sheet(review), statistics_sheet(review), series),
        checks=backtest_checks(review, next(series.blocks())),
        findings=(
            (
                f"Backtested, {review.idea} returned {cagr['portfolio']:.1%} a "
                f"year after costs, the benchmark {cagr['benchmark']:.1%}."
            ),
        ),
        tiles=(Tile("Backtest return", cagr["portfolio"], "percent", "a year after costs"),),
        conventions=("returns", "annual", "backtest", "drawdown", "turnover"),
        assumptions=(*assumed, *[("limit", rule.words()) for rule in review.strategy_rules]),
        cautions=("hypothetical",),
    )


def backtest_checks(review: Review, series: Block) -> tuple[Check, ...]:
    """Return the checks of the daily series against the statistics."""
    stats = review.backtest.view("stats").set_index("measure")
    nav, returns = series.table["nav"], series.table["return"]
    last = Formula(f"INDEX({series.ref('nav')},ROWS({series.ref('nav')}))-1", nav.iloc[-1] - 1.0)
    worst = Formula(f"MIN({series.ref('drawdown')})", float(series.table["drawdown"].min()))
    mean = Formula(f"AVERAGE({series.ref('return')})*252", float(returns.mean() * 252))
    deviation = Formula(
        f"STDEV({series.ref('return')})*SQRT(252)", float(returns.std() * np.sqrt(252))
    )
    portfolio = stats["portfolio"]
    return (
        Check("Final wealth is the total return", last, "=", float(portfolio["total_return"])),
        Check("Deepest fall is the maximum drawdown", worst, "=", float(portfolio["max_drawdown"])),
        Check("Daily returns give the mean", mean, "=", float(portfolio["mean"])),
        Check("Daily returns give the volatility", deviation, "=", float(portfolio["volatility"])),
    )


def backtest_sheet(review: Review) -> Sheet:
    """Return the curves of the strategy and its months."""
    monthly = review.backtest.view("monthly")
    growth = Chart(
        "line",
        f"Growth of 1, after costs: {review.idea} and the benchmark",
        "series",
        "date",
        ("nav", "benchmark_nav"),
        "Lines of the strategy's and the benchmark's wealth",
        width=1080,
        height=300,
    )
    relative = Chart(
        "line",
        "Wealth relative to the benchmark's",
        "series",
        "date",
        ("relative_nav",),
        "Line of the strategy's wealth divided by the benchmark's",
        width=1080,
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
        width=1080,
        height=180,
    )
    months = Block(
        "monthly_returns",
        "Monthly returns after costs",
        monthly.assign(year=monthly["year"].astype(str)),
        formats=dict.fromkeys([c for c in monthly.columns if c != "year"], "change1"),
        lineage=backtest_lineage(review),
    )
    return Sheet(
        "Backtest",
        f"Backtest of {review.idea}",
        f"{review.subject.subtitle} · hypothetical",
        (growth, relative, under_water, months, Words((review.panel.survivorship,), wide=150)),
        one_page=True,
    )


def statistics_sheet(review: Review) -> Sheet:
    """Return the figures of the backtest: statistics, deepest falls, costs."""
    view = review.backtest.view
    stats = view("stats").dropna(subset=["portfolio"]).reset_index(drop=True)
    costs = view("costs")
    return Sheet(
        "Statistics",
        "Statistics of the backtest",
        f"{review.subject.subtitle} · hypothetical",
        (
            Block(
                "backtest_statistics",
                "After costs",
                in_words(stats, "measure"),
                formats=dict.fromkeys(("portfolio", "benchmark", "active"), BY_ROW),
                row_formats=tuple(measure_format(m) for m in stats["measure"]),
                lineage=backtest_lineage(review),
            ),
            Block(
                "deepest_falls",
                "Deepest falls",
                view("drawdowns"),
                formats={
                    "peak": "date",
                    "trough": "date",
                    "recovery": "date",
                    "depth": "percent",
                    "days_down": "count",
                    "days_to_recover": "count",
                },
                note="Calendar days. No recovery date: not yet recovered.",
                lineage=backtest_lineage(review),
            ),
            Block(
                "backtest_costs",
                "Turnover and costs by rebalance",
                costs,
                formats=cost_formats(costs),
                lineage=backtest_lineage(review),
            ),
        ),
    )


def cost_formats(costs: pd.DataFrame) -> dict[str, str]:
    """Return the formats of a table of costs: dates, and shares of capital."""
    return {
        column: "date" if pd.api.types.is_datetime64_any_dtype(costs[column]) else "cost"
        for column in costs.columns
        if costs[column].dtype != object and not pd.api.types.is_string_dtype(costs[column])
    }


def series_sheet(review: Review) -> Sheet:
    """Return the daily data behind the curves."""
    table = review.backtest.view("series")
    counted = review.backtest.returns.reindex(pd.DatetimeIndex(table["date"])).to_numpy()
    table = table.assign(
        **{"return": counted, "active": counted - table["benchmark_return"].to_numpy()},
        relative_nav=table["nav"] / table["benchmark_nav"],
    )[list(SERIES)]
    block = Block(
        "series",
        "Daily series",
        table,
        formats=SERIES,
        note="The costs of the opening count with the first day's return.",
        lineage=backtest_lineage(review),
    )
    return Sheet(
        "Series",
        "Daily series of the backtest",
        review.subject.subtitle,
        (block,),
        freeze_header=True,
        portrait=True,
    )
