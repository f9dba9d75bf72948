"""The command that lends this machine to a cluster."""

import asyncio
import os
from typing import Annotated

import typer

from tilt.errors import ArgumentError, DataError
from tilt.jobs import where
from tilt.settings import Settings, read_settings

app = typer.Typer()
Threads = Annotated[
    int | None, typer.Option(min=1, help="Tasks at once; left out: one for each core.")
]


@app.command()
def worker(*, threads: Threads = None) -> None:
    """Run the jobs of the cluster that TILT_CLUSTER names, until interrupted.

    It needs the server's version of Tilt, and the server's store by the same TILT_DATA_URL.
    """
    settings = read_settings()
    if settings.cluster == "local":
        raise ArgumentError(
            "TILT_CLUSTER names no cluster. Set it to the address of a Dask scheduler, such as "
            "tls://host:8786."
        )
    asyncio.run(_work(settings, threads or os.cpu_count() or 1))


async def _work(settings: Settings, threads: int) -> None:
    cluster = where.cluster_module()
    try:
        async with cluster.worker(settings.cluster, where.certificates(settings), threads) as one:
            typer.echo(f"{'Worker':<16}{one.address} of {settings.cluster} (Ctrl-C ends it)")
            await one.finished()
    except (OSError, TimeoutError) as error:
        raise DataError(
            f"No Dask scheduler answers at {settings.cluster}: {error}. Start it first."
        ) from error
