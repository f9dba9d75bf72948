"""The HTTP interface for people's own programs and for the task pane, under ``/api/v1``."""

from fastapi import APIRouter

from tilt.api.v1 import (
    analysis,
    audit,
    configurations,
    data,
    factors,
    frontier,
    imports,
    jobs,
    own_data,
    people,
    performance,
    portfolio_risk,
    portfolios,
    quality,
    reports,
    runs,
    securities,
    snapshots,
    sources,
    through_time,
    tracking,
    universes,
)

router = APIRouter(prefix="/api/v1")
for part in (
    universes,
    securities,
    data,
    imports,
    quality,
    sources,
    snapshots,
    portfolios,
    analysis,
    portfolio_risk,
    tracking,
    frontier,
    through_time,
    factors,
    configurations,
    jobs,
    reports,
    runs,
    performance,
    own_data,
    people,
    audit,
):
    router.include_router(part.router)
