"""The starter workbook: a portfolio with its risk, an optimization and a backtest, all live.

What is in it is data, so that the workbench shows it and a file of it is written by the same code.
"""

from collections.abc import Iterator, Sequence

from tilt.api.state import State
from tilt.api.workbook_model import Cell, Chart, Format, Sheet, Table, Workbook
from tilt.errors import UnknownNameError
from tilt.frames import Weights

SAMPLE, CASH = "SAMPLE", "CASH"
HOLDINGS, CONSTRAINTS = "TiltHoldings", "TiltConstraints"
FIRST = 5  # row of the tables, counted from nought; above are title and words

_TITLE = Format(bold=True, size=14)
_QUIET = Format(font_color="#6b7280")
_LABEL = Format(bold=True)
_HEAD = Format(bold=True, fill="#dcebe7", vertical_alignment="Center")
_INPUT = Format(fill="#fff8dc", font_color="#1f4e9e")  # cells one is meant to change
_PERCENT, _NUMBER, _DATE = "0.00%", "0.000", "yyyy-mm-dd"

MEASURES = (
    ("volatility", _PERCENT, "a year, as forecast"),
    ("tracking_error", _PERCENT, "to the cap-weighted universe"),
    ("beta", _NUMBER, "to the benchmark"),
    ("active_share", _PERCENT, ""),
    ("effective_n", "0.0", "names, by concentration"),
    ("factor_te", _PERCENT, "tracking error from factors"),
    ("specific_te", _PERCENT, "tracking error from single names"),
    ("r_squared", _PERCENT, "of risk explained by factors"),
    ("var95", _PERCENT, "loss of one day in twenty"),
    ("cvar95", _PERCENT, "mean loss beyond it"),
)
RULES: Sequence[Sequence[str | float]] = (
    ("rule", "who", "min", "max", "relative", "priority"),
    ("weight", "*", 0.0, 0.05, "", ""),
    ("sector", "*", -0.03, 0.03, "yes", ""),
    ("factor", "Beta", -0.05, 0.05, "yes", ""),
    ("turnover", "", "", 0.20, "", ""),
)
STRATEGY = "quantile:Momentum:5:1"


def starter(state: State) -> Workbook:
    """Return the starter workbook over the sample portfolio; without one, the largest names."""
    try:
        weights = state.store.portfolio(SAMPLE)
    except UnknownNameError:
        panel = state.panel(None)
        weights = panel.cap_weights(panel.as_of).nlargest(10)
        weights = weights / weights.sum()
    sheets = (_portfolio(weights), _optimize(), _backtest())
    return Workbook(name="Tilt starter.xlsx", sheets=sheets)


def _portfolio(weights: Weights) -> Sheet:
    last = FIRST + len(weights)  # the row of cash comes after it
    cells = [
        *_heading(
            "Portfolio",
            "Change a weight or a ticker: exposures and risk follow.",
        ),
        _cell(2, 0, "As of", _LABEL),
        _cell(2, 1, formula="=TILT.ASOF()", form=Format(number_format=_DATE)),
        _cell(3, 0, "Total", _LABEL),
        _cell(3, 1, formula=f"=SUM({HOLDINGS}[weight])", form=Format(number_format=_PERCENT)),
        _cell(FIRST, 0, "ticker"),
        _cell(FIRST, 1, "weight"),
        _cell(FIRST, 2, "name", _HEAD),
        _cell(FIRST, 3, "sector", _HEAD),
        _cell(FIRST + 1, 2, formula=f'=TILT.SECURITY(A{FIRST + 2}:A{last + 1},"name,sector")'),
        _cell(last + 1, 0, CASH),
        _cell(
            last + 1,
            1,
            formula=f"=1-SUM(B{FIRST + 2}:B{last + 1})",
            form=Format(number_format=_PERCENT),
        ),
        _cell(FIRST, 5, "risk", _HEAD),
        _cell(FIRST, 6, "value", _HEAD),
        _cell(FIRST, 7, "meaning", _HEAD),
        _cell(FIRST - 1, 9, "Exposures", _LABEL),
        _cell(FIRST, 9, formula=f"=TILT.EXPOSURES({HOLDINGS})", form=_HEAD),
        _cell(FIRST - 1, 16, "Where the tracking error comes from", _LABEL),
        _cell(FIRST, 16, formula=f'=TILT.RISK_TABLE({HOLDINGS},"factor")', form=_HEAD),
    ]
    for row, (ticker, weight) in enumerate(weights.items(), start=FIRST + 1):
        cells += [
            _cell(row, 0, str(ticker), _INPUT),
            _cell(row, 1, float(weight), _INPUT.model_copy(update={"number_format": _PERCENT})),
        ]
    for row, (measure, shown, meaning) in enumerate(MEASURES, start=FIRST + 1):
        cells += [
            _cell(row, 5, measure),
            _cell(
                row,
                6,
                formula=f"=TILT.RISK({HOLDINGS},F{row + 1})",
                form=Format(number_format=shown),
            ),
            _cell(row, 7, meaning, _QUIET),
        ]
    cells += _shaped(rows=19, columns={11: _NUMBER, 12: _NUMBER, 13: _NUMBER})
    cells += _shaped(rows=20, columns={18: _NUMBER, 19: _PERCENT, 20: _NUMBER})
    cells += _shaped(rows=20, columns={21: _PERCENT, 22: _PERCENT, 23: _PERCENT})
    cells += [_cell(FIRST, c, form=_HEAD) for c in (*range(10, 14), *range(17, 24))]
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


