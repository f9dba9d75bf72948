"""The section of how far to believe a backtest."""

import numpy as np
import pandas as pd

from tilt.report.layout import Sheet, Words
from tilt.report.pack import Section
from tilt.report.performance import (
    Tested,
)
from tilt.report.tables import BY_ROW, Block, Lineage, in_words, number_at

PROBABILITIES = frozenset({"psr", "deflated_sharpe", "pbo", "pbo_loss"})


def overfitting_section(tested: Tested) -> Section:
    """Return how sure one may be of the Sharpe ratio, given what else was tried."""
    table = tested.result.overfitting
    formats = tuple(
        "percent1" if m in PROBABILITIES else "count" if m in ("observations", "trials") else
        "number"
        for m in table["measure"]
    )  # fmt: skip
    block = Block(
        "backtest_overfitting",
        "How sure one may be",
        in_words(table, "measure"),
        formats={"value": BY_ROW},
        row_formats=formats,
        widths={"meaning": 80},
        lineage=Lineage(
            "tilt.portfolio.honesty.honest_table",
            tested.lineage.arguments,
            tested.lineage.run_id,
        ),
    )
    said = _overfitting_findings(table)
    return Section(
        "overfitting",
        "Overfitting",
        (
            Sheet(
                "Overfitting",
                "How far to believe it",
                tested.subtitle,
                (Words(said, "In words"), block),
                one_page=True,
            ),
        ),
        findings=said,
        conventions=("overfitting",),
        cautions=("hypothetical",),
    )


def _overfitting_findings(table: pd.DataFrame) -> tuple[str, ...]:
    psr, deflated, trials, pbo = (
        number_at(table, m, "value") for m in ("psr", "deflated_sharpe", "trials", "pbo")
    )
    if not np.isfinite(psr):
        return ("The backtest is too short to say how sure its Sharpe ratio is.",)
    said = f"The true Sharpe ratio is above zero with a probability of {psr:.1%}"
    if trials > 1 and np.isfinite(deflated):
        said += f"; that it beats the luckiest of {trials:.0f} trials, {deflated:.1%}"
    else:
        said += "; this counts one trial, so whatever else was tried makes it less"
    if np.isfinite(pbo):
        said += f". The probability that it is overfitted is {pbo:.1%} (PBO)"
    return (f"{said}.",)
