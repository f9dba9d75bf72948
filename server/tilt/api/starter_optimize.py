"""The starter sheets about optimization: solved, impossible and repaired, frontier."""

from collections.abc import Iterable, Iterator, Sequence

from tilt.api.starter_parts import (
    FIRST,
    HEAD,
    INPUT,
    LABEL,
    NUMBER,
    PERCENT,
    cell,
    heading,
    shaped,
)
from tilt.api.workbook_model import Cell, Chart, Sheet, Table
from tilt.frames import Panel

HOLDINGS, CONSTRAINTS = "TiltHoldings", "TiltConstraints"
HEADER = ("rule", "who", "min", "max", "relative", "priority")
Row = Sequence[str | float]
RULES: Sequence[Row] = (
    ("weight", "*", 0.0, 0.05, "", ""),
    ("sector", "*", -0.03, 0.03, "yes", ""),
    ("factor", "Beta", -0.05, 0.05, "yes", ""),
    ("turnover", "", "", 0.20, "", ""),
)
IMPOSSIBLE: Sequence[Row] = (
    ("weight", "*", 0.0, 0.02, "", ""),
    ("sector", "*", -0.03, 0.03, "yes", ""),
    ("turnover", "", "", 0.02, "", ""),
)
POINTS = 15
ALPHA = "Momentum"
BELOW = 17  # row of the explanation, below the rules


def optimize_sheets(panel: Panel) -> tuple[Sheet, ...]:
    """Return the sheets Optimize, Infeasible and, where there are factors, Frontier."""
    sheets = (_optimize(), _infeasible())
    if panel.factor_history is None:
        return sheets
    factors = [str(f) for f in panel.factors.factors.index]
    return (*sheets, _frontier(ALPHA if ALPHA in factors else factors[0]))


def _optimize() -> Sheet:
    call = f"=TILT.OPTIMIZE($B$3,{HOLDINGS},{CONSTRAINTS},,,,"
    cells = [
        *heading(
            "Rebalance",
            "Change a rule or the objective. Look at before and after, the largest trades and the "
            "reason of each; rules in conflict are named below. Next: What-if, then Share.",
        ),
        cell(2, 0, "objective", LABEL),
        cell(2, 1, "min_te", INPUT),
        cell(FIRST - 1, 0, "Rules", LABEL),
        cell(FIRST - 1, 7, "Before and after", LABEL),
        cell(FIRST, 7, formula=f'{call}"summary")', form=HEAD),
        cell(FIRST - 1, 11, "The 40 largest trades", LABEL),
        cell(FIRST, 11, formula=f'{call}"trades","top=40")', form=HEAD),
        cell(FIRST - 1, 18, "Rules at the optimum", LABEL),
        cell(FIRST, 18, formula=f'{call}"constraints","na=blank")', form=HEAD),
        cell(BELOW, 0, "What the rules cost, and why these trades", LABEL),
        cell(BELOW + 1, 0, formula=f'{call}"explain")', form=HEAD),
        *(cell(FIRST, c, value) for c, value in enumerate(HEADER)),
        *_rules(RULES),
    ]
    cells += shaped(rows=30, columns={8: "0.0000", 9: "0.0000"})
    cells += shaped(rows=40, columns={13: PERCENT, 14: PERCENT, 15: PERCENT})
    cells += shaped(rows=30, columns=dict.fromkeys(range(20, 24), NUMBER))
    cells += shaped(rows=30, columns=dict.fromkeys((25, 26, 27, 31), "0.0000"))
    cells += _heads((8, 9, *range(12, 17), *range(19, 32)))
    return Sheet(
        name="Optimize",
        cells=tuple(cells),
        tables=(Table(name=CONSTRAINTS, row=FIRST, column=0, rows=len(RULES) + 1, columns=6),),
        charts=(
            Chart(
                row=FIRST, column=11, rows=1, columns=1, title="Largest trades", kind="bar",
                labels="ticker", series=("trade",), number_format="0.0%",
            ),
        ),
        widths=_RULE_WIDTHS
        | {7: 100, 8: 56, 9: 56, 10: 10}
        | {11: 48, 12: 140, 13: 56, 14: 56, 15: 56, 16: 340, 17: 10, 18: 70, 19: 120}
        | dict.fromkeys(range(20, 30), 66),
        frozen=(FIRST + 1, 0),
        gridlines=False,
    )  # fmt: skip


