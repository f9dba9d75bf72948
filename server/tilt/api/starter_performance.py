"""The starter workbook's sheet of attribution: the same month explained in three ways."""

from tilt.api.starter_parts import DATE, FIRST, HEAD, INPUT, LABEL, PERCENT, cell, heading, shaped
from tilt.api.workbook_model import Chart, Format, Sheet

HOLDINGS = "TiltHoldings"


def attribution_sheet() -> Sheet:
    """Return the sheet: the active return by sector, by factor and by position."""
    call = f"=TILT.ATTRIBUTION({HOLDINGS},,$B$3,$B$4,"
    cells = [
        *heading(
            "Month-end attribution",
            "Why the holdings did better or worse than the universe between two closes: -1ME is "
            "the last month. Look at Total, then at its largest rows. Next: Export report.",
        ),
        cell(2, 0, "start", LABEL),
        cell(2, 1, "-1ME", INPUT),
        cell(3, 0, "end", LABEL),
        cell(3, 1, formula="=TILT.ASOF()", form=Format(number_format=DATE)),
        cell(FIRST - 1, 0, "By sector", LABEL),
        cell(FIRST, 0, formula=f'{call}"brinson","sector")', form=HEAD),
        cell(FIRST - 1, 11, "By factor", LABEL),
        cell(FIRST, 11, formula=f'{call}"factor")', form=HEAD),
        cell(FIRST - 1, 18, "By position", LABEL),
        cell(
            FIRST, 18, formula=f'=TILT.ATTRIBUTION({HOLDINGS},,$B$3,$B$4,"position",,,"top=20")',
            form=HEAD,
        ),
    ]  # fmt: skip
    cells += shaped(rows=20, columns=dict.fromkeys(range(1, 9), PERCENT))
    cells += shaped(rows=40, columns={13: "0.00", 14: PERCENT, 15: PERCENT})
    cells += shaped(rows=24, columns=dict.fromkeys(range(20, 26), PERCENT))
    cells += [cell(FIRST, c, form=HEAD) for c in (*range(1, 10), *range(12, 17), *range(19, 27))]
    return Sheet(
        name="Attribution",
        cells=tuple(cells),
        charts=(
            Chart(
                row=FIRST, column=0, rows=1, columns=1, title="Effects by sector", kind="bar",
                labels="group", series=("allocation", "selection", "interaction"),
                number_format="0.0%",
            ),
            Chart(
                row=FIRST, column=11, rows=1, columns=1, title="Contribution by factor",
                kind="bar", labels="name", series=("contribution",), number_format="0.0%",
            ),
        ),
        widths={0: 150, 10: 10, 11: 150, 17: 10, 18: 66, 19: 140}
        | dict.fromkeys(range(1, 10), 68)
        | dict.fromkeys(range(12, 17), 68)
        | dict.fromkeys(range(20, 27), 76),
        frozen=(FIRST + 1, 0),
        gridlines=False,
    )  # fmt: skip
