"""Routes of workbooks: the starter, and .xlsx files opened and saved for the workbench."""

import asyncio
import re
from urllib.parse import quote, unquote

import orjson
from fastapi import APIRouter, Request, Response
from pydantic import ValidationError

from tilt.api.bodies import until_gone
from tilt.api.problems import RefusedError
from tilt.api.running import running
from tilt.api.starter import starter
from tilt.api.workbook_files import read_xlsx, write_xlsx
from tilt.api.workbook_model import Workbook

router = APIRouter(prefix="/api/v1/workbooks")

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_UNFIT = re.compile(r"[^\w .()-]+")


@router.get("/starter")
async def starter_workbook(request: Request) -> Response:
    """Return a workbook to start from: a portfolio, an optimization, a backtest."""
    state = running(request).state
    return _json(await asyncio.to_thread(starter, state))


@router.post("/open")
async def open_workbook(request: Request) -> Response:
    """Return the .xlsx file in the body as JSON; its name comes in the header X-File-Name."""
    tilt = running(request)
    name = unquote(request.headers.get("x-file-name", "Workbook.xlsx"))[:255]
    content = await request.body()
    most = tilt.state.settings.max_cells
    book = await until_gone(
        request, tilt.pool.run(lambda: read_xlsx(content, name, most_cells=most))
    )
    return _json(book)


@router.post("/save")
async def save_workbook(request: Request) -> Response:
    """Return the workbook in the body, as JSON, as an .xlsx file."""
    tilt = running(request)
    try:
        book = Workbook.model_validate_json(await request.body())
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise RefusedError(f"The workbook cannot be saved: {where}: {first['msg']}.") from None
    cells = sum(len(s.cells) for s in book.sheets)
    if cells > tilt.state.settings.max_cells:
        raise RefusedError(f"The workbook has {cells:,} cells. Raise TILT_MAX_CELLS.", 413)
    content = await until_gone(request, tilt.pool.run(write_xlsx, book))
    name = _UNFIT.sub("_", book.name.removesuffix(".xlsx")) + ".xlsx"
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}"}
    return Response(content, media_type=XLSX, headers=headers)


def _json(book: Workbook) -> Response:
    body = book.model_dump(by_alias=True, exclude_none=True, exclude_defaults=True)
    return Response(
        orjson.dumps(body, option=orjson.OPT_NON_STR_KEYS), media_type="application/json"
    )
