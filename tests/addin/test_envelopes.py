"""Requests of any shape: refused with a clear text or answered, never a failure inside."""

import json

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from serving import PATIENCE

CALL = "/xlwings/custom-functions-call"
BATCH = "/xlwings/custom-functions-batch"
SCRIPT = "/xlwings/custom-scripts-call/optimize"
JSON = {"Content-Type": "application/json"}

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**12), 10**12),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=12),
    st.sampled_from(["AAPL", "Value", "2016-01-04", "#REF!", "CASH", "SAMPLE", "weight", "*", ""]),
    st.fixed_dictionaries({"type": st.just("Error"), "basicValue": st.sampled_from(["#N/A", 1])}),
    st.fixed_dictionaries({"type": st.text(max_size=6)}),
)
ranges = st.lists(st.lists(scalars, max_size=4), max_size=4)
anything = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=12,
)
FUNCTIONS = ["asof", "check", "exposure", "exposures", "members", "risk", "risk_table", "security",
             "stats", "history", "help", "optimize"]  # fmt: skip

fuzz = settings(
    max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)


def refused(answer: httpx.Response, status: int) -> str:
    assert answer.status_code == status, answer.text
    problem = answer.json()
    assert problem["status"] == status
    assert problem["cell"] in {"#VALUE!", "#N/A", "#DIV/0!"}
    return str(problem["detail"])


@fuzz
@given(name=st.sampled_from(FUNCTIONS), arguments=st.lists(st.one_of(scalars, ranges), max_size=7))
def test_any_arguments_are_answered_or_refused(excel, name, arguments):
    body = {"func_name": name, "args": arguments, "runtime": "1.4"}
    answer = excel.http.post(CALL, content=json.dumps(body), headers=JSON)
    assert answer.status_code < 500, answer.text
    assert ("result" in answer.json()) == (answer.status_code == 200)


@fuzz
@given(body=anything)
def test_any_json_is_answered_or_refused(excel, body):
    for path in (CALL, BATCH, SCRIPT):
        answer = excel.http.post(path, content=json.dumps(body), headers=JSON)
        assert 400 <= answer.status_code < 500 or body == {}, answer.text
        assert answer.json()["detail"]


@fuzz
@given(
    body=st.fixed_dictionaries(
        {},
        optional={
            "func_name": st.one_of(st.sampled_from(FUNCTIONS), anything),
            "args": anything,
            "runtime": anything,
            "caller_address": anything,
            "version": anything,
        },
    )
)
def test_any_call_in_a_batch_leaves_its_neighbors_alone(excel, body):
    good = {"func_name": "version", "args": []}
    answer = excel.http.post(BATCH, content=json.dumps({"calls": [good, body, good]}), headers=JSON)
    assert answer.status_code == 200, answer.text
    first, middle, last = answer.json()["results"]
    assert first == last
    assert "result" in first
    assert middle.get("status", 200) < 500


@fuzz
@given(
    sheet=st.fixed_dictionaries(
        {},
        optional={
            "name": anything,
            "values": st.one_of(ranges, anything),
            "tables": st.lists(
                st.fixed_dictionaries(
                    {},
                    optional={
                        "name": st.one_of(st.just("TiltHoldings"), anything),
                        "range_address": st.one_of(
                            st.sampled_from(["A1:B3", "$A$1", "ZZZ9", "A0", "A1:A99"]),
                            anything,
                        ),
                    },
                ),
                max_size=2,
            ),
        },
    ),
    active=st.one_of(st.just(0), anything),
)
def test_any_workbook_is_answered_or_refused(excel, sheet, active):
    body = {
        "client": "Office.js",
        "version": "0.37.8",
        "book": {"name": "B.xlsx", "active_sheet_index": active},
        "names": [],
        "sheets": [sheet],
    }
    answer = excel.http.post(SCRIPT, content=json.dumps(body), headers=JSON)
    assert answer.status_code < 500, answer.text


