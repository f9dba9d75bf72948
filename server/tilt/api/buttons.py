"""The route of the ribbon's scripts: a workbook in, actions on it out."""

import orjson
from fastapi import APIRouter, Request, Response

from tilt.api import entrances
from tilt.api.bodies import read_json, until_gone
from tilt.api.running import Running, running
from tilt.api.scripts import check_name, check_workbook

router = APIRouter(include_in_schema=False)


@router.post("/xlwings/custom-scripts-call/{name}")
async def run_script(name: str, request: Request) -> Response:
    """Run a registered script on the posted workbook."""
    tilt = running(request)
    check_name(name, tilt.scripts)
    workbook = check_workbook(await read_json(request), tilt.state.settings.max_cells)
    actions = await until_gone(request, tilt.pool.run(_timed, name, workbook, tilt))
    return Response(actions, media_type="application/json")


def _timed(name: str, workbook: dict[str, object], tilt: Running) -> bytes:
    entrances.enter(entrances.BUTTONS.get(name), f"the button {name}")
    with tilt.state.durations.timing(f"script {name}"):
        return orjson.dumps(tilt.shipped.run_script(name, workbook))
