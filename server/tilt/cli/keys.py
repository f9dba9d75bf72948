"""Commands on API keys."""

from typing import Annotated

import typer

from tilt import security
from tilt.cli.printing import AsJson, print_items, print_table
from tilt.data.store import Store
from tilt.settings import read_settings

app = typer.Typer(help="API keys, for TILT_AUTH=keys.", no_args_is_help=True)


@app.command("create")
def create_key(
    name: Annotated[str, typer.Argument(help="Who uses it.")], *, as_json: AsJson = False
) -> None:
    """Make an API key; it is shown once."""
    settings = read_settings()
    key = security.create_key(
        Store.open(settings).catalog, name, secret=settings.secret_key.get_secret_value()
    )
    print_items({"name": key.name, "prefix": key.prefix, "key": key.key}, as_json=as_json)


@app.command("list")
def list_keys(*, as_json: AsJson = False) -> None:
    """List API keys; the keys themselves are not kept."""
    table = security.list_keys(Store.open(read_settings()).catalog)
    if as_json:
        typer.echo(table.to_json(orient="records", date_format="iso"))
    else:
        print_table(table)


@app.command("revoke")
def revoke_key(prefix: Annotated[str, typer.Argument(help="As 'tilt key list' shows it.")]) -> None:
    """Make an API key invalid from now on."""
    security.revoke_key(Store.open(read_settings()).catalog, prefix)
    typer.echo(f"{prefix} is revoked.")
