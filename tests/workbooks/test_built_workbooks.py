"""The workbooks that come with the product are what their script writes today."""

from pathlib import Path

import openpyxl
import pytest

from tilt.api.app import create_app
from tilt.api.starter import starter
from tilt.api.starter_parts import cell
from tilt.api.starter_tasks import TASKS
from tilt.api.starter_values import calculated
from tilt.api.state import enter
from tilt.api.workbook_files import read_xlsx
from tilt.api.workbook_model import Sheet, Workbook
from tilt.risk.measures import risk_measure

FOLDER = Path(__file__).parents[2] / "workbooks"


@pytest.fixture(scope="module")
def state(store, sample_settings):
    assert store.snapshot()
    found = create_app(sample_settings).state.tilt.state
    enter(found, "")
    yield found
    found.jobs.close()


@pytest.fixture(scope="module")
def shipped():
    path = FOLDER / "Tilt starter.xlsx"
    return read_xlsx(path.read_bytes(), path.name, most_cells=1_000_000)


def test_the_starter_workbook_has_the_sheets_and_formulas_of_the_button(shipped, state):
    """If this fails: python workbooks/build.py."""
    made = starter(state)
    assert [sheet.name for sheet in shipped.sheets] == [sheet.name for sheet in made.sheets]
    for there, here in zip(shipped.sheets, made.sheets, strict=True):
        assert _formulas(there) == _formulas(here), there.name


def test_the_starter_workbook_shows_the_engines_numbers_without_the_addin(shipped, state):
    panel = state.panel(None)
    model = state.model(panel, panel.as_of)
    held = state.store.portfolio("SAMPLE")
    values = {(c.row, c.column): c.value for c in shipped.sheets[0].cells}
    shown = {values[at]: values[at[0], at[1] + 1] for at in values if at[1] == 5}
    for measure in ("volatility", "tracking_error", "beta"):
        benchmark = None if measure == "volatility" else panel.cap_weights(panel.as_of)
        expected = risk_measure(model, held, benchmark, measure)
        assert shown[measure] == pytest.approx(expected, rel=1e-9)


def test_each_of_the_twelve_tasks_is_a_sheet_that_says_what_to_do(shipped):
    sheets = {sheet.name: sheet for sheet in shipped.sheets}
    assert len(TASKS) == 12
    for task, name, _ in TASKS:
        values = {(c.row, c.column): c.value for c in sheets[name].cells}
        assert values[0, 0] == task
        assert "Next: " in values[1, 0], name
        assert values[1, 0].count(". ") >= 1, name
        assert any("TILT." in formula for formula in _formulas(sheets[name]).values()), name
    listed = {c.value for c in sheets["Tasks"].cells}
    assert {name for _, name, _ in TASKS} <= listed


def test_the_sheet_audit_shows_what_is_behind_the_sheet_optimize_without_the_addin():
    book = openpyxl.load_workbook(FOLDER / "Tilt starter.xlsx", data_only=True)
    rows = list(book["Audit"].iter_rows(min_row=7, max_col=3, values_only=True))
    told = {(part, item): value for part, item, value in rows}
    assert told["run", "function"] == "OPTIMIZE"
    assert told["run", "run_id"] == book["Audit"]["B3"].value == book["Share"]["B4"].value
    assert told["holdings", "AAPL"] == 0.05
    assert told["rule", "turnover"] == "min none, max 0.2, hard"


def test_no_number_of_the_starter_workbook_shows_all_its_digits():
    book = openpyxl.load_workbook(FOLDER / "Tilt starter.xlsx", data_only=True)
    cells = (c for sheet in book for row in sheet.iter_rows() for c in row)
    raw = [
        (c.parent.title, c.coordinate)
        for c in cells
        if isinstance(c.value, float) and c.number_format == "General" and len(repr(c.value)) > 8
    ]
    assert not raw


def test_a_formula_may_read_what_another_one_gave(state):
    book = Workbook(name="x.xlsx", sheets=(Sheet(name="A", cells=(
        cell(0, 6, formula="=TILT.ASOF()"),
        cell(1, 6, formula="=TILT.MEMBERS(,G1)"),
    )),))  # fmt: skip
    done = {(c.row, c.column): c for c in calculated(book, state).sheets[0].cells}
    assert done[1, 6].value == "ticker"


def _formulas(sheet):
    return {
        (c.row, c.column): c.formula
        for c in sheet.cells
        if c.formula and not c.formula.startswith("=#")  # an error that spilled
    }
