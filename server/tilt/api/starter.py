"""The starter workbook: a portfolio with its risk, an optimization, a backtest, its data; all live.

What is in it is data, so that the workbench shows it and a file of it is written by the same code.
"""

from tilt.api.starter_data import data_sheet, match_sheet
from tilt.api.starter_factors import factor_sheets
from tilt.api.starter_optimize import HOLDINGS, optimize_sheets
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
    shaped,
)
from tilt.api.starter_performance import attribution_sheet
from tilt.api.starter_risk import risk_sheets
from tilt.api.starter_tasks import (
    audit_sheet,
    compare_sheet,
    morning_sheet,
    share_sheet,
    tasks_sheet,
    tilt_sheet,
    whatif_sheet,
)
from tilt.api.state import State
from tilt.api.workbook_model import Chart, Format, Sheet, Table, Workbook
from tilt.errors import UnknownNameError
from tilt.frames import Weights

SAMPLE, CASH = "SAMPLE", "CASH"

MEASURES = (
    ("volatility", PERCENT, "a year, as forecast"),
    ("tracking_error", PERCENT, "to the cap-weighted universe"),
    ("beta", NUMBER, "to the benchmark"),
    ("active_share", PERCENT, ""),
    ("effective_n", "0.0", "names, by concentration"),
    ("factor_te", PERCENT, "tracking error from factors"),
    ("specific_te", PERCENT, "tracking error from single names"),
    ("r_squared", PERCENT, "of risk explained by factors"),
    ("var95", PERCENT, "loss of one day in twenty"),
    ("cvar95", PERCENT, "mean loss beyond it"),
)
STRATEGY = "quantile:Momentum:5:1"


def starter(state: State) -> Workbook:
    """Return the starter workbook over the sample portfolio; without one, the largest names."""
    panel = state.panel(None)
    try:
        weights = state.store.portfolio(SAMPLE)
    except UnknownNameError:
        weights = panel.cap_weights(panel.as_of).nlargest(10)
        weights = weights / weights.sum()
    sheets = (
        _portfolio(weights),
        morning_sheet(),
        whatif_sheet(panel),
        *([tilt_sheet(panel.universe)] if panel.factor_history is not None else []),
        compare_sheet(panel.universe),
        *risk_sheets(panel, HOLDINGS),
        *optimize_sheets(panel),
        _backtest(),
        attribution_sheet(),
        share_sheet(),
        audit_sheet(),
        data_sheet(panel, state.store.findings()),
        match_sheet(panel),
        *factor_sheets(panel),
    )
    tasks = tasks_sheet(frozenset(sheet.name for sheet in sheets))
    return Workbook(name="Tilt starter.xlsx", sheets=(sheets[0], tasks, *sheets[1:]))


