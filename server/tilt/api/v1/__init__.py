"""The HTTP interface for people's own programs and for the task pane, under ``/api/v1``."""

from fastapi import APIRouter

from tilt.api.v1 import analysis, data, jobs, portfolios, quality, reports

router = APIRouter(prefix="/api/v1")
for part in (data, quality, portfolios, analysis, jobs, reports):
    router.include_router(part.router)
