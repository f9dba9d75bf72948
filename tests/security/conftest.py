"""A server that asks for API keys, over the sample's store."""

from collections.abc import Iterator

import pytest
from serving import listening

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
    with listening(create_app(settings)) as address:
        yield address


@pytest.fixture
def key(store: Store) -> security.NewKey:
    """A key of Ada, an administrator."""
    security.people.assign_roles(store.catalog, "Ada", ["administrator"])
    return security.create_key(store.catalog, "Ada", secret=SECRET)
