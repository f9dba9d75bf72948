"""A slow function holds up nobody, ends at its deadline, and leaves when its client does."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from serving import PATIENCE

from tilt.api.cells import Cell
from tilt.errors import ArgumentError

CALL = "/xlwings/custom-functions-call"
BATCH = "/xlwings/custom-functions-batch"
HEADERS = {"X-Tilt-Client": "tests"}


class Gate:
    """A function of the sheet that returns when it is let go."""

    def __init__(self):
        self.entered = threading.Semaphore(0)
        self.let_go = threading.Event()
        self.calls = 0

    def __call__(self):
        self.calls += 1
        self.entered.release()
        assert self.let_go.wait(PATIENCE)
        return "done"


@pytest.fixture
def gate():
    gate = Gate()
    yield gate
    gate.let_go.set()


def cell(name, call, many=None):
    return Cell(name, "", "", "", "", (), call, many, {})


def ask(address, name, timeout=PATIENCE):
    with httpx.Client(base_url=address, headers=HEADERS, timeout=timeout) as http:
        return http.post(CALL, json={"func_name": name, "args": []})


def test_a_slow_call_delays_neither_health_nor_other_calls(serve_cells, gate):
    address = serve_cells({"slow": cell("slow", gate)})
    with ThreadPoolExecutor(1) as other:
        slow = other.submit(ask, address, "slow")
        assert gate.entered.acquire(timeout=PATIENCE)
        assert httpx.get(f"{address}/health/live", timeout=PATIENCE).json() == {"status": "live"}
        assert ask(address, "version").status_code == 200
        assert not slow.done()
        gate.let_go.set()
        assert slow.result().json() == {"result": [["done"]]}


def test_a_slow_call_of_a_batch_does_not_hold_up_its_neighbors_work(serve_cells, gate):
    ran = threading.Event()
    cells = {"slow": cell("slow", gate), "quick": cell("quick", lambda: ran.set() or "quick")}
    address = serve_cells(cells)
    body = {"calls": [{"func_name": n, "args": []} for n in ("slow", "quick")]}
    with ThreadPoolExecutor(1) as other:
        both = other.submit(
            httpx.post, f"{address}{BATCH}", json=body, headers=HEADERS, timeout=PATIENCE
        )
        assert gate.entered.acquire(timeout=PATIENCE)
        assert ran.wait(PATIENCE)
        gate.let_go.set()
        assert [r["result"] for r in both.result().json()["results"]] == [[["done"]], [["quick"]]]


def test_a_call_past_its_deadline_is_answered_and_gives_its_place_away(serve_cells, gate):
    address = serve_cells({"slow": cell("slow", gate)}, threads=1, cell_seconds=0.2)
    answer = ask(address, "slow")
    assert answer.status_code == 504
    assert answer.json()["detail"].startswith("No answer within 0.2 seconds.")
    assert answer.json()["cell"] == "#N/A"
    assert ask(address, "version").status_code == 200


def test_a_client_that_goes_away_gives_its_place_away(serve_cells, gate, caplog):
    address = serve_cells({"slow": cell("slow", gate)}, threads=1)
    with pytest.raises(httpx.ReadTimeout):
        ask(address, "slow", timeout=0.5)
    assert ask(address, "version").status_code == 200
    assert [r.message for r in caplog.records if r.levelname == "ERROR"] == []


def test_more_abandoned_calls_than_threads_wait_instead_of_piling_up(serve_cells, gate):
    address = serve_cells({"slow": cell("slow", gate)}, threads=1, cell_seconds=0.2)
    ask(address, "slow")
    ask(address, "slow")
    with ThreadPoolExecutor(1) as other:
        waiting = other.submit(ask, address, "version")
        time.sleep(0.3)
        assert not waiting.done()
        gate.let_go.set()
        assert waiting.result().status_code == 200


def test_equal_calls_of_a_batch_are_computed_once(serve_cells):
    calls = []
    address = serve_cells({"count": cell("count", lambda: calls.append(1) or len(calls))})
    body = {"calls": [{"func_name": "count", "args": []}] * 50}
    answer = httpx.post(f"{address}{BATCH}", json=body, headers=HEADERS, timeout=PATIENCE)
    assert [r["result"] for r in answer.json()["results"]] == [[[1]]] * 50


def test_a_function_of_many_sees_a_batch_once_and_errors_stay_apart(serve_cells):
    seen = []

    def many(rows):
        seen.append(len(rows))
        return [ArgumentError("no."), *range(1, len(rows))]

    address = serve_cells({"a": cell("a", lambda: 0, many)})
    bodies = [{"func_name": "a", "args": [], "runtime": f"1.{v}"} for v in (4, 4, 4)]
    answer = httpx.post(
        f"{address}{BATCH}", json={"calls": bodies}, headers=HEADERS, timeout=PATIENCE
    )
    assert answer.json()["results"] == [{"error": "no.", "status": 400, "cell": "#VALUE!"}] * 3
    assert seen == [1]


def test_a_failure_inside_is_logged_and_told_without_its_details(serve_cells, caplog):
    def broken():
        raise RuntimeError("the password is 1234")

    address = serve_cells({"broken": cell("broken", broken)})
    answer = ask(address, "broken")
    assert answer.status_code == 500
    assert "1234" not in answer.text
    assert answer.json()["detail"].startswith("Tilt failed inside;")
    assert answer.headers["x-request-id"]
    assert "content-security-policy" in answer.headers
    assert any("broken failed inside" in r.message for r in caplog.records)


def test_a_failure_inside_leaves_the_other_calls_of_a_batch_alone(serve_cells):
    def broken():
        raise RuntimeError

    address = serve_cells({"broken": cell("broken", broken)})
    body = {"calls": [{"func_name": n, "args": []} for n in ("broken", "version")]}
    first, second = httpx.post(
        f"{address}{BATCH}", json=body, headers=HEADERS, timeout=PATIENCE
    ).json()["results"]
    assert first["status"] == 500
    assert "result" in second
