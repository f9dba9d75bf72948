"""Every function of the sheet, by its own example, in Chromium against the engine in Python.

The examples are those of the registration, so a function whose example does not work fails here.
What a cell shows went through the shipped JavaScript, a real server and JSON; it is held against
the registered function called in this process. That the functions are right is proved elsewhere.
"""

import json
import math
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from serving import PATIENCE, run_node

from tilt.api.app import create_app
from tilt.api.cell_jobs import RunningError
from tilt.api.state import enter
from tilt.api.values import Table
from tilt.errors import TiltError
from tilt.security.people import assign_roles

pytestmark = pytest.mark.browser

HERE = Path(__file__).parent
ARGUMENT = re.compile(r'((?:"(?:[^"]|"")*"|[^,"])*)(?:,|$)')
RANGE = re.compile(r"([A-Z])(\d+):([A-Z])(\d+)")
EPOCH = pd.Timestamp("1899-12-30")
RULES = [
    ["rule", "who", "min", "max", "relative", "priority"],
    ["weight", "*", 0, 0.05, "", ""],
    ["turnover", "", "", 0.3, "", ""],
]


@pytest.fixture(scope="module")
def sheets(store):
    """What stands where the examples read: holdings and rules, or returns where those are meant."""
    held = [[str(t), float(w)] for t, w in store.portfolio("SAMPLE").items()]
    usual = {f"A2:B{len(held) + 1}": held, f"D2:I{len(RULES) + 1}": RULES}
    draws = np.random.default_rng(11).normal(0.0, 0.01, size=(499, 2))
    first = (pd.Timestamp("2015-01-05") - EPOCH).days
    dated = [[first + i, *row] for i, row in enumerate(draws.tolist())]
    returns = {"A2:C500": dated}
    trades = [["AAPL", 0.01], ["XOM", -0.01]]
    return {
        "": usual,
        **dict.fromkeys(("stats", "stat", "drawdowns", "regress"), returns),
        "whatif": {"D2:E3": trades},
    }


@pytest.fixture(scope="module")
def state(store, sample_settings):
    assert store.snapshot()
    found = create_app(sample_settings).state.tilt.state
    # whose jobs are not the page's: closing a page cancels what it asked for
    assign_roles(found.store.catalog, "python", ["administrator"])
    enter(found, "python")
    yield found
    found.jobs.close()


@pytest.fixture(scope="module")
def computed(state, sheets):
    """What each function gives in this process, by name: rows of cells, or an error's words."""
    return {
        name: in_python(state, cell, sheets.get(name, sheets[""]))
        for name, cell in state.cells.items()
    }


@pytest.fixture(scope="module")
def seen(served, state, sheets, computed, tmp_path_factory):
    """What the same formulas show in Chromium, with a row and a column more on each side."""
    asked = [
        {
            "name": name,
            "formula": cell.example,
            "ranges": sheets.get(name, sheets[""]),
            "rows": len(computed[name]) + 1,
            "columns": len(computed[name][0]) + 1,
        }
        for name, cell in state.cells.items()
    ]
    file = tmp_path_factory.mktemp("every") / "asked.json"
    file.write_text(json.dumps(asked))
    return run_node(HERE / "every_function.mjs", served.address, str(file))


def in_python(state, cell, ranges):
    """Return what a cell function gives for its example."""
    called = re.fullmatch(r"=TILT\.([A-Z_]+)\((.*)\)", cell.example)
    assert called, f"{cell.name}: the example '{cell.example}' is no formula of one function"
    assert called[1] == cell.name.upper(), f"{cell.name}: its example calls {called[1]}"
    arguments = [m[1] for m in ARGUMENT.finditer(called[2])][:-1] if called[2] else []
    for _ in range(2):
        try:
            given = cell.read([argument(a.strip(), ranges) for a in arguments])
            return cells_of(cell.call(*given))
        except RunningError as running:
            ended = state.jobs.wait(running.job.id, running.job.owner, seconds=PATIENCE)
        except TiltError as error:
            return [[f"{cell.example} in Python: {error}"]]
    raise AssertionError(f"{cell.name}: the job of its example is {ended.state}: {ended.error}")


def argument(text, ranges):
    """Return an argument as Excel sends it."""
    if not text:
        return None
    block = RANGE.fullmatch(text)
    if block is None:
        return [[text[1:-1].replace('""', '"') if text.startswith('"') else float(text)]]
    filled = {}
    for address, values in ranges.items():
        left, top, _, _ = RANGE.fullmatch(address).groups()
        for i, row in enumerate(values):
            for j, value in enumerate(row):
                filled[int(top) + i, ord(left) + j] = value
    left, top, right, bottom = block.groups()
    return [
        [filled.get((i, j), "") for j in range(ord(left), ord(right) + 1)]
        for i in range(int(top), int(bottom) + 1)
    ]


def cells_of(result):
    """Return a result as rows of what cells show."""
    if isinstance(result, Table):
        head = [list(result.frame.columns)] if result.headers else []
        result = [*head, *result.frame.itertuples(index=False, name=None)]
    rows = result if isinstance(result, list | tuple) else [[result]]
    return [[shown(value) for value in row] for row in rows]


def shown(value):
    """Return what a cell shows of a value: dates are numbers, what is missing is #N/A."""
    if isinstance(value, str | bool | np.bool_):
        return value
    if value is None or pd.isna(value):
        return "#N/A"
    if isinstance(value, pd.Timestamp):
        return (value.tz_localize(None) - EPOCH) / pd.Timedelta(days=1)
    return float(value) if math.isfinite(value) else "#N/A"


def differing(rows, expected):
    """Return the places where two blocks of cells differ, as text."""
    found = []
    for i, (row, wanted) in enumerate(zip(rows, expected, strict=True)):
        for j, (value, want) in enumerate(zip(row, wanted, strict=True)):
            if isinstance(value, float | int) and isinstance(want, float):
                same = math.isclose(value, want, rel_tol=1e-9, abs_tol=1e-12)
            else:
                same = value == want
            if not same:
                found.append(f"row {i + 1}, column {j + 1}: {value!r}, not {want!r}")
    return found


def items(rows):
    """Return what a table of the moment names, less the calls that were timed so far."""
    return [[row[0]] for row in rows if not str(row[0]).startswith("duration ")]


def heading(rows):
    """Return the first row of a list that is each user's own."""
    return rows[:1]


# What is the same for everybody and at every moment, of functions whose values are not.
OF_THE_MOMENT = {"status": items, "trace": heading}


def test_every_function_shows_in_chromium_what_it_gives_in_python(seen, computed):
    wrong = {}
    for name, expected in computed.items():
        cells = [row[:-1] for row in seen["shown"][name]["values"][:-1]]
        if name in OF_THE_MOMENT:
            cells, expected = map(OF_THE_MOMENT[name], (cells, expected))
        if places := differing(cells, expected):
            wrong[name] = [*places[:3], seen["shown"][name]["message"]]
    assert wrong == {}


def test_no_result_is_larger_than_in_python(seen):
    for name, one in seen["shown"].items():
        if name in OF_THE_MOMENT:
            continue
        *rows, below = one["values"]
        assert {*below, *(row[-1] for row in rows)} == {""}, name


def test_no_example_is_an_error(computed):
    errors = {n: rows[0][0] for n, rows in computed.items() if " in Python: " in str(rows[0][0])}
    assert errors == {}, "give the function a sheet of its own in `sheets`, or mend its example"


def test_the_page_complains_of_nothing(seen):
    assert seen["errors"] == []
