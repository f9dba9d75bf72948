"""Runs: what is behind the numbers that were computed for you, and the same computed again."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from tilt.api.frames import split
from tilt.api.running import Running
from tilt.api.traces import listed_runs, submit_verify, trace_body
from tilt.api.v1.asking import in_pool, owner_of
from tilt.api.v1.jobs import job_body

router = APIRouter(tags=["runs"])

Limit = Annotated[int, Query(ge=1, le=1000)]
Offset = Annotated[int, Query(ge=0, le=100_000)]


@router.get("/runs")
async def runs(request: Request, limit: Limit = 100, offset: Offset = 0) -> dict[str, object]:
    """List your runs, the newest first."""

    def work(tilt: Running) -> dict[str, object]:
        found = listed_runs(tilt.state, most=limit, after=offset)
        return {"runs": split(found), "limit": limit, "offset": offset}

    return await in_pool(request, work)


@router.get("/runs/{run}")
async def one_run(run: str, request: Request) -> dict[str, object]:
    """Tell everything behind a run of yours: question, data, conventions, versions, digests."""
    return await in_pool(request, lambda tilt: trace_body(tilt.state, run))


@router.post("/runs/{run}/verify", status_code=202)
async def verify(run: str, request: Request) -> dict[str, object]:
    """Compute a run of yours again, as a job, on its own snapshot.

    The job's result is ``{"equal": true or false, "tables": table, rows, numbers, equal}``.
    """
    owner = owner_of(request)
    return await in_pool(
        request, lambda tilt: job_body(tilt, submit_verify(tilt.state, run, owner))
    )
