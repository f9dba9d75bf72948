"""A write with an Idempotency-Key is done once, however often it is sent."""

import asyncio
import datetime as dt
import hashlib
import hmac
import shutil

import httpx
import pytest
from serving import PATIENCE, listening
from sqlalchemy import create_engine, select

from tilt import audit
from tilt.api.app import create_app
from tilt.api.idempotency import Idempotency, _fingerprint
from tilt.data.catalog import open_catalog
from tilt.data.store import Store
from tilt.jobs.repeats import ABANDONED, KEPT, REPEATS, Answer, Repeats
from tilt.settings import Settings

NOW = dt.datetime(2026, 3, 2, 9, 0, tzinfo=dt.UTC)
ASKED = hashlib.sha256(b"a request").hexdigest()
UNANSWERED = Answer(ASKED, 0, "", b"")
KEYS = audit.read_keys(["a key of the audit, kept elsewhere"])
SECOND = dt.timedelta(seconds=1)
HOLDINGS = {"holdings": [["ticker", "weight"], ["AAPL", 0.6], ["MSFT", 0.4]]}


class Clock:
    """A clock that rises when it is told to."""

    def __init__(self):
        self.time = NOW

    def __call__(self):
        return self.time

    def rise(self, by):
        self.time += by


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def repeats(tmp_path, clock):
    engine = create_engine(f"sqlite:///{tmp_path / 'catalog.sqlite'}")
    yield Repeats(engine, clock)
    engine.dispose()


@pytest.fixture(scope="module")
def http(store: Store, sample_settings: Settings, tmp_path_factory):
    """A server over a catalog of its own, so that portfolios may be saved."""
    assert store.snapshot()
    folder = tmp_path_factory.mktemp("repeats") / "data"
    shutil.copytree(sample_settings.data_url, folder)
    with (
        listening(create_app(Settings(data_url=str(folder)))) as address,
        httpx.Client(
            base_url=address, headers={"X-Tilt-Client": "tests"}, timeout=PATIENCE
        ) as client,
    ):
        yield client


def put(http, name, body, key):
    headers = {"Idempotency-Key": key} if key else {}
    return http.put(f"/api/v1/portfolios/{name}", json=body, headers=headers)


def test_a_write_sent_again_gets_the_same_answer_and_is_not_done_again(http):
    first = put(http, "Once", HOLDINGS, "key-1")
    assert first.status_code < 300, first.text
    assert http.delete("/api/v1/portfolios/Once").status_code < 300
    again = put(http, "Once", HOLDINGS, "key-1")
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert http.get("/api/v1/portfolios/Once").status_code == 404, "it was saved a second time"


def test_without_a_key_a_write_is_done_each_time(http):
    assert "Idempotency-Replayed" not in put(http, "Twice", HOLDINGS, None).headers
    assert "Idempotency-Replayed" not in put(http, "Twice", HOLDINGS, None).headers


def test_a_key_used_for_another_body_is_refused(http):
    assert put(http, "Other", HOLDINGS, "key-2").status_code < 300
    other = {"holdings": [["ticker", "weight"], ["XOM", 1.0]]}
    refused = put(http, "Other", other, "key-2")
    assert refused.status_code == 422
    assert refused.headers["content-type"] == "application/problem+json"
    assert "was used for another request" in refused.json()["detail"]


def test_a_refused_write_is_refused_again_in_the_same_words(http):
    broken = {"holdings": [["ticker", "weight"], ["AAPL", "a lot"]]}
    first = put(http, "Broken", broken, "key-3")
    assert 400 <= first.status_code < 500
    assert put(http, "Broken", broken, "key-3").json() == first.json()


@pytest.mark.parametrize("key", ["a key", "k" * 129])
def test_a_key_that_is_none_is_refused(http, key):
    refused = put(http, "Bad key", HOLDINGS, key)
    assert refused.status_code == 400
    assert "1 to 128 visible ASCII characters" in refused.json()["detail"]


def test_while_the_first_is_carried_out_the_second_finds_it_unanswered(repeats):
    assert repeats.begin("ann", "k", ASKED) is None
    assert repeats.begin("ann", "k", ASKED) == UNANSWERED


def test_one_users_keys_are_nothing_to_another(repeats):
    assert repeats.begin("ann", "k", ASKED) is None
    assert repeats.begin("ben", "k", ASKED) is None