def _optimize() -> Sheet:
    call = f"=TILT.OPTIMIZE($B$3,{HOLDINGS},{CONSTRAINTS},,,,"
    cells = [
        *_heading(
            "Optimize",
            "Change a rule or the objective. Rules in conflict are named below.",
        ),
        _cell(2, 0, "objective", _LABEL),
        _cell(2, 1, "min_te", _INPUT),
        _cell(FIRST - 1, 0, "Rules", _LABEL),
        _cell(FIRST - 1, 7, "Before and after", _LABEL),
        _cell(FIRST, 7, formula=f'{call}"summary")', form=_HEAD),
        _cell(FIRST - 1, 11, "The 40 largest trades", _LABEL),
        _cell(FIRST, 11, formula=f'{call}"trades","top=40")', form=_HEAD),
        _cell(FIRST - 1, 18, "Rules at the optimum", _LABEL),
        _cell(FIRST, 18, formula=f'{call}"constraints")', form=_HEAD),
        _cell(17, 0, "What the rules cost, and why these trades", _LABEL),
        _cell(18, 0, formula=f'{call}"explain")', form=_HEAD),
    ]
    for row, line in enumerate(RULES, start=FIRST):
        for column, value in enumerate(line):
            number = "0.00" if line[0] == "factor" else "0.0%"
            form = _INPUT.model_copy(update={"number_format": number}) if row > FIRST else None
            cells.append(_cell(row, column, None if value == "" else value, form))
    cells += _shaped(rows=30, columns={8: "0.0000", 9: "0.0000"})
    cells += _shaped(rows=40, columns={13: _PERCENT, 14: _PERCENT, 15: _PERCENT})
    cells += _shaped(rows=30, columns=dict.fromkeys(range(20, 24), _NUMBER))
    cells += _shaped(rows=30, columns=dict.fromkeys((25, 26, 27), "0.0000"))
    cells += [_cell(FIRST, c, form=_HEAD) for c in (8, 9, *range(12, 17), *range(19, 30))]
    return Sheet(
        name="Optimize",
        cells=tuple(cells),
        tables=(Table(name=CONSTRAINTS, row=FIRST, column=0, rows=len(RULES), columns=6),),
        charts=(
            Chart(
                row=FIRST, column=11, rows=1, columns=1, title="Largest trades", kind="bar",
                labels="ticker", series=("trade",), number_format="0.0%",
            ),
        ),
        widths={0: 62, 1: 62, 2: 48, 3: 48, 4: 48, 5: 48, 6: 10, 7: 100, 8: 56, 9: 56, 10: 10}
        | {11: 48, 12: 140, 13: 56, 14: 56, 15: 56, 16: 340, 17: 10, 18: 70, 19: 120}
        | dict.fromkeys(range(20, 30), 66),
        frozen=(FIRST + 1, 0),
        gridlines=False,
    )  # fmt: skip


def _backtest() -> Sheet:
    call = "=TILT.BACKTEST($B$3,,,$B$4,,,"
    cells = [
        *_heading(
            "Backtest",
            "Change the strategy or the rebalancing: quantile:Value:5:1, equal_weight, min_risk.",
        ),
        _cell(2, 0, "strategy", _LABEL),
        _cell(2, 1, STRATEGY, _INPUT),
        _cell(3, 0, "rebalance", _LABEL),
        _cell(3, 1, "M", _INPUT),
        _cell(FIRST - 1, 0, "Statistics", _LABEL),
        _cell(FIRST, 0, formula=f'{call}"stats")', form=_HEAD),
        _cell(FIRST - 1, 5, "Drawdowns", _LABEL),
        _cell(FIRST, 5, formula=f'{call}"drawdowns")', form=_HEAD),
        _cell(13, 5, "Assumptions", _LABEL),
        _cell(14, 5, formula=f'{call}"assumptions")', form=_HEAD),
        _cell(FIRST - 1, 12, "Day by day", _LABEL),
        _cell(FIRST, 12, formula=f'{call}"series")', form=_HEAD),
    ]
    cells += _shaped(rows=40, columns={1: "0.0000", 2: "0.0000", 3: "0.0000"})
    cells += _shaped(rows=5, columns={5: _DATE, 6: _DATE, 7: _DATE, 8: _PERCENT})
    cells += _shaped(rows=1500, columns={12: _DATE, 13: "0.0000", 14: _PERCENT, 15: "0.0000"})
    cells += _shaped(rows=1500, columns={16: _PERCENT, 17: _PERCENT, 18: _PERCENT})
    cells += [_cell(FIRST, c, form=_HEAD) for c in (*range(1, 4), *range(6, 11), *range(13, 24))]
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


def _heading(title: str, words: str) -> Iterator[Cell]:
    yield _cell(0, 0, title, _TITLE)
    yield _cell(1, 0, words, _QUIET)


def _shaped(*, rows: int, columns: dict[int, str]) -> Iterator[Cell]:
    """Yield blank cells with a number format, for results to spill over."""
    for column, shown in columns.items():
        form = Format(number_format=shown)
        yield from (_cell(row, column, form=form) for row in range(FIRST + 1, FIRST + 1 + rows))


def _cell(
    row: int,
    column: int,
    value: str | float | None = None,
    form: Format | None = None,
    *,
    formula: str = "",
) -> Cell:
    return Cell(row=row, column=column, value=value, formula=formula, format=form)
