"""The section of the rebalance: the limits and what they cost, the trades and why."""

import pandas as pd

from tilt.report.charts import Chart
from tilt.report.checks import KEPT, UNLISTED, Check
from tilt.report.layout import Sheet, Tile, Words
from tilt.report.origin import risk_lineage, solve_lineage
from tilt.report.pack import Section
from tilt.report.review import Review
from tilt.report.style import measure_format
from tilt.report.tables import BY_ROW, Block, Formula, Lineage, in_words, number_at

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
STYLES_AFTER = Chart(
    "bar",
    "Active style exposure, now and after the rebalance",
    "style_exposures",
    "factor",
    ("active", "optimal_active"),
    "Bars of the active exposure to each style before and after the rebalance",
    beside=True,
    width=560,
    height=360,
)


def rebalance_section(review: Review) -> Section:
    """Return the weights of least tracking error within the rules, and what they take."""
    limits, trades = limits_sheet(review), trades_sheet(review)
    after = number_at(review.measures, "tracking_error", "after")
    table = review.solution.view("constraints")
    binding = int((table["status"] == "binding").sum())
    number = len(review.solution.view("trades"))
    return Section(
        "rebalance",
        "Rebalance",
        (optimal_sheet(review), limits, trades),
        checks=rebalance_checks(review, next(trades.blocks()), next(limits.blocks())),
        findings=(
            (
                f"Tracking error is {review.tracking_error:.2%} a year and falls to {after:.2%} "
                f"with {review.turnover:.1%} one-way turnover in {number} trades."
            ),
            f"{binding} of {len(table)} limits bind; sheet Limits shows what each of them costs.",
        ),
        tiles=(
            Tile("After the rebalance", after, "percent", "least within the rules"),
            Tile("Turnover", review.turnover, "percent1", "one way"),
        ),
        summary=(before_and_after(review), STYLES_AFTER),
        conventions=("tracking_error", "turnover", "limits"),
        cautions=("no_advice",),
    )


def before_and_after(review: Review) -> Block:
    """Return the figures of risk now and after the rebalance."""
    table = review.summary
    return Block(
        "summary",
        "Before and after the rebalance",
        in_words(table, "measure"),
        formats=dict.fromkeys(("before", "after", "change"), BY_ROW),
        row_formats=tuple(measure_format(m) for m in table["measure"]),
        lineage=risk_lineage(review, "measures"),
    )


def rebalance_checks(review: Review, trades: Block, limits: Block) -> tuple[Check, ...]:
    """Return the checks of trades and limits."""
    bought = Formula(
        f'SUMIF({trades.ref("trade")},">0")', float(trades.table["trade"].clip(lower=0.0).sum())
    )
    least = Formula(f"-MIN({limits.ref('slack')})", -float(limits.table["slack"].min()))
    moved = Formula(
        f"SUMPRODUCT(ABS({trades.ref('optimal')}-{trades.ref('current')}-{trades.ref('trade')}))",
        float(
            (trades.table["optimal"] - trades.table["current"] - trades.table["trade"]).abs().sum()
        ),
    )
    return (
        Check("Trades lead from current to optimal", moved, "=", 0.0, KEPT),
        Check("Purchases are the turnover reported", bought, "=", review.turnover, UNLISTED),
        Check("No limit is broken", least, "≤", 0.0, KEPT),
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
        review.subject.subtitle,
        (weights, chart),
        one_page=True,
    )


def limits_sheet(review: Review) -> Sheet:
    """Return every limit with what it costs, and the optimum in words."""
    explained = tuple(review.solution.view("explain")["explanation"])
    return Sheet(
        "Limits",
        "Limits, and what each of them costs",
        review.subject.subtitle,
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


def trades_block(key: str, table: pd.DataFrame, lineage: Lineage) -> Block:
    """Return the trades of a solution, each with what pays for it."""
    return Block(
        key,
        "Trades",
        table,
        formats={"current": "percent", "optimal": "percent", "trade": "change"},
        totals={"trade": float(table["trade"].sum())},
        bars=("trade",),
        widths={"reason": 70},
        note="Fractions of capital, the largest first. Turnover is half the sum of the trades.",
        lineage=lineage,
    )


def trades_sheet(review: Review) -> Sheet:
    """Return the list a trader gets."""
    block = trades_block("trades", review.solution.view("trades"), solve_lineage(review))
    return Sheet(
        "Trades", "Trades of the rebalance", review.subject.subtitle, (block,), freeze_header=True
    )
