"""A little of what ``fuzz.py`` does at length; and that it would see what it looks for."""

import shutil

import httpx
import pytest
from security.fuzz import fuzz, problems
from serving import listening

from tilt.api.app import create_app
from tilt.settings import Settings

SAFE = {"X-Content-Type-Options": "nosniff"}


def test_no_strange_request_breaks_the_server(store, sample_settings, tmp_path):
    assert store.snapshot()
    shutil.copytree(sample_settings.data_url, tmp_path / "data")
    settings = Settings(data_url=str(tmp_path / "data"), processes=0)
    with listening(create_app(settings)) as address:
        heard = fuzz(address, requests=100, start=7)
    assert heard.wrong == []
    assert heard.requests > 100
    assert set(heard.kinds) == {"described", "envelope", "raw"}
    assert heard.health


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (httpx.Response(500, headers=SAFE), "status 500"),
        (httpx.Response(503, headers=SAFE), "status 503"),
        (httpx.Response(200, json={"results": [{"status": 500}]}, headers=SAFE), "failed inside"),
        (httpx.Response(400, text='File "/srv/x.py", line 1', headers=SAFE), "in an answer"),
        (httpx.Response(200), "no safe headers"),
    ],
)
def test_what_should_not_be_is_seen(answer, problem):
    assert problem in " ".join(problems(answer))


def test_a_busy_server_that_says_when_to_come_back_is_no_problem():
    assert problems(httpx.Response(503, headers={**SAFE, "Retry-After": "1"})) == []
