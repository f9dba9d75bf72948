"""Who one is and what one may; people, their roles and grants, for administrators."""

from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np
from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field
from sqlalchemy import Engine

from tilt.api import permission, seen_configurations
from tilt.api.frames import split
from tilt.api.running import Running, running
from tilt.api.v1.asking import Body, StrictRoute, in_pool
from tilt.errors import ArgumentError, NotAllowedError, UnknownNameError, cut
from tilt.security import people
from tilt.security.deciding import (
    ADMINISTRATOR,
    EVERY,
    GRANTED,
    VERBS,
    Thing,
    Verb,
    Who,
    verbs_of,
)
from tilt.security.people import Grant
from tilt.settings import Role

router = APIRouter(tags=["people"], route_class=StrictRoute)

Person = Annotated[str, Path(max_length=200, description="An id, or a name that one person has.")]
Object = Literal["portfolio", "universe", "configuration"]


class RolesBody(Body):
    """The roles of a person."""

    roles: list[Role] = Field(max_length=4, description="In place of those given before.")


class GrantBody(Body):
    """What a person, a role or a group may do to an object."""

    to: Literal["user", "role", "group"] = "user"
    who: str = Field(max_length=200, description="A person's id or name, a role, a group's id.")
    kind: Literal["portfolio", "universe", "configuration", "server"]
    name: str = Field(max_length=200, description="Of the object; * for every one of its kind.")
    verbs: list[Literal["read", "write", "trade", "share"]] = Field(
        max_length=4, description="In place of those given before; none takes the grant away."
    )


@router.get("/sign-in")
async def sign_in_ways(request: Request) -> dict[str, object]:
    """Tell the pane how one signs in here: by a key, or where and as what application."""
    settings = running(request).state.settings
    ways: dict[str, object] = {"keys": "keys" in settings.auth, "entra": None}
    if "entra" in settings.auth:
        client = settings.entra_client.lower()
        ways["entra"] = {
            "client": client,
            "authority": f"{settings.entra_authority.rstrip('/')}/{settings.entra_tenant.lower()}",
            "scope": f"api://{client}/{settings.entra_scope}",
        }
    return ways


@router.get("/me")
async def me(request: Request) -> dict[str, object]:
    """Say who you are and what you may: roles, verbs, and each object that is there for you."""

    def work(tilt: Running) -> dict[str, object]:
        who, store = permission.who(), tilt.state.store
        things = [Thing("universe", name) for name in store.universe_names()]
        things += [Thing("portfolio", name) for name in store.portfolio_names()]
        saved = seen_configurations.listed(tilt.state)
        things += [Thing("configuration", str(name)) for name in saved["name"]]
        return {
            "id": who.id,
            "name": who.name,
            "authentication": tilt.state.settings.auth,
            "roles": sorted(who.roles),
            "verbs": [verb for verb in VERBS if verb in who.ceiling],
            "objects": [
                {"kind": thing.kind, "name": thing.name, "verbs": _may(who, thing)}
                for thing in things
            ],
        }

    return await in_pool(request, work)


@router.get("/people")
async def listed_people(request: Request) -> dict[str, object]:
    """List everybody who has a role or has signed in: id, name, roles, groups, last sign-in."""
    return await in_pool(
        request, lambda tilt: {"people": split(people.list_people(tilt.state.store.catalog))}
    )


@router.put("/people/{person}")
async def put_roles(person: Person, body: RolesBody, request: Request) -> dict[str, object]:
    """Give somebody roles in place of those given before; who is not known yet is known then."""

    def work(tilt: Running) -> dict[str, object]:
        catalog = tilt.state.store.catalog
        try:
            found = people.find_person(catalog, person)
        except UnknownNameError:
            found = person
        if found == permission.who().id and ADMINISTRATOR not in body.roles:
            raise ArgumentError("Somebody else has to take the role of administrator from you.")
        people.assign_roles(catalog, found, body.roles)
        return {"id": found, "roles": sorted(set(body.roles))}

    return await in_pool(request, work)


