"""Commands on what sources sign in with."""

import sys
from contextlib import closing
from typing import Annotated

import typer

from tilt.cli.printing import AsJson, print_rows
from tilt.data import credentials
from tilt.data.store import Store
from tilt.settings import read_settings

app = typer.Typer(help="Passwords of sources, kept encrypted.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="As password_credential of a source names it.")]


@app.command("set")
def set_credential(name: Name) -> None:
    """Save a password, asked for or read from standard input; no option takes it."""
    if sys.stdin.isatty():
        secret = str(typer.prompt("Password", hide_input=True))
    else:
        secret = sys.stdin.readline().rstrip("\r\n")
    with closing(Store.open(read_settings())) as store:
        credentials.save(store.catalog, name, secret)
    typer.echo(f"{name.strip()} is saved, encrypted.")


@app.command("list")
def list_credentials(*, as_json: AsJson = False) -> None:
    """List names and keys; never passwords."""
    with closing(Store.open(read_settings())) as store:
        table = credentials.listed(store.catalog)
    print_rows(table, as_json=as_json)


@app.command("remove")
def remove_credential(name: Name) -> None:
    """Remove a password."""
    with closing(Store.open(read_settings())) as store:
        credentials.remove(store.catalog, name)
    typer.echo(f"{name.strip()} is removed.")
