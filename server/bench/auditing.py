"""What the audit and encryption cost: a cell batch, a saved portfolio, a recorded run.

``python server/bench/auditing.py [--rounds 200]`` prints milliseconds, the median of the rounds.
"""

import argparse
import itertools
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from bench.measuring import median_seconds
from tilt import sealing
from tilt.api.trail import Trail
from tilt.audit import Entry
from tilt.data import chain, runs
from tilt.data.store import Store
from tilt.settings import Settings

NAMES = 3_000


def median(step: Callable[[int], object], rounds: int) -> float:
    """Return the median milliseconds of a step, which is told the round."""
    numbers = itertools.count()
    return 1e3 * median_seconds(lambda: step(next(numbers)), rounds)


def measure(folder: Path, rounds: int) -> pd.DataFrame:
    """Return what, plain and encrypted milliseconds."""
    modes = {"plain": "", "encrypted": "portfolios"}
    return pd.DataFrame({n: _measured(folder / n, mode, rounds) for n, mode in modes.items()})


def _measured(folder: Path, encrypt: str, rounds: int) -> dict[str, float]:
    given = {"data_url": str(folder), "data_key": sealing.new_key(), "encrypt": encrypt}
    settings = Settings.model_validate({**given, "audit_key": "k" * 32})
    store = Store.open(settings)
    trail = Trail(store.catalog, settings.anchor_file)
    batch = Entry("computed", "cells", {"cells": 1000, "functions": {"risk": 1000}})
    held = pd.Series(1 / NAMES, index=[f"T{n}" for n in range(NAMES)])
    question = {"holdings": dict.fromkeys(held.index, 1 / NAMES)}

    def record(number: int) -> None:
        run = runs.Run(
            f"{number:012x}", "OPTIMIZE", "", "U", "s", question, {}, (), "1", {}
        )  # fmt: skip
        runs.record(store.catalog, "ann", run)

    steps: dict[str, Callable[[int], object]] = {
        f"save a portfolio of {NAMES:,}": lambda _: store.save_portfolio("P", held, "x"),
        f"read a portfolio of {NAMES:,}": lambda _: store.portfolio("P"),
        f"record a run of {NAMES:,}": record,
        "audit, before an answer": lambda _: trail.add(batch),
        "audit, gathered, in a batch": lambda _: trail.gather(batch),
    }
    found = {what: median(step, rounds) for what, step in steps.items()}
    start = time.perf_counter()
    trail.flush()
    found["audit, gathered, in its thread"] = 1e3 * (time.perf_counter() - start) / (rounds + 1)
    entries = chain.check(store.catalog).entries
    found["audit, verified, an entry"] = median(lambda _: chain.check(store.catalog), 3) / entries
    trail.close()
    store.close()
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    with tempfile.TemporaryDirectory() as folder:
        table = measure(Path(folder), parser.parse_args().rounds)
    print(table.round(4).to_string())


if __name__ == "__main__":
    main()
