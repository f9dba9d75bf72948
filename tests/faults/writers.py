"""Two writers that commit at the same time, and whether any commit is lost.

Run by hand from the folder ``tests``: ``python -m faults.writers --commits 1000 --catalog
postgresql``. Each writer, a process, saves portfolios of its own; each saving also counts one up in
a row that both share, so that a lost update would be missing in the sum.
"""

import argparse
import multiprocessing
import sys
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd
from sqlalchemy import select, update

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parent)]  # also as a script

from real_parts import postgres

from tilt.data.portfolios import CHANGES
from tilt.data.store import Store
from tilt.data.tables import changes
from tilt.errors import BusyError
from tilt.settings import Settings

WEIGHTS = pd.Series([0.6, 0.4], index=["AAPL", "MSFT"])
PORTFOLIOS = 50  # that each writer saves over and over
COUNT = select(changes.c.count).where(changes.c.what == CHANGES)


@dataclass(frozen=True)
class Written:
    """Commits that were acknowledged and that are counted, and portfolios without their last."""

    acknowledged: int
    counted: int
    stale: tuple[str, ...]

    @property
    def lost(self) -> int:
        """How many acknowledged commits are not there."""
        return self.acknowledged - self.counted


def save(settings: Settings, writer: str, commits: int) -> int:
    """Save so many times, trying again when told that another writes; return how often."""
    done = 0
    with closing(Store.open(settings)) as store:
        while done < commits:
            name = f"{writer} {done % PORTFOLIOS}"
            try:
                store.save_portfolio(name, WEIGHTS + done, writer)
            except BusyError:
                continue
            done += 1
    return done


class Meeting:
    """Writers that count by reading first and writing then: each loses what the other did."""

    def __init__(self) -> None:
        self._both = threading.Barrier(2, timeout=60)

    def save(self, settings: Settings, writer: str, commits: int) -> int:
        """Count so many times."""
        with closing(Store.open(settings)) as store:
            for number in range(commits):
                name = f"{writer} {number % PORTFOLIOS}"
                with store.catalog.connect() as connection:
                    before = connection.execute(COUNT).scalar_one()
                self._both.wait()
                store.save_portfolio(name, WEIGHTS + number, writer)
                with store.catalog.begin() as connection:
                    mine = update(changes).where(changes.c.what == CHANGES)
                    connection.execute(mine.values(count=before + 1))
                self._both.wait()
        return commits


def run(
    settings: Settings,
    commits: int,
    pool: Executor,
    save: Callable[[Settings, str, int], int] = save,
) -> Written:
    """Let two writers save so many times each, and look at what is there."""
    with closing(Store.open(settings)) as store:
        store.save_portfolio("first", WEIGHTS, "test")
        before = _count(store)
        done = sum(pool.map(partial(save, settings), ("ann", "ben"), (commits, commits)))
        counted = _count(store) - before
        stale = []
        for writer in ("ann", "ben"):
            for number in range(min(commits, PORTFOLIOS)):
                last = max(n for n in range(number, commits, PORTFOLIOS))
                name = f"{writer} {number}"
                if not store.portfolio(name).equals((WEIGHTS + last).rename_axis("ticker")):
                    stale.append(name)
    return Written(done, counted, tuple(stale))


def _count(store: Store) -> int:
    with store.catalog.connect() as connection:
        return int(connection.execute(COUNT).scalar_one())


def main() -> None:
    """Run the commits asked for and print what is there; exit 1 if one was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--commits", type=int, default=1000, help="of each of the two writers")
    parser.add_argument("--catalog", choices=["sqlite", "postgresql"], default="sqlite")
    given = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        settings = Settings(data_url=str(folder / "store"))
        if given.catalog == "postgresql":
            server = stack.enter_context(postgres())
            settings = Settings(data_url=str(folder), database_url=server.new_database())
        spawn = multiprocessing.get_context("spawn")
        pool = stack.enter_context(ProcessPoolExecutor(2, mp_context=spawn))
        written = run(settings, given.commits, pool)
    print(written)
    if written.lost or written.stale:
        sys.exit(1)


if __name__ == "__main__":
    main()
