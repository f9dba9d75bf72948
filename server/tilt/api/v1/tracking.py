"""Tracking error against turnover: the trade-off behind the pane's tab Tracking error."""

from fastapi import APIRouter, Request
from pydantic import Field

from tilt import __version__ as tilt_version
from tilt.api import tasks
from tilt.api.optimizations import asked_as
from tilt.api.running import Running
from tilt.api.v1.analysis import ProblemBody, context_of, posed_of
from tilt.api.v1.asking import StrictRoute, in_pool, owner_of
from tilt.api.v1.jobs import job_body
from tilt.optimize.posing import open_case
from tilt.optimize.turnover_curve import FEWEST, MOST, POINTS

router = APIRouter(tags=["analysis"], route_class=StrictRoute)


class CurveBody(ProblemBody):
    """A problem, and how many points its curve has. Its objective is not used."""

    points: int = Field(default=POINTS, ge=FEWEST, le=MOST)


@router.post("/tracking-error", status_code=202)
async def tracking_error(body: CurveBody, request: Request) -> dict[str, object]:
    """Find the least tracking error at each turnover, as a job; turnover rules are left aside.

    The job's result is ``{"curve": turnover, tracking_error, names, "holdings": tracking error as
    it is, "messages"}``.
    """
    owner = owner_of(request)

    def work(tilt: Running) -> dict[str, object]:
        book, problem = posed_of(tilt.state, body)
        open_case(problem)  # raises here what the job would raise later
        job = tilt.state.jobs.submit(
            tasks.trace_turnover_curve,
            problem,
            body.points,
            owner=owner,
            key=f"turnover curve {tilt_version} {asked_as(problem)} {body.points}",
            title="Tracking error against turnover",
            snapshot=book.panel.snapshot,
        )
        return {**job_body(tilt, job), "context": context_of(book)}

    return await in_pool(request, work)
