"""What data there is, how good it is, what may be chosen from it, and a fresh copy of it."""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import Field

from tilt.api import permission, tasks
from tilt.api.optimizer_choices import optimizer_choices
from tilt.api.running import Running
from tilt.api.v1.asking import Body, StrictRoute, Universe, in_pool, owner_of
from tilt.api.v1.jobs import job_body
from tilt.api.v1.quality import counts_by_severity
from tilt.api.v1.sources import allowed
from tilt.data.store import Store
from tilt.errors import NotAllowedError, cut
from tilt.security.deciding import Thing

router = APIRouter(tags=["data"], route_class=StrictRoute)


Asked = Annotated[str | None, Query(max_length=200)]


@router.get("/data")
async def data(request: Request, universe: Asked = None) -> dict[str, object]:
    """Describe the data of a universe: snapshot, source, coverage, how many findings."""
    return await in_pool(request, lambda tilt: _described(tilt.state.store, universe))


def _described(store: Store, universe: str | None) -> dict[str, object]:
    snapshot = store.snapshot(universe)
    panel = store.panel(snapshot.universe)
    last = panel.close.iloc[-1].notna()
    return {
        "universe": snapshot.universe,
        "description": snapshot.description,
        "source": snapshot.source,
        "survivorship": snapshot.survivorship,
        "snapshot": snapshot.id,
        "last_refresh": snapshot.created.isoformat(),
        "first_date": snapshot.first_date.isoformat(),
        "as_of": snapshot.as_of.isoformat(),
        "days": len(panel.dates),
        "securities": snapshot.securities,
        "securities_now": int(last.sum()),
        "factors": len(panel.factors.factors) if snapshot.has_factors else 0,
        "findings": counts_by_severity(store.findings(snapshot.universe)),
    }


@router.get("/choices")
async def choices(request: Request, universe: Asked = None) -> dict[str, object]:
    """List what may be chosen: objectives, rules, options, sectors, factors, tickers, names."""
    return await in_pool(request, lambda tilt: _choices(tilt.state.store, universe))


def _choices(store: Store, universe: str | None) -> dict[str, object]:
    panel = store.panel(universe)
    return {
        "universe": panel.universe,
        "universes": [str(n) for n in store.universes()["name"]],
        "portfolios": [str(n) for n in store.portfolios()["name"]],
        **optimizer_choices(panel),
    }


class RefreshBody(Body):
    """What to refresh, from where."""

    source: str | None = Field(
        default=None, max_length=4100,
        description="'sample', a folder in the data folder, or a vendor and what to ask it for; "
        "unless given, where the universe's data came from.",
    )  # fmt: skip
    universe: Universe = None


@router.post("/data/refresh", status_code=202)
async def refresh(body: RefreshBody, request: Request) -> dict[str, object]:
    """Fetch, check and store data anew, as a job; one that does the same already is joined.

    With a source and a universe, the source's data is kept under the universe's name.
    """
    owner = owner_of(request)

    def work(tilt: Running) -> dict[str, object]:
        store = tilt.state.store
        source = "" if body.source is None else allowed(store, body.source)
        universe = (body.universe or "").strip()
        if not source and store.snapshots():
            universe = store.data_universe(body.universe)  # whose data a rule chooses from
            words = f"'{store.snapshot(body.universe).universe}' is refreshed with another one."
            thing = Thing("universe", universe)
            permission.require("write", thing, lambda: NotAllowedError(words))
        else:
            words = "Only an administrator begins with another source."
            thing = Thing("server", "data")
            permission.require("administer", thing, lambda: NotAllowedError(words))
        return started(tilt, owner, source=source, universe=universe)

    return await in_pool(request, work)


def started(tilt: Running, owner: str, *, source: str, universe: str) -> dict[str, object]:
    """Start a refresh as a job, or join the owner's that does the same; return it as JSON."""
    jobs, settings = tilt.state.jobs, tilt.state.settings
    what = " from ".join(cut(name, 60) for name in (universe, source) if name)
    title = f"Refresh {what or 'the data'}"
    for job in jobs.listed(owner):
        if job.pending and job.title == title:
            return job_body(tilt, job)
    job = jobs.submit(
        tasks.refresh_data,
        settings.data_url,
        settings.default_universe,
        source,
        universe,
        owner=owner,
        key=f"refresh {dt.datetime.now(dt.UTC).isoformat()}",
        title=title,
    )
    return job_body(tilt, job)
