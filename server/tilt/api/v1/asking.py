"""How the routes read what is sent, and do their work off the event loop."""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any, TypeAlias, TypeVar

import orjson
from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field

from tilt.api.bodies import until_gone
from tilt.api.problems import RefusedError
from tilt.api.running import Running, running
from tilt.api.values import Grid, cell_count, read_grid

T = TypeVar("T")

Cell: TypeAlias = str | bool | int | float | None
Cells: TypeAlias = str | list[list[Cell]]
Universe: TypeAlias = Annotated[
    str | None, Field(max_length=200, description="Its name; the default one unless given.")
]


class Body(BaseModel):
    """The body of a request; a member that is not known is an error."""

    model_config = ConfigDict(extra="forbid")


class _StrictRequest(Request):
    """A request whose JSON holds no NaN, no Infinity and no broken text."""

    async def json(self) -> Any:  # noqa: ANN401 - as Starlette declares it
        return orjson.loads(await self.body())


class StrictRoute(APIRoute):
    """A route that reads JSON as its standard has it."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def strictly(request: Request) -> Response:
            return await handle(_StrictRequest(request.scope, request.receive))

        return strictly


def owner_of(request: Request) -> str:
    """Return the user whose jobs a request may see."""
    return str(request.scope.get("state", {}).get("user", "")) or "local"


async def in_pool(request: Request, work: Callable[[Running], T]) -> T:
    """Return what ``work`` returns, done on a thread with a deadline."""
    tilt = running(request)
    return await until_gone(request, tilt.pool.run(work, tilt))


def grid_of(cells: Cells | None, name: str, most: int) -> Grid | None:
    """Return cells as a cell function gets them, None if they are blank.

    Raises
    ------
    ArgumentError
        If they are no rectangle.
    RefusedError
        If there are too many.
    """
    given = [[cells]] if isinstance(cells, str) else cells
    if given is not None and cell_count([given]) > most:
        raise RefusedError(
            f"{name} has more than {most:,} cells. Send fewer, or raise TILT_MAX_CELLS.", 413
        )
    if not given:
        return None
    width = max(len(row) for row in given)
    return read_grid([[*row, *[None] * (width - len(row))] for row in given], name)
