"""Workbooks that a button made, for whoever pressed it."""

from fastapi import APIRouter, Request, Response

from tilt.api import files
from tilt.api.running import Running
from tilt.api.state import USER
from tilt.api.v1.asking import in_pool

router = APIRouter(tags=["reports"])

WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@router.get("/reports/{file}", response_class=Response)
async def report(file: str, request: Request) -> Response:
    """Return a workbook that was made for you; it is kept for a day."""

    def work(tilt: Running) -> bytes:
        return files.fetch(tilt.state.settings.data_path, USER.get(), file)

    content = await in_pool(request, work)
    headers = {"Content-Disposition": f'attachment; filename="tilt-{file[:8]}.xlsx"'}
    return Response(content, media_type=WORKBOOK, headers=headers)
