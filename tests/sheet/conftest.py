"""Servers that a test may stop, start and watch, and what a session in Chromium saw of them."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr
from serving import PATIENCE, free_port, wait_until_ready

from tilt.data.store import Store
from tilt.security import create_key
from tilt.security.people import assign_roles
from tilt.settings import Settings

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SECRET = "a secret of the tests, long enough to be one"


class Served:
    """A server of its own process over a data folder, on one port for its whole life."""

    def __init__(self, folder: Path, log: Path, **settings: str) -> None:
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.log = log
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("TILT_", "XLWINGS_"))}
        own = {"TILT_DATA_URL": str(folder), "TILT_PORT": str(self.port), **settings}
        self.environment = {**clean, **own}
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> "Served":
        command = [sys.executable, "-c", "from tilt.cli import main; main()", "serve"]
        with self.log.open("a") as out:
            self.process = subprocess.Popen(command, env=self.environment, stdout=out, stderr=out)
        wait_until_ready(self.address, self.process, self.log)
        return self

    def kill(self) -> None:
        """End it as a crash would."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(PATIENCE)

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(PATIENCE)


def copy_of(store: Store, settings: Settings, places: pytest.TempPathFactory) -> Path:
    """Return a folder of its own with the sample's store."""
    assert store.snapshot(), "The server would have nothing to serve."
    folder = places.mktemp("sheet") / "data"
    shutil.copytree(settings.data_url, folder)
    return folder


@pytest.fixture(scope="package")
def copied(store, sample_settings, tmp_path_factory) -> Path:
    """A copy of the sample's store, for servers that change it."""
    return copy_of(store, sample_settings, tmp_path_factory)


@pytest.fixture(scope="package")
def served(copied, tmp_path_factory) -> Iterator[Served]:
    server = Served(copied, tmp_path_factory.mktemp("served") / "log").start()
    yield server
    server.stop()


@pytest.fixture
def http(served) -> Iterator[httpx.Client]:
    headers = {"X-Tilt-Client": "tests"}
    with httpx.Client(base_url=served.address, headers=headers, timeout=PATIENCE) as client:
        yield client


@pytest.fixture(scope="package")
def locked(store, sample_settings, tmp_path_factory):
    """A server that asks for keys, and the keys of two users.

    Its store is its own: of one that it shared it would do the jobs of servers that ask for none.
    """
    folder = copy_of(store, sample_settings, tmp_path_factory)
    settings = Settings(data_url=str(folder), auth="keys", secret_key=SecretStr(SECRET))
    own = Store.open(settings)
    keys = [create_key(own.catalog, user, secret=SECRET).key for user in ("anna", "ben")]
    for user in ("anna", "ben"):
        assign_roles(own.catalog, user, ["administrator"])
    own.close()
    log = tmp_path_factory.mktemp("locked") / "log"
    server = Served(folder, log, TILT_AUTH="keys", TILT_SECRET_KEY=SECRET).start()
    yield server, keys
    server.stop()


@pytest.fixture(scope="package")
def talk() -> Callable[..., dict]:
    """Return a function that runs a script of this folder and does what it asks for by a word."""
    node = shutil.which("node")
    assert node, "Node is needed for the browser tests: install Node 20 or later."
    assert (ROOT / "node_modules" / "playwright-core").is_dir(), "Run 'npm ci' first."

    def run(script: str, *arguments: str, **steps: Callable[[], object]) -> dict:
        process = subprocess.Popen(
            [node, str(HERE / script), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            for line in process.stdout:
                if line.startswith("{"):
                    return json.loads(line)
                steps[line.strip()]()
                process.stdin.write("\n")
                process.stdin.flush()
            raise AssertionError(process.stderr.read())
        finally:
            process.kill()
            process.communicate()

    return run
