"""Calls of cells, one or a batch: read, computed once each, off the event loop."""

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

import orjson

from tilt.api import entrances, permission
from tilt.api.cell_jobs import RunningError, why_not
from tilt.api.cells import Cell, Known, find
from tilt.api.locales import decimal_sign
from tilt.api.pool import Pool
from tilt.api.problems import RefusedError
from tilt.api.state import State
from tilt.api.values import Result, Shared, Wire, cell_count, filled_count, write_result
from tilt.errors import TiltError
from tilt.jobs import Job
from tilt.portfolio.cells import DECIMAL_SIGN
from tilt.stopping import look

log = logging.getLogger(__name__)

Cells: TypeAlias = "orjson.Fragment | list[list[Wire]]"  # JSON already, or soon to be
Written: TypeAlias = "Cells | TiltError"
Answer: TypeAlias = "Cells | BaseException"
Key: TypeAlias = tuple[str, bool, str, bytes]

_NO_BASE: Mapping[str, object] = MappingProxyType({})
SMALL = 16  # cells of a result that are turned into JSON with the whole answer
RICH_RUNTIME = (1, 4)  # the first CustomFunctionsRuntime with error and formatted-number values


class Call(NamedTuple):
    """One call of a cell, its function found but its arguments not read.

    decimal : the sign before decimals in the reader's Excel; empty where it is not known
    key     : equal for calls of a batch that must give the same answer
    """

    cell: Cell
    arguments: list[object]
    rich: bool
    decimal: str
    key: Key


def read_shared(given: object) -> tuple[Shared, ...]:
    """Return the ranges that calls of a batch name instead of repeating them.

    Raises
    ------
    RefusedError
        If it is no list of ranges.
    """
    if not isinstance(given, list) or not all(isinstance(grid, list) for grid in given):
        raise RefusedError("shared must be a list of ranges, each a list of rows.")
    return tuple(Shared(place, grid) for place, grid in enumerate(given))


def read_call(
    cells: Mapping[str, Cell],
    body: object,
    *,
    base: Mapping[str, object] = _NO_BASE,
    shared: Sequence[Shared] = (),
) -> Call:
    """Return the call that a client's message describes.

    Parameters
    ----------
    base : members that all calls of a batch have, unless they have their own
    shared : ranges for which the arguments may hold ``{"$ref": place}``

    Raises
    ------
    RefusedError
        If the message is not of the right shape, or names no function of ours.
    """
    if not isinstance(body, dict):
        raise RefusedError("A call is an object with the members func_name and args.")
    cell = find(cells, body.get("func_name", base.get("func_name")))
    arguments = body.get("args", base.get("args"))
    if not isinstance(arguments, list):
        raise RefusedError("args must be a list with the cells of each argument.")
    runtime = body.get("runtime", base.get("runtime"))
    rich = runtime is None or _is_rich(str(runtime))
    culture = body.get("culture_info_name", base.get("culture_info_name"))
    decimal = decimal_sign(culture) if isinstance(culture, str) and len(culture) < 40 else ""
    try:
        key = (cell.name, rich, decimal, orjson.dumps(arguments))
    except orjson.JSONEncodeError:  # deeper than any range of cells
        raise RefusedError("args are nested too deeply.") from None
    if shared:
        arguments = [_resolved(a, shared) if isinstance(a, dict) else a for a in arguments]
    return Call(cell, arguments, rich, decimal, key)


def _resolved(argument: dict[str, object], shared: Sequence[Shared]) -> object:
    if "$ref" not in argument:
        return argument
    place = argument["$ref"]
    if not isinstance(place, int) or isinstance(place, bool) or not 0 <= place < len(shared):
        raise RefusedError(f"$ref must be the place of one of {len(shared)} shared ranges.")
    return shared[place]


def check_cells(calls: Sequence[Call], most: int, shared: Sequence[Shared] = ()) -> None:
    """Refuse calls that hold more than ``most`` cells together; a shared range counts once."""
    count = sum(cell_count(call.arguments) for call in calls)
    count += cell_count([range_.grid for range_ in shared])
    if count > most:  # a whole column has a million cells and little in them
        count = sum(filled_count(call.arguments) for call in calls)
        count += filled_count([range_.grid for range_ in shared])
    if count > most:
        raise RefusedError(
            f"{count:,} cells in one request; the most is {most:,}. "
            "Use a smaller range, or raise TILT_MAX_CELLS.",
            413,
        )


