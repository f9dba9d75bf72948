"""Servers for tests, in this process or in one of their own, and scripts that drive a browser."""

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx
import uvicorn
from starlette.types import ASGIApp

from tilt.api.connections import Punctual

ROOT = Path(__file__).parents[1]
# Limits of a hang, not of time: no test fails because its machine is slow.
START_SECONDS = 180
SCRIPT_SECONDS = 450
PATIENCE = 170.0  # seconds a request or a job may take
Found = TypeVar("Found")


def free_port() -> int:
    """Return a port of loopback that nobody has at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(condition: Callable[[], Found]) -> Found:
    """Return what a condition finds, asked again until that is true."""
    end = time.monotonic() + PATIENCE
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < end, f"not so within {PATIENCE:g} s"
        time.sleep(0.01)


@contextmanager
def listening(app: ASGIApp, **tls: Path) -> Iterator[str]:
    """Serve an application from a thread of this process; gives the address.

    tls : files of a certificate, as uvicorn calls them
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        options = {"log_config": None, "ws": "none", "http": Punctual, "server_header": False}
        server = uvicorn.Server(uvicorn.Config(app, **options, **tls))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [free]}, daemon=True)
        thread.start()
        try:
            while not server.started:
                assert thread.is_alive()
                time.sleep(0.01)
            yield f"{'https' if tls else 'http'}://127.0.0.1:{free.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(PATIENCE)


@contextmanager
def serving(folder: Path, log: Path, **settings: str) -> Iterator[str]:
    """Serve a data folder from a process of its own; gives the address."""
    port = free_port()
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith(("TILT_", "XLWINGS_"))},
        "TILT_DATA_URL": str(folder),
        "TILT_PORT": str(port),
        **settings,
    }
    command = [sys.executable, "-c", "from tilt.cli import main; main()", "serve"]
    with log.open("w") as out:
        process = subprocess.Popen(command, env=environment, stdout=out, stderr=out)
    address = f"http://127.0.0.1:{port}"
    try:
        wait_until_ready(address, process, log)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE)


def ended(http: httpx.Client, job: str) -> dict[str, Any]:
    """Return a job once it has ended, as its owner sees it."""
    end = time.monotonic() + PATIENCE
    while True:
        found = http.get(f"/api/v1/jobs/{job}").raise_for_status().json()
        if found["state"] not in {"queued", "running"}:
            return found
        assert time.monotonic() < end, found
        time.sleep(0.1)


def run_node(script: Path, *arguments: str) -> dict[str, Any]:
    """Run a script with Node and return the JSON it prints."""
    node = shutil.which("node")
    assert node, "Node is needed for the browser tests: install Node 20 or later."
    assert (ROOT / "node_modules" / "playwright-core").is_dir(), "Run 'npm ci' first."
    done = subprocess.run(
        [node, str(script), *arguments], capture_output=True, text=True, timeout=SCRIPT_SECONDS
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def wait_until_ready(address: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Wait until a process that was just started has data to serve."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/health/ready", timeout=2):  # noqa: S310
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"The server did not start:\n{log.read_text()}")
