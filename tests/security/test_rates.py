"""Nobody takes the server from the others: requests of a key's owner are counted by the minute."""

from contextlib import contextmanager

import httpx
import pytest
from serving import PATIENCE, listening

from tilt import security
from tilt.api.app import create_app
from tilt.settings import Settings

SECRET = "0123456789abcdef0123456789abcdef"
CALL = "/xlwings/custom-functions-call"
BODY = {"func_name": "version", "args": []}


@pytest.fixture
def served(store, sample_settings):
    assert store.snapshot()

    @contextmanager
    def served(**more):
        settings = Settings(**{**sample_settings.model_dump(), **more})
        with listening(create_app(settings)) as address:
            yield lambda key: httpx.Client(
                base_url=address,
                timeout=PATIENCE,
                headers={"X-Tilt-Client": "tests", "Authorization": f"Bearer {key}"},
            )

    return served


def test_who_asks_too_often_is_told_when_to_come_back_and_the_others_go_on(served, store):
    ann, bob = (security.create_key(store.catalog, n, secret=SECRET).key for n in ("Ann", "Bob"))
    with (
        served(auth="keys", secret_key=SECRET, requests_per_minute=3) as client,
        client(ann) as hers,
        client(bob) as his,
    ):
        assert [hers.post(CALL, json=BODY).status_code for _ in range(3)] == [200, 200, 200]
        refused = hers.post(CALL, json=BODY)
        assert refused.status_code == 429
        assert 1 <= int(refused.headers["Retry-After"]) <= 60
        said = refused.json()
        assert said["retry_after"] == int(refused.headers["Retry-After"])  # for the add-in
        assert said["cell"] == "#N/A"
        assert said["detail"].startswith("More than 3 requests in a minute. Wait ")
        assert refused.headers["X-Content-Type-Options"] == "nosniff"
        assert his.post(CALL, json=BODY).status_code == 200
        assert hers.get("/health/live").status_code == 200, "what is open to all is not counted"


def test_a_second_key_of_the_same_owner_is_no_way_around(served, store):
    keys = [security.create_key(store.catalog, "Ann", secret=SECRET).key for _ in range(2)]
    with served(auth="keys", secret_key=SECRET, requests_per_minute=2) as client:
        answers = []
        for key in (*keys, keys[0]):
            with client(key) as http:
                answers.append(http.post(CALL, json=BODY).status_code)
        assert answers == [200, 200, 429]


@pytest.mark.parametrize("given", [{"auth": "off"}, {"auth": "keys", "requests_per_minute": 0}])
def test_on_ones_own_machine_and_without_a_limit_all_come_through(served, store, given):
    key = security.create_key(store.catalog, "Ann", secret=SECRET).key
    settings = {"requests_per_minute": 1, "secret_key": SECRET, **given}
    with served(**settings) as client, client(key) as http:
        assert [http.post(CALL, json=BODY).status_code for _ in range(3)] == [200, 200, 200]
