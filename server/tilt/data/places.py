"""Where snapshots' files lie: a folder or a bucket, between which the store knows no difference.

A folder is written beside its final name, synced and renamed. A bucket has no rename: its objects
are written at once under names that carry the hash of their content, so that nothing that anybody
reads is ever written over; what the catalog does not list is not there.
"""

import time
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tilt.data.bucket import Bucket, open_bucket
from tilt.data.disk import Disk
from tilt.errors import DataError
from tilt.settings import Settings

SNAPSHOTS = "snapshots"
STAGING = ".staging-"
ABANDONED_SECONDS = 3600.0  # what nobody has written to for so long has no writer any more


@dataclass(frozen=True)
class Stored:
    """One file of a snapshot, as the catalog lists it."""

    snapshot: str
    name: str
    sha256: str
    bytes: int


class Draft(Protocol):
    """The files of a snapshot while they are written."""

    def write(self, file: Stored, content: memoryview) -> None:
        """Write a file; it is safe when the call returns."""

    def finish(self) -> None:
        """Give the files their final names; called while the catalog is held for writing."""

    def drop(self) -> None:
        """Leave nothing behind that is not finished, as far as that can be done."""


class Place(Protocol):
    """Where snapshots lie. Each method raises ``OSError`` if it cannot be done."""

    @property
    def where(self) -> str:
        """The folder or URL, for messages."""

    def begin(self, snapshot: str) -> Draft:
        """Begin to write a snapshot's files."""

    def read(self, file: Stored) -> bytes:
        """Return the content of a file; ``FileNotFoundError`` if it is not there."""

    def remove(self, snapshot: str) -> None:
        """Remove a snapshot's files; it is no error if there are none."""

    def sweep(self, complete: Collection[str]) -> None:
        """Remove what unfinished writings left; called while the catalog is held for writing."""


class FolderPlace:
    """Snapshots in a folder, each a folder of its own."""

    def __init__(self, folder: Path, disk: Disk) -> None:
        self._folder = folder / SNAPSHOTS
        self._disk = disk

    @property
    def where(self) -> str:
        return str(self._folder)

    def begin(self, snapshot: str) -> Draft:
        staging = self._folder / f"{STAGING}{snapshot}-{uuid.uuid4().hex[:8]}"
        self._disk.make_folder(staging)
        return _FolderDraft(staging, self._folder / snapshot, self._disk)

    def read(self, file: Stored) -> bytes:
        return self._disk.read(self._folder / file.snapshot / file.name)

    def remove(self, snapshot: str) -> None:
        self._disk.remove_folder(self._folder / snapshot)

    def sweep(self, complete: Collection[str]) -> None:
        for folder in self._folder.iterdir():
            if folder.name.startswith(STAGING):
                left = time.time() - folder.stat().st_mtime > ABANDONED_SECONDS
            else:
                left = folder.name not in complete
            if left:
                self._disk.remove_folder(folder)


@dataclass(frozen=True)
class _FolderDraft:
    staging: Path
    final: Path
    disk: Disk

    def write(self, file: Stored, content: memoryview) -> None:
        self.disk.write(self.staging / file.name, content)

    def finish(self) -> None:
        self.disk.remove_folder(self.final)  # damaged, or of a writing that was not committed
        self.disk.rename(self.staging, self.final)

    def drop(self) -> None:
        self.disk.remove_folder(self.staging)


class BucketPlace:
    """Snapshots in a bucket, each under a prefix of its own."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    @property
    def where(self) -> str:
        return f"{self._bucket.url}/{SNAPSHOTS}"

    def begin(self, snapshot: str) -> Draft:
        return _BucketDraft(self._bucket, [])

    def read(self, file: Stored) -> bytes:
        return self._bucket.read(_key(file))

    def remove(self, snapshot: str) -> None:
        for found in self._bucket.listed(f"{SNAPSHOTS}/{snapshot}"):
            self._bucket.remove(found.key)

    def sweep(self, complete: Collection[str]) -> None:
        for found in self._bucket.listed(SNAPSHOTS):
            snapshot = found.key.split("/")[1]
            if snapshot not in complete and time.time() - found.written > ABANDONED_SECONDS:
                self._bucket.remove(found.key)


@dataclass(frozen=True)
class _BucketDraft:
    bucket: Bucket
    files: list[Stored]

    def write(self, file: Stored, content: memoryview) -> None:
        self.bucket.write(_key(file), content)
        self.files.append(file)

    def finish(self) -> None:
        for file in self.files:  # another writer may have swept a writing that took very long
            if self.bucket.size(_key(file)) != file.bytes:
                raise OSError(f"{file.name} is not in the bucket as it was written")

    def drop(self) -> None:
        """Leave all: another writer of the same content may count on these very objects."""


def _key(file: Stored) -> str:
    stem, _, kind = file.name.rpartition(".")
    return f"{SNAPSHOTS}/{file.snapshot}/{stem}.{file.sha256[:16]}.{kind}"


def open_place(settings: Settings, disk: Disk) -> Place:
    """Return where the settings keep snapshots, made if it is a folder that is not there.

    Raises
    ------
    DataError
        If the folder cannot be made, or the bucket cannot be used.
    """
    try:
        disk.make_folder(settings.data_path)
        if settings.bucket:
            return BucketPlace(open_bucket(settings))
        disk.make_folder(settings.data_path / SNAPSHOTS)
    except OSError as error:
        setting = "TILT_WORK_FOLDER" if settings.bucket else "TILT_DATA_URL"
        raise DataError(
            f"The data folder {settings.data_path} cannot be made ({error.strerror}). "
            f"Set {setting} to a folder you may write to."
        ) from None
    return FolderPlace(settings.data_path, disk)
