"""The files of jobs: arguments going in, results coming out, each whole and checked or not at all.

They are pickles, and a pickle is code to whoever loads it. So a file is readable by its owner
alone, and is loaded only if its SHA-256 is the one the catalog keeps. Where portfolios are
encrypted, so are these files; the hash is of what is inside, which ends in random bytes then, so
that nobody can tell from the hash whether it is a content they have guessed.
"""

import hashlib
import os
import pickle
import secrets
import tempfile
from pathlib import Path

from tilt.errors import BusyError
from tilt.sealing import NONE, BrokenSealError, Seal, SealedError

ASKED = ".asked"  # what the name of a note ends with that somebody asks for a job
_SALT = 16


class DamagedFileError(BusyError):
    """A file is gone or is not the one that was written; made again, it will be."""


class LockedFileError(DamagedFileError):
    """A file is encrypted with a key that is not here; with the key it is as good as ever."""


class Files:
    """A folder that every server and worker of one catalog sees.

    Parameters
    ----------
    seal : the data keys of the installation
    """

    def __init__(self, folder: Path, seal: Seal = NONE) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder = folder
        self.seal = seal

    def write(self, name: str, value: object) -> str:
        """Store ``value`` under ``name`` and return its SHA-256; readers see all of it or none."""
        content = pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)
        salt = secrets.token_bytes(_SALT) if self.seal.on else b""  # loading stops before it
        return self.put(name, content + salt)

    def put(self, name: str, content: bytes) -> str:
        """Store the bytes of a written value, and return their SHA-256."""
        self._replace(name, self.seal.keep(content, _about(name)))
        return hashlib.sha256(content).hexdigest()

    def put_again(self, name: str) -> bool:
        """Keep a file as the settings say now; return whether it had to be written.

        Raises
        ------
        FileNotFoundError
            If it is gone.
        DataError
            If it is encrypted, and its key is not here or it is damaged.
        """
        content = self.seal.again((self.folder / name).read_bytes(), _about(name))
        if content is not None:
            self._replace(name, content)
        return content is not None

    def _replace(self, name: str, content: bytes) -> None:
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

    def read(self, name: str, sha256: str) -> object:
        """Return what was written.

        Raises
        ------
        DamagedFileError
            If the file is gone, or its content has another SHA-256; nothing is loaded then.
        LockedFileError
            If it is encrypted with a key that is not here.
        """
        return pickle.loads(self.content(name, sha256))  # noqa: S301 - the catalog vouches for it

    def content(self, name: str, sha256: str) -> bytes:
        """Return the bytes of what was written; ``DamagedFileError`` as for ``read``."""
        try:
            content = self.seal.open((self.folder / name).read_bytes(), _about(name))
        except FileNotFoundError:
            raise DamagedFileError("its file is gone from the server's disk.") from None
        except SealedError as error:
            raise LockedFileError(str(error)) from None
        except BrokenSealError as error:
            raise DamagedFileError(str(error)) from None
        if hashlib.sha256(content).hexdigest() != sha256:
            raise DamagedFileError("its file on the server's disk is not the one that was written.")
        return content

    def remove(self, name: str) -> None:
        """Remove every file whose name begins so: one file, or all of a job."""
        for path in self.folder.glob(f"{name}*"):
            path.unlink(missing_ok=True)

    def ask(self, job: str) -> None:
        """Note that somebody asks for a job now, for every server to see."""
        (self.folder / f"{job}{ASKED}").touch(mode=0o600)

    def asked(self) -> dict[str, int]:
        """Return by job when it was last asked for: a number that moves, and is no time."""
        found = {}
        for path in self.folder.glob(f"*{ASKED}"):
            try:
                found[path.name.removesuffix(ASKED)] = path.stat().st_mtime_ns
            except FileNotFoundError:  # another server removed it
                continue
        return found

    def forget_asking(self, job: str) -> None:
        """Note that nobody needs to ask for a job any more."""
        (self.folder / f"{job}{ASKED}").unlink(missing_ok=True)

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


def _about(name: str) -> str:
    return f"jobs/{name}"
