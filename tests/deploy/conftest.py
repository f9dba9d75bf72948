"""A certificate, and a server that uses it over the sample's store."""

import datetime as dt
import http.client
import ssl
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from serving import PATIENCE, listening
from starlette.types import ASGIApp

from tilt.api.app import create_app
from tilt.cli import certificates
from tilt.cli.certificates import Files
from tilt.data.store import Store
from tilt.settings import Settings


class Page(NamedTuple):
    """What a server answered."""

    status: int
    headers: dict[str, str]
    text: str


def _make(folder: Path, *, now: dt.datetime | None = None) -> Files:
    files = certificates.own_files(Settings(data_url=str(folder)))
    certificates.create(files, now=now or dt.datetime.now(dt.UTC))
    return files


def _trusting(files: Files) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=files.authority)


@contextmanager
def _running(app: ASGIApp, files: Files | None = None) -> Iterator[int]:
    """Serve ``app`` on a free port of loopback in a thread."""
    tls = {"ssl_certfile": files.cert, "ssl_keyfile": files.key} if files else {}
    with listening(app, **tls) as address:
        yield int(address.rpartition(":")[2])


@pytest.fixture(scope="package")
def make_certificate() -> Callable[..., Files]:
    """Make a certificate in a data folder."""
    return _make


@pytest.fixture(scope="package")
def trusting() -> Callable[[Files], ssl.SSLContext]:
    """Return what a client has that trusts the authority of a certificate."""
    return _trusting


@pytest.fixture(scope="package")
def running() -> Callable[..., AbstractContextManager[int]]:
    """Serve an application while a block runs; gives the port."""
    return _running


@pytest.fixture(scope="package")
def served_files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return _make(tmp_path_factory.mktemp("served"))


@pytest.fixture(scope="package")
def served(store: Store, sample_settings: Settings, served_files: Files) -> Iterator[Settings]:
    """Settings of a server that runs, with https, over the sample."""
    assert store.snapshot()
    given = {"tls_cert": served_files.cert, "tls_key": served_files.key}
    settings = sample_settings.model_copy(update=given)
    with _running(create_app(settings), served_files) as port:
        yield settings.model_copy(update={"port": port})


@pytest.fixture(scope="package")
def fetch(served: Settings, served_files: Files) -> Callable[[str], Page]:
    """Ask the server for a page, as a client that trusts the authority."""

    def fetch(path: str) -> Page:
        connection = http.client.HTTPSConnection(
            "localhost", served.port, timeout=PATIENCE, context=_trusting(served_files)
        )
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            headers = {k.lower(): v for k, v in response.getheaders()}
            return Page(response.status, headers, response.read().decode("utf-8", "replace"))
        finally:
            connection.close()

    return fetch
