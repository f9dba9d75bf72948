"""Commands on people: their roles, and what they were granted."""

from contextlib import closing
from typing import Annotated

import typer

from tilt.cli.printing import AsJson, print_items, print_rows
from tilt.data.store import Store
from tilt.errors import UnknownNameError
from tilt.security import people
from tilt.security.deciding import LOCAL, OBJECTS, ROLES
from tilt.security.people import Grant
from tilt.settings import read_settings

app = typer.Typer(
    help="People, their roles and what they may, for TILT_AUTH=keys or entra.", no_args_is_help=True
)

Who = Annotated[str, typer.Argument(help="An id or a name, as 'tilt user list' shows them.")]
To = Annotated[str, typer.Option(help="Who it is: user, role or group.")]


@app.command("list")
def list_users(*, as_json: AsJson = False) -> None:
    """List everybody who has a role or has signed in."""
    with closing(Store.open(read_settings())) as store:
        table = people.list_people(store.catalog)
    print_rows(table, as_json=as_json)


@app.command("role")
def give_roles(
    who: Who,
    roles: Annotated[
        list[str] | None, typer.Argument(help=f"Any of {', '.join(ROLES)}; none takes all away.")
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Give somebody roles, in place of those given before."""
    given = sorted(set(roles or ()))
    with closing(Store.open(read_settings())) as store:
        try:
            person = people.find_person(store.catalog, who)
        except UnknownNameError:
            person = who  # of a key that is made later, or somebody's id in Entra ID
        people.assign_roles(store.catalog, person, given)
    print_items({"id": person, "roles": ", ".join(given) or "none"}, as_json=as_json)


@app.command("grant")
def grant(
    who: Who,
    verbs: Annotated[str, typer.Argument(help="read, write, trade, share, with commas; or none.")],
    kind: Annotated[str, typer.Argument(help=f"{', '.join(OBJECTS)}.")],
    name: Annotated[str, typer.Argument(help="Of the object; '*' is every one of its kind.")],
    *,
    to: To = "user",
    as_json: AsJson = False,
) -> None:
    """Let somebody do something to a portfolio or universe, in place of what was granted before."""
    words = [word.strip() for word in verbs.split(",") if word.strip() not in ("", "none")]
    with closing(Store.open(read_settings())) as store:
        person = people.find_person(store.catalog, who) if to == "user" else who
        people.grant(store.catalog, Grant.of(to, person, kind, name, words), by=LOCAL.id)
    said = {"to": to, "who": person, "kind": kind, "name": name}
    print_items({**said, "verbs": ", ".join(words) or "none"}, as_json=as_json)


@app.command("grants")
def list_grants(*, as_json: AsJson = False) -> None:
    """List every grant: to whom, on what, which verbs, by whom and when."""
    with closing(Store.open(read_settings())) as store:
        table = people.list_grants(store.catalog)
    print_rows(table, as_json=as_json)


@app.command("forget")
def forget(who: Who) -> None:
    """Take every role and grant from somebody; their keys are revoked with 'tilt key revoke'.

    Roles that Entra ID gives come back with their next sign-in: they are taken away there.
    """
    with closing(Store.open(read_settings())) as store:
        person = people.find_person(store.catalog, who)
        people.forget_person(store.catalog, person)
    typer.echo(f"{person} has no role and no grant any more, but what Entra ID may give them.")
