"""Figures for a monitoring system: they count what happened, and give nothing away."""

import datetime as dt

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from serving import PATIENCE, listening

from tilt.api.app import create_app
from tilt.monitoring import Processes
from tilt.settings import Settings

CLIENT = {"X-Tilt-Client": "tests"}
CALL = "/xlwings/custom-functions-call"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("figures")


@pytest.fixture(scope="module")
def http(store, sample_settings, folder):
    assert store.snapshot()
    settings = Settings(data_url=sample_settings.data_url)
    with (
        listening(create_app(settings, Processes(folder))) as address,
        httpx.Client(base_url=address, headers=CLIENT, timeout=PATIENCE) as client,
    ):
        yield client


def figures(http):
    """Return the value of each figure, by name and labels."""
    answer = http.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def calls(http, name, *arguments, times=1):
    for _ in range(times):
        http.post(CALL, json={"func_name": name, "args": list(arguments)})


def test_calls_answers_and_their_time_are_counted(http):
    before = figures(http)
    calls(http, "version", times=3)
    http.get("/api/v1/none")
    after = figures(http)

    def more(*key):
        return after.get(key, 0) - before.get(key, 0)

    assert more("tilt_operation_seconds_count", "version") == 3
    assert more("tilt_operation_seconds_sum", "version") > 0
    assert more("tilt_answer_seconds_count", "2xx", "cells") == 3
    assert more("tilt_answer_seconds_count", "4xx", "api") == 1
    assert more("tilt_answer_seconds_bucket", "+Inf", "2xx", "cells") == 3
    assert after["tilt_calls_pending",] == 0


def test_the_age_of_the_data_and_the_memory_are_told(http, store):
    told = figures(http)
    snapshot = store.snapshot()
    midnight = dt.datetime.combine(snapshot.as_of, dt.time(), dt.UTC)
    assert told["tilt_data_as_of_seconds", snapshot.universe] == midnight.timestamp()
    published = snapshot.published.timestamp()
    assert told["tilt_data_published_seconds", snapshot.universe] == pytest.approx(published)
    assert told["process_resident_memory_bytes", "0"] > 1e7


def test_no_name_of_a_portfolio_a_path_or_a_function_asked_for_in_vain_is_a_label(http, folder):
    secret = "HUSHHUSH"
    calls(http, secret)
    calls(http, "risk", [[secret]], [["volatility"]])
    http.get(f"/api/v1/portfolios/{secret}")
    assert not [key for key in figures(http) if secret.casefold() in repr(key).casefold()]
    assert not [f for f in folder.iterdir() if secret.encode() in f.read_bytes().upper()]


def test_the_processes_beside_the_one_that_is_asked_are_in_its_figures(http, folder):
    other = Processes(folder)
    before = figures(http)
    other.durations.record("risk_of_another", 0.5, calls=4)
    other.answered("cells 5xx", 0.5)
    other.note({"pending": 6, "left": 1}, {"refused_busy": 9})
    after = figures(http)
    assert after["tilt_processes",] == 2
    assert after["tilt_operation_seconds_count", "risk_of_another"] == 4
    assert after["tilt_answer_seconds_bucket", "0.25", "5xx", "cells"] == 0
    assert after["tilt_answer_seconds_count", "5xx", "cells"] == 1
    assert after["tilt_refused_total", "busy"] - before["tilt_refused_total", "busy"] == 9
    assert (after["tilt_calls_pending",], after["tilt_calls_left",]) == (6, 1)
    status = http.get("/api/v1/status").json()
    assert status["durations"]["risk_of_another"]["calls"] == 4
    assert status["pending jobs"] == 6
    other.note({"pending": 0, "left": 0}, {})


def test_with_keys_the_figures_need_one(locked, key):
    with httpx.Client(base_url=locked, timeout=PATIENCE) as http:
        assert http.get("/metrics").status_code == 401
        signed = {"Authorization": f"Bearer {key.key}"}
        answer = http.get("/metrics", headers=signed)
        assert answer.status_code == 200
        assert "Ada" not in answer.text
        assert key.prefix not in answer.text
