"""The small made-up deliveries that the tests of the data have."""

import sys
from pathlib import Path

import pytest
from data.conftest import Make

sys.path.insert(0, str(Path(__file__).parent))  # killing
sys.path.insert(0, str(Path(__file__).parents[1] / "jobs"))  # job_functions


@pytest.fixture(scope="session")
def make() -> Make:
    return Make()