async def answer(calls: Sequence[Call], state: State, pool: Pool, *, wait: float) -> list[Answer]:
    """Return for each call its result as JSON, or its error.

    Equal calls are computed once. Calls of a function that can take many at once go to it
    together; every other call has its own place in the pool, so a slow one holds nobody up.

    Parameters
    ----------
    wait : seconds until a call that waits for a job is answered by how far the job is
    """
    distinct = {call.key: call for call in calls}
    together: dict[tuple[str, bool, str], list[Call]] = {}
    for call in distinct.values():
        if call.cell.many is not None:
            together.setdefault((call.cell.name, call.rich, call.decimal), []).append(call)
    groups = [
        *together.values(),
        *([call] for call in distinct.values() if call.cell.many is None),
    ]
    known = {sign: Known() for sign in {call.decimal for call in calls}}
    done = await asyncio.gather(
        *(_run(group, state, pool, known[group[0].decimal], wait=wait) for group in groups),
        return_exceptions=True,
    )
    answers: dict[Key, Answer] = {}
    for group, result in zip(groups, done, strict=True):
        if isinstance(result, BaseException):
            if not isinstance(result, TiltError):
                log.error("%s failed inside", group[0].cell.name, exc_info=result)
            answers.update((call.key, result) for call in group)
        else:
            answers.update((c.key, one) for c, one in zip(group, result, strict=True))
    return [answers[call.key] for call in calls]


async def _run(
    calls: Sequence[Call], state: State, pool: Pool, known: Known, *, wait: float
) -> list[Written]:
    """Compute calls of one function; if it waits for a job, again when the job has ended."""
    until = time.monotonic() + wait
    while True:
        written = await pool.run(compute, calls, state, known)
        first = written[0]
        if not isinstance(first, RunningError):
            return written
        job = await _watched(first.job, state, until)
        if job.pending:
            return written
        if job.state != "done":  # computed again, it would be started anew
            return [await asyncio.to_thread(why_not, state.jobs, job)]


async def _watched(job: Job, state: State, until: float) -> Job:
    """Return a job as it is when it has ended, or at a moment; no thread waits for it.

    A server that is told to end does not keep the cell waiting: another one will be asked.
    """
    pause = 0.02
    while job.pending and not state.leaving.told and (left := until - time.monotonic()) > 0:
        await asyncio.sleep(min(pause, left))
        pause = min(1.5 * pause, 0.4)
        job = await asyncio.to_thread(state.jobs.get, job.id, job.owner)
    return job


def compute(calls: Sequence[Call], state: State, known: Known) -> list[Written]:
    """Compute calls of one function.

    Parameters
    ----------
    known : arguments that the batch has read so far
    """
    cell = calls[0].cell
    DECIMAL_SIGN.set(calls[0].decimal)  # in the context of this work alone
    try:
        entrances.enter(entrances.CELLS.get(cell.name), cell.name.upper())
    except TiltError as error:
        return [error] * len(calls)
    with state.durations.timing(cell.name, calls=len(calls)), permission.apart():
        if cell.many is None:
            return [_compute_one(call, known) for call in calls]
        return _compute_together(calls, known)


def _compute_one(call: Call, known: Known) -> Written:
    look()
    try:
        return _written(call.cell.call(*call.cell.read(call.arguments, known)), call)
    except TiltError as error:
        return error


def _compute_together(calls: Sequence[Call], known: Known) -> list[Written]:
    many = calls[0].cell.many
    if many is None:
        return [_compute_one(call, known) for call in calls]
    read: list[tuple[object, ...] | TiltError] = [_read(call, known) for call in calls]
    results = iter(many([r for r in read if not isinstance(r, TiltError)]))
    return [
        r if isinstance(r, TiltError) else _written(next(results), call)
        for r, call in zip(read, calls, strict=True)
    ]


def _read(call: Call, known: Known) -> tuple[object, ...] | TiltError:
    look()
    try:
        return call.cell.read(call.arguments, known)
    except TiltError as error:
        return error


def _written(result: Result | TiltError, call: Call) -> Written:
    look()
    if isinstance(result, TiltError):
        return result
    rows = write_result(result, rich=call.rich)
    # what is large is made JSON here, on a thread, not on the event loop
    small = len(rows) * len(rows[0]) <= SMALL
    return rows if small else orjson.Fragment(orjson.dumps(rows))


@lru_cache(16)
def _is_rich(runtime: str) -> bool:
    parts = runtime.split(".")
    if len(parts) != 2 or not all(p.isascii() and p.isdigit() and len(p) < 6 for p in parts):
        raise RefusedError("runtime must be a version such as '1.4'.")
    return (int(parts[0]), int(parts[1])) >= RICH_RUNTIME
