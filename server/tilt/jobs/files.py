"""The files of jobs: arguments going in, results coming out, each whole and checked or not at all.

They are pickles, and a pickle is code to whoever loads it. So a file is readable by its owner
alone, and is loaded only if its SHA-256 is the one the catalog keeps.
"""

import hashlib
import os
import pickle
import tempfile
from pathlib import Path

from tilt.errors import BusyError


class DamagedFileError(BusyError):
    """A file is gone or is not the one that was written; made again, it will be."""


class Files:
    """A folder that every server and worker of one catalog sees."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder = folder

    def write(self, name: str, value: object) -> str:
        """Store ``value`` under ``name`` and return its SHA-256; readers see all of it or none."""
        return self.put(name, pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL))

    def put(self, name: str, content: bytes) -> str:
        """Store the bytes of a written value, and return their SHA-256."""
        handle, temporary = tempfile.mkstemp(dir=self.folder, prefix=f"{name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(self.folder / name)
        finally:
            Path(temporary).unlink(missing_ok=True)
        self._sync()
        return hashlib.sha256(content).hexdigest()

    def read(self, name: str, sha256: str) -> object:
        """Return what was written.

        Raises
        ------
        DamagedFileError
            If the file is gone, or its content has another SHA-256; nothing is loaded then.
        """
        return pickle.loads(self.content(name, sha256))  # noqa: S301 - the catalog vouches for it

    def content(self, name: str, sha256: str) -> bytes:
        """Return the bytes of what was written; ``DamagedFileError`` as for ``read``."""
        try:
            content = (self.folder / name).read_bytes()
        except FileNotFoundError:
            raise DamagedFileError("its file is gone from the server's disk.") from None
        if hashlib.sha256(content).hexdigest() != sha256:
            raise DamagedFileError("its file on the server's disk is not the one that was written.")
        return content

    def remove(self, name: str) -> None:
        """Remove every file whose name begins so: one file, or all of a job."""
        for path in self.folder.glob(f"{name}*"):
            path.unlink(missing_ok=True)

    def jobs_before(self, seconds: float) -> set[str]:
        """Return the ids of jobs with a file last written before an epoch time."""
        found = set()
        for path in self.folder.iterdir():
            try:
                if path.stat().st_mtime < seconds:
                    found.add(path.name.partition(".")[0].partition("-")[0])
            except FileNotFoundError:  # another server removes old files too
                continue
        return found

    def _sync(self) -> None:
        if os.name == "posix":  # elsewhere a folder cannot be opened, and renames are journaled
            handle = os.open(self.folder, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)


def task_file(job: str) -> str:
    """Return the name of the file with a job's function and arguments."""
    return f"{job}.task"


def result_file(job: str, attempt: int) -> str:
    """Return the name of the file an attempt leaves; two attempts never share one."""
    return f"{job}-{attempt}.result"
