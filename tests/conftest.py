"""What every test may ask for: the sample, ingested once per run, and its panel."""

import secrets
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
import real_parts
from hypothesis import settings as hypothesis_settings
from pydantic import SecretStr
from serving import serving

from tilt.data.store import Store
from tilt.frames import Panel, Weights
from tilt.refresh import refresh
from tilt.risk.model import RiskModel, estimate_model
from tilt.security import create_key
from tilt.security.people import assign_roles
from tilt.settings import Settings

hypothesis_settings.register_profile("ci", derandomize=True, deadline=None)
hypothesis_settings.load_profile("ci")

INGEST_SECONDS = 450


@pytest.fixture(scope="session")
def sample_settings(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Settings:
    """Settings of the run's one store; its folder is shared by the workers."""
    own = tmp_path_factory.getbasetemp()
    return Settings(data_url=str((own if worker_id == "master" else own.parent) / "sample_store"))


@pytest.fixture(scope="session")
def store(sample_settings: Settings) -> Iterator[Store]:
    """A store that holds the sample. Read from it only; other tests share it."""
    folder = Path(sample_settings.data_url)
    folder.mkdir(exist_ok=True)
    # a lock that ends with its process: the first worker ingests, the others find it done
    lock = sqlite3.connect(folder / "ingest.lock", timeout=INGEST_SECONDS, isolation_level=None)
    lock.execute("BEGIN EXCLUSIVE")
    opened = Store.open(sample_settings)
    refresh(opened, sample_settings)
    lock.close()
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator["real_parts.Postgres"]:
    """A real PostgreSQL; its ``new_database`` gives the URL of an empty database."""
    with real_parts.postgres() as server:
        yield server


@pytest.fixture(scope="session")
def s3_server() -> Iterator["real_parts.S3Server"]:
    """A real S3 server; its ``new_bucket`` gives the name of an empty bucket."""
    with real_parts.s3() as server:
        yield server


@pytest.fixture(params=["sqlite and folder", "postgresql and s3"])
def either_settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Settings of a new store, of either kind."""
    if request.param == "sqlite and folder":
        return Settings(data_url=str(tmp_path / "store"), default_universe="TEST")
    return real_parts.settings_of(
        request.getfixturevalue("postgres_server"), request.getfixturevalue("s3_server"), tmp_path
    )


@pytest.fixture(params=["sqlite", "postgresql"])
def either_database(request, tmp_path) -> str:
    """The URL of an empty database of either kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'catalog.sqlite'}"
    return request.getfixturevalue("postgres_server").new_database()


@pytest.fixture(scope="session")
def panel(store: Store) -> Panel:
    """The sample's panel, with its factor history."""
    return store.panel()


@pytest.fixture(scope="session")
def model(panel: Panel) -> RiskModel:
    """The risk model of the sample's last date."""
    return estimate_model(
        panel.factors, panel.as_of, universe=panel.universe, snapshot=panel.snapshot
    )


@pytest.fixture(scope="session")
def benchmark(panel: Panel, model: RiskModel) -> Weights:
    """The sample by market cap, over the names of the model."""
    caps = panel.cap_weights(panel.as_of)
    known = caps[caps.index.isin(model.assets)]
    return known / known.sum()


@pytest.fixture(scope="session")
def served(store, sample_settings, tmp_path_factory):
    """Address of a server over the sample, open to everybody on this machine."""
    assert store.snapshot(), "The server would have nothing to serve."
    log = tmp_path_factory.mktemp("served") / "log"
    with serving(Path(sample_settings.data_url), log) as address:
        yield address


@pytest.fixture(scope="session")
def locked(store, sample_settings, tmp_path_factory):
    """Address of a server over a copy of the sample that asks for an API key, and a key."""
    assert store.snapshot(), "The server would have nothing to serve."
    folder = tmp_path_factory.mktemp("locked")
    data = folder / "data"
    shutil.copytree(sample_settings.data_url, data)
    secret = secrets.token_hex(32)
    settings = Settings(data_url=str(data), auth="keys", secret_key=SecretStr(secret))
    own = Store.open(settings)
    key = create_key(own.catalog, "anna", secret=secret).key
    assign_roles(own.catalog, "anna", ["administrator"])
    own.close()
    with serving(data, folder / "log", TILT_AUTH="keys", TILT_SECRET_KEY=secret) as address:
        yield address, key
