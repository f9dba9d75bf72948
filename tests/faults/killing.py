"""Kill refreshes, imports and reports with SIGKILL at random instants, and look at what is left.

Run by hand for as many rounds as wanted, from the folder ``tests``:
``python -m faults.killing --work import --store bucket --rounds 1000``. Each round works on files
that carry its number, so that what a reader sees says which round it is of. Of four kills two come
at any instant, one in the writing of what is to be kept, and one just after it.
"""

import argparse
import io
import os
import random
import signal
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parent)]  # also as a script

from launching import OWNER, TORN, UNIVERSE, WORKS, Launcher, launching, state_of
from real_parts import postgres, s3, settings_of

from tilt.api import files as made_files
from tilt.api.state import State, enter
from tilt.data.named import open_files
from tilt.data.schema import PRICES, SECURITIES
from tilt.data.sources.imported import Imported, kept_tables
from tilt.data.store import Store
from tilt.errors import TiltError, UnknownNameError
from tilt.refresh import refresh
from tilt.settings import Settings

NAMES, DAYS = 12, 60
OLD, NEW = "old", "new"
ALL_EACH = 50  # rounds after which every snapshot is looked at, not the last two alone
WRITING = {"refresh": "write", "import": "import", "report": "write"}
ACKNOWLEDGED = {"refresh": "done", "import": "kept", "report": "file"}


@dataclass
class Seen:
    """What the rounds left: how often the old and the new state, and what was wrong.

    in_writing : kills that came after the writing had begun
    ended : rounds whose work was through before it was killed
    """

    left: Counter = field(default_factory=Counter)
    in_writing: int = 0
    ended: int = 0
    wrong: list[str] = field(default_factory=list)

    def judge(self, number: int, said: list[str], work: str, *, new: bool) -> None:
        """Count what a round left; what was acknowledged must be there."""
        self.left[NEW if new else OLD] += 1
        done = ACKNOWLEDGED[work.removeprefix("broken ")]
        if any(words.startswith(done) for words in said) and not new:
            self.wrong.append(f"round {number}: it said '{done}', and it is not there")


Look = Callable[[int, list[str], Seen], None]


def write_files(folder: Path, number: int) -> None:
    """Write a universe whose last closes and companies' names carry the number of the round."""
    days = pd.bdate_range("2020-01-01", periods=DAYS)
    rng = np.random.default_rng(number)
    closes = 100 * np.exp((0.01 * rng.standard_normal((DAYS, NAMES))).cumsum(axis=0))
    closes[-1] = 100 + number / 1000
    names = [f"N{i:02d}" for i in range(NAMES)]
    wide = pd.DataFrame(closes, index=days, columns=names).rename_axis("date")
    long = wide.reset_index().melt("date", var_name="ticker", value_name="close")
    folder.mkdir(exist_ok=True)
    long.assign(volume=1e6).to_csv(folder / "prices.csv", index=False)
    about = pd.DataFrame({"ticker": names, "name": f"Company of round {number}"})
    about.to_csv(folder / "securities.csv", index=False)


def run(
    launcher: Launcher,
    settings: Settings,
    folder: Path,
    rounds: int,
    *,
    work: str = "refresh",
    seed: int = 7,
) -> Seen:
    """Kill a work so many times, the first at once, and look each time at what a reader finds."""
    rng = random.Random(seed)  # noqa: S311 - instants, no secrets
    broken, reports = work.startswith("broken"), work.endswith("report")
    write_files(folder, 0)
    store = Store.open(settings)
    if reports and not store.snapshots():
        refresh(store, settings)  # the sample: a report needs a risk model
    whole, writing = (0.0, 0.0) if broken else _time(launcher, WRITING[work])
    look, seen = looking(work, store, settings), Seen()
    for number in range(1, rounds + 1):
        write_files(folder, number)
        if broken:
            said = _kill(launcher, TORN, 0.0, seen)
        elif number % 4 == 0:
            said = _kill(launcher, ACKNOWLEDGED[work], 0.0, seen)
        elif number % 2 == 0:
            said = _kill(launcher, WRITING[work], rng.uniform(0, 1.3 * writing), seen)
        else:
            said = _kill(launcher, "", 0.0 if number == 1 else rng.uniform(0, whole), seen)
        seen.in_writing += not broken and WRITING[work] in said and not _over(said)
        look(number, said, seen)
        if number % 20 == 0:
            print(number, dict(seen.left), "wrong:", len(seen.wrong), flush=True)
    if not broken:
        write_files(folder, rounds + 1)
        launcher.start()
        look(rounds + 1, launcher.wait(), seen)  # undisturbed, it works, whatever was left
    store.close()
    return seen


def _time(launcher: Launcher, writing: str) -> tuple[float, float]:
    """Return the seconds of a whole work, and of its writing."""
    begun = time.monotonic()
    launcher.start()
    written = begun
    while (said := launcher.stage(120)) != "over":
        if said.startswith("failed"):
            raise RuntimeError(said)
        if said == writing:
            written = time.monotonic()
    return time.monotonic() - begun, time.monotonic() - written


def _kill(launcher: Launcher, stage: str, delay: float, seen: Seen) -> list[str]:
    """Kill a work so many seconds after it has begun, or has entered a stage; return its words."""
    child = launcher.start()
    at = None if stage else time.monotonic() + delay
    heard: list[str] = []
    while True:
        said = launcher.stage(60 if at is None else at - time.monotonic())
        heard += [said] if said else []
        if at is None and said.startswith(stage):
            at = time.monotonic() + delay
        if said.startswith("failed"):
            seen.wrong.append(said)
        if said == "over":
            seen.ended += 1
            return heard
        if at is not None and time.monotonic() >= at:
            break
    os.kill(child, signal.SIGKILL)  # our own grandchild; its parent has not waited for it yet
    return heard + launcher.wait()


