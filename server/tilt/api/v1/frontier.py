"""The efficient frontier, as a job."""

from fastapi import APIRouter, Request
from pydantic import Field

from tilt import __version__ as tilt_version
from tilt.api.frontiers import trace_job
from tilt.api.optimizations import asked_as
from tilt.api.running import Running
from tilt.api.v1.analysis import ProblemBody, context_of, posed_of
from tilt.api.v1.asking import StrictRoute, in_pool, owner_of
from tilt.api.v1.jobs import job_body
from tilt.optimize.frontier import FEWEST, MOST, POINTS
from tilt.optimize.posing import open_case

router = APIRouter(tags=["analysis"], route_class=StrictRoute)


class FrontierBody(ProblemBody):
    """A problem, and how many points its frontier has."""

    points: int = Field(default=POINTS, ge=FEWEST, le=MOST)


@router.post("/frontier", status_code=202)
async def frontier(body: FrontierBody, request: Request) -> dict[str, object]:
    """Find the least risk for each return, as a job; all rules hold at every point.

    The job's result has the tables frontier, weights and corners, the names of the axes, and
    where the holdings and the benchmark stand.
    """
    owner = owner_of(request)

    def work(tilt: Running) -> dict[str, object]:
        book, problem = posed_of(tilt.state, body)
        open_case(problem)  # raises here what the job would raise later
        job = tilt.state.jobs.submit(
            trace_job,
            problem,
            body.points,
            owner=owner,
            key=f"traced frontier {tilt_version} {asked_as(problem)} {body.points}",
            title="Efficient frontier",
            snapshot=book.panel.snapshot,
        )
        return {**job_body(tilt, job), "context": context_of(book)}

    return await in_pool(request, work)
