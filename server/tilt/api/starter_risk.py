"""The sheets of the starter workbook about risk: what it is made of, and what may happen."""

import pandas as pd
from xlsxwriter.utility import xl_col_to_name

from tilt.api.starter_parts import (
    DATE,
    FIRST,
    HEAD,
    INPUT,
    LABEL,
    NUMBER,
    PERCENT,
    QUIET,
    cell,
    heading,
    heads,
    shaped,
)
from tilt.api.workbook_model import Cell, Chart, Format, Sheet, Table
from tilt.frames import Panel
from tilt.risk.stress import WINDOWS

SHOCKS = "TiltShocks"
TOP = 25  # rows of a long table
# the first columns of the tables on the sheet Risk
MADE_OF, LOSS, TIMES, EXIT = 0, 13, 18, 27
# and on the sheet Stress
GIVEN, DONE, LIBRARY, WINDOW = 0, 3, 12, 21
ROWS = 10  # of shocks
EXAMPLE = (("Market", -0.1), ("Energy", -0.05))
FACTORS = 45  # rows that a table by factor may have


def risk_sheets(panel: Panel, holdings: str) -> tuple[Sheet, ...]:
    """Return the sheets Risk and Stress over a table of holdings; none without a factor model."""
    if panel.factor_history is None:
        return ()
    dates = panel.factors.dates
    held = [
        w.name
        for w in WINDOWS
        if dates[0] <= pd.Timestamp(w.start) and pd.Timestamp(w.end) <= dates[-1]
    ]
    known = [(name, move) for name, move in EXAMPLE if name in panel.factors.factors.index]
    return _risk(holdings), _stress(holdings, known, held)


def _input(row: int, column: int, label: str, value: str | float, shown: str = "") -> list[Cell]:
    """Return a label and, right of it, a cell that one is meant to change."""
    form = INPUT.model_copy(update={"number_format": shown}) if shown else INPUT
    return [cell(row, column, label, LABEL), cell(row, column + 1, value, form)]


def _at(row: int, column: int) -> str:
    return f"${xl_col_to_name(column)}${row + 1}"


def _risk(holdings: str) -> Sheet:
    by = _at(2, MADE_OF + 1)
    tail = f"{_at(2, LOSS + 1)},{_at(3, LOSS + 1)}"
    sold = f"{_at(2, EXIT + 1)},{_at(3, EXIT + 1)}"
    table = f'=TILT.RISK_TABLE({holdings},{by},,,,"sort=-ctr;top={TOP}")'
    cells = [
        *heading("Risk", "Change the cells in color: what the risk is made of, by factor or name."),
        *_input(2, MADE_OF, "by", "position"),
        cell(2, MADE_OF + 2, "position, sector, factor, group or summary", QUIET),
        cell(FIRST - 1, MADE_OF, "What the tracking error is made of", LABEL),
        cell(FIRST, MADE_OF, formula=table, form=HEAD),
        *_input(2, LOSS, "confidence", 0.95, "0.0%"),
        *_input(3, LOSS, "days", 1.0),
        cell(FIRST - 1, LOSS, "Value at risk, three ways", LABEL),
        cell(FIRST, LOSS, formula=f'=TILT.VAR({holdings},{tail},,,"view=compare")', form=HEAD),
        cell(FIRST - 1, TIMES, "Today's holdings in calm and turbulent times", LABEL),
        cell(FIRST, TIMES, formula=f"=TILT.REGIME_RISK({holdings})", form=HEAD),
        *_input(2, EXIT, "capital", 1e9, "#,##0"),
        *_input(3, EXIT, "share of volume", 0.2, "0%"),
        cell(FIRST - 1, EXIT, "Days to get out", LABEL),
        cell(FIRST, EXIT, formula=f'=TILT.LIQUIDITY({holdings},{sold},,"top={TOP}")', form=HEAD),
        *heads((MADE_OF, 11), (LOSS, 4), (TIMES, 7), (EXIT, 4)),
    ]
    percents = dict.fromkeys((MADE_OF + i for i in (3, 5, 6, 7, 8, 9)), PERCENT)
    cells += shaped(rows=TOP + 1, columns=percents | {MADE_OF + 2: "0.0000", MADE_OF + 4: NUMBER})
    cells += shaped(rows=3, columns={LOSS + 1: PERCENT, LOSS + 2: PERCENT})
    times = dict.fromkeys(range(TIMES + 2, TIMES + 6), PERCENT)
    cells += shaped(rows=4, columns=times | {TIMES + 6: NUMBER})
    cells += shaped(rows=TOP, columns={EXIT + 1: PERCENT, EXIT + 2: "0.00", EXIT + 3: PERCENT})
    out = Format(number_format=PERCENT)
    cells += [cell(FIRST + TOP + 1, EXIT + i, form=out) for i in (1, 2, 3)]
    return Sheet(
        name="Risk",
        cells=tuple(cells),
        charts=(
            Chart(
                row=FIRST, column=MADE_OF, rows=1, columns=1, title="Contributions",
                kind="bar", labels="name", series=("ctr",), number_format="0.00%",
            ),
        ),
        widths={MADE_OF: 128, MADE_OF + 1: 128, 11: 128, 12: 10, 17: 10, 26: 10}
        | dict.fromkeys(range(MADE_OF + 2, MADE_OF + 11), 72)
        | {LOSS: 78, LOSS + 1: 62, LOSS + 2: 62, LOSS + 3: 230, TIMES: 72, TIMES + 7: 230}
        | dict.fromkeys(range(TIMES + 1, TIMES + 7), 66)
        | {EXIT: 118, EXIT + 4: 200}
        | dict.fromkeys((EXIT + 1, EXIT + 2, EXIT + 3), 82),
        frozen=(FIRST + 1, 0),
        gridlines=False,
    )  # fmt: skip


