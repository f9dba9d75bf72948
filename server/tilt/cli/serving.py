"""Commands that serve, and the version."""

import importlib
import os
import socket
from typing import Annotated

import typer
import uvicorn

import tilt
from tilt.api import bridge
from tilt.cli import certificates
from tilt.errors import ArgumentError
from tilt.settings import Settings, read_settings

app = typer.Typer()
WithTls = Annotated[
    bool, typer.Option("--tls", help="Serve https, with the certificate of this installation.")
]


@app.command()
def serve(*, tls: WithTls = False) -> None:
    """Serve the add-in and the API until interrupted."""
    settings = with_tls(read_settings(), wanted=tls)
    require_free_port(settings)
    start(settings)


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(tilt.__version__)


def with_tls(settings: Settings, *, wanted: bool) -> Settings:
    """Return the settings with the certificate they name, or with our own where it is wanted.

    Raises
    ------
    ArgumentError, DataError
        If there is no certificate that can be used.
    """
    if not wanted and settings.tls_cert is None:
        return settings
    files = certificates.require(settings)
    return settings.model_copy(update={"tls_cert": files.cert, "tls_key": files.key})


def require_free_port(settings: Settings) -> None:
    """Refuse a port that something listens on.

    Raises
    ------
    ArgumentError
        If it is in use.
    """
    if not port_is_free(settings):
        raise ArgumentError(
            f"Port {settings.port} on {settings.host} is in use. "
            "Stop what uses it, or set TILT_PORT to another."
        )


def port_is_free(settings: Settings) -> bool:
    """Return whether a server could listen where the settings say."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as probe:
        if os.name == "posix":  # as the server does; on Windows it would share a port in use
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError:
            return False
    return True


def start(settings: Settings) -> None:
    """Serve until interrupted."""
    typer.echo(
        f"{'Server':<16}{settings.scheme}://{settings.host}:{settings.port} (Ctrl-C ends it)"
    )
    bridge.load(settings)  # xlwings reads its environment once, when it is imported
    app_module = importlib.import_module("tilt.api.app")
    application = app_module.create_app(settings)
    app_module.spare_collector()
    application.state.tilt.state.jobs.warm()
    uvicorn.run(
        application,
        host=settings.host,
        port=settings.port,
        log_config=None,  # our handler writes what uvicorn says
        ssl_certfile=settings.tls_cert,
        ssl_keyfile=settings.tls_key,
    )
