import sys
from pathlib import Path

import pytest
import serving
from sqlalchemy import create_engine

from tilt.jobs import Jobs

# A worker imports a job's function by the path it gets from its server.
sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def engine(tmp_path):
    engine = create_engine(f"sqlite:///{tmp_path / 'catalog.sqlite'}")
    yield engine
    engine.dispose()


@pytest.fixture
def open_jobs(engine, tmp_path):
    """Open servers' jobs on one catalog and folder; all are closed at the end."""
    opened = []

    def opener(**options):
        opened.append(Jobs(engine, tmp_path / "jobs", **{"processes": 1, "lease": 5.0, **options}))
        return opened[-1]

    yield opener
    for jobs in opened:
        jobs.close()


@pytest.fixture
def until():
    """Poll for a condition, and return what it found."""
    return serving.until
