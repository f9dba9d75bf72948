"""The starter sheets of a day's tasks that no other sheet does: morning, trade, tilt, audit, share.

Each says in its title what the task is, below it what to do and what to look at, and what is next.
"""

from tilt.api.starter_parts import (
    DATE,
    FIRST,
    HEAD,
    INPUT,
    LABEL,
    NUMBER,
    PERCENT,
    cell,
    heading,
    heads,
    shaped,
)
from tilt.api.workbook_model import Chart, Format, Sheet, Table
from tilt.frames import Panel

HOLDINGS, CONSTRAINTS, TRADES = "TiltHoldings", "TiltConstraints", "TiltPlannedTrades"
TASKS = (
    ("Morning check", "Morning", "What moved, what am I exposed to, can I trust the data?"),
    ("What-if trade", "What-if", "What does this trade do to risk before I send it?"),
    ("Rebalance", "Optimize", "Which trades bring the risk down, and why each of them?"),
    ("Explain an infeasible problem", "Infeasible", "Which rules conflict, and what repairs it?"),
    ("Factor tilt report", "Factor tilt", "Which bets do I hold, and did they pay?"),
    ("Upload messy holdings", "Match", "What was each line of the file taken for?"),
    ("Compare", "Compare", "How does one portfolio differ from another?"),
    ("Backtest an idea", "Backtest", "Would it have worked, after costs?"),
    ("Month-end attribution", "Attribution", "Where did the active return come from?"),
    ("Share", "Share", "What do people without Tilt see?"),
    ("Refresh", "Data", "How old is the data, and what is wrong with it?"),
    ("Audit a number", "Audit", "What is behind this number, and is it still the same?"),
)
LEFT = Format(horizontal_alignment="Left")
MORE = "Portfolio, Risk, Stress, Frontier, Factors, Pure factor"


def tasks_sheet(names: frozenset[str]) -> Sheet:
    """Return the list of tasks; those whose sheet is not there are left out."""
    known = [task for task in TASKS if task[1] in names]
    cells = [
        *heading(
            "A day's twelve tasks",
            "Each task has a sheet: change its colored cells, and the numbers follow. "
            f"To explore further: {MORE}.",
        ),
        *(cell(FIRST, c, word, HEAD) for c, word in enumerate(("", "task", "sheet", "answers"))),
    ]
    for number, (task, sheet, answers) in enumerate(known, start=1):
        row = FIRST + number
        cells += [
            cell(row, 0, float(number)),
            cell(row, 1, task, LABEL),
            cell(row, 2, sheet),
            cell(row, 3, answers),
        ]
    return Sheet(
        name="Tasks",
        cells=tuple(cells),
        widths={0: 24, 1: 180, 2: 90, 3: 330},
        frozen=(FIRST + 1, 0),
        gridlines=False,
    )


def morning_sheet() -> Sheet:
    """Return the sheet of the morning: yesterday's movers, the portfolio on a page, the data."""
    day = f'=TILT.ATTRIBUTION({HOLDINGS},,$B$3,,"position",,,'
    cells = [
        *heading(
            "Morning check",
            "Look at what moved since the close in color, at the portfolio on a page, and at what "
            "was assumed of the holdings. Next: a surprise goes to the sheet Risk or What-if.",
        ),
        cell(2, 0, "since", LABEL),
        cell(2, 1, "-1D", INPUT),
        cell(3, 0, "data as of", LABEL),
        cell(3, 1, formula="=TILT.ASOF()", form=Format(number_format=DATE)),
        cell(FIRST - 1, 0, "The portfolio on a page", LABEL),
        cell(FIRST, 0, formula=f"=TILT.SUMMARY({HOLDINGS})", form=HEAD),
        cell(FIRST - 1, 6, "What cost most against the benchmark", LABEL),
        cell(FIRST, 6, formula=f'{day}"sort=active_contribution;top=8")', form=HEAD),
        cell(FIRST + 12, 6, "What earned most against the benchmark", LABEL),
        cell(FIRST + 13, 6, formula=f'{day}"sort=-active_contribution;top=8")', form=HEAD),
        cell(FIRST + 25, 6, "What was wrong or assumed in the holdings", LABEL),
        cell(FIRST + 26, 6, formula=f"=TILT.CHECK({HOLDINGS})", form=HEAD),
        *heads((0, 5), (6, 9)),
        *heads((6, 9), row=FIRST + 13),
        *heads((6, 4), row=FIRST + 26),
    ]
    figures = Format(number_format="[>=1000]#,##0;[<=-1000]-#,##0;0.0000")
    cells += [cell(FIRST + 1 + i, c, form=figures) for i in range(40) for c in (1, 2, 3)]
    shares = Format(number_format="0.000%")
    rows = (*range(FIRST + 1, FIRST + 11), *range(FIRST + 14, FIRST + 24))
    cells += [cell(row, c, form=shares) for row in rows for c in range(8, 14)]
    return Sheet(
        name="Morning",
        cells=tuple(cells),
        charts=(
            Chart(
                row=FIRST + 13, column=6, rows=1, columns=1, title="Best since the close",
                kind="bar", labels="name", series=("active_contribution",), number_format="0.00%",
            ),
        ),
        widths={0: 128, 1: 96, 2: 96, 3: 96, 4: 60, 5: 10, 6: 66, 7: 130}
        | dict.fromkeys(range(8, 14), 92)
        | {14: 200},
        frozen=(FIRST + 1, 0),
        gridlines=False,
    )  # fmt: skip


