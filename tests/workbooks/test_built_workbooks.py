"""The workbooks that come with the product are what their script writes today."""

from pathlib import Path

import pytest

from tilt.api.app import create_app
from tilt.api.starter import starter
from tilt.api.state import enter
from tilt.api.workbook_files import read_xlsx
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


def _formulas(sheet):
    return {
        (c.row, c.column): c.formula
        for c in sheet.cells
        if c.formula and not c.formula.startswith("=#")  # an error that spilled
    }
