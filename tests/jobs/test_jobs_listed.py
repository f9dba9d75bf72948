"""The list of jobs over HTTP: it opens no results."""

import asyncio
import datetime as dt
from types import SimpleNamespace

from tilt.api.v1 import jobs as routes
from tilt.jobs import Job

NOW = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)
DONE = Job("1", "key", "ann", "Backtest", "f", "done", "done", 1.0, 1, "sha", "", "", NOW, NOW, NOW)


def test_a_job_whose_result_is_lost_is_listed_like_any_other(monkeypatch):
    def lost(*_):
        raise AssertionError("the list asked for a result")

    there = SimpleNamespace(listed=lambda *_, **__: [DONE], result=lost)
    running = SimpleNamespace(state=SimpleNamespace(jobs=there))

    async def here(_request, work):
        return work(running)

    monkeypatch.setattr(routes, "in_pool", here)
    (listed,) = asyncio.run(routes.jobs(SimpleNamespace(scope={}), limit=20))["jobs"]
    assert (listed["id"], listed["state"], listed["result"]) == ("1", "done", None)
