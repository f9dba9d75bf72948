"""Two servers over PostgreSQL, a bucket, Redis and a Dask cluster give what a single one gives."""

import secrets
from contextlib import ExitStack, closing

import httpx
import pytest
from jobs.test_jobs_cluster import RealCluster
from real_parts import settings_of
from security.test_shared_rates import real_redis
from serving import PATIENCE, ended, free_port, listening

from tilt.api.app import create_app
from tilt.data.backup import copy_store
from tilt.data.store import Store
from tilt.security import create_key
from tilt.security.people import assign_roles
from tilt.settings import read_settings

HELD = [["ticker", "weight"], ["AAPL", 0.5], ["XOM", 0.3], ["JPM", 0.2]]
OPTIMIZE = {
    "holdings": HELD,
    "objective": "min_te",
    "constraints": [["weight", "*", 0, 0.05], ["turnover", "", None, 0.4]],
}


def answers(http):
    """Return a cell's numbers, and the weights and run id of an optimization."""
    risk = http.post("/api/v1/risk", json={"holdings": HELD}).raise_for_status().json()
    asked = http.post("/api/v1/optimize", json=OPTIMIZE).raise_for_status().json()
    job = ended(http, asked["id"])
    assert job["state"] == "done", job["error"]
    return risk["measures"], job["result"]["weights"], job["result"]["run_id"]


@pytest.fixture
def servers(store, postgres_server, s3_server, tmp_path, monkeypatch):
    """Clients of two servers over the sample, moved into a bucket and PostgreSQL."""
    settings = settings_of(postgres_server, s3_server, tmp_path)
    settings = settings.model_copy(update={"default_universe": store.snapshot().universe})
    with ExitStack() as stack:
        with closing(Store.open(settings)) as moved:
            copy_store(store, moved)
            secret = secrets.token_hex(32)
            key = create_key(moved.catalog, "anna", secret=secret).key
            assign_roles(moved.catalog, "anna", ["administrator"])
        port = free_port()
        stack.enter_context(real_redis(port))
        shared = {
            "TILT_DATA_URL": settings.data_url, "TILT_DATABASE_URL": settings.database_url,
            "TILT_S3_ENDPOINT": settings.s3_endpoint, "TILT_WORK_FOLDER": settings.work_folder,
            "TILT_AUTH": "keys", "TILT_SECRET_KEY": secret,
            "TILT_REDIS": f"redis://127.0.0.1:{port}",
            "TILT_DEFAULT_UNIVERSE": settings.default_universe,
        }  # fmt: skip
        for name, value in shared.items():
            monkeypatch.setenv(name, value)
        cluster = RealCluster(tmp_path)
        stack.callback(cluster.close)
        cluster.lend(threads=2)
        monkeypatch.setenv("TILT_CLUSTER", cluster.address)
        headers = {"X-Tilt-Client": "tests", "Authorization": f"Bearer {key}"}
        clients = []
        for _ in range(2):
            address = stack.enter_context(listening(create_app(read_settings())))
            http = httpx.Client(base_url=address, headers=headers, timeout=PATIENCE)
            clients.append(stack.enter_context(http))
        yield clients


def test_their_answers_are_those_of_a_single_server_bit_for_bit(servers, served):
    first, second = servers
    with httpx.Client(
        base_url=served, headers={"X-Tilt-Client": "tests"}, timeout=PATIENCE
    ) as single:
        alone = answers(single)
    assert answers(first) == alone
    assert answers(second) == alone
    first.put("/api/v1/portfolios/Shared", json={"holdings": HELD}).raise_for_status()
    seen = second.get("/api/v1/portfolios/Shared").raise_for_status().json()
    assert seen == first.get("/api/v1/portfolios/Shared").json()
