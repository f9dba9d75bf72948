"""The keys that Entra ID publishes: kept for a while, asked for when an unknown one is named."""

import json
import logging
import threading
import time
import urllib.request
from collections.abc import Callable, Mapping
from http.client import HTTPException, HTTPMessage, HTTPResponse
from typing import IO

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from tilt.errors import BusyError

FRESH = 3600.0  # seconds after which keys are asked for anew
PAUSE = 60.0  # least seconds between two questions, whatever tokens name
STALE = 24 * 3600.0  # how long keys are good while the issuer does not answer
SECONDS = 10.0  # longest that nothing may come, and that an answer may take once it has begun
MOST = 2**20  # bytes of an answer
_PIECE = 2**16
_KINDS: Mapping[str, type[RSAKey] | type[ECKey]] = {"RSA": RSAKey, "EC": ECKey}
_LOG = logging.getLogger("tilt.security")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Keys come from the address of the settings and from no other."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> None:
        return None


class Issuer:
    """One tenant of Entra ID.

    name  : as tokens name their issuer
    clock : seconds that only rise
    """

    def __init__(
        self, authority: str, tenant: str, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        base = f"{authority.rstrip('/')}/{tenant}"
        self.name = f"{base}/v2.0"
        self._url = f"{base}/discovery/v2.0/keys"
        self._clock = clock
        self._open = urllib.request.build_opener(_NoRedirect).open
        self._lock = threading.Lock()
        self._keys: dict[str, RSAKey | ECKey] = {}
        self._had: float | None = None  # when the keys came
        self._asked: float | None = None  # when they were last asked for

    def key(self, kid: str) -> RSAKey | ECKey | None:
        """Return the key of an id; None if the issuer has none.

        Raises
        ------
        BusyError
            If the issuer has not answered for a day, or never has.
        """
        found = self._keys.get(kid)
        if found is None or self._age() > FRESH:
            self._renew(kid, wait=found is None or self._age() > STALE)
            found = self._keys.get(kid)
        if self._age() > STALE:
            raise BusyError(
                "Sign-ins cannot be checked: Microsoft Entra ID does not answer this server. "
                "Try again in a minute."
            )
        return found

    def _renew(self, kid: str, *, wait: bool) -> None:
        """Ask for the keys if that is due; of many that find it due one asks.

        Parameters
        ----------
        wait : for the one that asks; who has a key that is good does not
        """
        if not self._lock.acquire(blocking=wait):
            return
        try:
            if (kid not in self._keys or self._age() > FRESH) and self._may_ask():
                self._ask()
        finally:
            self._lock.release()

    def _age(self) -> float:
        return float("inf") if self._had is None else self._clock() - self._had

    def _may_ask(self) -> bool:
        return self._asked is None or self._clock() - self._asked >= PAUSE

    def _ask(self) -> None:
        """Take the issuer's keys of now in place of all before; keep those if none come."""
        self._asked = self._clock()
        try:
            with self._open(self._url, timeout=SECONDS) as answer:
                keys = _read(self._content(answer))
        except (OSError, HTTPException, ValueError, RecursionError) as error:
            _LOG.warning("The keys of %s cannot be had: %s", self.name, error)
            return
        self._keys, self._had = keys, self._clock()

    def _content(self, answer: HTTPResponse) -> bytes:
        """Return what was answered, cut off where it is too long; ``TimeoutError`` if it drips."""
        content, until = b"", self._clock() + SECONDS
        while len(content) <= MOST and (piece := answer.read1(_PIECE)):
            content += piece
            if self._clock() > until:
                raise TimeoutError(f"it was not whole after {SECONDS:g} s")
        return content


def _read(content: bytes) -> dict[str, RSAKey | ECKey]:
    """Return the keys for signatures by id.

    Raises
    ------
    ValueError
        If there is none, or it is no set of keys.
    """
    found: dict[str, RSAKey | ECKey] = {}
    body = json.loads(content) if len(content) <= MOST else None
    listed = body.get("keys") if isinstance(body, dict) else None
    for given in listed if isinstance(listed, list) else ():
        kind = _KINDS.get(str(given.get("kty"))) if isinstance(given, dict) else None
        kid = given.get("kid") if kind else None
        if kind is None or not isinstance(kid, str) or given.get("use", "sig") != "sig":
            continue
        names = ("kty", "n", "e") if kind is RSAKey else ("kty", "crv", "x", "y")
        try:
            found[kid] = kind.import_key({n: given[n] for n in names})
        except (JoseError, KeyError, ValueError, TypeError) as error:
            _LOG.warning("A key of the issuer cannot be read: %s", type(error).__name__)
    if not found:
        raise ValueError("the answer holds no keys")
    return found
