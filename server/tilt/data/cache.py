"""The serving cache: a field of a snapshot as two matrices, mapped into memory.

One file per snapshot and field holds the values by date and by ticker, so that one ticker's history
and one date's cross-section are each a run of neighboring bytes. It is made from the record when it
is first asked for, and made again if it is not what was written. It may be removed at any time.
"""

import hashlib
import json
import logging
import mmap
import os
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from tilt.data.places import ABANDONED_SECONDS
from tilt.errors import UnknownNameError, did_you_mean, one_of
from tilt.frames import listed

_LOG = logging.getLogger(__name__)

FIELDS = ("close", "adj_close", "return", "volume", "market_cap")
_MAGIC = b"TILT matrix 1\n"
_HASHED = len(_MAGIC) + 64  # the hash before is of all that follows
_SUFFIX = ".matrix"
_ALIGNED = 64  # bytes; the matrices begin at a multiple
_HEAD_DIGITS = 12


@dataclass(frozen=True, eq=False)
class Matrix:
    """One field of one universe, read-only.

    dates, tickers : labels
    by_date        : dates × tickers
    by_ticker      : tickers × dates, the same values
    universe       : its name, for messages
    """

    dates: pd.DatetimeIndex
    tickers: "pd.Index[str]"
    by_date: np.ndarray
    by_ticker: np.ndarray
    universe: str

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {str(ticker): row for row, ticker in enumerate(self.tickers)}

    def history(
        self, tickers: Sequence[str], start: pd.Timestamp | None, end: pd.Timestamp | None
    ) -> pd.DataFrame:
        """Return dates × tickers, in the order asked.

        Raises
        ------
        UnknownNameError
            If a ticker is not there.
        """
        unknown = [t for t in tickers if t not in self._rows]
        if unknown:
            raise UnknownNameError(
                f"'{self.universe}' has no {listed(unknown)}."
                f"{did_you_mean(unknown[0], list(self.tickers))}"
            )
        first = 0 if start is None else int(self.dates.searchsorted(start))
        last = len(self.dates) if end is None else int(self.dates.searchsorted(end, side="right"))
        rows = np.array([self._rows[t] for t in tickers], dtype=int)
        values = self.by_ticker[:, first:last][rows]  # a copy: the file may go any time
        names = self.tickers[rows]
        return pd.DataFrame(values.T, index=self.dates[first:last], columns=names, copy=False)

    def cross_section(self, date: pd.Timestamp) -> "pd.Series[float]":
        """Return every ticker's value on the last trading day at or before ``date``.

        Raises
        ------
        UnknownNameError
            If the data begins later.
        """
        row = int(self.dates.searchsorted(date, side="right")) - 1
        if row < 0:
            raise UnknownNameError(
                f"No data on {date:%Y-%m-%d}: '{self.universe}' starts on {self.dates[0]:%Y-%m-%d}."
            )
        return pd.Series(self.by_date[row].copy(), index=self.tickers, name=self.dates[row])


class Cache:
    """Matrices of the snapshots used last, in files of a local folder.

    Any number of processes may share the folder.

    Parameters
    ----------
    most : bytes of all files together; a matrix that is larger is made each time
    """

    def __init__(self, folder: Path, most: int) -> None:
        self._folder = folder
        self._most = most
        self._open: dict[Path, Matrix] = {}
        self._lock = threading.Lock()

    def matrix(
        self, snapshot: str, universe: str, field: str, build: Callable[[str], pd.DataFrame]
    ) -> Matrix:
        """Return a field of a snapshot.

        Parameters
        ----------
        build : gives the field, dates × tickers, from the record

        Raises
        ------
        ArgumentError
            If there is no such field.
        """
        name = one_of("field", field, FIELDS)
        path = self._folder / snapshot / f"{name}{_SUFFIX}"
        with self._lock:
            found = self._open.pop(path, None)
            if found is not None and _touched(path):
                self._open[path] = found
                return found
            found = _mapped(path, universe)
            if found is None:
                found = self._made(path, _encoded(build(name)), universe)
            if _touched(path):
                self._open[path] = found
            return found

    def _made(self, path: Path, content: bytearray, universe: str) -> Matrix:
        if len(content) <= self._most:
            try:
                _write(path, content)
                self._make_room(path)
            except OSError as error:
                _LOG.warning("The serving cache %s cannot be written: %s", path, error)
            mapped = _mapped(path, universe)
            if mapped is not None:
                return mapped
        return _matrix(memoryview(content), universe)

    def close(self) -> None:
        """Let go of the files."""
        with self._lock:
            self._open.clear()

    def _make_room(self, new: Path) -> None:
        """Remove the files used longest ago until the rest is within bounds."""
        kept = []
        for part in self._folder.glob(f"*/.*{_SUFFIX}-*"):
            if time.time() - part.stat().st_mtime > ABANDONED_SECONDS:
                _removed(part)
        for path in self._folder.glob(f"*/*{_SUFFIX}"):
            try:
                about = path.stat()
            except FileNotFoundError:  # another process removed it
                continue
            kept.append((path != new, about.st_mtime_ns, about.st_size, path))
        total = sum(size for _, _, size, _ in kept)
        for older, _, size, path in sorted(kept, key=lambda k: k[1]):
            if total <= self._most:
                return
            if older and _removed(path):
                self._open.pop(path, None)
                total -= size


