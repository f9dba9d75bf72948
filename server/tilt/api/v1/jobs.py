"""Jobs: how far they are, what they gave, and an end to them."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from tilt.api.running import Running
from tilt.api.runs import keep_body
from tilt.api.v1.asking import in_pool, owner_of
from tilt.jobs import Job

router = APIRouter(tags=["jobs"])


def job_body(tilt: Running, job: Job) -> dict[str, object]:
    """Return a job as JSON; its ``result`` is there once it is done."""
    return {**_without_result(job), "result": _result(tilt, job) if job.state == "done" else None}


def _without_result(job: Job) -> dict[str, object]:
    return {
        "id": job.id,
        "title": job.title,
        "state": job.state,
        "stage": job.stage,
        "fraction": job.fraction,
        "elapsed": round(job.elapsed, 3),
        "submitted": job.submitted.isoformat(),
        "error": job.error,
        "result": None,
    }


def _result(tilt: Running, job: Job) -> object:
    """Return what a job gave; one with a run id is on record before anybody sees it."""
    return keep_body(tilt.state, job.owner, tilt.state.jobs.result(job.id, job.owner))


@router.get("/jobs")
async def jobs(
    request: Request, limit: Annotated[int, Query(ge=1, le=100)] = 20
) -> dict[str, object]:
    """List your jobs, the newest first, without their results."""
    owner = owner_of(request)

    def work(tilt: Running) -> dict[str, object]:
        found = tilt.state.jobs.listed(owner, most=limit)
        return {"jobs": [_without_result(job) for job in found]}

    return await in_pool(request, work)


@router.get("/jobs/{job}")
async def job_state(job: str, request: Request) -> dict[str, object]:
    """Say how far a job is, and give its result once it is done."""
    owner = owner_of(request)
    return await in_pool(request, lambda tilt: job_body(tilt, tilt.state.jobs.get(job, owner)))


@router.delete("/jobs/{job}")
async def cancel_job(job: str, request: Request) -> dict[str, object]:
    """Cancel a job that waits or runs; one that has ended stays as it is."""
    owner = owner_of(request)
    return await in_pool(request, lambda tilt: job_body(tilt, tilt.state.jobs.cancel(job, owner)))
