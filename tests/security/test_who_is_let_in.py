"""Host, origin, client header, key: what is refused, before any body is read."""

import http.client
import json
import socket
from urllib.parse import urlsplit

import httpx
import pytest
from pydantic import ValidationError
from serving import PATIENCE

from tilt.api.headers import content_security_policy
from tilt.settings import Settings

CALL = "/xlwings/custom-functions-call"
BODY = {"func_name": "version", "args": []}
CLIENT = {"X-Tilt-Client": "tests"}
POSTS = [
    CALL,
    "/xlwings/custom-functions-batch",
    "/xlwings/custom-scripts-call/optimize",
    "/xlwings/custom-scripts-call/nope",
    "/anything",
    "/api/v1/anything",
]
OPEN = ["/health", "/health/live", "/help", "/help/risk", "/docs", "/taskpane.html",
        "/manifest.xml", "/static/js/main.js", "/xlwings/custom-functions-meta.json",
        "/xlwings/custom-functions-code.js"]  # fmt: skip


@pytest.fixture(scope="module")
def free(locked):
    """The locked server without a key."""
    with httpx.Client(base_url=locked, headers=CLIENT, timeout=PATIENCE) as http_client:
        yield http_client


@pytest.fixture
def signed(locked, key):
    headers = {**CLIENT, "Authorization": f"Bearer {key.key}"}
    with httpx.Client(base_url=locked, headers=headers, timeout=PATIENCE) as http_client:
        yield http_client


def test_a_key_opens_what_is_closed_without(free, signed):
    assert signed.post(CALL, json=BODY).status_code == 200
    assert signed.get("/api/v1/status").json()["user"] == "Ada"
    assert free.get("/api/v1/status").status_code == 401


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("authorization", [None, "", "Bearer x", "Bearer tilt_a_b", "test-token"])
def test_without_a_key_nothing_can_be_sent_anywhere(free, path, authorization):
    headers = {} if authorization is None else {"Authorization": authorization}
    answer = free.post(path, json=BODY, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    problem = answer.json()
    assert (problem["detail"], problem["cell"]) == ("Not signed in: open the Tilt pane.", "#N/A")


@pytest.mark.parametrize("path", ["/api/v1/status", "/metrics", "/api/v1/portfolios", "/nope"])
def test_what_shows_data_needs_a_key_to_be_read(free, path):
    assert free.get(path).status_code == 401


@pytest.mark.parametrize("path", OPEN)
def test_what_excel_loads_before_anybody_signs_in_is_open(free, path):
    assert free.get(path).status_code == 200


def test_a_refused_body_is_not_read(locked):
    """A caller without a key who promises 30 MB is answered before sending them."""
    where = urlsplit(locked)
    with socket.create_connection((where.hostname, where.port), timeout=PATIENCE) as raw:
        raw.sendall(
            f"POST {CALL} HTTP/1.1\r\nHost: {where.netloc}\r\nX-Tilt-Client: t\r\n"
            "Content-Type: application/json\r\nContent-Length: 30000000\r\n\r\n{".encode()
        )
        assert b" 401 " in raw.recv(4096)


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", ""])
@pytest.mark.parametrize("path", ["/health", "/api/v1/status", "/static/js/main.js"])
def test_another_host_is_not_answered(locked, host, path):
    answer = httpx.get(f"{locked}{path}", headers={"Host": host}, timeout=PATIENCE)
    assert answer.status_code in {400, 421}
    assert "result" not in answer.text


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:9999", "127.0.0.1", "[::1]:8000"])
def test_loopback_by_any_name_is_answered(locked, host):
    assert (
        httpx.get(f"{locked}/health/live", headers={"Host": host}, timeout=PATIENCE).status_code
        == 200
    )


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://localhost:1", "http://127.0.0.1", "file://"]
)
def test_another_origin_cannot_send(signed, origin):
    answer = signed.post(CALL, json=BODY, headers={"Origin": origin})
    assert answer.status_code == 403
    assert answer.json()["detail"] == "The request comes from the page of another origin."


def test_the_add_ins_own_origin_can_send(signed, locked):
    assert signed.post(CALL, json=BODY, headers={"Origin": locked}).status_code == 200


