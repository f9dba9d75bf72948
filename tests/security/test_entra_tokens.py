"""Tokens of Entra ID: a good one lets in, and whatever is wrong with another one looks the same."""

import hashlib
import hmac
import itertools
import logging
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import httpx
import pytest
from entra_stand_in import ANNA, CLIENT, TENANT, TRADERS, entra, part
from joserfc.jwk import OctKey, RSAKey
from pydantic import ValidationError
from serving import PATIENCE, listening

from tilt.api.app import create_app
from tilt.errors import AccessError, BusyError
from tilt.security import issuer as keeping
from tilt.security.issuer import Issuer
from tilt.security.tokens import LONGEST, Tokens
from tilt.settings import Settings

SECRET = "0123456789abcdef0123456789abcdef"
HOUR = 3600


@pytest.fixture(scope="module")
def tenant():
    with entra() as served:
        yield served


@pytest.fixture(scope="module")
def settings(sample_settings, tenant):
    return Settings(
        **{
            **sample_settings.model_dump(),
            "auth": "keys+entra",
            "secret_key": SECRET,
            "entra_tenant": TENANT,
            "entra_client": CLIENT,
            "entra_authority": tenant.address,
            "entra_groups": {TRADERS: "trader"},
        }
    )


@pytest.fixture(scope="module")
def tokens(settings):
    return Tokens.of(settings)


@pytest.fixture(scope="module")
def http(settings, store):
    assert store.snapshot()
    with (
        listening(create_app(settings)) as address,
        httpx.Client(
            base_url=address, headers={"X-Tilt-Client": "tests"}, timeout=PATIENCE
        ) as client,
    ):
        yield client


class Clock:
    def __init__(self):
        self.seconds = 1000.0

    def __call__(self):
        return self.seconds


def asked(http, token):
    return http.get("/api/v1/status", headers={"Authorization": f"Bearer {token}"})


def pem(key):
    return key.as_pem(private=False)


def by_hand(tenant, header, signature=b"x", **claims):
    return ".".join((part(header), part(tenant.claims(**claims)), part(signature)))


def hs256_with_the_public_key(tenant):
    head = part({"alg": "HS256", "kid": "first", "typ": "JWT"})
    body = part(tenant.claims())
    signed = hmac.digest(pem(tenant.keys["first"]), f"{head}.{body}".encode(), hashlib.sha256)
    return f"{head}.{body}.{part(signed)}"


def with_other_claims(tenant):
    head, _, signature = tenant.token().split(".")
    return f"{head}.{part(tenant.claims(roles=['Tilt.Administrator']))}.{signature}"


def soon(seconds):
    return int(time.time()) + seconds


BAD = {
    "signed by somebody else": lambda t: t.token(key=RSAKey.generate_key(2048)),
    "claims changed after signing": with_other_claims,
    "signature cut": lambda t: t.token()[:-4],
    "no signature": lambda t: t.token().rpartition(".")[0] + ".",
    "alg none": lambda t: by_hand(t, {"alg": "none", "kid": "first"}, b""),
    "alg None": lambda t: by_hand(t, {"alg": "None", "kid": "first"}, b""),
    "no alg": lambda t: by_hand(t, {"kid": "first"}),
    "alg of a list": lambda t: by_hand(t, {"alg": ["RS256"], "kid": "first"}),
    "hs256 with the public key": hs256_with_the_public_key,
    "hs256 with the key's id": lambda t: t.token(
        algorithm="HS256", key=OctKey.import_key("first" * 8)
    ),
    "es256 for an rsa key": lambda t: by_hand(t, {"alg": "ES256", "kid": "first"}, b"x" * 64),
    "rs256 for an ec key": lambda t: t.token(kid="curve", key=t.keys["first"]),
    "ps256, not allowed": lambda t: t.token(algorithm="PS256"),
    "no kid": lambda t: by_hand(t, {"alg": "RS256"}),
    "empty kid": lambda t: by_hand(t, {"alg": "RS256", "kid": ""}),
    "kid of a number": lambda t: by_hand(t, {"alg": "RS256", "kid": 1}),
    "unknown kid": lambda t: t.token(key=t.keys["first"], kid="nowhere"),
    "critical header": lambda t: by_hand(t, {"alg": "RS256", "kid": "first", "crit": ["b64"]}),
    "key in the header": lambda t: by_hand(
        t, {"alg": "RS256", "jwk": t.keys["first"].as_dict(private=False)}
    ),
    "expired": lambda t: t.token(exp=soon(-HOUR)),
    "no exp": lambda t: t.token(exp=None),
    "exp of text": lambda t: t.token(exp="never"),
    "not yet valid": lambda t: t.token(nbf=soon(HOUR)),
    "issued later": lambda t: t.token(iat=soon(HOUR)),
    "no iat": lambda t: t.token(iat=None),
    "wrong audience": lambda t: t.token(aud=str(uuid.UUID(int=1))),
    "audiences": lambda t: t.token(aud=[CLIENT]),
    "wrong issuer": lambda t: t.token(iss="https://login.microsoftonline.com/common/v2.0"),
    "issuer of v1": lambda t: t.token(iss=f"https://sts.windows.net/{TENANT}/"),
    "wrong tenant": lambda t: t.token(tid=str(uuid.UUID(int=2))),
    "version 1": lambda t: t.token(ver="1.0"),
    "no scope": lambda t: t.token(scp=None),
    "another scope": lambda t: t.token(scp="User.Read access_as_users"),
    "of another application": lambda t: t.token(azp=str(uuid.UUID(int=3))),
    "nobody": lambda t: t.token(oid=None),
    "a person that is no id": lambda t: t.token(oid="anna"),
    "too long": lambda t: t.token(roles=["x" * LONGEST]),
    "three dots": lambda t: f"{t.token()}.x",
    "no base64": lambda _: "?.?.?",
    "deep header": lambda _: f"{part(b'[' * 9000)}.x.x",
    "header of a list": lambda _: f"{part(b'[]')}.x.x",
}


