"""What Excel is told of the functions = the index = the help = the promise in functions.md."""

import inspect
import re
import sys

import pytest

from tilt.settings import addin_path

ROW = re.compile(r"^\| `([A-Z_]+)\(([^`]*)\)` \| (.+) \|$", re.MULTILINE)


@pytest.fixture(scope="module")
def promised():
    text = (addin_path() / "help" / "functions.md").read_text()
    return {name: (arguments, shows) for name, arguments, shows in ROW.findall(text)}


@pytest.fixture(scope="module")
def meta(excel):
    return excel.http.get("/xlwings/custom-functions-meta.json").json()


@pytest.fixture(scope="module")
def cells(addin):
    return addin.state.tilt.state.cells


def test_metadata_index_help_and_promise_name_the_same_functions(excel, promised, meta, cells):
    described = {f["name"] for f in meta["functions"]}
    helped = {row[0] for row in excel("help")[1:]}
    assert described == set(promised) == helped == {name.upper() for name in cells}


def test_arguments_have_the_promised_names_order_and_optionality(promised, meta, cells):
    for function in meta["functions"]:
        given = ",".join(
            f"[{p['name']}]" if p.get("optional") else p["name"] for p in function["parameters"]
        )
        assert given == promised[function["name"]][0]
        assert cells[function["id"].lower()].signature == f"TILT.{function['name']}({given})"


def test_results_have_the_promised_columns(promised, cells):
    for name, cell in cells.items():
        columns = promised[name.upper()][1].split(", ")
        if all(re.fullmatch(r"[a-z_]+", c) for c in columns):
            assert all(re.search(rf"\b{c}\b", cell.result) for c in columns), name


def test_every_function_and_argument_is_described_in_a_sentence(meta):
    for function in meta["functions"]:
        assert function["description"].endswith("."), function["name"]
        assert "\n" not in function["description"]
        for parameter in function["parameters"]:
            text = parameter["description"]
            assert not text.startswith("Positional argument"), (function["name"], parameter)
            assert len(text) <= 110, (function["name"], parameter)
            assert text[-1] in ".", (function["name"], parameter)


def test_no_function_is_volatile_and_none_but_live_streams(meta):
    options = {f["name"]: set(f["options"]) for f in meta["functions"]}
    assert options.pop("LIVE") == {"stream"}
    assert all(o == {"requiresAddress", "requiresParameterAddresses"} for o in options.values())


def test_pick_lists_hold_the_names_that_the_function_knows(meta):
    (by,) = [e for e in meta["enums"] if e["id"] == "RISK_TABLE.BY"]
    values = [v["stringValue"] for v in by["values"]]
    assert values == ["factor", "group", "sector", "position", "summary", "health"]


def test_each_function_has_a_help_page_that_its_metadata_links_to(excel, meta):
    for function in meta["functions"]:
        page = excel.http.get(function["helpUrl"])
        assert page.status_code == 200
        assert f"<h1>{function['name']}</h1>" in page.text
        for parameter in function["parameters"]:
            assert f"<td>{parameter['name']}</td>" in page.text


def test_a_help_page_of_nothing_is_not_found(excel):
    page = excel.http.get("/help/<script>")
    assert page.status_code == 404
    assert page.headers["content-type"] == "application/problem+json"


def test_the_list_of_help_pages_links_to_each(excel, cells):
    text = excel.http.get("/help").text
    assert all(f'href="/help/{name}"' in text for name in cells)


def test_the_code_associates_each_function_and_hides_it_from_the_browsers_own(excel, cells):
    code = excel.http.get("/xlwings/custom-functions-code.js").text
    for name, cell in cells.items():
        ours = "globalThis.tilt.live.start" if cell.stream else f"cell_{name}"
        assert f'CustomFunctions.associate("{name.upper()}", {ours});' in code
    # `var` is no name for a function, and `history` at the top level would replace window.history
    before, _, block = code.partition("\n{\n")
    assert "async function cell_history" not in before
    assert "async function cell_history" in block
    alone = ",".join(f'"{name}"' for name in sorted(cells) if cells[name].alone)
    assert code.rstrip().endswith(f"globalThis.tiltLongFunctions = [{alone}];")
    assert "async function getWorkbookName" in before


def test_the_placeholders_of_the_shipped_code_are_filled(excel):
    code = excel.http.get("/xlwings/custom-functions-code.js").text
    assert "placeholder_xlwings" not in code
    assert "placeholder_custom" not in code
    assert "/xlwings/custom-functions-call" in code


def test_the_clients_settings_retry_only_when_the_server_is_busy(excel):
    page = excel.http.get("/taskpane.html").text
    assert '"customFunctionsRetryCodes": [503]' in page
    assert '"environment": "prod"' in page


def test_every_example_names_its_function(cells):
    for name, cell in cells.items():
        assert cell.example.startswith(f"=TILT.{name.upper()}(")


def test_the_docs_list_the_routes_of_the_schema(excel):
    schema = excel.http.get("/openapi.json").json()
    page = excel.http.get("/docs").text
    assert "/api/v1/status" in schema["paths"]
    assert all(f"<td>{path}</td>" in page for path in schema["paths"])


@pytest.mark.usefixtures("addin")
def test_xlwings_converts_cells_without_looking_for_pyodide(monkeypatch):
    from xlwings.pro import _xlofficejs, udfs_officejs

    searched = []

    class Watch:
        @staticmethod
        def find_spec(name, *_):
            searched.append(name)

    monkeypatch.setattr(sys, "meta_path", [Watch, *sys.meta_path])
    for value in (1.0, "text", None):
        udfs_officejs.js_to_none(value)
        _xlofficejs._is_jsnull(value)
    assert not searched
    for module in (udfs_officejs, _xlofficejs.utils):  # xlwings may look under another name one day
        names = set(re.findall(r"from (pyodide[\w.]*) import", inspect.getsource(module)))
        assert names <= {"pyodide.ffi"}
