"""Saved configurations of model, backtest and optimization."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi import Path as InPath

from tilt.api import seen_configurations
from tilt.api.frames import split
from tilt.api.running import Running
from tilt.api.v1.asking import StrictRoute, in_pool
from tilt.configuration import json_schema, read_configuration

router = APIRouter(tags=["configurations"], route_class=StrictRoute)
Name = Annotated[str, InPath(max_length=200)]


@router.get("/configurations")
async def configurations(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    offset: Annotated[int, Query(ge=0, le=10**9)] = 0,
) -> dict[str, object]:
    """List the saved configurations: name, id of the content, when it was saved."""

    def work(tilt: Running) -> dict[str, object]:
        found = seen_configurations.listed(tilt.state)
        found["saved"] = [moment.isoformat() for moment in found["saved"]]
        page = found.iloc[offset : offset + limit].reset_index(drop=True)
        return {"total": len(found), "configurations": split(page)}

    return await in_pool(request, work)


@router.get("/configurations-schema")
async def configuration_schema() -> dict[str, object]:
    """Return the JSON Schema of a configuration."""
    return json_schema()


@router.get("/configurations/{name}")
async def configuration(name: Name, request: Request) -> dict[str, object]:
    """Return a saved configuration and the id of its content."""

    def work(tilt: Running) -> dict[str, object]:
        found = seen_configurations.read(tilt.state, name)
        return {
            "name": name.strip(),
            "id": found.id,
            "configuration": found.model_dump(mode="json"),
        }

    return await in_pool(request, work)


@router.put("/configurations/{name}")
async def save_configuration(
    name: Name, body: dict[str, object], request: Request
) -> dict[str, object]:
    """Check a configuration and save it under a name, in place of the one of that name."""

    def work(tilt: Running) -> dict[str, object]:
        found = read_configuration(body)
        return {"name": name.strip(), "id": seen_configurations.save(tilt.state, name, found)}

    return await in_pool(request, work)


@router.delete("/configurations/{name}", status_code=204)
async def delete_configuration(name: Name, request: Request) -> Response:
    """Delete a saved configuration."""
    await in_pool(request, lambda tilt: seen_configurations.delete(tilt.state, name))
    return Response(status_code=204)
