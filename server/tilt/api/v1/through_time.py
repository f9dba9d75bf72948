"""A problem on many dates, as a job."""

from fastapi import APIRouter, Request
from pydantic import Field

from tilt.api.running import Running
from tilt.api.through_time import Asked, dates_of, submit_through_time
from tilt.api.v1.analysis import ProblemBody, stated_in
from tilt.api.v1.asking import StrictRoute, grid_of, in_pool, owner_of
from tilt.api.v1.jobs import job_body
from tilt.errors import ArgumentError

router = APIRouter(tags=["analysis"], route_class=StrictRoute)


class ThroughTimeBody(ProblemBody):
    """A problem, and when it is to be solved: a schedule, or dates."""

    schedule: str | None = Field(default=None, max_length=10, description="D, W, M, Q or Y.")
    start: str | None = Field(default=None, max_length=40)
    end: str | None = Field(default=None, max_length=40)
    dates: list[str] = Field(default=[], max_length=2600)


@router.post("/optimize/through-time", status_code=202)
async def through_time(body: ThroughTimeBody, request: Request) -> dict[str, object]:
    """Solve on each date with what was known then, from the weights that drifted there, as a job.

    The job's result has the tables summary (date, objective, turnover, names, status) and weights
    (date, ticker, weight), and messages.
    """
    owner = owner_of(request)

    def work(tilt: Running) -> dict[str, object]:
        state, most = tilt.state, tilt.state.settings.max_cells
        posed = stated_in(state, body)
        when = {"schedule": body.schedule, "start": body.start, "end": body.end}
        dates = dates_of(state.panel(posed.universe), {**when, "dates": ",".join(body.dates)})
        if not dates:
            raise ArgumentError("Give a schedule (D, W, M, Q, Y) or dates.")
        asked = Asked(
            grid_of(body.holdings, "holdings", most) or [[None]],
            posed,
            grid_of(body.alpha, "alpha", most),
            grid_of(body.views, "views", most),
            dates,
        )
        return job_body(tilt, submit_through_time(state, asked, owner))

    return await in_pool(request, work)
