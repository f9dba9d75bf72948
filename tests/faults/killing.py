"""Kill a refresh with SIGKILL at random instants, and look at what is left.

Run by hand for as many rounds as wanted: ``python tests/faults/killing.py --rounds 200``. Each
round refreshes a folder whose last closes carry the number of the round, so that what a reader sees
says which round was committed. Of four kills two come at any instant, one in the writing of the
snapshot, and one just after it.
"""

import argparse
import os
import random
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1]))  # as a script it has no test runner's path

from real_parts import postgres, s3, settings_of

from tilt.data.store import Store
from tilt.errors import TiltError
from tilt.refresh import refresh
from tilt.settings import Settings, read_settings

NAMES, DAYS = 12, 60
OLD, NEW = "old", "new"


@dataclass
class Seen:
    """What the rounds left: how often the old and the new snapshot, and what was wrong.

    in_writing : kills that came after the writing had begun
    ended : rounds whose refresh was through before it was killed
    """

    left: Counter = field(default_factory=Counter)
    in_writing: int = 0
    ended: int = 0
    wrong: list[str] = field(default_factory=list)


def write_prices(folder: Path, number: int) -> None:
    """Write a universe whose last closes are 100 and the number of the round over a thousand."""
    days = pd.bdate_range("2020-01-01", periods=DAYS)
    rng = np.random.default_rng(number)
    closes = 100 * np.exp((0.01 * rng.standard_normal((DAYS, NAMES))).cumsum(axis=0))
    closes[-1] = 100 + number / 1000
    wide = pd.DataFrame(closes, index=days, columns=[f"N{i:02d}" for i in range(NAMES)])
    long = (
        wide.rename_axis("date").reset_index().melt("date", var_name="ticker", value_name="close")
    )
    folder.mkdir(exist_ok=True)
    long.assign(volume=1e6).to_csv(folder / "prices.csv", index=False)


