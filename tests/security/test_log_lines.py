"""Logs: one JSON object a line, without what is secret, and nothing a caller could forge."""

import io
import json
import logging

import httpx
import numpy as np
import pytest
from serving import PATIENCE, until

from tilt.monitoring import REQUEST_ID, Durations, JsonFormatter, JsonHandler, log_as_json


def formatted(message, *arguments, **extra):
    record = logging.LogRecord("tilt", logging.INFO, "f.py", 1, message, arguments, None)
    for name, value in extra.items():
        setattr(record, name, value)
    return JsonFormatter().format(record)


@pytest.mark.parametrize("forged", ["x\nINFO forged", "x\r\n{}", "x\u2028y", '"}', "\x1b[31m"])
def test_a_line_cannot_be_broken_by_what_it_tells(forged):
    line = formatted("path %s", forged, fields={"path": forged})
    assert len(line.splitlines()) == 1
    assert line.isascii()
    assert json.loads(line)["path"] == forged
    assert json.loads(line)["message"] == f"path {forged}"


def test_a_line_carries_the_request_it_belongs_to():
    token = REQUEST_ID.set("abc12345")
    assert json.loads(formatted("x"))["request_id"] == "abc12345"
    REQUEST_ID.reset(token)
    assert "request_id" not in json.loads(formatted("x"))


def test_an_exception_stays_on_its_line():
    error = ValueError("two\nlines")
    line = formatted("failed", exc_info=(ValueError, error, None))
    assert len(line.splitlines()) == 1
    assert "two\nlines" in json.loads(line)["exception"]


def test_the_handler_is_added_once():
    log_as_json()
    log_as_json()
    assert len([h for h in logging.getLogger().handlers if isinstance(h, JsonHandler)]) == 1


def test_a_plain_handler_that_a_library_set_up_gives_way():
    plain = logging.StreamHandler()
    logging.getLogger().addHandler(plain)
    log_as_json()
    assert plain not in logging.getLogger().handlers


def access_lines(caplog):
    return [r.__dict__["fields"] for r in caplog.records if r.name == "tilt.access"]


def test_an_access_line_holds_neither_query_nor_key(locked, key, caplog):
    with caplog.at_level(logging.INFO, logger="tilt.access"):
        httpx.get(
            f"{locked}/api/v1/status?token=QUERYSECRET",
            headers={"Authorization": f"Bearer {key.key}"},
            timeout=PATIENCE,
        )
        lines = until(lambda: access_lines(caplog))  # the line follows the answer
    assert lines[-1]["path"] == "/api/v1/status"
    assert lines[-1]["user"] == "Ada"
    assert lines[-1]["status"] == 200
    written = io.StringIO("\n".join(JsonFormatter().format(r) for r in caplog.records)).read()
    assert "QUERYSECRET" not in "".join(json.dumps(line) for line in lines)
    assert key.key.split("_", 2)[2] not in written


def test_durations_are_summed_up_by_operation():
    durations = Durations()
    for seconds in (0.1, 0.2, 0.3):
        durations.record("risk", seconds, calls=10)
    summary = durations.summary()
    row = summary.loc["risk"]
    assert row["calls"] == 30
    np.testing.assert_allclose(row[["avg", "max", "min"]].astype(float), [0.2, 0.3, 0.1])
    assert row["p99"] == pytest.approx(np.quantile([0.1, 0.2, 0.3], 0.99))


def test_a_failing_operation_is_timed_too():
    durations = Durations()
    with pytest.raises(KeyError), durations.timing("broken"):
        raise KeyError
    assert durations.summary().loc["broken", "calls"] == 1


def test_durations_keep_the_latest_only():
    durations = Durations()
    for _ in range(3000):
        durations.record("x", 1.0)
    durations.record("x", 9.0)
    assert durations.summary().loc["x", "calls"] == 3001
    assert durations.summary().loc["x", "max"] == 9.0
