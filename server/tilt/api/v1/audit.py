"""The audit, for administrators: who did what, and whether the log is whole."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from tilt import audit
from tilt.api.running import Running
from tilt.api.v1.asking import in_pool
from tilt.data import chain

router = APIRouter(tags=["audit"])

Limit = Annotated[int, Query(ge=1, le=1000)]
_HIGHEST = 10**18  # below what a database can hold as a number
Number = Annotated[
    int | None, Query(ge=1, le=_HIGHEST, description="Only entries of a lower number.")
]
Word = Annotated[str, Query(max_length=400)]


@router.get("/audit")
async def entries(
    request: Request,
    limit: Limit = 100,
    before: Number = None,
    who: Word = "",
    action: Word = "",
    object_: Annotated[str, Query(alias="object", max_length=400)] = "",
) -> dict[str, object]:
    """List who did what, the newest first; of one user, action or object where given."""

    def work(tilt: Running) -> dict[str, object]:
        catalog = tilt.state.store.catalog
        found = audit.listed(
            catalog, most=limit, before=before, who=who, action=action, subject=object_
        )
        return {"entries": found, "limit": limit}

    return await in_pool(request, work)


@router.get("/audit/verify")
async def verify(request: Request) -> dict[str, object]:
    """Check every entry of the audit, that none is missing, and that it reaches every anchor."""

    def work(tilt: Running) -> dict[str, object]:
        anchors = chain.read_anchors(tilt.state.settings.anchor_file)
        checked = chain.check(tilt.state.store.catalog, anchors)
        return {
            "entries": checked.entries,
            "signed": checked.signed,
            "anchors": checked.anchors,
            "head": str(checked.head or ""),
            "problems": list(checked.problems),
        }

    return await in_pool(request, work)
