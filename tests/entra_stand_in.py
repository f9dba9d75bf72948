"""A stand-in for Microsoft Entra ID: a real HTTP server with keys that it can change."""

import base64
import json
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from serving import PATIENCE

TENANT = "11111111-2222-3333-4444-555555555555"
CLIENT = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
ANNA = str(uuid.UUID(int=0xA))
TRADERS = str(uuid.UUID(int=0x7))


@dataclass
class Entra:
    """A tenant: signs tokens and publishes the keys to check them with.

    asked : how often its keys were asked for
    away  : whether it answers by an error
    says  : what it sends in place of an answer, if it is not empty
    came  : set when it is asked; goes : what an answer waits for
    """

    address: str
    keys: dict[str, Any] = field(default_factory=dict)
    asked: int = 0
    away: bool = False
    says: bytes = b""
    came: threading.Event = field(default_factory=threading.Event)
    goes: threading.Event = field(default_factory=threading.Event)

    def new_key(self, kid: str, kind: str = "RSA") -> None:
        """Sign with a new key, beside the ones that are there."""
        made = RSAKey.generate_key(2048) if kind == "RSA" else ECKey.generate_key("P-256")
        self.keys[kid] = made

    @property
    def issuer(self) -> str:
        return f"{self.address}/{TENANT}/v2.0"

    def claims(self, **changed: object) -> dict[str, object]:
        """Return what a good token says, changed; None leaves a claim out."""
        now = int(time.time())
        good = {
            "iss": self.issuer, "aud": CLIENT, "azp": CLIENT, "tid": TENANT, "ver": "2.0",
            "iat": now - 10, "nbf": now - 10, "exp": now + 3600, "scp": "access_as_user",
            "oid": ANNA, "preferred_username": "anna@firm.example", "roles": ["Tilt.Viewer"],
        }  # fmt: skip
        return {k: v for k, v in {**good, **changed}.items() if v is not None}

    def token(
        self, kid: str = "first", algorithm: str = "RS256", key: object = None, **changed: object
    ) -> str:
        """Return a signed token."""
        header = {"alg": algorithm, "kid": kid, "typ": "JWT"}
        return jwt.encode(header, self.claims(**changed), key or self.keys[kid], [algorithm])

    def published(self) -> bytes:
        every = self.keys.items()
        keys = [{**key.as_dict(private=False), "kid": kid, "use": "sig"} for kid, key in every]
        return json.dumps({"keys": keys}).encode()


def part(content: Mapping[str, object] | bytes) -> str:
    """Return a part of a token as it is sent."""
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@contextmanager
def entra() -> Iterator[Entra]:
    """Serve a tenant with one key, 'first'."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            tenant.asked += 1
            tenant.came.set()
            tenant.goes.wait()
            if tenant.says:
                self.wfile.write(tenant.says)
                return
            here = self.path == f"/{TENANT}/discovery/v2.0/keys" and not tenant.away
            self.send_response(200 if here else 503)
            self.end_headers()
            self.wfile.write(tenant.published() if here else b"")

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    tenant = Entra(f"http://127.0.0.1:{server.server_address[1]}")
    tenant.new_key("first")
    tenant.goes.set()
    try:
        yield tenant
    finally:
        tenant.goes.set()
        server.shutdown()
        server.server_close()
        thread.join(PATIENCE)
