"""Native formulas that let a reader check the report with nothing but a spreadsheet."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from tilt.report.layout import Sheet
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


def check_block(checks: Sequence[tuple[str, Check]]) -> Block:
    """Return the table of checks, each under its claim: live formulas with their values."""
    row = "checks[[#This Row],[{}]]".format
    excess = f"{row('Value')}-{row('Expected')}"
    result = (
        f'IF(IF({row("Relation")}="≤",{excess},ABS({excess}))<={row("Tolerance")},"OK","CHECK")'
    )
    table = pd.DataFrame(
        [
            (
                claim,
                c.formula,
                c.relation,
                c.expected,
                c.tolerance,
                Formula(result, "OK" if c.holds else "CHECK"),
            )
            for claim, c in checks
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


def checks_status(checks: Block) -> Formula:
    """Return OK if all checks hold, else CHECK, as a live formula."""
    ref = checks.ref("result")
    held = all(f.value == "OK" for f in checks.table["result"])
    return Formula(f'IF(COUNTIF({ref},"OK")=ROWS({ref}),"OK","CHECK")', "OK" if held else "CHECK")


def checks_sheet(subtitle: str, checks: Block) -> Sheet:
    """Return the page of checks."""
    return Sheet(
        "Checks",
        "Checks, computed by the spreadsheet",
        subtitle,
        (checks,),
        one_page=True,
    )