class Launcher:
    """A process that has loaded everything and forks one refresh after the other."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process

    def start(self) -> int:
        """Start a refresh and return its process id."""
        self._process.stdin.write(b"g")
        self._process.stdin.flush()
        return int(self._line().removeprefix("pid "))

    def stage(self, seconds: float) -> str:
        """Return the next thing the refresh says; empty if it says nothing for so long."""
        ready, _, _ = select.select([self._process.stdout], [], [], max(0.0, seconds))
        return self._line() if ready else ""

    def wait(self) -> None:
        """Wait until the refresh is over, however it ended."""
        while self._line() != "over":
            pass

    def _line(self) -> str:
        line = b""
        while not line.endswith(b"\n"):
            more = os.read(self._process.stdout.fileno(), 1)
            if not more:
                raise EOFError("the launcher has died")
            line += more
        return line.decode().strip()


@contextmanager
def launching(settings: Settings, source: Path) -> Iterator[Launcher]:
    """Give a launcher of refreshes of a folder into the store of the settings."""
    environment = {
        **os.environ,
        "TILT_DATA_URL": settings.data_url,
        "TILT_DATABASE_URL": settings.database_url,
        "TILT_S3_ENDPOINT": settings.s3_endpoint,
        "TILT_WORK_FOLDER": settings.work_folder,
    }
    command = [sys.executable, __file__, "--serve", str(source)]
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        try:
            yield Launcher(process)
        finally:
            process.stdin.close()  # it ends when nothing more can be asked of it


def serve(source: str) -> None:
    """Fork a refresh for each byte on standard input, and say its id and its end."""
    settings, say = read_settings(), sys.stdout.fileno()
    while os.read(sys.stdin.fileno(), 1):
        child = os.fork()
        if not child:
            _refresh(say, settings, source)
        os.write(say, f"pid {child}\n".encode())
        os.waitpid(child, 0)
        os.write(say, b"over\n")


def _refresh(say: int, settings: Settings, source: str) -> None:
    def tell(stage: str, _: float) -> None:
        os.write(say, f"{stage}\n".encode())

    try:
        refresh(Store.open(settings), settings, source=source, progress=tell)
    except TiltError as error:
        os.write(say, f"failed: {error}\n".encode())
        os._exit(1)
    os._exit(0)


def run(
    launcher: Launcher,
    settings: Settings,
    source: Path,
    rounds: int,
    seed: int = 7,
) -> Seen:
    """Kill so many refreshes, the first one at once, and look after each what a reader finds."""
    rng = random.Random(seed)  # noqa: S311 - instants, no secrets
    write_prices(source, 0)
    whole, writing = _time(launcher)
    store = Store.open(settings)
    before, seen = store.snapshot().id, Seen()
    for number in range(1, rounds + 1):
        write_prices(source, number)
        if number % 4 == 0:
            _kill(launcher, "done", 0.0, seen)
        elif number % 2 == 0:
            _kill(launcher, "write", rng.uniform(0, 1.3 * writing), seen)
        else:
            _kill(launcher, "", 0.0 if number == 1 else rng.uniform(0, whole), seen)
        before = _look(store, before, number, seen)
        if number % 20 == 0:
            print(number, dict(seen.left), "wrong:", len(seen.wrong), flush=True)
    write_prices(source, rounds + 1)
    launcher.start()
    launcher.wait()
    _look(store, before, rounds + 1, seen)  # undisturbed, it commits, whatever was left
    store.close()
    return seen


def _time(launcher: Launcher) -> tuple[float, float]:
    """Return the seconds of a whole refresh, and of its writing."""
    begun = time.monotonic()
    launcher.start()
    written = begun
    while (said := launcher.stage(120)) != "over":
        if said.startswith("failed"):
            raise RuntimeError(said)
        if said == "write":
            written = time.monotonic()
    return time.monotonic() - begun, time.monotonic() - written


def _kill(launcher: Launcher, stage: str, delay: float, seen: Seen) -> None:
    """Kill a refresh so many seconds after it has begun, or has entered a stage."""
    child = launcher.start()
    at = None if stage else time.monotonic() + delay
    wrote = False
    while True:
        said = launcher.stage(60 if at is None else at - time.monotonic())
        wrote = wrote or said == "write"
        if said == stage and at is None:
            at = time.monotonic() + delay
        if said.startswith("failed"):
            seen.wrong.append(said)
        if said == "over":
            seen.ended += 1
            return
        if at is not None and time.monotonic() >= at:
            break
    os.kill(child, signal.SIGKILL)  # our own grandchild; its parent has not waited for it yet
    launcher.wait()
    seen.in_writing += wrote


def _look(store: Store, before: str, number: int, seen: Seen) -> str:
    """Note what a reader finds, and return the id of the current snapshot."""
    current = store.snapshot().id
    for kept in store.snapshots():
        seen.wrong += store.contents(kept.id).damage().values()
    last = store.panel().close.iloc[-1]
    carried = round(1000 * (float(last.iloc[0]) - 100))
    if not (last == last.iloc[0]).all():
        seen.wrong.append(f"round {number}: the last closes are of different rounds")
    new = current != before
    if new != (carried == number):
        seen.wrong.append(f"round {number}: snapshot {current} carries round {carried}")
    seen.left[NEW if new else OLD] += 1
    return current


def main() -> None:
    """Run the rounds asked for and print what was seen; exit 1 if anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--store", choices=["folder", "bucket"], default="folder")
    parser.add_argument("--serve", metavar="FOLDER", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        serve(given.serve)
        return
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        settings = Settings(data_url=str(folder / "store"))
        if given.store == "bucket":
            database, bucket = stack.enter_context(postgres()), stack.enter_context(s3())
            settings = settings_of(database, bucket, folder)
        source = folder / "made_up"
        launcher = stack.enter_context(launching(settings, source))
        seen = run(launcher, settings, source, given.rounds)
    print(f"{given.rounds} kills, {seen.in_writing} of them in the writing, {seen.ended} too late.")
    print(f"left: {dict(seen.left)}; wrong: {seen.wrong or 'nothing'}")
    if seen.wrong or not all(seen.left[k] for k in (OLD, NEW)):
        sys.exit(1)


if __name__ == "__main__":
    main()
