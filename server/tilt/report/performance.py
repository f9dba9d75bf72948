"""Sheets of the backtest: curves, months, statistics, costs and the daily series."""

import pandas as pd

from tilt.report.charts import Chart
from tilt.report.layout import Sheet, Words
from tilt.report.origin import subtitle
from tilt.report.review import Review
from tilt.report.style import measure_format
from tilt.report.tables import BY_ROW, Block, Lineage, in_words

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


def lineage(review: Review) -> Lineage:
    """Return the origin of everything the backtest said."""
    return Lineage(
        "tilt.backtest.run.backtest",
        {
            "strategy": review.strategy,
            "rules": "; ".join(rule.words() for rule in review.strategy_rules),
            "start": f"{review.backtest.market.dates[0]:%Y-%m-%d}",
            "rebalance": "M",
        },
        review.backtest.run_id,
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
        lineage=lineage(review),
    )
    return Sheet(
        "Backtest",
        f"Backtest of {review.idea}",
        f"{subtitle(review)} · hypothetical",
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
        f"{subtitle(review)} · hypothetical",
        (
            Block(
                "backtest_statistics",
                "After costs",
                in_words(stats, "measure"),
                formats=dict.fromkeys(("portfolio", "benchmark", "active"), BY_ROW),
                row_formats=tuple(measure_format(m) for m in stats["measure"]),
                lineage=lineage(review),
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
                lineage=lineage(review),
            ),
            Block(
                "backtest_costs",
                "Turnover and costs by rebalance",
                costs,
                formats=cost_formats(costs),
                lineage=lineage(review),
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
        lineage=lineage(review),
    )
    return Sheet(
        "Series",
        "Daily series of the backtest",
        subtitle(review),
        (block,),
        freeze_header=True,
        portrait=True,
    )
