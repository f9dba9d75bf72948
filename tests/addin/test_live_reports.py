"""A report with live formulas: each gives, calculated by the add-in's own cells, what it shows."""

import datetime as dt
import io
import re
from dataclasses import replace

import openpyxl
import pytest
from openpyxl.utils import range_boundaries

from tilt.report.making import Asked, Book, check_asked, make_reports

pytestmark = pytest.mark.filterwarnings("ignore:.*extension is not supported:UserWarning")
NOW = dt.datetime(2017, 7, 1, 12, 0)  # noqa: DTZ001 - as Excel has it
ASKED = {
    "portfolio": Asked(
        books=(Book("SAMPLE", "SAMPLE"),),
        sections=("holdings", "exposures", "risk", "liquidity", "stress", "rebalance"),
    ),
    "attribution": Asked("attribution", (Book("SAMPLE", "SAMPLE"),), options={"start": "-6M"}),
    "optimization": Asked(
        "optimization",
        (Book("SAMPLE", "SAMPLE"),),
        ("problem", "rules", "trades"),
        rules=[["weight", "*", 0.0, 0.06], ["sector", "*", -0.02, 0.02, "yes"]],
        options={"cost_bps": "5"},
    ),
    "backtest": Asked(
        "backtest",
        sections=("tear_sheet", "statistics", "costs", "groups", "factors"),
        options={"strategy": "quantile:Momentum:5:5", "start": "2016-01-04", "lag": "2"},
    ),
    "factor": Asked(
        "factor",
        sections=("returns", "correlation", "ic", "quantiles", "shape"),
        options={"start": "2016-01-04", "factors": "Value;Momentum", "horizon": "10"},
    ),
}
LEAST = {"portfolio": 13, "attribution": 3, "optimization": 5, "backtest": 8, "factor": 2}
FORMULA = re.compile(
    r"=LET\(t,(TILT\.[A-Z_]+\(.*\)),INDEX\(t,"
    r"(?:SEQUENCE\((?P<count>\d+),1,2\)"
    r"|MATCH\((?P<keys>\{[^}]*\}|[$A-Z0-9:]+),INDEX\(t,0,MATCH\(\"(?P<of>\w+)\",INDEX\(t,1,0\),0\)\),0\)),"
    r"MATCH\(\{(?P<heads>[^}]*)\},INDEX\(t,1,0\),0\)\)\)"
)
PART = re.compile(r'(\{[^}]*\}|"(?:[^"]|"")*"|[^",{]*)(?:,|$)')


def parts(text, separator=","):
    """Return what stands between separators outside of quotes."""
    found, quoted = [""], False
    for letter in text:
        quoted ^= letter == '"'
        if letter == separator and not quoted:
            found.append("")
        else:
            found[-1] += letter
    return found


def value(text):
    if text.startswith('"'):
        return text[1:-1].replace('""', '"')
    return float(text) if text else None


def arguments(text):
    """Return the arguments of a call as the client sends them."""
    given, at = [], 0
    while at < len(text):
        found = PART.match(text, at)
        part = found[1].strip()
        if part.startswith("{"):
            given.append([[value(c) for c in parts(row)] for row in parts(part[1:-1], ";")])
        else:
            given.append(None if not part else [[value(part)]])
        at = found.end()
    return given


def calculated(excel, call):
    """Return the rows of a call of ours, its headings first, as an Excel without formats has it."""
    name, rest = call.removeprefix("TILT.").split("(", 1)
    return excel.done(name.lower(), *arguments(rest[:-1]), runtime="1.1")


def picked(table, formula, page):
    """Return what a formula picks of a table."""
    heads = [table[0].index(value(head)) for head in parts(formula["heads"])]
    if formula["count"]:
        rows = range(1, int(formula["count"]) + 1)
    else:
        key = table[0].index(formula["of"])
        keys = formula["keys"]
        wanted = (
            [value(k) for k in parts(keys[1:-1], ";")]
            if keys.startswith("{")
            else [c.value for (c,) in page[keys.replace("$", "")]]
        )
        rows = [[row[key] for row in table].index(name, 1) for name in wanted]
    return [[table[i][j] for j in heads] for i in rows]


def live_cells(content):
    """Yield each live formula with the page it stands on and the values beneath."""
    formulas = openpyxl.load_workbook(io.BytesIO(content))
    cached = openpyxl.load_workbook(io.BytesIO(content), data_only=True)
    for page in formulas:
        for row in page.iter_rows():
            for cell in row:
                text = str(getattr(cell.value, "text", ""))
                if "TILT" in text:
                    plain = re.sub(r"_xlfn\.|_xlpm\.", "", text).replace("_xldudf_TILT_", "TILT.")
                    left, top, right, bottom = range_boundaries(cell.value.ref)
                    area = cached[page.title].iter_rows(top, bottom, left, right, values_only=True)
                    plain = re.sub(r'=IFNA\((.*),""\)', r"=\1", plain)
                    yield plain, cached[page.title], [list(r) for r in area]


@pytest.mark.parametrize("kind", ASKED)
def test_each_live_formula_gives_the_very_numbers_beneath_it(excel, state, kind):
    asked = check_asked(replace(ASKED[kind], mode="live"))
    (made,) = make_reports(state.store, state.panel(None), asked, created=NOW, said=lambda *_: None)
    found = list(live_cells(made.content))
    assert len(found) >= LEAST[kind]
    wrong = {}
    for text, page, shown in found:
        formula = FORMULA.fullmatch(text)
        assert formula, text
        given = picked(calculated(excel, formula[1]), formula, page)
        blank = [[None if c in ("#N/A", "") else c for c in row] for row in given]
        if blank != shown:
            wrong[text] = (blank[:3], shown[:3])
    assert wrong == {}


def test_the_lineage_says_which_cell_gives_a_table_and_why_none_gives_another(state):
    held = [["ticker", "weight"], ["AAPL", 0.5], ["XOM", 0.5]]
    given = (Book("Saved", "SAMPLE"), Book("Sent", held))
    asked = check_asked(Asked(books=given, sections=("risk", "liquidity"), mode="live"))
    (made,) = make_reports(state.store, state.panel(None), asked, created=NOW, said=lambda *_: None)
    page = openpyxl.load_workbook(io.BytesIO(made.content), data_only=True)["Lineage"]
    rows = [[c.value for c in row] for row in page.iter_rows()]
    head = next(row for row in rows if "Cell" in row)
    cells = {
        row[head.index("Sheet")]: row[head.index("Cell")]
        for row in rows
        if row[head.index("Sheet")]
    }
    assert cells["Saved Risk"].startswith('TILT.RISK_TABLE("SAMPLE", ')
    assert cells["Sent Risk"].startswith("None: the holdings were sent with the report")
    assert (
        cells["Saved Liquidity"] == "None: put together from several results: no one cell gives it."
    )