@pytest.fixture(scope="module", autouse=True)
def curve(tenant):
    tenant.new_key("curve", "EC")


def test_a_good_token_lets_in_under_the_name_that_it_gives(http, tenant):
    answer = asked(http, tenant.token())
    assert answer.status_code == 200
    assert answer.json()["user"] == "anna@firm.example"


def test_a_key_on_the_curve_is_good_too(http, tenant):
    assert asked(http, tenant.token(kid="curve", algorithm="ES256")).status_code == 200


def test_whatever_is_wrong_the_answer_is_the_same(http, tenant):
    said = set()
    for name, make in BAD.items():
        answer = asked(http, make(tenant))
        assert answer.status_code == 401, name
        said.add((answer.text, answer.headers["www-authenticate"]))
    said.add((http.get("/api/v1/status").text, "Bearer"))
    assert len(said) == 1
    assert "Not signed in: open the Tilt pane." in said.pop()[0]


def test_a_refusal_is_logged_with_its_reason_and_without_the_token(tokens, tenant, caplog):
    token = tenant.token(aud="someone\nelse")
    with caplog.at_level(logging.INFO, "tilt.security"), pytest.raises(AccessError):
        tokens.verify(f"Bearer {token}")
    assert "A token was refused: aud" in caplog.text
    assert token[:40] not in caplog.text
    assert "else" not in caplog.text


def test_clocks_may_differ_by_a_minute(tokens, tenant):
    assert tokens.verify(f"Bearer {tenant.token(exp=soon(-30))}").id == ANNA
    assert tokens.verify(f"bearer {tenant.token(nbf=soon(30), iat=soon(30))}").id == ANNA


def test_roles_come_from_the_application_and_from_groups(tokens, tenant):
    said = tokens.verify(
        f"Bearer {tenant.token(roles=['tilt.analyst', 'Other'], groups=[TRADERS])}"
    )
    assert (said.roles, said.groups) == ({"analyst", "trader"}, {TRADERS})
    assert tokens.verify(f"Bearer {tenant.token(roles=None)}").roles == frozenset()


def test_a_name_that_would_break_a_line_gives_way_to_the_id(tokens, tenant):
    forged = tenant.token(preferred_username="anna\r\nX-Admin: yes")
    assert tokens.verify(f"Bearer {forged}").name == ANNA


def test_a_person_without_a_role_is_known_and_may_nothing(http, tenant):
    other = str(uuid.UUID(int=0xB))
    token = tenant.token(oid=other, roles=[], preferred_username="bob@firm.example")
    assert asked(http, token).json()["user"] == "bob@firm.example"
    headers = {"Authorization": f"Bearer {token}"}
    assert http.get("/api/v1/universes", headers=headers).status_code == 403


def test_keys_and_tokens_are_taken_beside_each_other_or_not_as_the_settings_say(settings, tenant):
    only = settings.model_copy(update={"auth": "entra"})
    key = "tilt_abcdef_0123456789"
    with listening(create_app(only)) as address, httpx.Client(base_url=address) as client:
        assert asked(client, tenant.token()).status_code == 200
        assert asked(client, key).status_code == 401
    keys = settings.model_copy(update={"auth": "keys"})
    with listening(create_app(keys)) as address, httpx.Client(base_url=address) as client:
        assert asked(client, tenant.token()).status_code == 401


