"""Native formulas that let a reader check the report with nothing but a spreadsheet."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tilt.report.layout import Sheet
from tilt.report.origin import subtitle
from tilt.report.review import Review
from tilt.report.tables import Block, Formula

FOOTS = 1e-9  # sums of doubles
KEPT = 1e-6  # what every limit is checked to after the solve
UNLISTED = 1e-4  # all trades too small to list


@dataclass(frozen=True)
class Check:
    """A claim about the report's own cells.

    formula  : a native formula over the blocks, and its value
    relation : ``=``, or ``≤`` for a limit
    expected : what the engine says it must be
    """

    claim: str
    formula: Formula
    relation: str
    expected: float
    tolerance: float = FOOTS

    @property
    def holds(self) -> bool:
        excess = float(self.formula.value) - self.expected
        return (excess if self.relation == "≤" else abs(excess)) <= self.tolerance


def sum_of(block: Block, column: str) -> Formula:
    """Return the native sum of a column."""
    return Formula(f"SUM({block.ref(column)})", float(block.table[column].sum()))


def checks_of(review: Review, blocks: Mapping[str, Block]) -> list[Check]:
    """Return the checks of a portfolio report."""
    held, risk = blocks["holdings"], review.tracking_error
    found = [
        Check("Weights and cash are the whole", sum_of(held, "weight"), "=", 1.0),
        Check("Benchmark weights are the whole", sum_of(held, "benchmark"), "=", 1.0),
        Check("Active weights cancel", sum_of(held, "active"), "=", 0.0),
    ]
    for by in ("factor", "sector", "position"):
        block = blocks[f"risk_by_{by}"]
        claim = f"Contributions by {by} foot to the tracking error"
        found.append(Check(claim, sum_of(block, "ctr"), "=", risk))
        found.append(Check(f"Shares by {by} are the whole", sum_of(block, "pct"), "=", 1.0))
    return [
        *found,
        Check("Contributions of holdings foot too", sum_of(held, "ctr"), "=", risk),
        active_exposures(blocks["style_exposures"]),
        *rebalance_checks(review, blocks),
        *backtest_checks(review, blocks["series"]),
    ]


def active_exposures(block: Block) -> Check:
    """Return the check that active is portfolio minus benchmark, row by row."""
    t = block.table
    text = (
        f"SUMPRODUCT(ABS({block.ref('portfolio')}-{block.ref('benchmark')}-{block.ref('active')}))"
    )
    value = float((t["portfolio"] - t["benchmark"] - t["active"]).abs().sum())
    return Check("Active exposure is portfolio less benchmark", Formula(text, value), "=", 0.0)


def rebalance_checks(review: Review, blocks: Mapping[str, Block]) -> list[Check]:
    """Return the checks of trades and limits."""
    trades, limits = blocks["trades"], blocks["limits"]
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
    return [
        Check("Trades lead from current to optimal", moved, "=", 0.0, KEPT),
        Check("Purchases are the turnover reported", bought, "=", review.turnover, UNLISTED),
        Check("No limit is broken", least, "≤", 0.0, KEPT),
    ]


def backtest_checks(review: Review, series: Block) -> list[Check]:
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
    return [
        Check("Final wealth is the total return", last, "=", float(portfolio["total_return"])),
        Check("Deepest fall is the maximum drawdown", worst, "=", float(portfolio["max_drawdown"])),
        Check("Daily returns give the mean", mean, "=", float(portfolio["mean"])),
        Check("Daily returns give the volatility", deviation, "=", float(portfolio["volatility"])),
    ]


def check_block(review: Review, blocks: Mapping[str, Block]) -> Block:
    """Return the table of checks: live formulas with their values."""
    row = "checks[[#This Row],[{}]]".format
    excess = f"{row('Value')}-{row('Expected')}"
    result = (
        f'IF(IF({row("Relation")}="≤",{excess},ABS({excess}))<={row("Tolerance")},"OK","CHECK")'
    )
    table = pd.DataFrame(
        [
            (
                c.claim,
                c.formula,
                c.relation,
                c.expected,
                c.tolerance,
                Formula(result, "OK" if c.holds else "CHECK"),
            )
            for c in checks_of(review, blocks)
        ],
        columns=["check", "value", "relation", "expected", "tolerance", "result"],
    )
    return Block(
        "checks",
        "Checks",
        table,
        formats={"value": "digits", "expected": "digits", "tolerance": "scientific"},
        note="Value is computed by the spreadsheet from the other sheets; Expected by the engine.",
    )


def checks_summary(checks: Block) -> Formula:
    """Return how many checks hold, as a live formula."""
    results = [f.value for f in checks.table["result"]]
    ref = checks.ref("result")
    return Formula(
        f'COUNTIF({ref},"OK")&" of "&ROWS({ref})&" hold"',
        f"{results.count('OK')} of {len(results)} hold",
    )


def checks_sheet(review: Review, checks: Block) -> Sheet:
    """Return the page of checks."""
    return Sheet(
        "Checks",
        "Checks, computed by the spreadsheet",
        subtitle(review),
        (checks,),
        one_page=True,
    )
