"""Is it alive, is it ready, what does it serve."""

import asyncio
import logging
import os
import platform

import orjson
import pandas as pd
from fastapi import APIRouter, Request, Response
from sqlalchemy.exc import SQLAlchemyError

import tilt
from tilt.api import permission
from tilt.api.metrics import CONTENT_TYPE
from tilt.api.running import running
from tilt.api.seen import whole
from tilt.api.state import State
from tilt.data.catalog import version_problem
from tilt.data.store import Store
from tilt.errors import NotAllowedError, TiltError, UnknownNameError
from tilt.security.deciding import Thing

log = logging.getLogger(__name__)

router = APIRouter()


def why_not_ready(state: State) -> str:
    """Return why the server should be sent nothing now, or an empty text."""
    if state.leaving.told:
        return "The server is ending."
    try:
        waiting = version_problem(state.store.catalog)
        return waiting or snapshot_problem(whole(state.store))
    except (TiltError, SQLAlchemyError, OSError) as error:
        log.warning("not ready: %s", error)
        words = str(error) if isinstance(error, TiltError) else "The server's log has the details."
        return f"The catalog or the store cannot be used. {words}"


def snapshot_problem(store: Store) -> str:
    """Return why there is no data to serve, or an empty text."""
    try:
        store.snapshot()
    except UnknownNameError as error:
        return str(error)
    return ""


def status_items(state: State) -> list[tuple[str, object]]:
    """Return what ``STATUS()`` shows: item and value."""
    missing = snapshot_problem(state.store)
    snapshot = None if missing else state.store.snapshot()
    items: list[tuple[str, object]] = [
        ("connected", True),
        ("version", tilt.__version__),
        ("user", permission.who().name),
        ("as_of", pd.Timestamp(snapshot.as_of) if snapshot else None),
        ("snapshot", snapshot.id if snapshot else missing),
        ("last refresh", pd.Timestamp(snapshot.created) if snapshot else None),
        ("pending jobs", state.pending()),
        ("cache", f"{len(state.models)} risk models, {len(state.results)} results"),
        ("process", process_name(state)),
    ]
    for operation, row in state.durations.summary().iterrows():
        shown = ", ".join(f"{k} {1e3 * row[k]:.1f} ms" for k in ("avg", "max", "min", "p99"))
        items.append((f"duration {operation}", f"{int(row['calls'])} calls; {shown}"))
    return items


def process_name(state: State) -> str:
    """Return which of the processes that serve answers; what is cached is its own."""
    many = state.settings.workers
    name = f"{os.getpid()} on {platform.node()}"
    return name if many == 1 else f"{name}, one of {many}"


@router.get("/health/live")
async def live() -> dict[str, str]:
    """Answer as long as the process answers at all."""
    return {"status": "live"}


@router.get("/health")
@router.get("/health/ready")
async def ready(request: Request) -> Response:
    """Answer 200 when there is data to serve, else 503 with the reason."""
    missing = await asyncio.to_thread(why_not_ready, running(request).state)
    body = {"status": "not ready", "reason": missing} if missing else {"status": "ready"}
    return Response(
        orjson.dumps(body), status_code=503 if missing else 200, media_type="application/json"
    )


@router.get("/metrics", include_in_schema=False)
async def metrics(request: Request) -> Response:
    """Return the figures that a monitoring system keeps, as Prometheus reads them."""
    metrics = running(request).metrics
    may_watch()
    text = await asyncio.to_thread(metrics.text)
    return Response(text, media_type=CONTENT_TYPE)


def may_watch() -> None:
    """Refuse who was not granted the figures: they name universes and tell what others do.

    Raises
    ------
    NotAllowedError
        If the caller was not.
    """
    words = (
        "The figures are for who was granted them: "
        "'tilt user grant NAME read server metrics', on the server."
    )
    permission.require("read", Thing("server", "metrics"), lambda: NotAllowedError(words))


@router.get("/api/v1/status")
async def status(request: Request) -> dict[str, object]:
    """Return version, data, and how long operations took, in seconds."""
    state = running(request).state
    items = await asyncio.to_thread(status_items, state)
    body = {k: _plain(v) for k, v in items if not k.startswith("duration ")}
    durations = state.durations.summary()
    return {**body, "durations": durations.to_dict(orient="index")}


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, pd.Timestamp) else value
