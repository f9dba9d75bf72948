"""The sheets of the starter workbook about factors: what one earned, and portfolios of it."""

from collections.abc import Iterator

from xlsxwriter.utility import xl_col_to_name

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
    shaped,
)
from tilt.api.workbook_model import Chart, Sheet
from tilt.frames import Panel

STUDIED = "Momentum"
MONTHS, WEIGHTS = 60, 40
# the first columns of the tables on the sheet Factors
STATISTICS, RETURNS, FORETOLD, QUANTILES, ALIKE = 0, 12, 15, 18, 28
COMPARED, HELD = 0, 6  # and on the sheet Pure factor


def factor_sheets(panel: Panel) -> tuple[Sheet, ...]:
    """Return the sheets Factors and Pure factor; none where a universe has no style factor."""
    if panel.factor_history is None:
        return ()
    groups = panel.factors.factors["group"]
    styles = [str(f) for f in groups.index[groups == "style"]]
    if not styles:
        return ()
    studied = STUDIED if STUDIED in styles else styles[0]
    return _factors(studied, styles, len(groups)), _pure(studied)


def _factors(studied: str, styles: list[str], count: int) -> Sheet:
    alike = ",".join(styles)
    cells = [
        *heading("Factors", "Change the factor: what it returned and foretold follows."),
        cell(2, 0, "factor", LABEL),
        cell(2, 1, studied, INPUT),
        cell(FIRST - 1, STATISTICS, "All factors in numbers", LABEL),
        cell(FIRST, STATISTICS, formula="=TILT.FACTOR_STATS()", form=HEAD),
        cell(FIRST - 1, RETURNS, "Months of the factor", LABEL),
        cell(FIRST, RETURNS, formula=f'=TILT.FACTOR_RETURNS($B$3,"-{MONTHS}M",,"M")', form=HEAD),
        cell(FIRST - 1, FORETOLD, "What it foretold of a month", LABEL),
        cell(FIRST, FORETOLD, formula="=TILT.FACTOR_IC($B$3,21)", form=HEAD),
        cell(FIRST - 1, QUANTILES, "Portfolios by its rank", LABEL),
        cell(FIRST, QUANTILES, formula="=TILT.FACTOR_QUANTILES($B$3,5,21)", form=HEAD),
        cell(FIRST - 1, ALIKE, "How alike styles are", LABEL),
        cell(FIRST, ALIKE, formula=f'=TILT.FACTOR_CORRELATION("{alike}")', form=HEAD),
        *(cell(FIRST, c, form=HEAD) for c in _heads(len(styles))),
    ]
    cells += shaped(rows=count, columns={1: PERCENT, 2: PERCENT, 3: NUMBER, 4: NUMBER, 5: PERCENT})
    cells += shaped(rows=count, columns={6: NUMBER, 7: PERCENT, 8: NUMBER, 9: NUMBER})
    cells += shaped(rows=MONTHS + 1, columns={RETURNS: DATE, RETURNS + 1: PERCENT})
    cells += shaped(rows=8, columns={FORETOLD + 1: "0.000"})
    shown = (PERCENT, PERCENT, NUMBER, PERCENT, "0", NUMBER, NUMBER, NUMBER)
    cells += shaped(rows=6, columns=dict(enumerate(shown, start=QUANTILES + 1)))
    matrix = range(ALIKE + 1, ALIKE + 1 + len(styles))
    cells += shaped(rows=len(styles), columns=dict.fromkeys(matrix, NUMBER))
    return Sheet(
        name="Factors",
        cells=tuple(cells),
        charts=(
            Chart(
                row=FIRST, column=QUANTILES, rows=1, columns=1, title="Mean return by rank",
                kind="bar", labels="quantile", series=("mean_return",), number_format="0%",
            ),
        ),
        widths={STATISTICS: 150, 11: 10, 14: 10, FORETOLD: 92, 17: 10, 27: 10, ALIKE: 96}
        | dict.fromkeys(range(1, 11), 86)
        | dict.fromkeys((RETURNS, RETURNS + 1, FORETOLD + 1), 66)
        | dict.fromkeys((*range(QUANTILES, 27), *matrix), 78),
        frozen=(FIRST + 1, 0),
        gridlines=False,
    )  # fmt: skip


def _heads(styles: int) -> Iterator[int]:
    """Yield the columns of the header row that a formula spills over."""
    tables = ((STATISTICS, 11), (RETURNS, 2), (FORETOLD, 2), (QUANTILES, 9), (ALIKE, styles + 1))
    for start, columns in tables:
        yield from range(start + 1, start + columns)


def _pure(studied: str) -> Sheet:
    options = f"{xl_col_to_name(HELD)}{FIRST - 1}:{xl_col_to_name(HELD + 1)}{FIRST}"
    cells = [
        *heading("Pure factor", "Change the factor, or the kind whose weights are shown."),
        cell(2, 0, "factor", LABEL),
        cell(2, 1, studied, INPUT),
        cell(FIRST - 1, COMPARED, "Four portfolios side by side", LABEL),
        cell(FIRST, COMPARED, formula='=TILT.PURE_FACTOR($B$3,,,"view=compare")', form=HEAD),
        cell(FIRST - 2, HELD, "kind", LABEL),
        cell(FIRST - 2, HELD + 1, "investable", INPUT),
        cell(FIRST - 1, HELD, "top", LABEL),
        cell(FIRST - 1, HELD + 1, float(WEIGHTS), INPUT),
        cell(FIRST, HELD, formula=f"=TILT.PURE_FACTOR($B$3,,,{options})", form=HEAD),
        *(cell(FIRST, c, form=HEAD) for c in (*range(1, 5), HELD + 1)),
    ]
    cells += shaped(rows=20, columns=dict.fromkeys(range(1, 5), "0.000"))
    cells += shaped(rows=WEIGHTS, columns={HELD + 1: PERCENT})
    return Sheet(
        name="Pure factor",
        cells=tuple(cells),
        charts=(
            Chart(
                row=FIRST, column=HELD, rows=1, columns=1, title="Largest weights", kind="bar",
                labels="ticker", series=("weight",), number_format="0.0%",
            ),
        ),
        widths={COMPARED: 140, 5: 10, HELD: 140, HELD + 1: 70} | dict.fromkeys(range(1, 5), 70),
        frozen=(FIRST + 1, 0),
        gridlines=False,
    )  # fmt: skip
