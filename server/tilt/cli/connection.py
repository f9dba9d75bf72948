"""What the doctor finds on the way from Excel to the server: certificate, manifest, port, doors."""

import datetime as dt
import http.client
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import tilt
from tilt.api import manifest
from tilt.cli import certificates
from tilt.cli.findings import OK, PROBLEM, WARNING, Finding
from tilt.cli.serving import port_is_free
from tilt.errors import ArgumentError, DataError
from tilt.settings import LOOPBACK, Settings

SECONDS = 3.0
FOREIGN = "https://elsewhere.example"
_CALL = "/xlwings/custom-functions-call"


@dataclass(frozen=True)
class Server:
    """A server of ours that listens where the settings say."""

    scheme: str
    host: str
    port: int
    version: str

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.host}:{self.port}"


@dataclass(frozen=True)
class Answer:
    """What a server answered."""

    status: int
    headers: Mapping[str, str]
    body: str


def examine(settings: Settings, now: dt.datetime) -> list[Finding]:
    """Return the findings on certificate, manifest, port and the running server."""
    server = None if port_is_free(settings) else find_server(settings)
    return [
        *certificate(settings, now),
        own_manifest(settings),
        _port(settings, server),
        *([] if server is None else doors(server)),
    ]


def certificate(settings: Settings, now: dt.datetime) -> list[Finding]:
    """Say whether there is a certificate, until when, and whether a client here accepts it."""
    files = certificates.used_files(settings)
    create = "Run 'tilt certificate create --replace' and trust the new one."
    if files is None:
        return [
            Finding(
                "certificate",
                WARNING,
                "none; Excel loads add-ins over https only (the browser workbench needs none)",
                "Run 'tilt certificate create', trust it as it says, then 'tilt serve --tls'.",
            )
        ]
    ours = files.authority is not None
    try:
        certificates.server_context(files)
        left = certificates.days_left(certificates.read(files.cert), now)
    except DataError as error:
        cure = create if ours else "Set TILT_TLS_CERT and TILT_TLS_KEY to a pair that belongs."
        return [Finding("certificate", PROBLEM, str(error), cure)]
    renew = create if ours else "Have it renewed by who issued it."
    if left < 0:
        ended = f"{files.cert} ended {-left} days ago"
        return [Finding("certificate", PROBLEM, ended, renew)]
    found = [Finding("certificate", OK, f"{files.cert}, {left} days left")]
    if left < certificates.SOON_DAYS:
        found = [Finding("certificate", WARNING, f"{files.cert} ends in {left} days", renew)]
    if certificates.loose_permissions(files.key):
        loose = f"others of this machine may read {files.key}"
        found.append(Finding("certificate key", WARNING, loose, f"chmod 600 {files.key}"))
    return [*found, _trust(settings, files)]


def own_manifest(settings: Settings) -> Finding:
    """Say whether the manifest of these settings is one Excel takes."""
    try:
        base = manifest.address(settings)
        wrong = manifest.problems(manifest.render(base), base)
    except ArgumentError as error:
        return Finding("manifest", WARNING, str(error), "tilt manifest --url https://...")
    if wrong:
        return Finding("manifest", PROBLEM, " ".join(wrong), "Install Tilt again.")
    return Finding("manifest", OK, f"valid, for {base}; 'tilt manifest -o tilt.xml' writes it")


def find_server(settings: Settings) -> Server | None:
    """Return the server of ours that answers at the port, or None if it is another program."""
    host = "localhost" if settings.host in {*LOOPBACK, "0.0.0.0", "::"} else settings.host  # noqa: S104
    schemes = ("https", "http") if settings.scheme == "https" else ("http", "https")
    for scheme in schemes:
        candidate = Server(scheme, host, settings.port, "")
        answer = _ask(candidate, "GET", "/openapi.json")
        if answer is None or answer.status != 200:
            continue
        try:
            info = json.loads(answer.body).get("info", {})
        except (ValueError, AttributeError):
            continue
        if info.get("title") == "Tilt":
            return Server(scheme, host, settings.port, str(info.get("version", "")))
    return None


