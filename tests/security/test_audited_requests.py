"""What a request leaves in the audit, by how it was answered; what a job leaves on record."""

import asyncio
from contextvars import copy_context
from types import SimpleNamespace

import pytest

from tilt.api import permission, seen_jobs
from tilt.api.audited import Audited
from tilt.api.seen_jobs import SeenJobs
from tilt.api.trail import STRANGERS, counted
from tilt.audit import NOBODY, Actor, Entry
from tilt.security.deciding import Thing, Who

ANN = Who("ann", roles=frozenset({"analyst"}))


def entry_of(app, path="/api/v1/optimize"):
    """Return how a request to an application is told, and what the entry says; None for none."""
    told = []
    trail = SimpleNamespace(
        gather=lambda entry: told.append(("gathered", entry)),
        add=lambda entry: told.append(("added", entry)),
    )
    scope = {"type": "http", "method": "POST", "path": path, "headers": []}
    sent = []

    async def send(message):
        sent.append(message)

    audited = Audited(app, trail, catalog=None)
    asyncio.run(audited(scope, None, send))
    return next(iter(told), None)


def answering(status):
    async def app(_scope, _receive, send):
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body"})

    return app


@pytest.mark.parametrize(
    ("status", "how", "action"),
    [(202, "added", "asked"), (401, "gathered", "refused"), (429, "gathered", "refused")],
)
def test_what_is_asked_is_on_record_at_once_and_refusals_are_gathered(status, how, action):
    told, entry = entry_of(answering(status))
    assert (told, entry.action, entry.detail["status"]) == (how, action, status)


def test_a_request_that_fails_inside_is_told_too():
    told = []

    async def failing(_scope, _receive, _send):
        raise OSError("the disk is gone")

    class Kept(Audited):
        async def _note(self, scope, status):
            told.append((scope["path"], status))

    audited = Kept(failing, trail=None, catalog=None)
    scope = {"type": "http", "method": "POST", "path": "/api/v1/optimize", "headers": []}
    with pytest.raises(OSError, match="the disk is gone"):
        asyncio.run(audited(scope, None, None))
    assert told == [("/api/v1/optimize", 500)]


def test_a_button_that_is_none_is_not_told_by_the_name_that_somebody_made_up():
    async def app(scope, _receive, send):
        scope["route"] = SimpleNamespace(path="/xlwings/custom-scripts-call/{name}")
        await answering(404)(scope, _receive, send)

    names = {
        name: entry_of(app, f"/xlwings/custom-scripts-call/{name}")[1].subject
        for name in ("save", "A Client Of Ours")
    }
    assert names == {"save": "button save", "A Client Of Ours": "button that is none"}


def test_addresses_that_nobody_made_up_are_no_flood_of_entries():
    tries = [
        Entry("refused", f"GET /api/v1/{n}", {"status": 401}, actor=NOBODY) for n in range(500)
    ]
    known = Entry("refused", "GET /api/v1/audit", {"status": 403}, actor=Actor("ann", "pane"))
    made = counted([*tries, known, known])
    assert len(made) == STRANGERS + 1
    assert [entry.detail["times"] for entry in made[-2:]] == [500 - STRANGERS + 1, 2]
    assert made[-1].subject == "GET /api/v1/audit"


def test_a_job_that_is_asked_for_again_and_again_is_written_down_once(monkeypatch):
    written = []
    monkeypatch.setattr(seen_jobs.permission, "remember", lambda _, what: written.append(what.name))
    whole = SimpleNamespace(submit=lambda *_, **__: SimpleNamespace(id="job"))
    jobs = SeenJobs(whole, catalog=None)

    def ask():
        permission.let_in(ANN)
        for name in ("ALL", "ALL", "ALL", "Growth", "Growth"):
            permission.touch([Thing("portfolio", name)])
            jobs.submit(print, owner="ann", key="key", title="title")

    copy_context().run(ask)
    assert written == ["job", "job"]  # once more when it rests on more
