"""Sheets of the rebalance: the limits and what they cost, the trades and why."""

import pandas as pd

from tilt.report.charts import Chart
from tilt.report.layout import Sheet, Words
from tilt.report.origin import solve_lineage, subtitle
from tilt.report.review import Review
from tilt.report.tables import BY_ROW, Block

TOP_WEIGHTS = 30
_PERCENT_RULES = frozenset(
    {
        "weight",
        "sector",
        "industry",
        "turnover",
        "tracking_error",
        "volatility",
        "gross",
        "net",
        "long",
        "short",
        "budget",
        "long_only",
    }
)


def optimal_sheet(review: Review) -> Sheet:
    """Return the largest weights after the rebalance, beside what is held now."""
    top = optimal_weights(review).head(TOP_WEIGHTS).reset_index(drop=True)
    weights = Block(
        "optimal_weights",
        "Largest weights after the rebalance",
        top,
        formats={"current": "percent", "optimal": "percent", "benchmark": "percent"},
        lineage=solve_lineage(review),
    )
    chart = Chart(
        "bar",
        "Largest weights, now and after",
        "optimal_weights",
        "ticker",
        ("current", "optimal"),
        "Bars of the largest weights before and after the rebalance",
        "percent1",
        beside=True,
        width=560,
        height=620,
    )
    return Sheet(
        "Optimal",
        "Least tracking error within the limits",
        subtitle(review),
        (weights, chart),
        one_page=True,
    )


def limits_sheet(review: Review) -> Sheet:
    """Return every limit with what it costs, and the optimum in words."""
    explained = tuple(review.solution.view("explain")["explanation"])
    return Sheet(
        "Limits",
        "Limits, and what each of them costs",
        subtitle(review),
        (limits_block(review), Words(explained, "In words", wide=150)),
        one_page=True,
    )


def limits_block(review: Review) -> Block:
    """Return every limit with its value, its slack and what one step would gain."""
    columns = ["min", "max", "value", "slack", "step"]
    gains = ["gain_if_looser", "gain_if_tighter"]
    table = review.solution.view("constraints")[
        ["rule", "who", "relative", *columns[:4], "status", "shadow_price", "step", *gains, "note"]
    ]
    unit = tuple("percent" if r in _PERCENT_RULES else "number" for r in table["rule"])
    return Block(
        "limits",
        "Limits",
        table,
        formats=dict.fromkeys(columns, BY_ROW)
        | {"shadow_price": "fine"}
        | dict.fromkeys(gains, "cost"),
        row_formats=unit,
        note="Gain: by how much the yearly tracking error falls if the limit moves by one step.",
        lineage=solve_lineage(review),
    )


def optimal_weights(review: Review) -> pd.DataFrame:
    """Return ticker, name, sector, current, optimal, benchmark; the largest first."""
    optimal = review.solution.weights
    held = optimal[optimal != 0].sort_values(ascending=False)
    names = review.panel.securities.reindex(held.index)
    return pd.DataFrame(
        {
            "ticker": held.index,
            "name": names["name"].to_numpy(),
            "sector": names["sector"].to_numpy(),
            "current": review.held.reindex(held.index).fillna(0.0).to_numpy(),
            "optimal": held.to_numpy(),
            "benchmark": review.benchmark.reindex(held.index).fillna(0.0).to_numpy(),
        }
    )


def trades_sheet(review: Review) -> Sheet:
    """Return the list a trader gets."""
    table = review.solution.view("trades")
    block = Block(
        "trades",
        "Trades",
        table,
        formats={"current": "percent", "optimal": "percent", "trade": "change"},
        totals={"trade": float(table["trade"].sum())},
        bars=("trade",),
        widths={"reason": 70},
        note="Shares of capital, the largest first. Turnover is half the sum of absolute trades.",
        lineage=solve_lineage(review),
    )
    return Sheet(
        "Trades", "Trades of the rebalance", subtitle(review), (block,), freeze_header=True
    )
