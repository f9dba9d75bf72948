"""What the guides show is run here: formulas, requests, Python; and each function's own page."""

import contextlib
import io
import json
import re
import shlex

import pytest

from tilt.api import entrances
from tilt.api.cell_jobs import RunningError
from tilt.api.cells import MARK, find
from tilt.api.examples import PASSING, example_of, examples
from tilt.api.guides import guides, section_about
from tilt.api.starter_values import arguments_of
from tilt.api.state import enter

CURL = re.compile(r"^```\ncurl (.*?)\n```\n\nThe answer has (.*?)\.", re.DOTALL | re.MULTILINE)
PYTHON = re.compile(r"^```python\n(.*?)```", re.DOTALL | re.MULTILINE)
FORMULA = re.compile(r"`=TILT\.(\w+)\(([^`]*)\)`")
# of the data and of Tilt itself: what they show is no computed number
WITHOUT_FORMULA = {
    *("asof", "check", "help", "live", "match", "members", "portfolio", "portfolios", "quality"),
    *("status", "trace", "universes", "version"),
}


@pytest.fixture(scope="module")
def state(addin):
    found = addin.state.tilt.state
    enter(found, "")
    return found


def requests():
    found = CURL.findall(guides()["http"].text)
    return [pytest.param(call, said, id=shlex.split(call)[0].partition("8000")[2])
            for call, said in found]  # fmt: skip


@pytest.mark.parametrize(("call", "said"), requests())
def test_each_request_of_the_guide_is_answered_with_what_it_says(excel, call, said):
    url, *rest = shlex.split(call)
    given = dict(zip(rest[::2], rest[1::2], strict=True))
    headers = {"X-Tilt-Client": "me", "Content-Type": "application/json"}
    path = url.removeprefix("http://127.0.0.1:8000")
    answer = excel.http.request("POST" if "-d" in given else "GET", path, headers=headers,
                                content=given.get("-d"))  # fmt: skip
    assert answer.status_code in (200, 202), answer.text
    assert set(re.findall(r"`(\w+)`", said)) <= set(answer.json())


def test_the_guide_shows_a_request_for_each_thing_it_is_about():
    assert len(requests()) >= 6


def test_the_guide_names_every_route_with_its_methods_and_no_other():
    page = guides()["http"].text.partition("## Every route")[2]
    named = re.findall(r"`((?:[A-Z]+ )+)([\w{}/-]+)`", page)
    told = {(m, f"/api/v1/{path}") for methods, path in named for m in methods.split()}
    assert told == {(m, path) for m, path in entrances.ROUTES if path.startswith("/api/v1/")}


def test_long_lists_come_a_page_at_a_time_as_the_guide_says(excel):
    paths = excel.http.get("/openapi.json").json()["paths"]
    asked = {
        path: {given["name"] for given in ways.get("get", {}).get("parameters", ())}
        for path, ways in paths.items()
    }
    long = {path: names for path, names in asked.items() if "limit" in names}
    assert len(long) > 8
    apart = {path for path, names in long.items() if "offset" not in names}
    assert apart == {"/api/v1/audit", "/api/v1/jobs"}
    assert "before" in long["/api/v1/audit"]


def test_the_python_of_the_guide_asks_the_server(address):
    (code,) = PYTHON.findall(guides()["http"].text)
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(code.replace("http://127.0.0.1:8000", address), {})  # noqa: S102 - the guide's own
    assert re.fullmatch(r"\d+\.\d\d% of US_LARGE_CAP, [0-9a-f]{12}\n", out.getvalue())


@pytest.mark.parametrize("name", ["tasks", "extend", "tour", "faq"])
def test_each_formula_of_a_guide_that_stands_alone_gives_a_value(state, name):
    enter(state, "")
    for function, inside in FORMULA.findall(guides()[name].text):
        given = list(arguments_of(inside))
        if any(re.fullmatch(r"[A-Z]+\d+.*|id|range|\.\.\.", text) for text in given):
            continue  # of a range, or of a thing of the reader's own
        cell = find(state.cells, function.lower())
        read = [[[t.strip('"') if t.startswith('"') else float(t)]] if t else None for t in given]
        with contextlib.suppress(RunningError):  # a job; what is wrong with a call is said at once
            assert cell.call(*cell.read(read)) is not None, function


def test_the_rule_and_the_cell_of_the_guide_for_developers_work(state):
    rule, cell = PYTHON.findall(guides()["extend"].text)
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(rule, {})  # noqa: S102 - the guide's own
    assert out.getvalue() == "optimal 0.3\n"
    enter(state, "")
    made = {"__name__": "custom_functions.herfindahl"}
    exec(cell, made)  # noqa: S102 - the guide's own
    own = getattr(made["herfindahl"], MARK)
    weights = state.store.portfolio("SAMPLE")
    assert own.call(*own.read(["SAMPLE"])) == pytest.approx(float((weights**2).sum()))


def test_every_function_has_an_example_that_was_computed_for_this_version(state):
    """If this fails: python workbooks/build.py."""
    kept = examples()
    assert {name: e["formula"] for name, e in kept.items()} == {
        name: cell.example for name, cell in state.cells.items()
    }
    shown = {name for name, e in kept.items() if e["rows"]}
    assert shown == set(state.cells) - PASSING


def test_an_example_shows_what_its_function_gives_now(state):
    """If this fails: python workbooks/build.py."""
    quick = ("risk", "exposures", "optimize", "stats", "asof", "security", "whatif", "stress")
    enter(state, "")
    for name in quick:
        now = json.loads(json.dumps(example_of(state, state.cells[name], seconds=0)))
        assert now == examples()[name], name


def test_a_functions_page_has_its_example_its_error_its_formula_and_source(excel):
    page = excel.http.get("/help/risk").text
    known = examples()["risk"]
    assert f"<pre>{known['rows'][0][0]}</pre>" in page
    assert "A2:B40 holds the portfolio SAMPLE" in page
    assert known["slip"]["cell"] == "#N/A"
    assert "Did you mean &#x27;SAMPLE&#x27;" in page
    assert "sqrt(252 a'Va)" in page.replace("&#x27;", "'")
    assert "Sources: USE4" in page


def test_every_function_that_computes_has_a_formula_and_a_source(state):
    written = guides()["conventions"]
    without = {n for n in state.cells if not section_about(written, n.upper())}
    assert without == WITHOUT_FORMULA
    named = set(
        re.findall(r"`([A-Z_]+)`", "".join(re.findall(r"^Functions: .*$", written.text, re.M)))
    )
    assert named <= {name.upper() for name in state.cells}
    parts = written.text.split("\n## ")[1:]
    assert all(re.search(r"^Sources?: ", part, re.M) for part in parts)