def doors(server: Server) -> list[Finding]:
    """Say whether a running server refuses what is not addressed to it or comes from elsewhere."""
    json_type = {"Content-Type": "application/json", "X-Tilt-Client": "doctor"}
    asked = {
        "host": _ask(server, "GET", "/health/live", {"Host": urlsplit(FOREIGN).netloc}),
        "origin": _ask(server, "POST", _CALL, {**json_type, "Origin": FOREIGN}, "{}"),
        "preflight": _ask(
            server,
            "OPTIONS",
            _CALL,
            {"Origin": FOREIGN, "Access-Control-Request-Method": "POST"},
        ),
        "manifest": _ask(server, "GET", "/manifest.xml"),
    }
    if any(a is None for a in asked.values()):
        return [Finding("doors", PROBLEM, f"{server.url} stopped answering", "Restart the server.")]
    got = {k: a for k, a in asked.items() if a is not None}
    return [
        _refuses("Host check", "a request to a foreign host name", got["host"], 421),
        _refuses("Origin check", "a call from a foreign page", got["origin"], 403),
        _cors(got["preflight"], got["origin"]),
        _served(server, got["manifest"]),
    ]


def _trust(settings: Settings, files: certificates.Files) -> Finding:
    host = settings.host if settings.host not in LOOPBACK else "localhost"
    refused = certificates.refusal(files, host)
    if not refused:
        return Finding("certificate trust", OK, f"this machine accepts it for {host}")
    if files.authority is not None:
        cure = "Run the line that 'tilt certificate show' prints for this system."
    else:
        cure = "Trust its issuer on this machine, or use a certificate for that name."
    return Finding("certificate trust", WARNING, f"refused here for {host}: {refused}", cure)


def _port(settings: Settings, server: Server | None) -> Finding:
    where = f"{settings.host}:{settings.port}"
    restart = "Restart the server."
    if server is None and port_is_free(settings):
        return Finding("port", OK, f"{where} is free; no server runs")
    if server is None:
        return Finding(
            "port",
            PROBLEM,
            f"{where} is in use by another program",
            "Stop that program, or set TILT_PORT to another port and write the manifest anew.",
        )
    if server.version != tilt.__version__:
        old = f"{server.url} still runs Tilt {server.version}, {tilt.__version__} is installed"
        return Finding("port", WARNING, old, restart)
    if server.scheme == "http":
        return Finding(
            "port",
            WARNING,
            f"Tilt {server.version} answers at {server.url}, which Excel does not load",
            "For Excel, serve https: 'tilt serve --tls'.",
        )
    return Finding("port", OK, f"Tilt {server.version} answers at {server.url}")


def _refuses(check: str, what: str, answer: Answer, status: int) -> Finding:
    if answer.status == status:
        return Finding(check, OK, f"{what} is refused ({status})")
    return Finding(
        check,
        PROBLEM,
        f"{what} was answered with {answer.status}, not {status}",
        "Is a proxy between that changes Host or Origin? Let it pass them unchanged.",
    )


def _cors(preflight: Answer, call: Answer) -> Finding:
    given = {a.headers.get("access-control-allow-origin", "") for a in (preflight, call)} - {""}
    if given:
        return Finding(
            "CORS",
            PROBLEM,
            f"pages of {', '.join(sorted(given))} may read answers",
            "Take the Access-Control headers out of the proxy's settings.",
        )
    return Finding("CORS", OK, "no foreign page may read an answer")


def _served(server: Server, answer: Answer) -> Finding:
    if answer.status != 200:
        return Finding(
            "served manifest", PROBLEM, f"answered with {answer.status}", "Restart the server."
        )
    wrong = manifest.problems(answer.body, server.url)
    if server.scheme == "http":  # said already, at the port
        wrong = [w for w in wrong if "is not https" not in w]
    if wrong:
        return Finding("served manifest", PROBLEM, " ".join(wrong), "Restart the server.")
    return Finding("served manifest", OK, f"{server.url}/manifest.xml names this server")


def _ask(
    server: Server,
    method: str,
    path: str,
    headers: Mapping[str, str] | None = None,
    body: str | None = None,
) -> Answer | None:
    """Return the answer of a server, or None if there is none that is HTTP."""
    if server.scheme == "https":
        context = ssl.create_default_context()
        context.check_hostname = False  # nothing secret is sent; whether clients trust the
        context.verify_mode = ssl.CERT_NONE  # certificate is a question of its own
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            server.host, server.port, timeout=SECONDS, context=context
        )
    else:
        connection = http.client.HTTPConnection(server.host, server.port, timeout=SECONDS)
    try:
        connection.request(method, path, body=body, headers=dict(headers or {}))
        response = connection.getresponse()
        text = response.read().decode("utf-8", errors="replace")
        return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, text)
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