def whatif_sheet(panel: Panel) -> Sheet:
    """Return the sheet of a trade: typed, and what it does to every measure of risk."""
    largest = [str(t) for t in panel.cap_weights(panel.as_of).nlargest(4).index]
    typed = list(zip(largest, (-0.02, -0.01, 0.01, 0.005), strict=False))
    percent = INPUT.model_copy(update={"number_format": "0.0%"})
    cells = [
        *heading(
            "What-if trade",
            "Type trades as parts of the capital: -1% sells a hundredth. Look at the change; "
            "cash pays unless B3 says prorata. Next: send it, or let Optimize find a better one.",
        ),
        cell(2, 0, "fund", LABEL),
        cell(2, 1, "cash", INPUT),
        cell(FIRST - 1, 0, "Trades", LABEL),
        cell(FIRST, 0, "ticker"),
        cell(FIRST, 1, "trade"),
        cell(FIRST - 1, 3, "Before, after, and the change", LABEL),
        cell(FIRST, 3, formula=f"=TILT.WHATIF({HOLDINGS},{TRADES},,,$A$3:$B$3)", form=HEAD),
        *heads((3, 5)),
    ]
    for i in range(8):
        ticker, size = typed[i] if i < len(typed) else (None, None)
        cells += [cell(FIRST + 1 + i, 0, ticker, INPUT), cell(FIRST + 1 + i, 1, size, percent)]
    cells += shaped(rows=50, columns=dict.fromkeys((4, 5, 6), "0.0000"))
    return Sheet(
        name="What-if",
        cells=tuple(cells),
        tables=(Table(name=TRADES, row=FIRST, column=0, rows=9, columns=2),),
        widths={0: 66, 1: 66, 2: 10, 3: 128, 7: 260} | dict.fromkeys((4, 5, 6), 72),
        frozen=(FIRST + 1, 0),
        gridlines=False,
    )  # fmt: skip


def tilt_sheet(universe: str) -> Sheet:
    """Return the sheet of factor bets: how large, what risk, and what they brought in a year."""
    risk = f'=TILT.RISK_TABLE({HOLDINGS},"factor",,$B$3,,"sort=-ctr;top=15")'
    paid = f'=TILT.ATTRIBUTION({HOLDINGS},$B$3,$B$4,,"factor",,,"sort=-contribution;top=15")'
    cells = [
        *heading(
            "Factor tilt report",
            "Look at the active exposures, the tracking error they cost, and what they brought. "
            "A large bet that never paid is a question. Next: limit it by a rule on Optimize.",
        ),
        cell(2, 0, "benchmark", LABEL),
        cell(2, 1, universe, INPUT),
        cell(3, 0, "start", LABEL),
        cell(3, 1, "-1Y", INPUT),
        cell(FIRST - 1, 0, "Bets, the largest first", LABEL),
        cell(FIRST, 0, formula=f'=TILT.EXPOSURES({HOLDINGS},$B$3,,,"sort=-active")', form=HEAD),
        cell(FIRST - 1, 7, "What they cost in tracking error", LABEL),
        cell(FIRST, 7, formula=risk, form=HEAD),
        cell(FIRST - 1, 17, "What they brought since start", LABEL),
        cell(FIRST, 17, formula=paid, form=HEAD),
        *heads((0, 6), (7, 9), (17, 6)),
    ]
    cells += shaped(rows=45, columns=dict.fromkeys((2, 3, 4), "0.00"))
    parts = dict.fromkeys((10, 12, 13, 14, 15), PERCENT)
    cells += shaped(rows=16, columns=parts | {9: NUMBER, 11: NUMBER})
    cells += shaped(rows=18, columns={19: "0.00", 20: PERCENT, 21: PERCENT})
    return Sheet(
        name="Factor tilt",
        cells=tuple(cells),
        charts=(
            Chart(
                row=FIRST, column=0, rows=1, columns=1, title="Active exposures", kind="bar",
                labels="factor", series=("active",), number_format="0.0",
            ),
            Chart(
                row=FIRST, column=17, rows=1, columns=1, title="What the bets brought",
                kind="bar", labels="name", series=("contribution",), number_format="0.0%",
            ),
        ),
        widths={0: 150, 1: 100, 5: 60, 6: 10, 7: 150, 8: 60, 16: 10, 17: 150, 22: 200}
        | dict.fromkeys((2, 3, 4, *range(9, 16), *range(18, 22)), 68),
        frozen=(FIRST + 1, 0),
        gridlines=False,
    )  # fmt: skip


