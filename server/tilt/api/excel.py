"""The routes of the add-in: calls of cells, one or many, and what describes them to Excel."""

import asyncio
import re
from itertools import chain

import orjson
from fastapi import APIRouter, Request, Response

from tilt.api.audited import tell_cells
from tilt.api.batches import read_batch
from tilt.api.bodies import read_json, until_gone
from tilt.api.calls import answer, check_cells, read_call, read_shared
from tilt.api.cell_jobs import RunningError, follow
from tilt.api.problems import INTERNAL, RefusedError, problem, problem_of
from tilt.api.running import running
from tilt.api.trials import enter_workbook
from tilt.errors import TiltError

router = APIRouter(include_in_schema=False)

_STUB = re.compile(r"^async function (\w+)\(\) (?=\{\s+return await base\()", re.MULTILINE)
_ASSOCIATED = re.compile(r'^CustomFunctions\.associate\("(\w+)", (\w+)\);', re.MULTILINE)


@router.post("/xlwings/custom-functions-call")
async def call_one(request: Request) -> Response:
    """Answer one call; an error has its own status."""
    tilt = running(request)
    sent = await read_json(request)
    enter_workbook(sent.get("caller_address") if isinstance(sent, dict) else None)
    call = read_call(tilt.state.cells, sent)
    check_cells([call], tilt.state.settings.max_cells)
    wait = tilt.state.settings.cell_seconds
    (result,), _ = await until_gone(request, answer([call], tilt.state, tilt.pool, wait=wait))
    failed = isinstance(result, BaseException)
    tell_cells(request.scope, {call.cell.name: 1}, int(failed), waits=False)
    if isinstance(result, TiltError):
        return problem_of(request.url.path, result)
    if isinstance(result, BaseException):
        return problem(request.url.path, INTERNAL, status=500, cell="#VALUE!")
    return _json({"result": result})


@router.post("/xlwings/custom-functions-batch")
async def call_many(request: Request) -> Response:
    """Answer the calls of a batch in order; an error concerns its own call only.

    ``edition`` names the data behind the answers: a client may keep them as long as it is the same.
    A call that a job computes is answered after ``wait`` seconds by how far the job is; the client
    then asks again with ``follow``, the job's id.
    """
    tilt = running(request)
    body = await read_json(request)
    enter_workbook(body.get("workbook"))
    wait = _wait(body.get("wait"), tilt.state.settings.cell_seconds)
    edition = await asyncio.to_thread(tilt.state.edition)  # before the answers, never after
    shared = read_shared(body.get("shared", []))
    batch = read_batch(tilt.state.cells, body, shared)
    calls = list(batch.calls.values())
    check_cells(calls, tilt.state.settings.max_cells, shared, batch.alike)
    if "follow" in body:
        await tilt.pool.run(follow, str(body["follow"]))
    work = answer(calls, tilt.state, tilt.pool, wait=wait, alike=batch.alike)
    single, alike = await until_gone(request, work)
    found = [*single, *chain.from_iterable(alike)]
    failed = sum(isinstance(one, BaseException) for one in found) + len(batch.refused)
    waits = "follow" in body and all(isinstance(one, RunningError) for one in found)
    tell_cells(request.scope, batch.counts, failed, waits=waits)
    return _json({"edition": edition, "results": batch.entries(single, alike)})


@router.get("/xlwings/edition")
async def edition(request: Request) -> dict[str, str]:
    """Name the data that answers would come from now."""
    return {"edition": await asyncio.to_thread(running(request).state.edition)}


@router.get("/xlwings/custom-functions-meta")
@router.get("/xlwings/custom-functions-meta.json")
async def metadata(request: Request) -> Response:
    """Describe the functions to Excel, each with the address of its help page."""
    tilt = running(request)
    meta = tilt.shipped.describe_functions()
    for function in meta["functions"]:
        name = str(function["id"]).lower()
        function["helpUrl"] = f"{request.base_url}help/{name}"
        if tilt.state.cells[name].stream:
            function["options"] = {"stream": True}  # Excel tells such a function no address
    return _json(meta)


@router.get("/xlwings/custom-functions-code")
@router.get("/xlwings/custom-functions-code.js")
async def code(request: Request) -> Response:
    """Serve the shipped JavaScript with a stub per function.

    The stubs stand in a block of their own: a global function ``history`` would replace the
    browser's history, and Office.js with it.
    """
    tilt = running(request)
    shipped = await tilt.shipped.function_code()
    for name in (c.name for c in tilt.state.cells.values() if c.stream):
        # the shipped way to stream is a socket that reaches every user; ours is live.js
        theirs = f'CustomFunctions.associate("{name.upper()}", {name});'
        if theirs not in shipped:
            raise RuntimeError(f"xlwings no longer associates '{name}' as it did.")
        ours = f'CustomFunctions.associate("{name.upper()}", globalThis.tilt.live.start);'
        shipped = shipped.replace(theirs, ours)
    first = _STUB.search(shipped)
    start = first.start() if first else len(shipped)
    alone = orjson.dumps(sorted(c.name for c in tilt.state.cells.values() if c.alone)).decode()
    # a name in a cell may be a word of JavaScript: `async function var` would break every function
    stubs = _STUB.sub(r"async function cell_\1() ", shipped[start:])
    stubs = _ASSOCIATED.sub(r'CustomFunctions.associate("\1", cell_\2);', stubs)
    script = f"{shipped[:start]}{{\n{stubs}\n}}\nglobalThis.tiltLongFunctions = {alone};\n"
    return Response(script, media_type="text/javascript")


def _wait(given: object, most: float) -> float:
    if given is None:
        return most
    if isinstance(given, bool) or not isinstance(given, int | float) or given < 0:
        raise RefusedError("wait must be a number of seconds.")
    return min(float(given), most)


def _json(content: object) -> Response:
    return Response(orjson.dumps(content), media_type="application/json")
