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
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI

from tilt.api.connections import Punctual

ROOT = Path(__file__).parents[1]
# Limits of a hang, not of time: no test fails because its machine is slow.
START_SECONDS = 180
SCRIPT_SECONDS = 450
PATIENCE = 170.0  # seconds a request or a job may take


@contextmanager
def listening(app: FastAPI) -> Iterator[str]:
    """Serve an application from a thread of this process; gives the address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        server = uvicorn.Server(
            uvicorn.Config(app, log_config=None, ws="none", http=Punctual, server_header=False)
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [free]}, daemon=True)
        thread.start()
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        yield f"http://127.0.0.1:{free.getsockname()[1]}"
        server.should_exit = True
        thread.join(20)


@contextmanager
def serving(folder: Path, log: Path, **settings: str) -> Iterator[str]:
    """Serve a data folder from a process of its own; gives the address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
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
        _wait_until_ready(f"{address}/health/ready", process, log)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE)


def ended(http: httpx.Client, job: str) -> dict[str, Any]:
    """Return a job once it has ended, as its owner sees it."""
    until = time.monotonic() + PATIENCE
    while True:
        found = http.get(f"/api/v1/jobs/{job}").raise_for_status().json()
        if found["state"] not in {"queued", "running"}:
            return found
        assert time.monotonic() < until, found
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


def _wait_until_ready(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(url, timeout=2):  # noqa: S310 - our own server
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"The server did not start:\n{log.read_text()}")
