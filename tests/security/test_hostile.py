"""What is meant to harm: slow, smuggled, swollen or forged, it is refused in words."""

import base64
import gzip
import io
import json
import re
import socket
import zipfile
from urllib.parse import urlsplit

import httpx
import pytest
from serving import PATIENCE, listening

from tilt.api.app import create_app
from tilt.api.connections import Punctual
from tilt.settings import Settings

CALL = "/xlwings/custom-functions-call"
BODY = {"func_name": "version", "args": []}
CLIENT = {"X-Tilt-Client": "tests"}
MARK = "x-content-type-options: nosniff"


@pytest.fixture(scope="module")
def address(store, sample_settings):
    assert store.snapshot()
    given = {**sample_settings.model_dump(), "body_seconds": 0.5, "processes": 0}
    with listening(create_app(Settings(**given))) as address:
        yield address


@pytest.fixture(scope="module")
def http(address):
    with httpx.Client(base_url=address, headers=CLIENT, timeout=PATIENCE) as client:
        yield client


def raw(address, *parts):
    """Send bytes as they are, and return all that comes back until the server closes."""
    where = urlsplit(address)
    with socket.create_connection((where.hostname, where.port), timeout=PATIENCE) as connection:
        for part in parts:
            connection.sendall(part.replace(b"HOST", where.netloc.encode()))
        received = b""
        while piece := connection.recv(65536):
            received += piece
    return received.decode("latin-1")


def post(*headers, body=b"{}", path=CALL):
    lines = [f"POST {path} HTTP/1.1", "Host: HOST", "X-Tilt-Client: t", "Connection: close",
             "Content-Type: application/json", *headers, "", ""]  # fmt: skip
    return "\r\n".join(lines).encode("latin-1") + body


def status(answer):
    return int(answer.split(" ", 2)[1])


def test_a_body_that_comes_too_slowly_is_given_up(address):
    answer = raw(address, post("Content-Length: 100", body=b"{"))
    assert status(answer) == 408
    assert "did not arrive within 0.5 seconds" in answer
    assert MARK in answer.lower()


def test_a_head_that_does_not_end_costs_its_connection(address, monkeypatch):
    monkeypatch.setattr(Punctual, "seconds", 0.2)
    assert raw(address) == "", "a connection on which nothing comes"
    assert raw(address, b"POST / HTTP/1.1\r\nHost: x\r\nX-Slow: ") == ""
    first = b"GET /health/live HTTP/1.1\r\nHost: HOST\r\n\r\n"
    assert raw(address, first, b"GET /hea").count("HTTP/1.1 200") == 1, "nor a second head"


@pytest.mark.parametrize(
    "headers",
    [
        ("Content-Length: 2", "Content-Length: 30"),
        ("Content-Length: 2", "Transfer-Encoding: chunked"),
        ("Transfer-Encoding: chunked, identity",),
        ("Transfer-Encoding: xchunked",),
        ("Content-Length: -1",),
        ("Content-Length: 0x10",),
        ("Content-Length : 2",),
        ("X-Broken\r\n : folded",),
        ("X-Null: a\x00b",),
    ],
)
def test_a_length_with_two_readings_is_refused_and_nothing_after_it_is_read(address, headers):
    hidden = b"GET /health/live HTTP/1.1\r\nHost: HOST\r\n\r\n"
    answer = raw(address, post(*headers, body=b"{}" + hidden))
    assert status(answer) in {400, 413}
    assert answer.count("HTTP/1.1") == 1
    assert '"live"' not in answer
    assert MARK in answer.lower()


@pytest.mark.parametrize("line", [b"GET / HTTP/9.9", b"get", b"X / HTTP/1.1", b"\x16\x03\x01\x02"])
def test_what_is_no_http_has_an_answer_with_the_safe_headers(address, line):
    answer = raw(address, line + b"\r\n\r\n")
    assert status(answer) == 400
    assert "content-security-policy: default-src 'self'" in answer.lower()
    assert "no HTTP" in answer or "Host" in answer or "host" in answer