@pytest.mark.parametrize("client", ["", "two words", "x" * 33, "a,b"])
def test_what_a_form_could_send_is_refused_for_want_of_the_clients_name(signed, client):
    answer = signed.post(CALL, json=BODY, headers={"X-Tilt-Client": client})
    assert answer.status_code == 403
    assert "X-Tilt-Client" in answer.json()["detail"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_every_write_needs_the_clients_name(locked, key, method):
    answer = httpx.request(
        method,
        f"{locked}/api/v1/status",
        headers={"Authorization": f"Bearer {key.key}"},
    )
    assert answer.status_code == 403


def test_a_preflight_of_another_origin_is_not_granted(locked):
    asked = {
        "Origin": "https://evil.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "x-tilt-client,content-type",
    }
    for path in (CALL, "/api/v1/status", "/xlwings/custom-scripts-call/optimize"):
        answer = httpx.options(f"{locked}{path}", headers=asked)
        assert not {"access-control-allow-origin", "access-control-allow-headers"} & set(
            answer.headers
        )


def test_a_websocket_is_refused(locked):
    where = urlsplit(locked)
    connection = http.client.HTTPConnection(where.hostname, where.port, timeout=PATIENCE)
    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
               "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}  # fmt: skip
    connection.request("GET", "/socket.io/", headers=upgrade)
    assert connection.getresponse().status != 101
    connection.close()


def test_socket_io_is_not_served(signed):
    assert signed.get("/socket.io/?EIO=4&transport=polling").status_code == 404


@pytest.mark.parametrize(
    "path", ["/static/../../config.py", "/static/%2e%2e/%2e%2e/config.py", "/static//etc/passwd"]
)
def test_static_files_end_at_their_folder(locked, path):
    where = urlsplit(locked)
    connection = http.client.HTTPConnection(where.hostname, where.port, timeout=PATIENCE)
    connection.request("GET", path)  # unlike httpx, sends the path as it is
    assert connection.getresponse().status in {401, 404}
    connection.close()


@pytest.mark.parametrize(
    ("path", "status"),
    [("/health/live", 200), ("/nope", 401), ("/help/nope", 404), ("/static/nope.js", 404)],
)
def test_security_headers_are_on_every_answer(locked, path, status):
    answer = httpx.get(f"{locked}{path}", timeout=PATIENCE)
    assert answer.status_code == status
    policy = answer.headers["content-security-policy"]
    assert "script-src 'self' https://appsforoffice.microsoft.com;" in policy
    assert "frame-ancestors 'self' https://*.officeapps.live.com" in policy
    assert "unsafe-eval" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-request-id"]
    assert "server" not in answer.headers or "tilt" not in answer.headers["server"].lower()


def test_refusals_carry_the_security_headers_too(locked):
    answer = httpx.post(f"{locked}{CALL}", json=BODY, timeout=PATIENCE)
    assert answer.status_code == 403
    assert "content-security-policy" in answer.headers


def test_answers_with_data_are_not_kept_by_caches(signed):
    assert signed.get("/api/v1/status").headers["cache-control"] == "no-store"
    assert signed.post(CALL, json=BODY).headers["cache-control"] == "no-store"


def test_a_request_id_is_kept_when_it_is_one_and_replaced_when_not(locked):
    given = {"X-Request-ID": "abc-12345678"}
    assert httpx.get(f"{locked}/health/live", headers=given, timeout=PATIENCE).headers[
        "x-request-id"
    ] == ("abc-12345678")
    forged = {"X-Request-ID": 'x" onload="'}
    assert (
        httpx.get(f"{locked}/health/live", headers=forged, timeout=PATIENCE).headers["x-request-id"]
        != (forged["X-Request-ID"])
    )


def test_errors_outside_the_add_ins_routes_are_problem_documents(free):
    answer = free.get("/api/v1/status")
    assert answer.headers["content-type"] == "application/problem+json"
    assert json.loads(answer.text)["title"] == "Unauthorized"


def test_an_open_address_without_keys_does_not_start():
    with pytest.raises(ValidationError, match="TILT_AUTH must be 'keys'"):
        Settings(host="192.0.2.1")
    with pytest.raises(ValidationError, match="needs TILT_SECRET_KEY"):
        Settings(host="192.0.2.1", auth="keys")
    with pytest.raises(ValidationError, match="at least 32 characters"):
        Settings(auth="keys", secret_key="short")


@pytest.mark.parametrize(
    ("sign_in", "reached"),
    [
        ("", " https://*.microsoft.com;"),
        (
            "https://login.microsoftonline.us",
            " https://*.microsoft.com https://login.microsoftonline.us;",
        ),
        ("https://login.example/path; script-src *", " https://login.example;"),
    ],
)
def test_a_page_reaches_the_place_where_people_sign_in_and_no_other(sign_in, reached):
    policy = content_security_policy(sign_in)
    assert reached in policy
    assert policy.count("script-src") == 1
