"""Tokens of Microsoft Entra ID: who has signed in there, checked by the keys that it publishes."""

import base64
import binascii
import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from tilt.errors import AccessError
from tilt.security.deciding import ROLES
from tilt.security.issuer import Issuer
from tilt.security.keys import NOT_SIGNED_IN
from tilt.settings import GUID, Settings

ALGORITHMS = ("RS256", "ES256")
LONGEST = 16 * 1024  # characters; Entra ID leaves groups out before a token is that long
LEEWAY = 60.0  # seconds that clocks may differ by
_LOG = logging.getLogger("tilt.security")

Key = RSAKey | ECKey | OctKey | OKPKey


@dataclass(frozen=True)
class Claimed:
    """What a token says, once it is known to be true.

    id     : of the person, the same for good: the object id in the tenant
    name   : as the tenant calls them now; it decides nothing
    roles  : of Tilt, by the roles of the application and by groups
    groups : ids of groups
    """

    id: str
    name: str
    roles: frozenset[str]
    groups: frozenset[str]


class _RefusedError(Exception):
    """Why a token is not taken; the caller is not told."""


@dataclass(frozen=True, eq=False)
class Tokens:
    """Checks tokens for one application in one tenant.

    issuer   : gives the keys and the name that tokens must be of
    audience : id of the application
    tenant   : id of the tenant
    scope    : what the pane asks for
    roles    : Tilt's role by the value of the claim ``roles``
    groups   : Tilt's role by the id of a group
    now      : seconds since 1970
    """

    issuer: Issuer
    audience: str
    tenant: str
    scope: str
    roles: Mapping[str, str]
    groups: Mapping[str, str]
    now: Callable[[], float] = time.time

    @classmethod
    def of(cls, settings: Settings) -> "Tokens":
        """Return what checks the tokens of an installation."""
        by_default = {f"tilt.{role}": role for role in ROLES}
        named = {name.casefold(): role for name, role in settings.entra_roles.items()}
        return cls(
            Issuer(settings.entra_authority, settings.entra_tenant.lower()),
            settings.entra_client.lower(),
            settings.entra_tenant.lower(),
            settings.entra_scope,
            named or by_default,
            {group.lower(): role for group, role in settings.entra_groups.items()},
        )

    def verify(self, authorization: str) -> Claimed:
        """Return who is named by an ``Authorization: Bearer ...`` header.

        Raises
        ------
        AccessError
            If the token is not one of Entra ID for this application, or not for now; the message
            does not say which.
        BusyError
            If the keys to check it with cannot be had.
        """
        scheme, _, token = authorization.strip().partition(" ")
        try:
            bearer = token.strip() if scheme.lower() == "bearer" else ""
            return self._claimed(self._checked(bearer))
        except _RefusedError as reason:
            _LOG.info("A token was refused: %s", reason)
            raise AccessError(NOT_SIGNED_IN) from None

    def _checked(self, token: str) -> Mapping[str, object]:
        """Return the claims of a token whose signature is the issuer's."""
        if not 0 < len(token) <= LONGEST or token.count(".") != 2:
            raise _RefusedError("no token, or too long")
        header = _header(token)
        kid, algorithm = header.get("kid"), header.get("alg")
        if algorithm not in ALGORITHMS:
            raise _RefusedError("algorithm")
        if "crit" in header or not isinstance(kid, str) or not 0 < len(kid) <= 200:
            raise _RefusedError("no key named, or a header that is not known")
        key = self.issuer.key(kid)
        if key is None:
            raise _RefusedError("unknown key")
        try:
            claims = jwt.decode(token, key, algorithms=list(ALGORITHMS)).claims
        except (JoseError, ValueError, TypeError) as error:
            raise _RefusedError(f"signature: {type(error).__name__}") from None
        self._check_times(claims)
        expected = {"iss": self.issuer.name, "aud": self.audience, "tid": self.tenant, "ver": "2.0"}
        for name, value in expected.items():
            if claims.get(name) != value:
                raise _RefusedError(name)
        return claims

    def _check_times(self, claims: Mapping[str, object]) -> None:
        now = self.now()
        expires, begins, issued = (_seconds(claims, name) for name in ("exp", "nbf", "iat"))
        if expires + LEEWAY <= now:
            raise _RefusedError("expired")
        if max(begins, issued) - LEEWAY > now:
            raise _RefusedError("not yet valid")

    def _claimed(self, claims: Mapping[str, object]) -> Claimed:
        """Return the person: signed in by themselves, through the pane, for Tilt."""
        scopes = claims.get("scp")
        if not isinstance(scopes, str) or self.scope not in scopes.split():
            raise _RefusedError("scope")
        if claims.get("azp") != self.audience:
            raise _RefusedError("another application asked for it")
        person = claims.get("oid")
        if not isinstance(person, str) or not GUID.fullmatch(person):
            raise _RefusedError("no person")
        groups = frozenset(group.lower() for group in _texts(claims, "groups"))
        roles = {self.roles.get(name.casefold()) for name in _texts(claims, "roles")}
        roles |= {self.groups.get(group) for group in groups}
        name = claims.get("preferred_username")
        shown = name if isinstance(name, str) and name.isprintable() and name.strip() else person
        return Claimed(person, shown.strip()[:200], frozenset(r for r in roles if r), groups)


def is_token(authorization: str) -> bool:
    """Return whether a header may hold a token, rather than an API key."""
    return authorization.count(".") == 2


def _header(token: str) -> Mapping[str, object]:
    part = token.partition(".")[0]
    try:
        content = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
        header = json.loads(content)
    except (binascii.Error, ValueError, RecursionError):
        raise _RefusedError("no header") from None
    if not isinstance(header, dict):
        raise _RefusedError("no header")
    return header


def _seconds(claims: Mapping[str, object], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _RefusedError(f"no {name}")
    return float(value)


def _texts(claims: Mapping[str, object], name: str) -> list[str]:
    values = claims.get(name)
    return [v for v in values if isinstance(v, str)] if isinstance(values, list) else []
