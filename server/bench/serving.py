"""A server of its own for the bench, as `tilt serve` starts it."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

START_SECONDS = 180.0
COMMAND = (sys.executable, "-c", "from tilt.cli import main; main()")


def environment(folder: Path, **more: str) -> dict[str, str]:
    """Return the environment of a process that works on a data folder, with the usual settings."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("TILT_", "XLWINGS_"))}
    return {**kept, "TILT_DATA_URL": str(folder), **more}


def tilt(folder: Path, *arguments: str) -> None:
    """Run a command of Tilt on a data folder, in a process of its own."""
    subprocess.run(  # noqa: S603 - our own command
        [*COMMAND, *arguments],
        env=environment(folder),
        cwd=folder,
        check=True,
        stdout=subprocess.DEVNULL,
    )


@dataclass(frozen=True)
class Server:
    """A server that answers: its address, and the id of its process."""

    address: str
    process: int


@contextmanager
def served(folder: Path, *arguments: str) -> Iterator[Server]:
    """Serve a data folder; gives the server once it says that it is ready."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    log = folder / "bench-server.log"
    with log.open("wb") as told:
        server = subprocess.Popen(  # noqa: S603 - our own command
            [*COMMAND, *(arguments or ("serve",))],
            env=environment(folder, TILT_PORT=str(port)),
            cwd=folder,
            stdout=told,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait(f"{address}/health/ready", server, log)
        yield Server(address, server.pid)
    finally:
        server.send_signal(signal.SIGINT if os.name == "posix" else signal.SIGTERM)
        try:
            server.wait(timeout=30)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _wait(address: str, server: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while True:
        try:
            urllib.request.urlopen(address, timeout=5).close()  # noqa: S310 - our own server
        except OSError as away:
            if server.poll() is not None or time.monotonic() > until:
                said = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
                raise RuntimeError(f"The server did not start: {said[-3:]}") from away
            time.sleep(0.02)
        else:
            return
