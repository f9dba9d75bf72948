"""Small files with names, such as imports, kept beside the snapshots in the folder or bucket."""

from pathlib import Path
from typing import Protocol

from tilt.data.bucket import Bucket, open_bucket
from tilt.data.disk import Disk
from tilt.settings import Settings


class Files(Protocol):
    """Files by names such as ``imports/MINE/prices.parquet``.

    Whatever cannot be done is an ``OSError``, a file that is not there a ``FileNotFoundError``.
    """

    def write(self, name: str, content: bytes) -> None:
        """Write a file in place of the one there; who reads it sees one or the other, whole."""

    def read(self, name: str) -> bytes:
        """Return a file's content."""

    def listed(self, prefix: str) -> list[str]:
        """Return the names of the files under a folder, in order; none if it is not there."""

    def remove(self, name: str) -> None:
        """Remove a file."""


class FolderFiles:
    """Files in a folder."""

    def __init__(self, folder: Path, disk: Disk) -> None:
        self._folder = folder
        self._disk = disk

    def write(self, name: str, content: bytes) -> None:
        path = self._folder / name
        self._disk.make_folder(path.parent)
        self._disk.replace(path, content)

    def read(self, name: str) -> bytes:
        return self._disk.read(self._folder / name)

    def listed(self, prefix: str) -> list[str]:
        found = (self._folder / prefix).rglob("*")
        names = (p.relative_to(self._folder) for p in found if p.is_file())
        return sorted(n.as_posix() for n in names if not n.name.startswith("."))

    def remove(self, name: str) -> None:
        (self._folder / name).unlink()


class BucketFiles:
    """Files in a bucket."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def write(self, name: str, content: bytes) -> None:
        self._bucket.write(name, content)

    def read(self, name: str) -> bytes:
        return self._bucket.read(name)

    def listed(self, prefix: str) -> list[str]:
        return [found.key for found in self._bucket.listed(prefix)]

    def remove(self, name: str) -> None:
        self._bucket.remove(name)


def open_files(settings: Settings) -> Files:
    """Return the files of an installation.

    Raises
    ------
    DataError
        If they are in a bucket that cannot be used.
    """
    if settings.bucket:
        return BucketFiles(open_bucket(settings))
    return FolderFiles(settings.data_path, Disk())
