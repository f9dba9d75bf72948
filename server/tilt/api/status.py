"""Is it alive, is it ready, what does it serve."""

import asyncio

import orjson
import pandas as pd
from fastapi import APIRouter, Request, Response

import tilt
from tilt.api.metrics import CONTENT_TYPE
from tilt.api.running import running
from tilt.api.state import USER, State
from tilt.data.store import Store
from tilt.errors import UnknownNameError

router = APIRouter()


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
        ("user", USER.get()),
        ("as_of", pd.Timestamp(snapshot.as_of) if snapshot else None),
        ("snapshot", snapshot.id if snapshot else missing),
        ("last refresh", pd.Timestamp(snapshot.created) if snapshot else None),
        ("pending jobs", state.pending()),
        ("cache", f"{len(state.models)} risk models, {len(state.results)} results"),
    ]
    for operation, row in state.durations.summary().iterrows():
        shown = ", ".join(f"{k} {1e3 * row[k]:.1f} ms" for k in ("avg", "max", "min", "p99"))
        items.append((f"duration {operation}", f"{int(row['calls'])} calls; {shown}"))
    return items


@router.get("/health/live")
async def live() -> dict[str, str]:
    """Answer as long as the process answers at all."""
    return {"status": "live"}


@router.get("/health")
@router.get("/health/ready")
async def ready(request: Request) -> Response:
    """Answer 200 when there is data to serve, else 503 with the reason."""
    missing = await asyncio.to_thread(snapshot_problem, running(request).state.store)
    body = {"status": "not ready", "reason": missing} if missing else {"status": "ready"}
    return Response(
        orjson.dumps(body), status_code=503 if missing else 200, media_type="application/json"
    )


@router.get("/metrics", include_in_schema=False)
async def metrics(request: Request) -> Response:
    """Return the figures that a monitoring system keeps, as Prometheus reads them."""
    text = await asyncio.to_thread(running(request).metrics.text)
    return Response(text, media_type=CONTENT_TYPE)


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