@pytest.fixture
def rotating():
    """A tenant of its own, its keys asked for by a clock that the test moves."""
    clock = Clock()
    with entra() as own:
        yield own, Issuer(own.address, TENANT, clock=clock), clock


def checking(tokens, own, of):
    return replace(tokens, issuer=of).verify(f"Bearer {own.token(kid=list(own.keys)[-1])}").id


def test_a_key_that_is_new_is_asked_for_and_known_ones_are_not(tokens, rotating):
    own, of, clock = rotating
    assert checking(tokens, own, of) == ANNA
    assert checking(tokens, own, of) == ANNA
    assert own.asked == 1
    clock.seconds += keeping.PAUSE
    own.new_key("second")
    assert checking(tokens, own, of) == ANNA
    assert own.asked == 2


def test_unknown_keys_make_it_ask_once_a_minute_at_most(rotating):
    own, of, clock = rotating
    assert of.key("first") is not None
    for n in range(50):
        assert of.key(f"guess {n}") is None
    assert own.asked == 1
    clock.seconds += keeping.PAUSE
    assert [of.key(f"guess {n}") for n in range(50)] == [None] * 50
    assert own.asked == 2


def test_a_key_that_is_withdrawn_is_refused_within_the_hour(tokens, rotating):
    own, of, clock = rotating
    old = own.token()
    own.new_key("second")
    assert of.key("first") is not None
    del own.keys["first"]
    clock.seconds += keeping.FRESH + 1
    with pytest.raises(AccessError):
        replace(tokens, issuer=of).verify(f"Bearer {old}")


def test_while_the_issuer_is_away_its_keys_are_good_for_a_day(tokens, rotating):
    own, of, clock = rotating
    assert checking(tokens, own, of) == ANNA
    own.away = True
    clock.seconds += keeping.STALE - 1
    assert checking(tokens, own, of) == ANNA
    clock.seconds += 2
    with pytest.raises(BusyError, match="Entra ID does not answer"):
        checking(tokens, own, of)
    own.away = False
    clock.seconds += keeping.PAUSE
    assert checking(tokens, own, of) == ANNA


LIES = {
    "no HTTP": b"keys? what keys\r\n\r\n",
    "cut off": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfff\r\n{",
    "nested": b"HTTP/1.1 200 OK\r\n\r\n" + b"[" * 100_000,
    "too long": b"HTTP/1.1 200 OK\r\n\r\n" + b" " * (keeping.MOST + 1),
}


@pytest.mark.parametrize("lie", LIES)
def test_whatever_the_issuer_says_its_keys_of_before_are_good(rotating, lie):
    own, of, clock = rotating
    own.says = LIES[lie]
    with pytest.raises(BusyError, match="Entra ID does not answer"):
        of.key("first")
    own.says = b""
    clock.seconds += keeping.PAUSE
    assert of.key("first") is not None
    own.says = LIES[lie]
    clock.seconds += keeping.FRESH + 1
    assert of.key("first") is not None
    assert own.asked == 3


def test_an_answer_that_drips_is_given_up(rotating):
    own, _, _ = rotating
    of = Issuer(own.address, TENANT, clock=itertools.count(0, keeping.SECONDS + 1).__next__)
    with pytest.raises(BusyError, match="Entra ID does not answer"):
        of.key("first")
    assert own.asked == 1


def test_who_has_a_good_key_does_not_wait_while_another_asks(rotating):
    own, of, clock = rotating
    assert of.key("first") is not None
    own.came.clear()
    own.goes.clear()
    clock.seconds += keeping.FRESH + 1
    with ThreadPoolExecutor(2) as pool:
        asking = pool.submit(of.key, "first")
        assert own.came.wait(PATIENCE)
        try:
            assert pool.submit(of.key, "first").result(PATIENCE) is not None
            assert not asking.done()
        finally:
            own.goes.set()
        assert asking.result(PATIENCE) is not None


def test_settings_that_would_trust_anybody_are_refused():
    good = {"auth": "entra", "entra_tenant": TENANT, "entra_client": CLIENT}
    assert Settings(**good, host="192.0.2.1").auth == "entra"
    for wrong, said in (
        ({"entra_tenant": ""}, "TILT_ENTRA_TENANT"),
        ({"entra_tenant": "common"}, "TILT_ENTRA_TENANT"),
        ({"entra_client": "tilt"}, "TILT_ENTRA_CLIENT"),
        ({"entra_authority": "http://login.example"}, "https"),
        ({"entra_authority": "ftp://127.0.0.1"}, "https"),
        ({"entra_roles": {"Boss": "owner"}}, "viewer"),
        ({"auth": "keys+entra"}, "TILT_SECRET_KEY"),
    ):
        with pytest.raises(ValidationError, match=said):
            Settings(**{**good, **wrong})
