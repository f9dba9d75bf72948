"""Calls of cells, one or a batch: read, computed once each, off the event loop."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from math import isfinite
from types import MappingProxyType
from typing import NamedTuple, TypeAlias, TypeGuard, cast

import orjson

from tilt.api import entrances, permission
from tilt.api.alike import Alike, Asked, Row, only
from tilt.api.cell_jobs import RunningError, why_not
from tilt.api.cells import Cell, Known, Many, find
from tilt.api.locales import read_dialect
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
    culture = body.get("culture_info_name", base.get("culture_info_name"))
    rich, decimal = read_dialect(runtime, culture)
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


def check_cells(
    calls: Sequence[Call], most: int, shared: Sequence[Shared] = (), alike: Sequence[Alike] = ()
) -> None:
    """Refuse calls that hold more than ``most`` cells together; a shared range counts once."""
    count = sum(cell_count(call.arguments) for call in calls)
    count += cell_count([range_.grid for range_ in shared])
    count += sum(group.cell_count for group in alike)
    if count > most:  # a whole column has a million cells and little in them
        count = sum(filled_count(call.arguments) for call in calls)
        count += filled_count([range_.grid for range_ in shared])
        count += sum(group.filled_count for group in alike)
    if count > most:
        raise RefusedError(
            f"{count:,} cells in one request; the most is {most:,}. "
            "Use a smaller range, or raise TILT_MAX_CELLS.",
            413,
        )


async def answer(
    calls: Sequence[Call], state: State, pool: Pool, *, wait: float, alike: Sequence[Alike] = ()
) -> tuple[list[Answer], list[list[Answer]]]:
    """Return for each call its result as JSON, or its error; then for those of each group.

    Equal calls are computed once. Calls of a function that can take many at once go to it
    together; every other call has its own place in the pool, so a slow one holds nobody up.

    Parameters
    ----------
    wait : seconds until a call that waits for a job is answered by how far the job is
    alike : calls that are taken by column
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
    works = [
        *(partial(compute, group, state, known[group[0].decimal]) for group in groups),
        *(partial(compute_alike, group, state) for group in alike),
    ]
    done = await asyncio.gather(
        *(_run(work, state, pool, wait=wait) for work in works), return_exceptions=True
    )
    answers: dict[Key, Answer] = {}
    for group, result in zip(groups, done, strict=False):
        each = _each(result, len(group), group[0].cell)
        answers.update(zip((call.key for call in group), each, strict=True))
    columns = [
        _each(result, len(group.places), group.cell)
        for group, result in zip(alike, done[len(groups) :], strict=True)
    ]
    return [answers[call.key] for call in calls], columns


def _each(result: list[Written] | BaseException, count: int, cell: Cell) -> list[Answer]:
    """Return the answer of each call of a group, all the same if the group failed as a whole."""
    if not isinstance(result, BaseException):
        return [*result]
    if not isinstance(result, TiltError):
        log.error("%s failed inside", cell.name, exc_info=result)
    return [result] * count


async def _run(
    work: Callable[[], list[Written]], state: State, pool: Pool, *, wait: float
) -> list[Written]:
    """Compute calls of one function; if it waits for a job, again when the job has ended."""
    until = time.monotonic() + wait
    while True:
        written = await pool.run(work)
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
    cell, rich = calls[0].cell, calls[0].rich
    refused = _refused(cell, calls[0].decimal)
    if refused is not None:
        return [refused] * len(calls)
    with state.durations.timing(cell.name, calls=len(calls)), permission.apart():
        if cell.many is None:
            return [_compute_one(call, known) for call in calls]
        return _together(cell.many, [_read(call, known) for call in calls], rich=rich)


def compute_alike(alike: Alike, state: State) -> list[Written]:
    """Compute calls that are alike, each different one once."""
    cell = alike.cell
    refused = _refused(cell, alike.decimal)
    if refused is not None:
        return [refused] * len(alike.places)
    asked = Asked(alike)
    with state.durations.timing(cell.name, calls=len(asked)), permission.apart():
        return asked.each(_together(alike.many, asked.read(), rich=alike.rich))


def _refused(cell: Cell, decimal: str) -> TiltError | None:
    """Enter a function in the context of this work alone; return why the caller may not."""
    DECIMAL_SIGN.set(decimal)
    try:
        entrances.enter(entrances.CELLS.get(cell.name), cell.name.upper())
    except TiltError as error:
        return error
    return None


def _compute_one(call: Call, known: Known) -> Written:
    look()
    try:
        return _written(call.cell.call(*call.cell.read(call.arguments, known)), rich=call.rich)
    except TiltError as error:
        return error


def _together(many: Many, rows: Sequence[Row | TiltError], *, rich: bool) -> list[Written]:
    results = many([row for row in rows if not isinstance(row, TiltError)])
    if len(results) == len(rows) and _are_numbers(results):
        return [*results]
    written = (_written(result, rich=rich) for result in results)
    return [row if isinstance(row, TiltError) else next(written) for row in rows]


def _read(call: Call, known: Known) -> Row | TiltError:
    look()
    try:
        return call.cell.read(call.arguments, known)
    except TiltError as error:
        return error


def _written(result: Result | TiltError, *, rich: bool) -> Written:
    if isinstance(result, TiltError):
        return result
    if _is_number(result):
        return result
    look()
    rows = write_result(result, rich=rich)
    # what is large is made JSON here, on a thread, not on the event loop
    small = len(rows) * len(rows[0]) <= SMALL
    return rows if small else orjson.Fragment(orjson.dumps(rows))


def _are_numbers(results: Sequence[Result]) -> TypeGuard[Sequence[Cells]]:
    """Return whether each result is one number as it is sent, as most columns of a sheet are."""
    rows = only(results)
    values = None if rows is None else only(rows)
    if values is None or set(map(type, values)) != {float}:
        return False
    return all(map(isfinite, cast("list[float]", values)))


def _is_number(result: Result) -> TypeGuard[list[list[Wire]]]:
    """Return whether a result is one number as it is sent, as most are."""
    if type(result) is not list or len(result) != 1:
        return False
    row = result[0]
    return type(row) is list and len(row) == 1 and type(row[0]) is float and isfinite(row[0])