def _touched(path: Path) -> bool:
    """Note that a file is used, and return whether it is there."""
    try:
        os.utime(path)
    except OSError:
        return False
    return True


def _removed(path: Path) -> bool:
    try:
        path.unlink(missing_ok=True)
    except PermissionError:  # Windows, while a process has it mapped
        return False
    return True


def _encoded(frame: pd.DataFrame) -> bytearray:
    """Return the file of a field: a hash of the rest, the labels in JSON, the two matrices."""
    values = frame.to_numpy(dtype="float64")
    about = {
        "dates": pd.DatetimeIndex(frame.index).as_unit("us").asi8.tolist(),
        "tickers": [str(t) for t in frame.columns],
    }
    head = json.dumps(about).encode()
    head = f"{len(head):{_HEAD_DIGITS}d}".encode() + head
    start = _start(len(head))
    content = bytearray(start + 2 * values.nbytes)
    matrices = np.frombuffer(content, dtype="float64", offset=start)
    matrices[: values.size] = values.ravel()
    matrices[values.size :] = values.T.ravel()
    content[_HASHED : _HASHED + len(head)] = head
    sha256 = hashlib.sha256(memoryview(content)[_HASHED:]).hexdigest()
    content[:_HASHED] = _MAGIC + sha256.encode()
    return content


def _start(head: int) -> int:
    """Return where the matrices begin behind labels of so many bytes."""
    return -(-(_HASHED + head) // _ALIGNED) * _ALIGNED


def _mapped(path: Path, universe: str) -> Matrix | None:
    """Return the matrices of a file, mapped; None if it cannot be read or is not what it was."""
    try:
        with path.open("rb") as file:
            content = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except (OSError, ValueError):  # an empty file cannot be mapped
        return None
    try:
        return _matrix(content, universe)
    except _DamagedError:
        return None


class _DamagedError(Exception):
    """A file is not what was written."""


def _matrix(content: memoryview, universe: str) -> Matrix:
    sha256 = hashlib.sha256(content[_HASHED:]).hexdigest()
    if bytes(content[:_HASHED]) != _MAGIC + sha256.encode():
        raise _DamagedError
    begin = _HASHED + _HEAD_DIGITS
    size = int(bytes(content[_HASHED:begin]))
    head = json.loads(bytes(content[begin : begin + size]))
    dates = pd.DatetimeIndex(np.array(head["dates"], dtype="datetime64[us]"), name="date")
    tickers = pd.Index(head["tickers"], name="ticker", dtype="str")
    start, cells = _start(_HEAD_DIGITS + size), len(dates) * len(tickers)
    values = np.frombuffer(content, dtype="float64", offset=start)
    values.flags.writeable = False
    return Matrix(
        dates,
        tickers,
        values[:cells].reshape(len(dates), len(tickers)),
        values[cells:].reshape(len(tickers), len(dates)),
        universe,
    )


def _write(path: Path, content: bytearray) -> None:
    """Write a file whole or not at all; whether it outlives a power cut its hash will tell."""
    path.parent.mkdir(parents=True, exist_ok=True)
    written = path.with_name(f".{path.name}-{uuid.uuid4().hex[:8]}")
    try:
        written.write_bytes(content)
        written.replace(path)
    finally:
        written.unlink(missing_ok=True)
