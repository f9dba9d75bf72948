"""The sheets of the starter workbook about the data: what there is, how good, and who is who."""

from collections.abc import Iterator

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
    cell,
    heading,
    heads,
    shaped,
)
from tilt.api.workbook_model import Chart, Format, Sheet
from tilt.data.findings import SEVERITIES
from tilt.frames import Panel
from tilt.portfolio.identifiers import Tickers

SHOWN = 20  # members, and findings
MONTHS = 60
COUNTS, UNIVERSES, MEMBERS, FINDINGS, HISTORY = 0, 3, 12, 18, 25  # first column of each table
TICKERS = 3
MONEY = INPUT.model_copy(update={"number_format": "#,##0"})
ISIN = "US0378331005"  # of Apple; found where the securities have such codes


def data_sheet(panel: Panel, findings: pd.DataFrame) -> Sheet:
    """Return the sheet of what data there is: universes, members, prices, findings.

    Parameters
    ----------
    findings : of the checks, for the counts that stand in the cells until they are calculated
    """
    largest = [str(t) for t in panel.cap_weights(panel.as_of).nlargest(TICKERS).index]
    cells = [
        *heading(
            "Refresh",
            "Press Refresh, or run 'tilt refresh' every evening. Look at the date, the errors, and "
            "how survivorship-biased a universe is. Next: a finding says what was done about it.",
        ),
        cell(2, 0, "As of", LABEL),
        cell(2, 1, formula="=TILT.ASOF()", form=Format(number_format=DATE)),
        cell(FIRST - 1, COUNTS, "Quality", LABEL),
        cell(FIRST, COUNTS, "severity", HEAD),
        cell(FIRST, COUNTS + 1, "findings", HEAD),
        cell(FIRST - 1, UNIVERSES, "Universes", LABEL),
        cell(FIRST, UNIVERSES, formula="=TILT.UNIVERSES()", form=HEAD),
        cell(FIRST - 1, MEMBERS, f"The {SHOWN} largest members", LABEL),
        cell(FIRST, MEMBERS, formula=f'=TILT.MEMBERS(,,"top={SHOWN}")', form=HEAD),
        cell(FIRST - 1, FINDINGS, f"The {SHOWN} newest errors in the data", LABEL),
        cell(FIRST, FINDINGS, formula=f'=TILT.QUALITY(,"error","top={SHOWN}")', form=HEAD),
        cell(FIRST - 1, HISTORY, "Adjusted closes of", LABEL),
        cell(FIRST - 1, HISTORY + 1, ",".join(largest), INPUT),
        cell(FIRST, HISTORY, formula=_history(), form=HEAD),
    ]
    for row, name in enumerate(SEVERITIES, start=FIRST + 1):
        counted = f"=ROWS(TILT.QUALITY(,A{row + 1}))-1"
        number = int((findings["severity"] == name).sum())
        cells += [cell(row, COUNTS, name), cell(row, COUNTS + 1, number, formula=counted)]
    cells += shaped(rows=10, columns={UNIVERSES + 3: DATE, UNIVERSES + 4: DATE})
    cells += shaped(rows=SHOWN, columns={MEMBERS + 4: PERCENT, FINDINGS: DATE})
    closes = range(HISTORY + 1, HISTORY + 1 + TICKERS)
    cells += shaped(rows=MONTHS + 1, columns={HISTORY: DATE, **dict.fromkeys(closes, "0.00")})
    cells += [cell(FIRST, c, form=HEAD) for c in _heads()]
    return Sheet(
        name="Data",
        cells=tuple(cells),
        charts=(
            Chart(
                row=FIRST, column=HISTORY, rows=1, columns=1, title="Adjusted closes", kind="line",
                labels="date", series=tuple(largest), number_format="0",
            ),
        ),
        widths={COUNTS: 66, 1: 66, 2: 10, UNIVERSES: 110, UNIVERSES + 1: 250, 11: 10}
        | {MEMBERS: 48, MEMBERS + 1: 150, MEMBERS + 2: 120, MEMBERS + 3: 150, 17: 10}
        | {FINDINGS: 66, FINDINGS + 1: 48, FINDINGS + 2: 130, FINDINGS + 4: 340}
        | {FINDINGS + 5: 260, 24: 10, HISTORY: 110}
        | dict.fromkeys((UNIVERSES + 3, UNIVERSES + 4), 66),
        frozen=(FIRST + 1, 0),
        gridlines=False,
    )  # fmt: skip


