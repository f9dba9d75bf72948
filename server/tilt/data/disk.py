"""The few things the store asks of a file system; tests give one that fails."""

import os
import shutil
from pathlib import Path


class Disk:
    """Files that are on the disk when the call returns."""

    def make_folder(self, path: Path) -> None:
        path.mkdir(parents=True, exist_ok=True)

    def write(self, path: Path, content: bytes | memoryview) -> None:
        with path.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())

    def rename(self, old: Path, new: Path) -> None:
        """Rename a folder with its files, and let both survive a power cut."""
        _sync_folder(old)
        old.rename(new)
        _sync_folder(new.parent)

    def remove_folder(self, path: Path) -> None:
        shutil.rmtree(path, ignore_errors=True)

    def read(self, path: Path) -> bytes:
        return path.read_bytes()


def _sync_folder(path: Path) -> None:
    if os.name == "nt":
        return  # Windows has no handle of a folder to sync; NTFS journals the rename itself
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