def _infeasible() -> Sheet:
    rules = f"$A${FIRST + 1}:$F${FIRST + 1 + len(IMPOSSIBLE)}"
    call = f'=TILT.OPTIMIZE("min_te",{HOLDINGS},{rules},,,,'
    cells = [
        *heading(
            "Explain an infeasible problem",
            "These rules cannot hold together. Look at what conflicts below, and type one of the "
            "repairs over its bound. Next: the same rules on the sheet Optimize.",
        ),
        cell(FIRST - 1, 0, "Rules", LABEL),
        cell(FIRST - 1, 7, "Before and after", LABEL),
        cell(FIRST, 7, formula=f'{call}"summary","na=blank")', form=HEAD),
        cell(FIRST - 1, 11, "Which rules are in conflict", LABEL),
        cell(FIRST, 11, formula=f'{call}"constraints","na=blank")', form=HEAD),
        cell(BELOW, 0, "What conflicts, and what repairs it", LABEL),
        cell(BELOW + 1, 0, formula=f'{call}"explain")', form=HEAD),
        *(cell(FIRST, c, value, HEAD) for c, value in enumerate(HEADER)),
        *_rules(IMPOSSIBLE),
    ]
    cells += shaped(rows=20, columns={8: "0.0000", 9: "0.0000"})
    cells += shaped(rows=30, columns=dict.fromkeys((13, 14, 15, 16), NUMBER))
    cells += shaped(rows=30, columns=dict.fromkeys((18, 19, 20), "0.0000"))
    cells += _heads((8, 9, *range(12, 24)))
    return Sheet(
        name="Infeasible",
        cells=tuple(cells),
        widths=_RULE_WIDTHS
        | {7: 100, 8: 56, 9: 56, 10: 10, 11: 70, 12: 120}
        | dict.fromkeys(range(13, 24), 66),
        frozen=(FIRST + 1, 0),
        gridlines=False,
    )


def _frontier(alpha: str) -> Sheet:
    call = f"=TILT.FRONTIER($B$3,{HOLDINGS},{CONSTRAINTS},,$D$3,$F$3"
    cells = [
        *heading(
            "Frontier",
            "The most return for each risk within the rules of the sheet Optimize.",
        ),
        cell(2, 0, "objective", LABEL),
        cell(2, 1, "min_te", INPUT),
        cell(2, 2, "alpha", LABEL),
        cell(2, 3, alpha, INPUT),
        cell(2, 4, "points", LABEL),
        cell(2, 5, float(POINTS), INPUT),
        cell(FIRST - 1, 0, "Risk and return a year", LABEL),
        cell(FIRST, 0, formula=f"{call})", form=HEAD),
        cell(FIRST - 1, 8, "Weights by point", LABEL),
        cell(FIRST, 8, formula=f'{call},"view=weights")', form=HEAD),
    ]
    cells += shaped(rows=40, columns={0: PERCENT, 1: PERCENT, 2: "0.00", 3: PERCENT})
    points = range(10, 10 + POINTS)
    cells += shaped(rows=400, columns=dict.fromkeys(points, PERCENT))
    cells += _heads((*range(1, 7), 9, *points))
    return Sheet(
        name="Frontier",
        cells=tuple(cells),
        charts=(
            Chart(
                row=FIRST, column=0, rows=1, columns=1, title="Risk for each return", kind="line",
                labels="return", series=("risk",), number_format="0.0%",
            ),
        ),
        widths={0: 66, 1: 66, 2: 56, 3: 78, 4: 56, 5: 150, 6: 150, 7: 10, 8: 56, 9: 140}
        | dict.fromkeys(points, 56),
        frozen=(FIRST + 1, 0),
        gridlines=False,
    )  # fmt: skip


_RULE_WIDTHS = {0: 62, 1: 62, 2: 48, 3: 48, 4: 48, 5: 48, 6: 10}


def _rules(rules: Sequence[Row]) -> Iterator[Cell]:
    """Yield the cells of rules that one is meant to change."""
    for row, line in enumerate(rules, start=FIRST + 1):
        number = "0.00" if line[0] == "factor" else "0.0%"
        form = INPUT.model_copy(update={"number_format": number})
        for column, value in enumerate(line):
            yield cell(row, column, None if value == "" else value, form)


def _heads(columns: Iterable[int]) -> list[Cell]:
    """Return the cells of the header row that a formula spills over."""
    return [cell(FIRST, c, form=HEAD) for c in columns]