def _history() -> str:
    tickers = f"{xl_col_to_name(HISTORY + 1)}{FIRST}"
    return f'=TILT.HISTORY({tickers},"adj_close","-{MONTHS}M",,"M")'


def _heads() -> Iterator[int]:
    """Yield the columns of the header row that a formula spills over."""
    for start, columns in ((UNIVERSES, 8), (MEMBERS, 5), (FINDINGS, 6), (HISTORY, 1 + TICKERS)):
        yield from range(start + 1, start + columns)


def match_sheet(panel: Panel) -> Sheet:
    """Return the sheet of identifiers as people paste them, and what they were taken for."""
    pasted = messy(panel)
    last = FIRST + len(pasted)
    cells = [
        *heading(
            "Upload messy holdings",
            "Paste identifiers and values as they come. Look at the columns kind and confidence, "
            "then at what was left out or repaired. Next: the button Load holdings saves them.",
        ),
        cell(FIRST - 1, 0, "Pasted", LABEL),
        cell(FIRST, 0, "id", HEAD),
        cell(FIRST, 1, "market value", HEAD),
        cell(FIRST - 1, 2, "What it was taken for, and how sure that is", LABEL),
        cell(FIRST, 2, formula=f"=TILT.MATCH(A{FIRST + 2}:A{last + 1})", form=HEAD),
        *(cell(row, 0, text, INPUT) for row, text in enumerate(pasted, start=FIRST + 1)),
        *(
            cell(row, 1, worth, MONEY)
            for row, worth in enumerate(_worth(panel, pasted), start=FIRST + 1)
        ),
        cell(FIRST - 1, 9, "What was wrong or assumed, row by row", LABEL),
        cell(FIRST, 9, formula=f"=TILT.CHECK(A{FIRST + 1}:B{last + 1})", form=HEAD),
        cell(last + 4, 0, "Tracking error", LABEL),
        cell(
            last + 4,
            1,
            formula=f"=TILT.RISK(A{FIRST + 1}:B{last + 1})",
            form=Format(number_format=PERCENT),
        ),
        *shaped(rows=len(pasted), columns={6: NUMBER}),
        *heads((2, 6), (9, 4)),
    ]
    return Sheet(
        name="Match",
        cells=tuple(cells),
        widths={0: 150, 1: 90, 2: 150, 3: 56, 4: 160, 5: 90, 6: 66, 7: 380, 8: 10}
        | {9: 40, 10: 66, 11: 300, 12: 240},
        frozen=(FIRST + 1, 0),
        gridlines=False,
    )  # fmt: skip


def _worth(panel: Panel, pasted: list[str]) -> list[str | float]:
    """Return market values as a custodian's file has them: one is text, the unknown are small."""
    known = Tickers(panel, panel.as_of)
    found = [1e6 if known.find(text) else 2e4 for text in pasted]
    return [found[0], "2,000,000", *found[2:]]


def messy(panel: Panel) -> list[str]:
    """Return identifiers of members of a universe as they stand in mails and other systems."""
    largest = panel.cap_weights(panel.as_of).nlargest(SHOWN).index
    tickers = [str(t) for t in largest]
    names = [str(n) for n in panel.securities["name"].reindex(largest).dropna()]
    classes = [str(t) for t in panel.assets if "." in str(t)]
    changed = panel.symbol_changes
    priced = changed["ticker"].isin(panel.assets) & ~changed["symbol"].isin(panel.assets)
    plain = changed["symbol"].astype("str").str.isalpha()
    found = [
        *(f"  {t.lower()} " for t in tickers[:1]),
        *(f"{t} US Equity" for t in tickers[1:2]),
        *names[2:3],
        *(n.upper() for n in names[3:4]),
        *(n.split()[0] for n in names[4:5]),
        *(f"{n[:3]}{n[4:]}" for n in names[5:6]),  # a letter is missing
        *(t.replace(".", "/") for t in classes[:1]),
        *(t.replace(".", " ").lower() for t in classes[1:2]),
        *(str(s) for s in changed.loc[priced & plain, "symbol"].head(2)),
        *(f"{t[:1]}{t}" for t in tickers[6:7]),  # a letter is doubled
        ISIN,
    ]
    return list(dict.fromkeys(found))