@pytest.mark.parametrize("text", ["", "{", "NaN", '{"a": NaN}', '{"a": -inf}', "\xff", "[]", "1"])
def test_what_is_no_json_object_is_refused(excel, text):
    answer = excel.http.post(CALL, content=text.encode("latin-1"), headers=JSON)
    assert refused(answer, 400).startswith("The body ")


@pytest.mark.parametrize(
    "kind",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"],
)
def test_a_body_that_a_foreign_page_could_send_is_refused(excel, kind):
    answer = excel.http.post(CALL, content=b"{}", headers={"Content-Type": kind})
    assert refused(answer, 415) == "The body must be JSON: Content-Type application/json."


def test_an_unknown_function_is_shown_the_nearest(excel):
    answer = excel.http.post(CALL, json={"func_name": "rsk", "args": []})
    assert refused(answer, 404) == "Tilt has no function 'rsk'. Did you mean 'RISK'?"


@pytest.mark.parametrize("name", ["__all__", "_edge", "udf", "os", "pd", "__import__", "RISK"])
def test_only_the_functions_of_the_index_can_be_called(excel, name):
    answer = excel.http.post(CALL, json={"func_name": name, "args": []})
    assert refused(answer, 404).startswith(f"Tilt has no function '{name}'.")


def test_deep_nesting_is_refused(excel):
    for depth in (5, 200, 300, 900, 5000):
        deep = "[" * depth + "1" + "]" * depth
        body = '{"func_name": "risk", "args": [' + deep + "]}"
        assert excel.http.post(CALL, content=body, headers=JSON).status_code == 400


def test_more_calls_than_a_batch_may_hold_are_refused(excel):
    calls = [{"func_name": "version", "args": []}] * 1001
    answer = excel.http.post(BATCH, json={"calls": calls})
    assert refused(answer, 413).startswith("1,001 calls in one batch; the most is 1,000.")


def test_members_shared_by_a_batch_may_be_sent_once(excel):
    calls = [
        {"func_name": "asof", "args": []},
        {"func_name": "asof", "args": [], "runtime": "1.4"},
    ]
    answer = excel.http.post(BATCH, json={"base": {"runtime": "1.1"}, "calls": calls})
    old, new = [r["result"][0][0] for r in answer.json()["results"]]
    assert isinstance(old, float)
    assert new["basicValue"] == old


def test_an_empty_batch_is_answered_empty(excel):
    assert excel.http.post(BATCH, json={"calls": []}).json()["results"] == []


def test_too_many_cells_are_refused_before_they_are_read(serve_cells):
    address = serve_cells(max_cells=1000)
    body = {"func_name": "risk", "args": [[[1.0] * 1001]]}
    with httpx.Client(
        base_url=address, headers={"X-Tilt-Client": "tests"}, timeout=PATIENCE
    ) as http:
        text = refused(http.post(CALL, json=body), 413)
        assert text.startswith("1,001 cells in one request; the most is 1,000.")
        both = [{"func_name": "risk", "args": [[[1.0] * 600]]}] * 2
        assert refused(http.post(BATCH, json={"calls": both}), 413).startswith("1,200 cells")


def test_a_body_over_the_cap_is_refused_by_its_length_or_while_it_arrives(serve_cells):
    address = serve_cells(max_body_bytes=10_000)
    with httpx.Client(
        base_url=address, headers={"X-Tilt-Client": "tests"}, timeout=PATIENCE
    ) as http:
        big = http.post(CALL, content=b"x" * 10_001, headers=JSON)
        assert refused(big, 413).startswith("The request is larger than 10,000 bytes.")
        pieces = http.post(CALL, content=(b"x" * 1000 for _ in range(20)), headers=JSON)
        assert refused(pieces, 413).startswith("The request is larger than 10,000 bytes.")


def test_a_range_of_a_hundred_thousand_cells_is_answered(excel):
    rows = [[40_000 + i % 20_000, 0.0001] for i in range(50_000)]
    assert " twice" in refused(excel.single("stats", rows), 400)