def test_a_second_host_header_does_not_get_around_the_check_of_the_first(address):
    answer = raw(address, b"GET /api/v1/status HTTP/1.1\r\nHost: evil.example\r\nHost: HOST\r\n"
                 b"Connection: close\r\n\r\n")  # fmt: skip
    assert status(answer) in {400, 421}
    forwarded = {"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
    with httpx.Client(base_url=address, timeout=PATIENCE) as client:
        meta = client.get("/xlwings/custom-functions-meta.json", headers=forwarded)
    assert "evil" not in meta.text


@pytest.mark.parametrize(
    "path", ["/help/%0d%0aSet-Cookie:x=1", "/api/v1/jobs/%0d%0aX-Evil:1", "/%0aX-Evil:1"]
)
def test_a_line_break_in_a_path_makes_no_header(http, path):
    answer = http.get(path)
    assert answer.status_code == 404
    assert not {"set-cookie", "x-evil"} & set(answer.headers)


PATHS = ["/nope", "/api/v1/nope", "/help/nope", "/static/nope.js", "/api/v1/reports/nope",
         "/api/v1/portfolios/%27%20OR%201=1%20--", "/static/..%2f..%2fconfig.py",
         "/help/..%2f..%2fetc%2fpasswd", "/api/v1/reports/..%2f..%2fcatalog.sqlite"]  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS"])
def test_every_refusal_is_dressed_and_sets_no_cookie(http, method, path):
    answer = http.request(method, path)
    assert 400 <= answer.status_code < 500
    assert (
        "frame-ancestors 'self' https://*.officeapps.live.com"
        in (answer.headers["content-security-policy"])
    )
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in answer.headers
    assert "access-control-allow-origin" not in answer.headers
    assert "root:" not in answer.text


def zipped(files):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as parts:
        for name, text in files.items():
            parts.writestr(name, text)
    return content.getvalue()


ZEROS = b"0" * (220 * 2**20)
BILLION = (
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha">'
    + "".join(
        f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    + "]><x>&i;</x>"
)
OUTSIDE = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>'


@pytest.mark.parametrize("path", ["/api/v1/uploads", "/api/v1/uploads/data"])
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("bomb.xlsx", lambda: zipped({"xl/workbook.xml": ZEROS})),
        (
            "laughs.xlsx",
            lambda: zipped({"[Content_Types].xml": BILLION, "xl/workbook.xml": BILLION}),
        ),
        ("outside.xlsx", lambda: zipped({"[Content_Types].xml": OUTSIDE})),
        ("slip.xlsx", lambda: zipped({"../../evil": "x"})),
    ],
)
def test_a_workbook_made_to_do_harm_is_refused(http, path, name, content):
    file = base64.b64encode(content()).decode()
    answer = http.post(path, json={"name": name, "file": file})
    assert 400 <= answer.status_code < 500
    assert "root:" not in answer.text
    assert len(answer.content) < 5000


def test_a_compressed_body_is_not_unpacked(http):
    content = gzip.compress(b"[" * 2**20)
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    assert http.post(CALL, content=content, headers=headers).status_code == 400


@pytest.mark.parametrize("content", [b"[" * 200_000, b'{"a":' * 100_000, b'{"args":[' * 50_000])
def test_json_that_is_deep_is_refused(http, content):
    answer = http.post(CALL, content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400


@pytest.mark.parametrize("name", ["'; DROP TABLE portfolios; --", "x' OR '1'='1", '" OR 1=1 --'])
def test_sql_in_a_name_is_a_name_that_is_not_known(http, name):
    call = {"func_name": "portfolio", "args": [[[name]]]}
    answer = http.post(CALL, json=call)
    assert 400 <= answer.status_code < 500
    assert http.get("/api/v1/portfolios").status_code == 200
    assert "SQL" not in answer.text
    assert "sqlite" not in answer.text


def test_the_log_line_of_a_forged_request_id_is_one_line(http):
    answer = http.get("/health/live", headers={"X-Request-ID": json.dumps({"level": "ERROR"})})
    assert answer.headers["X-Request-ID"].isalnum()


def test_no_route_takes_a_number_that_a_database_cannot_hold(http):
    asked = [
        (path, given["name"])
        for path, ways in http.get("/openapi.json").json()["paths"].items()
        for given in ways.get("get", {}).get("parameters", ())
        if given["in"] == "query" and "integer" in json.dumps(given["schema"])
    ]
    assert ("/api/v1/audit", "before") in asked
    for path, name in asked:
        answer = http.get(re.sub(r"\{\w+\}", "x", path), params={name: 10**30})
        assert answer.status_code == 422, (path, name, answer.text)