def _stress(holdings: str, known: list[tuple[str, float]], held: list[str]) -> Sheet:
    options = f"{_at(2, GIVEN)}:{_at(2, GIVEN + 1)}"
    given = INPUT.model_copy(update={"number_format": "0.0%"})
    cells = [
        *heading(
            "Stress", "Type shocks of factors, sectors or tickers: minus ten per cent is -10%."
        ),
        *_input(2, GIVEN, "others", "expected"),
        cell(3, GIVEN, "expected: what is not shocked moves along; zero: it stays", QUIET),
        cell(FIRST, GIVEN, "name"),
        cell(FIRST, GIVEN + 1, "return"),
        cell(FIRST - 1, DONE, "What the shocks do, factor by factor", LABEL),
        cell(FIRST, DONE, formula=f"=TILT.STRESS({holdings},{SHOCKS},,,{options})", form=HEAD),
        *heads((DONE, 7)),
    ]
    for i in range(ROWS):
        name, move = known[i] if i < len(known) else (None, None)
        cells += [
            cell(FIRST + 1 + i, GIVEN, name, INPUT),
            cell(FIRST + 1 + i, GIVEN + 1, move, given),
        ]
    cells += _moves(DONE)
    charts = [_gains("What the shocks do", DONE)]
    if held:
        window = f"=TILT.STRESS({holdings},{_at(2, WINDOW + 1)})"
        cells += [
            cell(FIRST - 1, LIBRARY, "Windows of the past, replayed on today's exposures", LABEL),
            cell(FIRST, LIBRARY, formula=f"=TILT.SCENARIOS({holdings})", form=HEAD),
            *_input(2, WINDOW, "scenario", held[-1]),
            cell(3, WINDOW, "a name of the library, or two dates: 2016-01-04 to 2016-02-11", QUIET),
            cell(FIRST - 1, WINDOW, "One of them, factor by factor", LABEL),
            cell(FIRST, WINDOW, formula=window, form=HEAD),
            *heads((LIBRARY, 7), (WINDOW, 7)),
            *shaped(rows=len(held), columns={LIBRARY + 1: DATE, LIBRARY + 2: DATE}),
            *shaped(
                rows=len(held), columns=dict.fromkeys(range(LIBRARY + 4, LIBRARY + 7), PERCENT)
            ),
            *_moves(WINDOW),
        ]
        charts.append(_gains("Windows of the past", LIBRARY))
    return Sheet(
        name="Stress",
        cells=tuple(cells),
        tables=(Table(name=SHOCKS, row=FIRST, column=GIVEN, rows=ROWS + 1, columns=2),),
        charts=tuple(charts),
        widths={GIVEN: 120, GIVEN + 1: 70, 2: 10, 11: 10, 20: 10}
        | {DONE: 150, DONE + 7: 200, LIBRARY: 118, LIBRARY + 3: 240, LIBRARY + 7: 200}
        | {WINDOW: 150, WINDOW + 7: 200, LIBRARY + 1: 70, LIBRARY + 2: 70}
        | dict.fromkeys(range(LIBRARY + 4, LIBRARY + 7), 84)
        | {first + i: 66 + 18 * (i > 4) for first in (DONE, WINDOW) for i in range(1, 7)},
        frozen=(FIRST + 1, 0),
        gridlines=False,
    )


def _moves(column: int) -> list[Cell]:
    """Return shapes for what STRESS spills at a column."""
    shown = {1: PERCENT, 2: NUMBER, 3: PERCENT, 5: PERCENT, 6: PERCENT}
    return list(shaped(rows=FACTORS, columns={column + i: form for i, form in shown.items()}))


def _gains(title: str, column: int) -> Chart:
    return Chart(
        row=FIRST, column=column, rows=1, columns=1, title=title, kind="bar",
        labels="name", series=("pnl",), number_format="0.0%",
    )  # fmt: skip
