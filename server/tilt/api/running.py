"""The parts of one running application, and how a route reaches them."""

from dataclasses import dataclass

from starlette.requests import Request

from tilt.api.bridge import Shipped
from tilt.api.metrics import Metrics
from tilt.api.pool import Pool
from tilt.api.state import State, enter


@dataclass(frozen=True, eq=False)
class Running:
    """One application: its state, its threads, the scripts it may run, and what it ships."""

    state: State
    pool: Pool
    scripts: frozenset[str]
    shipped: Shipped
    metrics: Metrics


def running(request: Request) -> Running:
    """Return the application that answers a request, its state entered for the request's user."""
    tilt = request.app.state.tilt
    if not isinstance(tilt, Running):
        raise TypeError("the application was not made by create_app")
    told = request.scope.setdefault("state", {})
    if told.get("entered") != id(tilt):  # once: what the entrance lets the caller do would be lost
        told["entered"] = id(tilt)
        enter(tilt.state, told.get("user", ""), told.get("who"), told.get("touched"))
    return tilt
