"""What a worker has in memory before it has a task."""

import subprocess
import sys

SELDOM = ("cvxpy", "scipy.stats", "scipy.signal", "statsmodels", "yfinance", "distributed")


def test_a_worker_does_not_load_what_few_jobs_need():
    work = "import tilt.api.tasks, tilt.api.backtests, tilt.api.optimizations"
    told = f"import sys; print([m for m in {SELDOM!r} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", f"{work}; {told}"], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