def compare_sheet(universe: str) -> Sheet:
    """Return the sheet of two portfolios: by sector, name and risk."""
    call = "=TILT.COMPARE($B$3,$B$4,"
    cells = [
        *heading(
            "Compare",
            "Name two portfolios or universes in B3 and B4. Look at the largest differences, then "
            "at the last rows: how active, how much in common. Next: a saved one of your own.",
        ),
        cell(2, 0, "a", LABEL),
        cell(2, 1, "SAMPLE", INPUT),
        cell(3, 0, "b", LABEL),
        cell(3, 1, universe, INPUT),
        cell(FIRST - 1, 0, "By sector", LABEL),
        cell(FIRST, 0, formula=f'{call}"sector")', form=HEAD),
        cell(FIRST - 1, 6, "By position, the 20 largest differences", LABEL),
        cell(FIRST, 6, formula=f'{call}"position",,"top=20")', form=HEAD),
        cell(FIRST - 1, 12, "By risk", LABEL),
        cell(FIRST, 12, formula=f'{call}"risk")', form=HEAD),
        *heads((0, 5), (6, 5), (12, 5)),
    ]
    cells += shaped(rows=24, columns=dict.fromkeys((1, 2, 3, 7, 8, 9), PERCENT))
    cells += shaped(rows=20, columns=dict.fromkeys((13, 14, 15), "0.0000"))
    return Sheet(
        name="Compare",
        cells=tuple(cells),
        charts=(
            Chart(
                row=FIRST, column=0, rows=1, columns=1, title="a and b, by sector", kind="bar",
                labels="name", series=("a", "b"), number_format="0%",
            ),
        ),
        widths={0: 150, 1: 100, 4: 60, 5: 10, 6: 90, 10: 60, 11: 10, 12: 128, 16: 200}
        | dict.fromkeys((2, 3, 7, 8, 9, 13, 14, 15), 72),
        frozen=(FIRST + 1, 0),
        gridlines=False,
    )  # fmt: skip


def share_sheet() -> Sheet:
    """Return the sheet that is given away: the figures, and how they travel without Tilt."""
    said = (
        ("People without Tilt", "see the last values, until their Excel calculates anew"),
        ("Share as values", "button: a copy of the workbook with values in place of formulas"),
        ("Export report", "button: a report workbook of its own, native formulas and charts only"),
        ("Say what it rests on", "the date and the run id above; the sheet Audit tells the rest"),
    )
    cells = [
        *heading(
            "Share",
            "Press Share as values before a mail leaves the house. Look at the date and run id: "
            "whoever asks later gets the same numbers by them. Next: Audit.",
        ),
        cell(2, 0, "data as of", LABEL),
        cell(2, 1, formula="=TILT.ASOF()", form=Format(number_format=DATE)),
        cell(3, 0, "run of Optimize", LABEL),
        cell(3, 1, formula=_run_of_optimize()),
        cell(FIRST - 1, 0, "Before and after the rebalance", LABEL),
        cell(FIRST, 0, formula=_summary_of_optimize(), form=HEAD),
        cell(FIRST - 1, 4, "How it travels", LABEL),
        *(cell(FIRST, c, form=HEAD) for c in (4, 5)),
        *heads((0, 3)),
    ]
    for row, (what, words) in enumerate(said, start=FIRST + 1):
        cells += [cell(row, 4, what, LABEL), cell(row, 5, words)]
    cells += shaped(rows=24, columns={1: "0.0000", 2: "0.0000"})
    return Sheet(
        name="Share",
        cells=tuple(cells),
        widths={0: 128, 1: 100, 2: 72, 3: 10, 4: 130, 5: 380},
        frozen=(FIRST + 1, 0),
        gridlines=False,
    )


def audit_sheet() -> Sheet:
    """Return the sheet that tells what is behind the numbers of the sheet Optimize."""
    cells = [
        *heading(
            "Audit a number",
            "B3 is the run behind the sheet Optimize; paste the id of another. Type verify in B4 "
            "to compute it again: is every number equal? Next: TILT.TRACE() lists your runs.",
        ),
        cell(2, 0, "run", LABEL),
        cell(2, 1, formula=_run_of_optimize(), form=INPUT),
        cell(3, 0, "view", LABEL),
        cell(3, 1, "run", INPUT),
        cell(FIRST - 1, 0, "What is behind it", LABEL),
        cell(FIRST, 0, formula="=TILT.TRACE($B$3,$B$4)", form=HEAD),
        *heads((0, 3)),
        *(cell(row, 2, form=LEFT) for row in range(FIRST + 1, FIRST + 130)),
    ]
    return Sheet(
        name="Audit",
        cells=tuple(cells),
        widths={0: 90, 1: 120, 2: 480},
        frozen=(FIRST + 1, 0),
        gridlines=False,
    )


def _run_of_optimize() -> str:
    return f'=TILT.OPTIMIZE("min_te",{HOLDINGS},{CONSTRAINTS},,,,"trades","run=yes")'


def _summary_of_optimize() -> str:
    return f'=TILT.OPTIMIZE("min_te",{HOLDINGS},{CONSTRAINTS},,,,"summary")'
