"""A server that asks for API keys, over the sample's store."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn

from tilt import security
from tilt.api.app import create_app
from tilt.data.store import Store
from tilt.settings import Settings

SECRET = "0123456789abcdef0123456789abcdef"


@pytest.fixture(scope="package")
def locked(store: Store, sample_settings: Settings) -> Iterator[str]:
    """Address of a server with ``auth='keys'``."""
    assert store.snapshot()
    settings = Settings(**{**sample_settings.model_dump(), "auth": "keys", "secret_key": SECRET})
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(create_app(settings), log_config=None, ws="none"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [free]}, daemon=True)
        thread.start()
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        yield f"http://127.0.0.1:{free.getsockname()[1]}"
        server.should_exit = True
        thread.join(10)


@pytest.fixture
def key(store: Store) -> security.NewKey:
    """A key of Ada, an administrator."""
    security.people.assign_roles(store.catalog, "Ada", ["administrator"])
    return security.create_key(store.catalog, "Ada", secret=SECRET)