def test_an_answer_is_kept_for_a_day(repeats, clock):
    answer = Answer(ASKED, 201, "application/json", b"{}")
    repeats.begin("ann", "k", ASKED)
    repeats.finish("ann", "k", answer)
    clock.rise(KEPT - SECOND)
    assert repeats.begin("ann", "k", ASKED) == answer
    clock.rise(2 * SECOND)
    assert repeats.begin("ann", "k", ASKED) is None


def test_a_write_whose_server_died_can_be_sent_again(repeats, clock):
    assert repeats.begin("ann", "k", ASKED) is None
    assert repeats.begin("ann", "k", ASKED) == UNANSWERED
    clock.rise(ABANDONED + SECOND)
    assert repeats.begin("ann", "k", ASKED) is None
    assert repeats.begin("ann", "k", ASKED) == UNANSWERED, "it is carried out anew"


def test_a_write_of_another_server_whose_clock_is_behind_is_not_done_twice(repeats, clock):
    """It looks old from here, but has not been watched for long: it may be carried out just now."""
    behind = Repeats(repeats._engine, lambda: NOW - 2 * ABANDONED)
    assert behind.begin("ann", "k", ASKED) is None
    assert repeats.begin("ann", "k", ASKED) == UNANSWERED
    clock.rise(ABANDONED - SECOND)
    assert repeats.begin("ann", "k", ASKED) == UNANSWERED


def kept_requests(engine):
    with engine.connect() as connection:
        return connection.execute(select(REPEATS.c.request)).scalars().all()


def test_what_was_asked_cannot_be_guessed_from_what_is_kept(tmp_path):
    engine = open_catalog(f"sqlite:///{tmp_path / 'c.sqlite'}", audit_keys=KEYS)
    repeats = Repeats(engine)
    assert repeats.begin("ann", "k1", ASKED) is None
    assert repeats.begin("ann", "k2", ASKED) is None
    one, other = kept_requests(engine)
    assert len(one) == len(other) == 64
    assert one[16:] != other[16:], "equal requests look equal"
    for kept in (one, other):
        guess = hmac.new(b"", f"{kept[:16]}{ASKED}".encode(), "sha256").hexdigest()
        assert kept[16:] not in (ASKED[:48], ASKED[16:], guess[:48])
    assert repeats.begin("ann", "k1", ASKED) == UNANSWERED
    assert repeats.begin("ann", "k1", "0" * 64).request != "0" * 64
    engine.dispose()


def test_a_key_that_is_replaced_still_knows_the_requests_of_before(tmp_path):
    url = f"sqlite:///{tmp_path / 'c.sqlite'}"
    open_catalog(url).dispose()
    old, new = "the key of before, long", "the key of now, long too"
    for keys in ([], [old], [new, old]):  # none so far, then one, then another one
        engine = open_catalog(url, audit_keys=audit.read_keys(keys))
        repeats = Repeats(engine)
        repeats.begin("ann", f"written with {len(keys)}", ASKED)
        for before in range(len(keys) + 1):
            assert repeats.begin("ann", f"written with {before}", ASKED) == UNANSWERED
        engine.dispose()
    engine = open_catalog(url, audit_keys=audit.read_keys([new]))
    assert Repeats(engine).begin("ann", "written with 1", ASKED).request != ASKED
    engine.dispose()


def test_a_write_without_a_final_answer_can_be_sent_again(repeats):
    assert repeats.begin("ann", "k", ASKED) is None
    repeats.forget("ann", "k")
    assert repeats.begin("ann", "k", ASKED) is None


def test_an_answer_is_on_record_before_the_client_has_any_of_it(repeats):
    seen = []

    async def app(_scope, _receive, send):
        await send({"type": "http.response.start", "status": 201, "headers": []})
        await send({"type": "http.response.body", "body": b"{", "more_body": True})
        await send({"type": "http.response.body", "body": b"}"})

    async def receive():
        return {"type": "http.request", "body": b"{}", "more_body": False}

    async def send(message):
        known = repeats.begin("", "k", asked())
        seen.append((message["type"].rpartition(".")[2], known.status, known.body))

    def asked():
        return _fingerprint(scope, b"{}")

    scope = {"type": "http", "method": "POST", "path": "/api/v1/x", "query_string": b"",
             "headers": [(b"idempotency-key", b"k")]}  # fmt: skip
    asyncio.run(Idempotency(app, repeats, repeats._engine)(scope, receive, send))
    assert seen == [("start", 201, b"{}"), ("body", 201, b"{}"), ("body", 201, b"{}")]
