"""Nothing that was acknowledged is lost, and nothing that is sent again is done again.

Small rounds; ``writers.py`` and ``replays.py`` do as many as wanted.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import httpx
import replays
import writers
from sqlalchemy import Column, Engine, Integer, MetaData, Table, func, insert, select
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tilt.api.idempotency import Idempotency
from tilt.data.catalog import open_catalog
from tilt.jobs.repeats import Repeats
from tilt.security.deciding import LOCAL
from tilt.settings import Settings

EFFECTS = Table("effects", MetaData(), Column("number", Integer))


class Forgetful(Repeats):
    """Remembers nothing, so that every copy of a write is carried out."""

    def begin(self, owner, key, request):
        return None

    def finish(self, owner, key, answer):
        pass


def test_of_two_writers_commits_none_is_lost(either_database, tmp_path):
    settings = Settings(data_url=str(tmp_path), database_url=either_database)
    with ThreadPoolExecutor(2) as pool:
        written = writers.run(settings, 60, pool)
    assert (written.acknowledged, written.lost, written.stale) == (120, 0, ())


def test_commits_that_are_lost_would_be_missed(tmp_path):
    settings = Settings(data_url=str(tmp_path))
    with ThreadPoolExecutor(2) as pool:
        written = writers.run(settings, 3, pool, writers.Meeting().save)
    assert written.lost == 3, "of each two the one written last is left"


def replayed(url, remember, writes):
    """Replay writes on two servers, each with an engine of its own."""
    engines = [open_catalog(url) for _ in range(2)]
    EFFECTS.metadata.create_all(engines[0])
    clients = [_client(engine, remember(engine)) for engine in engines]

    def effects():
        with engines[0].connect() as connection:
            return connection.execute(select(func.count()).select_from(EFFECTS)).scalar_one()

    async def run():
        try:
            return await replays.replay([_posting(c) for c in clients], writes, effects)
        finally:
            for client in clients:
                await client.aclose()

    try:
        return asyncio.run(run())
    finally:
        for engine in engines:
            engine.dispose()


def _client(engine: Engine, repeats: Repeats) -> httpx.AsyncClient:
    async def write(request: Request) -> JSONResponse:
        number = (await request.json())["number"]

        def commit() -> None:
            with engine.begin() as connection:
                connection.execute(insert(EFFECTS).values(number=number))

        await asyncio.to_thread(commit)
        return JSONResponse({"number": number}, 201)

    app = Idempotency(
        Starlette(routes=[Route("/api/v1/x", write, methods=["POST"])]), repeats, engine
    )

    async def let_in(scope, receive, send):
        scope["state"] = {"user": LOCAL.id, "who": LOCAL, "touched": set()}
        await app(scope, receive, send)

    return httpx.AsyncClient(transport=httpx.ASGITransport(let_in), base_url="http://test")


def _posting(client: httpx.AsyncClient) -> replays.Send:
    async def send(number: int, key: str) -> httpx.Response:
        headers = {"Idempotency-Key": key}
        return await client.post("/api/v1/x", json={"number": number}, headers=headers)

    return send


def test_a_write_sent_six_times_at_once_to_two_servers_has_one_effect(either_database):
    seen = replayed(either_database, Repeats, 25)
    assert (seen.effects, seen.different) == (25, ())
    assert seen.statuses[201] == 25 * 2 * replays.COPIES


def test_a_write_that_is_done_again_would_be_counted(tmp_path):
    seen = replayed(f"sqlite:///{tmp_path / 'catalog.sqlite'}", Forgetful, 2)
    assert seen.effects == 2 * 2 * replays.COPIES