def _portfolio(weights: Weights) -> Sheet:
    last = FIRST + len(weights)  # the row of cash comes after it
    cells = [
        *heading(
            "Portfolio",
            "Change a weight or a ticker: exposures and risk follow.",
        ),
        cell(2, 0, "As of", LABEL),
        cell(2, 1, formula="=TILT.ASOF()", form=Format(number_format=DATE)),
        cell(3, 0, "Total", LABEL),
        cell(3, 1, 1.0, Format(number_format=PERCENT), formula=f"=SUM({HOLDINGS}[weight])"),
        cell(FIRST, 0, "ticker"),
        cell(FIRST, 1, "weight"),
        cell(FIRST, 2, "name", HEAD),
        cell(FIRST, 3, "sector", HEAD),
        cell(FIRST + 1, 2, formula=f'=TILT.SECURITY(A{FIRST + 2}:A{last + 1},"name,sector")'),
        cell(last + 1, 0, CASH),
        cell(
            last + 1,
            1,
            1.0 - float(weights.sum()),
            Format(number_format=PERCENT),
            formula=f"=1-SUM(B{FIRST + 2}:B{last + 1})",
        ),
        cell(FIRST, 5, "risk", HEAD),
        cell(FIRST, 6, "value", HEAD),
        cell(FIRST, 7, "meaning", HEAD),
        cell(FIRST - 1, 9, "Exposures", LABEL),
        cell(FIRST, 9, formula=f"=TILT.EXPOSURES({HOLDINGS})", form=HEAD),
        cell(FIRST - 1, 16, "Where the tracking error comes from", LABEL),
        cell(FIRST, 16, formula=f'=TILT.RISK_TABLE({HOLDINGS},"factor")', form=HEAD),
    ]
    for row, (ticker, weight) in enumerate(weights.items(), start=FIRST + 1):
        cells += [
            cell(row, 0, str(ticker), INPUT),
            cell(row, 1, float(weight), INPUT.model_copy(update={"number_format": PERCENT})),
        ]
    for row, (measure, shown, meaning) in enumerate(MEASURES, start=FIRST + 1):
        cells += [
            cell(row, 5, measure),
            cell(
                row,
                6,
                formula=f"=TILT.RISK({HOLDINGS},F{row + 1})",
                form=Format(number_format=shown),
            ),
            cell(row, 7, meaning, QUIET),
        ]
    cells += shaped(rows=40, columns={11: NUMBER, 12: NUMBER, 13: NUMBER})
    cells += shaped(rows=40, columns={18: NUMBER, 19: PERCENT, 20: NUMBER})
    cells += shaped(rows=40, columns={21: PERCENT, 22: PERCENT, 23: PERCENT, 24: PERCENT})
    cells += [cell(FIRST, c, form=HEAD) for c in (*range(10, 14), *range(17, 24))]
    return Sheet(
        name="Portfolio",
        cells=tuple(cells),
        tables=(Table(name=HOLDINGS, row=FIRST, column=0, rows=len(weights) + 2, columns=2),),
        charts=(
            Chart(
                row=FIRST, column=9, rows=1, columns=1, title="Active exposures", kind="bar",
                labels="factor", series=("active",), number_format="0.00",
            ),
            Chart(
                row=FIRST, column=16, rows=1, columns=1, title="Share of tracking error",
                kind="bar", labels="name", series=("pct",), number_format="0%",
            ),
        ),
        widths={0: 66, 1: 62, 2: 122, 3: 124, 4: 10, 5: 84, 6: 52, 7: 158, 8: 10, 9: 128}
        | {10: 50, 14: 10, 15: 10, 16: 128}
        | dict.fromkeys((11, 12, 13), 56)
        | dict.fromkeys(range(17, 25), 58),
        frozen=(FIRST + 1, 0),
        gridlines=False,
    )  # fmt: skip


def _backtest() -> Sheet:
    call = "=TILT.BACKTEST($B$3,,,$B$4,,,"
    cells = [
        *heading(
            "Backtest an idea",
            "Type a strategy: quantile:Value:5:1, equal_weight, min_risk. Look at the return after "
            "costs, the fall on the way and the assumptions. Next: view overfitting, then Audit.",
        ),
        cell(2, 0, "strategy", LABEL),
        cell(2, 1, STRATEGY, INPUT),
        cell(3, 0, "rebalance", LABEL),
        cell(3, 1, "M", INPUT),
        cell(FIRST - 1, 0, "Statistics", LABEL),
        cell(FIRST, 0, formula=f'{call}"stats")', form=HEAD),
        cell(FIRST - 1, 5, "Drawdowns", LABEL),
        cell(FIRST, 5, formula=f'{call}"drawdowns")', form=HEAD),
        cell(13, 5, "Assumptions", LABEL),
        cell(14, 5, formula=f'{call}"assumptions")', form=HEAD),
        cell(FIRST - 1, 12, "Day by day", LABEL),
        cell(FIRST, 12, formula=f'{call}"series")', form=HEAD),
    ]
    cells += shaped(rows=40, columns={1: "0.0000", 2: "0.0000", 3: "0.0000"})
    cells += shaped(rows=5, columns={5: DATE, 6: DATE, 7: DATE, 8: PERCENT})
    cells += shaped(rows=1500, columns={12: DATE, 13: "0.0000", 14: PERCENT, 15: "0.0000"})
    cells += shaped(rows=1500, columns=dict.fromkeys(range(16, 23), PERCENT))
    cells += [cell(FIRST, c, form=HEAD) for c in (*range(1, 4), *range(6, 11), *range(13, 24))]
    return Sheet(
        name="Backtest",
        cells=tuple(cells),
        charts=(
            Chart(
                row=FIRST, column=12, rows=1, columns=1, title="Growth of 1", kind="line",
                labels="date", series=("nav", "benchmark_nav"), number_format="0.00",
            ),
            Chart(
                row=FIRST, column=12, rows=1, columns=1, title="Drawdown", kind="area",
                labels="date", series=("drawdown",), number_format="0%",
            ),
        ),
        widths={0: 104, 1: 120, 2: 66, 3: 58, 4: 10, 11: 10}
        | dict.fromkeys(range(5, 9), 62)
        | {5: 70, 9: 70, 10: 98}
        | dict.fromkeys(range(12, 24), 66),
        frozen=(FIRST + 1, 0),
        gridlines=False,
    )  # fmt: skip