def _over(said: list[str]) -> bool:
    return any(words.startswith("ended") for words in said)


def looking(work: str, store: Store, settings: Settings) -> Look:
    """Return what looks at the state that a work left."""
    kind = work.removeprefix("broken ")
    if kind == "report":
        return _ReportsSeen(settings, state_of(settings, store)).look
    snapshots = _SnapshotsSeen(store)
    return snapshots.look if kind == "refresh" else _ImportsSeen(store, settings, snapshots).look


class _SnapshotsSeen:
    """The store as a reader finds it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        kept = store.snapshots()
        self.before = kept[0].id if kept else ""

    def whole(self, seen: Seen, number: int) -> int:
        """Note damage; return the round that the current data carries, -1 if there is none."""
        if not self._store.snapshots():
            return -1
        kept = self._store.snapshots()
        for one in kept if number % ALL_EACH == 0 else kept[:2]:
            seen.wrong += self._store.contents(one.id).damage().values()
        if seen.wrong:
            return -1
        last = self._store.panel().close.iloc[-1]
        if not (last == last.iloc[0]).all():
            seen.wrong.append(f"round {number}: the last closes are of different rounds")
        return round(1000 * (float(last.iloc[0]) - 100))

    def look(self, number: int, said: list[str], seen: Seen) -> None:
        carried = self.whole(seen, number)
        kept = self._store.snapshots()
        current = kept[0].id if kept else ""
        new = current != self.before
        if new != (carried == number):
            seen.wrong.append(f"round {number}: snapshot {current} carries round {carried}")
        seen.judge(number, said, "refresh", new=new)
        self.before = current


class _ImportsSeen:
    """What was imported, and the store that is refreshed from it."""

    def __init__(self, store: Store, settings: Settings, snapshots: _SnapshotsSeen) -> None:
        self._files = open_files(settings)
        self._snapshots = snapshots
        self._before = self._carried()

    def look(self, number: int, said: list[str], seen: Seen) -> None:
        closes, names = found = self._carried()
        if closes != names:
            seen.wrong.append(f"round {number}: prices are of round {closes}, names of {names}")
        if found not in (self._before, (number, number)):
            seen.wrong.append(f"round {number}: what was imported is of round {closes}")
        seen.judge(number, said, "import", new=closes == number)
        self._before = found
        snapshot = self._snapshots.whole(seen, number)
        if snapshot > closes:
            seen.wrong.append(f"round {number}: a snapshot of {snapshot} has lost its import")
        if "done" in said and snapshot != number:
            seen.wrong.append(f"round {number}: it said 'done', and the data is of {snapshot}")

    def _carried(self) -> tuple[int, int]:
        """Return the rounds that the kept prices and names carry; -1 for none."""
        if not kept_tables(self._files, UNIVERSE):
            return -1, -1
        tables = Imported(UNIVERSE, self._files).fetch().tables
        closes = tables[PRICES.name].groupby("ticker")["close"].last().unique()
        names = tables[SECURITIES.name]["name"].unique()
        one = len(closes) == 1 and len(names) == 1
        return (round(1000 * (closes[0] - 100)), int(names[0].split()[-1])) if one else (-1, -2)


class _ReportsSeen:
    """The reports that can be fetched."""

    def __init__(self, settings: Settings, state: State) -> None:
        self._data, self._state = settings.data_path, state
        self._before = set(self._there())

    def look(self, number: int, said: list[str], seen: Seen) -> None:
        there = self._there()
        seen.wrong += [f"round {number}: {f.name} is half a report" for f in there if not whole(f)]
        told = [words.split()[1] for words in said if words.startswith("file")]
        enter(self._state, OWNER)
        for file in told:
            try:
                made_files.find(self._data, OWNER, file)
            except UnknownNameError as error:
                seen.wrong.append(f"round {number}: {error}")
        seen.judge(number, said, "report", new=bool(set(there) - self._before))
        self._before = set(there)

    def _there(self) -> list[Path]:
        folder = self._data / made_files.FOLDER
        kinds = {f".{kind}" for kind in made_files.KINDS}
        return [f for f in folder.glob("*") if f.suffix in kinds] if folder.is_dir() else []


def whole(report: Path) -> bool:
    """Return whether a report is complete: every part of a workbook, the end of a page."""
    content = report.read_bytes()
    if report.suffix != ".xlsx":
        return content.rstrip().endswith((b"</html>", b"%%EOF"))
    try:
        return zipfile.ZipFile(io.BytesIO(content)).testzip() is None
    except zipfile.BadZipFile:
        return False


def main() -> None:
    """Run the rounds asked for and print what was seen; exit 1 if anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--store", choices=["folder", "bucket"], default="folder")
    parser.add_argument("--work", choices=list(WORKS), default="refresh")
    given = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        settings = Settings(data_url=str(folder / "store"))
        if given.store == "bucket":
            database, bucket = stack.enter_context(postgres()), stack.enter_context(s3())
            settings = settings_of(database, bucket, folder)
        source = folder / "made_up"
        launcher = stack.enter_context(launching(settings, given.work, source))
        try:
            seen = run(launcher, settings, source, given.rounds, work=given.work)
        except TiltError as error:
            sys.exit(f"a reader is refused: {error}")
    print(f"{given.rounds} kills, {seen.in_writing} of them in the writing, {seen.ended} too late.")
    print(f"left: {dict(seen.left)}; wrong: {seen.wrong or 'nothing'}")
    if seen.wrong or not all(seen.left[k] for k in (OLD, NEW)):
        sys.exit(1)


if __name__ == "__main__":
    main()
