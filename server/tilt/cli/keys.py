"""Commands on API keys."""

from contextlib import closing
from typing import Annotated

import typer

from tilt import security
from tilt.cli.printing import AsJson, print_items, print_rows
from tilt.data.store import Store
from tilt.settings import read_settings

app = typer.Typer(help="API keys, for TILT_AUTH=keys.", no_args_is_help=True)
Days = Annotated[int | None, typer.Option(help="How long it is good; until revoked if left out.")]


@app.command("create")
def create_key(
    name: Annotated[str, typer.Argument(help="Who uses it.")],
    *,
    days: Days = None,
    role: Annotated[
        list[str] | None, typer.Option(help="Give its user these roles, in place of others.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make an API key; it is shown once."""
    settings = read_settings()
    secret = settings.secret_key.get_secret_value()
    with closing(Store.open(settings)) as store:
        key = security.create_key(store.catalog, name, secret=secret, days=days, roles=role or ())
        roles = sorted(security.people.who_is(store.catalog, key.name).roles)
    _print_new(key, roles=", ".join(roles) or "none: 'tilt user role' gives one", as_json=as_json)


@app.command("rotate")
def rotate_key(
    prefix: Annotated[str, typer.Argument(help="As 'tilt key list' shows it.")],
    *,
    days: Days = None,
    overlap: Annotated[
        int, typer.Option(help="Days that the old key is still good.")
    ] = security.OVERLAP_DAYS,
    as_json: AsJson = False,
) -> None:
    """Make a new key for the owner of another, which soon ends."""
    settings = read_settings()
    secret = settings.secret_key.get_secret_value()
    with closing(Store.open(settings)) as store:
        key = security.rotate_key(store.catalog, prefix, secret=secret, days=days, overlap=overlap)
    _print_new(key, roles="as before", as_json=as_json)


@app.command("list")
def list_keys(*, as_json: AsJson = False) -> None:
    """List API keys; the keys themselves are not kept."""
    with closing(Store.open(read_settings())) as store:
        table = security.list_keys(store.catalog)
    print_rows(table, as_json=as_json)


@app.command("revoke")
def revoke_key(prefix: Annotated[str, typer.Argument(help="As 'tilt key list' shows it.")]) -> None:
    """Make an API key invalid from now on."""
    with closing(Store.open(read_settings())) as store:
        security.revoke_key(store.catalog, prefix)
    typer.echo(f"{prefix} is revoked.")


def _print_new(key: security.NewKey, *, roles: str, as_json: bool) -> None:
    expires = "never" if key.expires is None else f"{key.expires:%Y-%m-%d %H:%M} UTC"
    items = {"name": key.name, "prefix": key.prefix, "roles": roles, "expires": expires,
             "key": key.key}  # fmt: skip
    print_items(items, as_json=as_json)
