"""A process that has loaded everything and forks one piece of work after the other, to be killed.

``python launching.py WORK FOLDER`` is that process; :func:`launching` starts it. The works whose
names begin with "broken" do theirs wrongly, and say so at the worst moment: a harness that does not
catch them catches nothing.
"""

import datetime as dt
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # as a script it has no test runner's path

from tilt.api import files as made_files
from tilt.api.reports import submit_report
from tilt.api.state import State
from tilt.data.live import Board, LastClose
from tilt.data.named import open_files
from tilt.data.reading.door import read_files
from tilt.data.reading.notes import Asked as AskedOfFile
from tilt.data.reading.opening import open_bytes
from tilt.data.schema import PRICES
from tilt.data.sources.imported import PREFIX, keep
from tilt.data.store import Store
from tilt.errors import TiltError
from tilt.refresh import refresh
from tilt.report.making import Asked, Book
from tilt.settings import Settings, read_settings

UNIVERSE = "MINE"
OWNER = "local"
SECTIONS = ("holdings", "exposures")  # enough to be killed in
TORN = "torn"  # what a broken work says when only half of it is done
Tell = Callable[[str], None]


class Launcher:
    """Starts pieces of work, and hears what they say."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process

    def start(self) -> int:
        """Start one and return its process id."""
        self._process.stdin.write(b"g")
        self._process.stdin.flush()
        return int(self._line().removeprefix("pid "))

    def stage(self, seconds: float) -> str:
        """Return the next thing it says; empty if it says nothing for so long."""
        ready, _, _ = select.select([self._process.stdout], [], [], max(0.0, seconds))
        return self._line() if ready else ""

    def wait(self) -> list[str]:
        """Wait until it is over, however it ended; return what it said meanwhile."""
        said = []
        while (line := self._line()) != "over":
            said.append(line)
        return said

    def _line(self) -> str:
        line = b""
        while not line.endswith(b"\n"):
            more = os.read(self._process.stdout.fileno(), 1)
            if not more:
                raise EOFError("the launcher has died")
            line += more
        return line.decode().strip()


@contextmanager
def launching(settings: Settings, work: str, folder: Path) -> Iterator[Launcher]:
    """Give a launcher of a work on the store of the settings.

    Parameters
    ----------
    work : a key of ``WORKS``
    folder : of the files that it reads
    """
    environment = {
        **os.environ,
        "TILT_DATA_URL": settings.data_url,
        "TILT_DATABASE_URL": settings.database_url,
        "TILT_S3_ENDPOINT": settings.s3_endpoint,
        "TILT_WORK_FOLDER": settings.work_folder,
    }
    command = [sys.executable, __file__, work, str(folder)]
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        try:
            yield Launcher(process)
        finally:
            process.stdin.close()  # it ends when nothing more can be asked of it


def refreshing(tell: Tell, settings: Settings, folder: Path) -> None:
    """Refresh from the files of the folder."""
    told = _staged(tell)
    refresh(Store.open(settings), settings, source=str(folder), progress=told)


def importing(tell: Tell, settings: Settings, folder: Path) -> None:
    """Import the files of the folder, say so, and refresh from what is kept."""
    store = Store.open(settings)
    tell("import")
    contents = [open_bytes(f.name, f.read_bytes()) for f in sorted(folder.glob("*.csv"))]
    keep(store.catalog, open_files(settings), UNIVERSE, read_files(contents, AskedOfFile()))
    tell("kept")
    refresh(store, settings, source=f"{PREFIX}{UNIVERSE}", progress=_staged(tell))


def reporting(tell: Tell, settings: Settings, _folder: Path) -> None:
    """Make a report as a worker does, and say which file it became."""
    store = Store.open(settings)
    state = state_of(settings, store, _AtOnce(tell))
    names = store.panel().assets[:4]
    held = [["ticker", "weight"], *([n, 0.25] for n in names)]
    asked = Asked(books=(Book("Four", held),), sections=SECTIONS)
    for form in ("xlsx", "html"):
        submit_report(state, replace(asked, format=form), OWNER)
    tell("done")


def state_of(settings: Settings, store: Store, jobs: object = None) -> State:
    """Return the state of a server that would answer from this store."""
    return State(settings, store, {}, jobs, Board(LastClose(store), seconds=60))


class _AtOnce:
    """In the place of the jobs: does the work here and now."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell

    def submit(self, function, *args, **_):
        def progress(_fraction: float, stage: str = "") -> None:
            if stage:
                self._tell("write" if "writ" in stage else "made")

        result = function(progress, *args)
        for file in result["files"]:
            self._tell(f"file {file['file']}")


def broken_refreshing(tell: Tell, settings: Settings, folder: Path) -> None:
    """List a snapshot as complete when one of its files is but half written."""
    store = Store.open(settings)
    made = refresh(store, settings, source=str(folder))
    files = open_files(settings)
    name = files.listed(f"snapshots/{made.snapshot.id}")[0]
    files.write(name, files.read(name)[:-100])
    tell(TORN)
    time.sleep(60)


def broken_importing(tell: Tell, settings: Settings, folder: Path) -> None:
    """Put one table in its place, and say that all is kept."""
    reading = read_files([open_bytes("prices.csv", (folder / "prices.csv").read_bytes())])
    only = replace(reading, tables={PRICES.name: reading.tables[PRICES.name]})
    keep(Store.open(settings).catalog, open_files(settings), UNIVERSE, only)
    tell("kept")
    tell(TORN)
    time.sleep(60)


def broken_reporting(tell: Tell, settings: Settings, _folder: Path) -> None:
    """Write half of a report under its own name."""
    file = made_files.keep(settings.data_path, OWNER, b"PK\x03\x04 half of a workbook")
    tell(f"file {file}")
    tell(TORN)
    time.sleep(60)


def _staged(tell: Tell) -> Callable[[str, float], None]:
    return lambda stage, _: tell(stage)


WORKS = {
    "refresh": refreshing,
    "import": importing,
    "report": reporting,
    "broken refresh": broken_refreshing,
    "broken import": broken_importing,
    "broken report": broken_reporting,
}


def serve(work: str, folder: str) -> None:
    """Fork a piece of work for each byte on standard input, and say its id and its end."""
    settings, say = read_settings(), sys.stdout.fileno()
    while os.read(sys.stdin.fileno(), 1):
        wait, go = os.pipe()
        child = os.fork()
        if not child:
            os.read(wait, 1)
            _carry_out(say, settings, WORKS[work], Path(folder))
        os.write(say, f"pid {child}\n".encode())
        os.write(go, b"g")  # the id is said first
        os.close(wait)
        os.close(go)
        os.waitpid(child, 0)
        os.write(say, b"over\n")


def _carry_out(say: int, settings: Settings, work: Callable[..., None], folder: Path) -> None:
    def tell(words: str) -> None:
        os.write(say, f"{words}\n".encode())

    try:
        work(tell, settings, folder)
    except TiltError as error:
        tell(f"failed: {json.dumps(str(error))}")
        os._exit(1)
    tell(f"ended {dt.datetime.now(dt.UTC):%H:%M:%S}")
    os._exit(0)


if __name__ == "__main__":
    serve(*sys.argv[1:])
