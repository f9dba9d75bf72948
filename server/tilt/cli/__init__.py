"""The ``tilt`` command: one module per family of commands."""

import secrets
import sys

import psutil
import typer

from tilt.audit import ACTOR, Actor
from tilt.cli import (
    auditing,
    backups,
    cluster,
    configurations,
    credentials,
    data,
    encryption,
    installation,
    keys,
    portfolios,
    refreshing,
    reports,
    serving,
    sources,
    transfer,
    universes,
    users,
    verifying,
)
from tilt.errors import TiltError
from tilt.rounding import sum_in_one_order

app = typer.Typer(
    help="Factor exposures, risk, optimal weights and backtests in Excel.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
for family in (
    portfolios,
    reports,
    refreshing,
    sources,
    transfer,
    serving,
    cluster,
    installation,
    backups,
    verifying,
):
    app.add_typer(family.app)
app.add_typer(auditing.app, name="audit")
app.add_typer(installation.certificates_app, name="certificate")
app.add_typer(configurations.app, name="config")
app.add_typer(credentials.app, name="credential")
app.add_typer(data.app, name="data")
app.add_typer(encryption.app, name="encrypt")
app.add_typer(keys.app, name="key")
app.add_typer(universes.app, name="universe")
app.add_typer(users.app, name="user")


@app.callback()
def begin() -> None:
    """Factor exposures, risk, optimal weights and backtests in Excel."""
    ACTOR.set(Actor(_user(), "command", secrets.token_hex(8)))


def _user() -> str:
    """Return who runs the command, for the audit: as the system knows them, not the environment."""
    return f"{psutil.Process().username()} (command)"


def main(arguments: list[str] | None = None) -> None:
    """Run the command; what a person can mend is one line on stderr and exit status 2."""
    sum_in_one_order()
    try:
        app(args=arguments)
    except TiltError as error:
        typer.echo(f"tilt: {error}", err=True)
        sys.exit(2)
