"""The server, its workers and the command sum in one order, so their numbers have the same bits."""

import json
import subprocess
import sys

import pytest

ASKS = """
import json, sys
from threadpoolctl import threadpool_info, threadpool_limits
{start}
import scipy.linalg
print(json.dumps([library["num_threads"] for library in threadpool_info()]))
"""
STARTS = {
    "nothing": "",
    "before numpy": "from tilt.rounding import sum_in_one_order\nsum_in_one_order()\nimport numpy",
    "after numpy": "import numpy\nfrom tilt.rounding import sum_in_one_order\nsum_in_one_order()",
}


@pytest.mark.parametrize("start", ["before numpy", "after numpy"])
def test_linear_algebra_has_one_thread_whenever_it_was_loaded(start):
    found = threads(start)
    assert found
    assert set(found) == {1}


def threads(start):
    script = ASKS.format(start=STARTS[start])
    environment = {"OPENBLAS_NUM_THREADS": "2", "PATH": ""}
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=True
    )
    return json.loads(done.stdout)


def test_without_that_it_has_as_many_as_the_environment_says():
    assert set(threads("nothing")) == {2}
