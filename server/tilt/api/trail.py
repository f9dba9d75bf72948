"""A server's way to the audit: what is computed is gathered and added by the second.

What changes something or takes something out is on record before it is answered; a batch of cells
is one entry, added with others in one transaction. A server that is killed loses the entries of its
last second, all of computations; one that is stopped loses none.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from tilt import audit
from tilt.audit import Entry
from tilt.data import chain
from tilt.data.catalog import writing
from tilt.data.chain import Anchor
from tilt.errors import BusyError, TiltError

EVERY = 1.0  # seconds between two writings
ANCHORED = 60.0  # seconds between two anchors
MOST = 20_000  # entries that wait; more are refused, as nothing may go unnoticed
STRANGERS = 20  # refusals of nobody, of different kinds, that one writing tells apart
REFUSED = "refused"
_LOG = logging.getLogger(__name__)


class Trail:
    """The entries of one server that are still to be added, and the thread that adds them.

    Parameters
    ----------
    file : where anchors go
    every : seconds between two writings
    """

    def __init__(self, engine: Engine, file: Path, *, every: float = EVERY) -> None:
        self._engine, self._file, self._every = engine, file, every
        self._lock = threading.Lock()
        self._adding = threading.Lock()
        self._waiting: list[Entry] = []
        self._closing = threading.Event()
        self._anchor: Anchor | None = None
        self._anchored = time.monotonic()
        self._thread: threading.Thread | None = None  # from the first entry on

    def gather(self, entry: Entry) -> None:
        """Add an entry soon.

        Raises
        ------
        BusyError
            If too many wait, because the catalog cannot be written.
        """
        with self._lock:
            if len(self._waiting) >= MOST:
                raise BusyError(
                    "The audit cannot be written, so nothing is computed. Check that the catalog "
                    "can be written, and try again."
                )
            self._waiting.append(entry)
            if self._thread is None:
                self._thread = threading.Thread(target=self._loop, name="tilt-audit", daemon=True)
                self._thread.start()

    def add(self, entry: Entry) -> None:
        """Add an entry; it is on record when this returns.

        Raises
        ------
        BusyError
            If the catalog cannot be written now.
        """
        with writing(self._engine) as connection:
            audit.add(connection, [entry])

    def flush(self) -> None:
        """Add what was gathered."""
        with self._adding:
            with self._lock:
                taken, self._waiting = self._waiting, []
            if not taken:
                return
            try:
                with writing(self._engine) as connection:
                    audit.add(connection, counted(taken))
            except BaseException:
                with self._lock:
                    self._waiting = taken + self._waiting
                raise

    def close(self) -> None:
        """Add what was gathered, note the anchor, and stop."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join()
        self._try(self._note)

    def _loop(self) -> None:
        while not self._closing.wait(self._every):
            self._try(self.flush)
            if time.monotonic() - self._anchored >= ANCHORED:
                self._try(self._note)
        self._try(self.flush)

    def _note(self) -> None:
        self._anchored = time.monotonic()
        self._anchor = chain.note_anchor(self._engine, self._file, self._anchor)

    def _try(self, step: Callable[[], None]) -> None:
        try:
            step()
        except (SQLAlchemyError, TiltError) as error:
            _LOG.warning("The audit cannot be written, trying on: %s", error)


def counted(entries: Sequence[Entry]) -> list[Entry]:
    """Return entries, of equal refusals one that counts them: a flood is no flood of rows.

    Nobody in particular may make up as many addresses as they like: after the first ``STRANGERS``
    all of these count as one.
    """
    made: list[Entry] = []
    places: dict[tuple[object, ...], int] = {}
    times: Counter[tuple[object, ...]] = Counter()
    strangers = 0
    for entry in entries:
        if entry.action != REFUSED:
            made.append(entry)
            continue
        kind = _kind(entry)
        if kind not in places and not entry.actor.who:
            strangers += 1
            kind = kind if strangers < STRANGERS else ()
        if kind not in places:
            places[kind] = len(made)
            made.append(entry)
        times[kind] += 1
    for kind, place in places.items():
        entry = made[place]
        made[place] = replace(entry, detail={**entry.detail, "times": times[kind]})
    return made


def _kind(entry: Entry) -> tuple[object, ...]:
    return entry.subject, entry.actor.who, entry.actor.client, entry.detail.get("status")