@router.delete("/people/{person}", status_code=204)
async def delete_person(person: Person, request: Request) -> Response:
    """Take every role and grant from somebody; keys are revoked with 'tilt key revoke'."""

    def work(tilt: Running) -> None:
        catalog = tilt.state.store.catalog
        found = people.find_person(catalog, person)
        if found == permission.who().id:
            raise ArgumentError("Somebody else has to remove you.")
        people.forget_person(catalog, found)

    await in_pool(request, work)
    return Response(status_code=204)


@router.get("/grants")
async def grants(
    request: Request, kind: Annotated[Object | None, Query()] = None
) -> dict[str, object]:
    """List the grants on what you may share; an administrator sees all of them."""

    def work(tilt: Running) -> dict[str, object]:
        table = people.list_grants(tilt.state.store.catalog)
        if kind is not None:
            table = table[table["kind"] == kind]
        named = zip(table["kind"], table["name"], strict=True)
        mine = np.array([_may_share(Thing(kind, name)) for kind, name in named], dtype=bool)
        return {"grants": split(table[mine].reset_index(drop=True))}

    return await in_pool(request, work)


@router.put("/grants")
async def put_grant(body: GrantBody, request: Request) -> dict[str, object]:
    """Give verbs on an object that you may share, of those that you have yourself."""

    def work(tilt: Running) -> dict[str, object]:
        catalog, by = tilt.state.store.catalog, permission.who()
        thing = Thing(body.kind, body.name.strip())
        to = _grantee(catalog, body)
        given = Grant(body.to, to, thing.kind, thing.name, frozenset(body.verbs))
        if ADMINISTRATOR not in by.roles:
            _require_sharing(by, thing, body.verbs)
            _require_own(catalog, given, by)
        people.grant(catalog, given, by=by.id)
        return {"to": body.to, "who": to, "kind": thing.kind, "name": thing.name,
                "verbs": [verb for verb in GRANTED if verb in body.verbs]}  # fmt: skip

    return await in_pool(request, work)


def _grantee(catalog: Engine, body: GrantBody) -> str:
    """Return the id of who gets a grant; only an administrator is told of names that are near."""
    if body.to != "user":
        return body.who
    try:
        return people.find_person(catalog, body.who)
    except UnknownNameError:
        if ADMINISTRATOR in permission.who().roles:
            raise
        raise UnknownNameError(f"Nobody is called '{cut(body.who)}'.") from None


def _require_own(catalog: Engine, given: Grant, by: Who) -> None:
    """Refuse to change what somebody else granted."""
    table = people.list_grants(catalog)
    wanted = (given.to_kind, given.to, given.kind, given.name.casefold())
    same = table[["to", "who", "kind", "name"]].apply(tuple, axis=1) == wanted
    if (table.loc[same, "by"] != by.id).any():
        raise NotAllowedError("Somebody else granted that; an administrator can change it.")


def _require_sharing(by: Who, thing: Thing, verbs: Sequence[Verb]) -> None:
    """Refuse a grant on what the caller may not share, or of more than they have."""

    def unseen() -> UnknownNameError:
        return UnknownNameError(f"There is no {thing.kind} '{cut(thing.name)}' for you.")

    if thing.name == EVERY or thing.kind == "server":
        raise NotAllowedError("Only an administrator grants that.")
    permission.require("share", thing, unseen)
    more = sorted(set(verbs) - set(_may(by, thing)))
    if more:
        raise NotAllowedError(f"You may not {more[0]} '{cut(thing.name)}' yourself.")


def _may(who: Who, thing: Thing) -> list[Verb]:
    if ADMINISTRATOR in who.roles:
        return list(GRANTED)
    given = verbs_of(who, thing) & who.ceiling
    return [verb for verb in GRANTED if verb in given]


def _may_share(thing: Thing) -> bool:
    every = thing.name == EVERY and ADMINISTRATOR not in permission.who().roles
    return not every and permission.may("share", thing)
