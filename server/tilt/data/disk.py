"""The few things the store asks of a file system; tests give one that fails."""

import os
import shutil
import uuid
from pathlib import Path


class Disk:
    """Files that are on the disk when the call returns."""

    def make_folder(self, path: Path) -> None:
        path.mkdir(parents=True, exist_ok=True)

    def write(self, path: Path, content: bytes | memoryview) -> None:
        with path.open("wb") as file:
            file.write(content)
            self.sync(file.fileno())

    def sync(self, handle: int) -> None:
        os.fsync(handle)

    def rename(self, old: Path, new: Path) -> None:
        """Rename a folder with its files, and let both survive a power cut."""
        self.sync_folder(old)
        old.rename(new)
        self.sync_folder(new.parent)

    def replace(self, path: Path, content: bytes | memoryview) -> None:
        """Write a file in place of the one there; who reads it sees one or the other, whole."""
        written = path.with_name(f".{path.name}-{uuid.uuid4().hex[:8]}")
        try:
            self.write(written, content)
            written.replace(path)
        finally:
            written.unlink(missing_ok=True)
        self.sync_folder(path.parent)

    def sync_folder(self, path: Path) -> None:
        if os.name == "nt":
            return  # Windows has no handle of a folder to sync; NTFS journals the rename itself
        handle = os.open(path, os.O_RDONLY)
        try:
            self.sync(handle)
        finally:
            os.close(handle)

    def remove_folder(self, path: Path) -> None:
        shutil.rmtree(path, ignore_errors=True)

    def read(self, path: Path) -> bytes:
        return path.read_bytes()
