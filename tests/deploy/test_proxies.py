"""A proxy before Tilt, as the recipe has it."""

import re
from pathlib import Path

import uvicorn

from tilt.cli import serving
from tilt.settings import Settings

RECIPE = Path(__file__).parents[2] / "server" / "deploy" / "nginx.conf"


def test_a_connection_outlasts_what_the_proxy_keeps(monkeypatch):
    """Or the proxy would send a request into one that the server is just closing."""
    given = {}
    monkeypatch.setattr(uvicorn, "run", lambda _, **options: given.update(options))
    serving._run(Settings(), "an application")
    upstream = re.search(r"upstream tilt \{(.*?)\n\}", RECIPE.read_text(encoding="utf-8"), re.S)
    kept = int(re.search(r"keepalive_timeout (\d+)s;", upstream[1])[1])
    assert given["timeout_keep_alive"] > kept
