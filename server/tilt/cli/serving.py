"""Commands that serve, and the version."""

import importlib
import math
import os
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
import uvicorn
from starlette.types import ASGIApp

import tilt
from tilt.api import bridge
from tilt.api.connections import Punctual
from tilt.cli import certificates
from tilt.data.store import Store
from tilt.errors import ArgumentError
from tilt.monitoring import Processes, log_as_json
from tilt.monitoring.processes import FOLDER, figures_folder
from tilt.settings import Settings, read_settings

app = typer.Typer()
IDLE = 75  # seconds that a connection may wait for its next request: longer than a proxy keeps it,
# or now and then a request would go into one that is just being closed
_HUNG = 60  # seconds without a word after which a process is replaced; loading data may take some
WithTls = Annotated[
    bool, typer.Option("--tls", help="Serve https, with the certificate of this installation.")
]


WithWorkers = Annotated[
    int, typer.Option("--workers", min=0, max=64, help="Processes that serve; 0: TILT_WORKERS.")
]


@app.command()
def serve(*, tls: WithTls = False, workers: WithWorkers = 0) -> None:
    """Serve the add-in and the API until interrupted."""
    settings = with_tls(read_settings(), wanted=tls)
    if workers:
        settings = settings.model_copy(update={"workers": workers})
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
    """Serve until interrupted; by several processes if the settings say so."""
    many = "" if settings.workers == 1 else f", {settings.workers} processes"
    where = f"{settings.scheme}://{settings.host}:{settings.port}"
    typer.echo(f"{'Server':<16}{where} (Ctrl-C ends it{many})")
    if settings.workers == 1:
        _run(settings, application(settings))
        return
    log_as_json()
    Store.open(settings).close()  # brought up to this program once, before the processes look
    with figures_folder() as figures:
        os.environ.update(_environment(settings, figures))
        _run(settings, "tilt.cli.serving:worker")


def application(settings: Settings, processes: Processes | None = None) -> ASGIApp:
    """Return the application, ready to answer and to start jobs."""
    bridge.load(settings)  # xlwings reads its environment once, when it is imported
    app_module = importlib.import_module("tilt.api.app")
    made = app_module.create_app(settings, processes)
    app_module.spare_collector()
    made.state.tilt.state.jobs.warm()
    served: ASGIApp = made
    return served


def worker() -> ASGIApp:
    """Return the application of one of several processes, which know the settings by these."""
    return application(read_settings(), Processes(Path(os.environ[FOLDER])))


def _run(settings: Settings, served: ASGIApp | str) -> None:
    uvicorn.run(
        served,
        factory=isinstance(served, str),
        workers=settings.workers,
        host=settings.host,
        port=settings.port,
        log_config=None,  # our handler writes what uvicorn says
        http=Punctual,
        ws="none",
        server_header=False,
        ssl_certfile=settings.tls_cert,
        ssl_keyfile=settings.tls_key,
        ssl_context_factory=_tls if settings.tls_cert else None,
        timeout_graceful_shutdown=math.ceil(settings.cell_seconds) + 5,
        timeout_keep_alive=IDLE,
        timeout_worker_healthcheck=_HUNG,
    )


def _tls(_: uvicorn.Config, default: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
    """Return what encrypts: TLS 1.2 or later, whatever the system would still allow."""
    context = default()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _environment(settings: Settings, figures: Path) -> dict[str, str]:
    """Return what the options of the command add to what the processes read for themselves."""
    added = {"TILT_WORKERS": str(settings.workers), FOLDER: str(figures)}
    if settings.tls_cert is not None:
        added |= {"TILT_TLS_CERT": str(settings.tls_cert), "TILT_TLS_KEY": str(settings.tls_key)}
    return added
